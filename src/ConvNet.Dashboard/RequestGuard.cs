using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace ConvNet.Dashboard;

/// <summary>Decides which requests are heard at all: before any body is read.</summary>
/// <remarks>
/// With a token, it must be there. On loopback, where a token is not a must, the danger is a web page in a browser on this machine: a name that it makes point
/// here is told by the Host header, and a form that it submits by the content type, as a page may send JSON to another origin only if that origin agrees, which this never does.
/// </remarks>
internal sealed class RequestGuard(RequestDelegate next, HttpOptions options, ILogger<RequestGuard> log)
{
    private static readonly string[] LoopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

    private readonly byte[]? _token = options.Token == null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(options.Token));
    private readonly bool _loopback = options.IsLoopback;

    public Task InvokeAsync(HttpContext http)
    {
        if (http.Request.Path.StartsWithSegments("/health"))
            return next(http);

        if (_loopback && !LoopbackHosts.Contains(http.Request.Host.Host, StringComparer.OrdinalIgnoreCase))
        {
            return Problems.WriteAsync(http, StatusCodes.Status403Forbidden,
                $"this address answers requests to localhost, 127.0.0.1 and [::1] only, not to '{http.Request.Host}'. Use one of these names, or start the coordinator with --http and --token for others.");
        }

        if (_token != null && !Allowed(http.Request))
        {
            log.LogWarning("Refused {Method} {Path} from {Address}: no token, or not the right one", http.Request.Method, http.Request.Path, http.Connection.RemoteIpAddress);
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.WriteAsync(http, StatusCodes.Status401Unauthorized,
                "this coordinator wants a token, and this is not the right one or there is none. Give the coordinator's with --token or CONVNET_TOKEN; over HTTP, as 'Authorization: Bearer TOKEN'.");
        }

        if (HttpMethods.IsPost(http.Request.Method) && !IsJson(http.Request.ContentType))
        {
            return Problems.WriteAsync(http, StatusCodes.Status415UnsupportedMediaType,
                $"expected the header 'Content-Type: application/json', got {(http.Request.ContentType is { } type ? $"'{type}'" : "none")}.");
        }

        return next(http);
    }

    /// <summary>Hashes first: equally long, they are compared in a time that does not depend on where they differ.</summary>
    private bool Allowed(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string given = request.Headers.Authorization.ToString();
        return given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given[Scheme.Length..].Trim())), _token);
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);
}
