using System.Text.Json;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Dashboard;

/// <summary>The endpoints of the job API, over an <see cref="IJobService"/>.</summary>
public static class JobApi
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(2);

    /// <summary>Adds the endpoints and, before them, what turns failures into problems and refuses whom it should.</summary>
    public static WebApplication MapJobApi(this WebApplication app, HttpOptions options)
    {
        options.Validate();
        app.UseMiddleware<Problems>();
        app.UseMiddleware<RequestGuard>(options);
        app.MapOpenApi("/openapi/{documentName}.json");
        MapHealth(app);
        RouteGroupBuilder api = app.MapGroup("/api").WithTags("Jobs");
        MapJobs(api);
        MapResults(api, options);
        api.MapGet("/nodes", async (IJobService jobs, CancellationToken stop) => Results.Ok(await jobs.NodesAsync(stop)))
            .WithName("listNodes").WithSummary("The nodes of the cluster").Produces<IReadOnlyList<NodeRecord>>();
        app.MapFallback(http => Problems.WriteAsync(http, StatusCodes.Status404NotFound, $"there is no {http.Request.Path} here; /openapi/v1.json lists what there is."));
        return app;
    }

    private static void MapHealth(IEndpointRouteBuilder app)
    {
        app.MapGet("/health/live", () => Results.Ok(new { status = "live" }))
            .WithName("live").WithSummary("The process answers").WithTags("Health");
        app.MapGet("/health/ready", async (IJobService jobs, CancellationToken stop) =>
            {
                try
                {
                    IReadOnlyList<NodeRecord> nodes = await jobs.NodesAsync(stop).WaitAsync(ReadyWithin, stop);
                    return Results.Ok(new { status = "ready", nodes = nodes.Count });
                }
                catch (TimeoutException)
                {
                    throw new JobServiceException(JobServiceProblem.Unavailable, $"the job manager has not answered within {ReadyWithin.TotalSeconds} s.");
                }
            })
            .WithName("ready").WithSummary("The job manager answers").WithTags("Health").ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static void MapJobs(IEndpointRouteBuilder api)
    {
        api.MapPost("/jobs", SubmitAsync)
            .WithName("submitJob").WithSummary("Queue a job")
            .WithDescription("`job` is the text of a job file, or an object with its fields; `options` override them. Every problem is in `problems` of the answer.")
            .Accepts<SubmitRequest>("application/json").Produces<JobRecord>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        api.MapGet("/jobs", async (IJobService jobs, CancellationToken stop) => Results.Ok(await jobs.ListAsync(stop)))
            .WithName("listJobs").WithSummary("All jobs, newest first").Produces<IReadOnlyList<JobRecord>>();
        api.MapGet("/jobs/{id}", async (string id, IJobService jobs, CancellationToken stop) => Results.Ok(await jobs.FindAsync(id, stop)))
            .WithName("getJob").WithSummary("One job").Produces<JobRecord>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapPost("/jobs/{id}/cancel", async (string id, IJobService jobs, CancellationToken stop) => Results.Ok(await jobs.CancelAsync(id, stop)))
            .WithName("cancelJob").WithSummary("Cancel a job that has not ended").Produces<JobRecord>()
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        api.MapPost("/jobs/{id}/resume", async (string id, IJobService jobs, CancellationToken stop) => Results.Ok(await jobs.ResumeAsync(id, stop)))
            .WithName("resumeJob").WithSummary("Queue a failed or cancelled job again, to go on at its newest checkpoint").Produces<JobRecord>()
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static void MapResults(IEndpointRouteBuilder api, HttpOptions options)
    {
        api.MapGet("/jobs/{id}/log", LogAsync)
            .WithName("getJobLog").WithSummary("The kept lines of a job's log with a sequence number above `after`")
            .Produces<IReadOnlyList<JobLogEntry>>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/jobs/{id}/events", (string id, long? after, HttpContext http, IJobService jobs, IHostApplicationLifetime life, TimeProvider time, ILogger<EventStream> log) =>
                new EventStream(http, options, time).WriteAsync(jobs, id, EventStream.LastEventId(http.Request) ?? after ?? 0, log, life.ApplicationStopping))
            .WithName("followJob").WithSummary("The log of a job as server-sent events, until it has ended")
            .WithDescription("A message is a line of the log, its id the sequence number: come back with `Last-Event-ID` after a cut. Progress has no id. `ping` comes when nothing else does; `end`, with the job, is last.")
            .Produces<JobLogEntry>(contentType: "text/event-stream").ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("/jobs/{id}/model", ModelAsync)
            .WithName("getJobModel").WithSummary("The folder of a trained model, as a tar file")
            .Produces<byte[]>(contentType: ModelArchive.MediaType).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> SubmitAsync(HttpRequest request, IJobService jobs, CancellationToken stop)
    {
        SubmitRequest? asked;
        try
        {
            asked = await JsonSerializer.DeserializeAsync<SubmitRequest>(request.Body, ManagementJson.Options, stop);
        }
        catch (JsonException wrong)
        {
            throw new JobServiceException(JobServiceProblem.Invalid, $"the body is not the JSON of a job to submit: {wrong.Message}");
        }

        JobSubmission submission = (asked ?? throw new JobServiceException(JobServiceProblem.Invalid, "the body is null; expected {\"job\": …}.")).ToSubmission();
        JobRecord job = await jobs.SubmitAsync(submission, stop);
        return Results.Created($"/api/jobs/{job.Id}", job);
    }

    private static async Task<IResult> LogAsync(string id, long? after, IJobService jobs, CancellationToken stop)
    {
        var lines = new List<JobLogEntry>();
        await foreach (JobLogEntry line in jobs.LogAsync(id, after ?? 0, follow: false, stop))
            lines.Add(line);
        return Results.Ok(lines);
    }

    private static async Task ModelAsync(string id, HttpResponse response, IJobService jobs, CancellationToken stop)
    {
        string folder = await jobs.ModelFolderAsync(id, stop);
        JobRecord job = await jobs.FindAsync(id, stop);
        response.ContentType = ModelArchive.MediaType;
        response.Headers.ContentDisposition = $"attachment; filename=\"{job.Id}.tar\"";
        if (job.WeightsSha256 is { } hash)
            response.Headers["X-Weights-Sha256"] = hash;
        await ModelArchive.WriteAsync(folder, response.Body, stop);
    }
}
