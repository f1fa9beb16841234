using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace ConvNet.Dashboard;

/// <summary>Failures as problem+json (RFC 9457): <c>detail</c> can be shown to people as it is; <c>problems</c> has every one where there are several.</summary>
internal sealed class Problems(RequestDelegate next, ILogger<Problems> log)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has hung up; there is nobody to tell.
        }
        catch (Exception failure) when (!http.Response.HasStarted)
        {
            (int status, string detail, IReadOnlyList<string>? problems) = failure switch
            {
                JobServiceException refused => (Status(refused.Problem), refused.Message, null),
                JobFileException wrong => (StatusCodes.Status400BadRequest, wrong.Message, wrong.Problems),
                BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => (StatusCodes.Status413PayloadTooLarge, "the request is larger than any job file; nothing was submitted.", null),
                BadHttpRequestException bad => (bad.StatusCode, bad.Message, null),
                _ => (StatusCodes.Status500InternalServerError, "the coordinator failed to answer; its log says why.", (IReadOnlyList<string>?)null),
            };
            if (status == StatusCodes.Status500InternalServerError)
                log.LogError(failure, "Request {Method} {Path} failed", http.Request.Method, http.Request.Path);
            await WriteAsync(http, status, detail, problems);
        }
    }

    /// <summary>Answers with a problem.</summary>
    public static Task WriteAsync(HttpContext http, int status, string detail, IReadOnlyList<string>? problems = null)
    {
        var body = new ProblemDetails { Status = status, Title = ReasonPhrases.GetReasonPhrase(status), Detail = detail };
        if (problems != null)
            body.Extensions["problems"] = problems;
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(body, ManagementJson.Options, "application/problem+json", http.RequestAborted);
    }

    private static int Status(JobServiceProblem problem) => problem switch
    {
        JobServiceProblem.NotFound => StatusCodes.Status404NotFound,
        JobServiceProblem.Invalid => StatusCodes.Status400BadRequest,
        JobServiceProblem.Conflict => StatusCodes.Status409Conflict,
        _ => StatusCodes.Status503ServiceUnavailable,
    };
}
