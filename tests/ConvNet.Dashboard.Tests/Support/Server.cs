using System.Text;
using System.Text.Json;
using ConvNet.Dashboard.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConvNet.Dashboard.Tests.Support;

/// <summary>A job API on a free port of this machine over a <see cref="FakeJobs"/>, and plain HTTP to ask it.</summary>
public sealed class Server : IAsyncDisposable
{
    private readonly JobApiHost _host;
    private readonly HttpClient _http;

    private Server(JobApiHost host, FakeJobs jobs)
    {
        (_host, Jobs) = (host, jobs);
        _http = new HttpClient { BaseAddress = new Uri(host.Url) };
    }

    public FakeJobs Jobs { get; }

    public string Url => _host.Url;

    public static async Task<Server> StartAsync(HttpOptions? options = null, FakeJobs? jobs = null)
    {
        jobs ??= new FakeJobs();
        return new(await JobApiHost.StartAsync(options ?? new HttpOptions { Url = "http://127.0.0.1:0" }, jobs, NullLoggerFactory.Instance, CancellationToken.None), jobs);
    }

    public JobApiClient Client(string? token = null) => new(JobApiAddress.Parse(Url), token);

    public Task<Answer> GetAsync(string path, Action<HttpRequestMessage>? prepare = null) => SendAsync(HttpMethod.Get, path, null, prepare);

    public Task<Answer> PostAsync(string path, string json = "{}", Action<HttpRequestMessage>? prepare = null) =>
        SendAsync(HttpMethod.Post, path, new StringContent(json, Encoding.UTF8, "application/json"), prepare);

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? body, Action<HttpRequestMessage>? prepare = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        prepare?.Invoke(request);
        using HttpResponseMessage response = await _http.SendAsync(request);
        return new((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Headers, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Reads a stream line by line.</summary>
    public async Task<StreamReader> StreamAsync(string path, long? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId != null)
            request.Headers.Add("Last-Event-ID", $"{lastEventId}");
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.DisposeAsync();
    }
}

public sealed record Answer(int Status, string? Type, System.Net.Http.Headers.HttpResponseHeaders Headers, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The words of a problem.</summary>
    public string Detail
    {
        get
        {
            Assert.Equal("application/problem+json", Type);
            Assert.Equal(Status, Json.GetProperty("status").GetInt32());
            Assert.DoesNotContain("   at ", Body, StringComparison.Ordinal);
            return Json.GetProperty("detail").GetString()!;
        }
    }
}
