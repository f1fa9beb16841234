using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ConvNet.Cluster.Management;

namespace ConvNet.Dashboard.Client;

/// <summary>Asks a coordinator over HTTP. Failures are <see cref="JobApiException"/>s.</summary>
public sealed class JobApiClient : IDisposable
{
    private const int LongestProblem = 64 * 1024;

    private readonly HttpClient _http;

    /// <summary>A client of one coordinator.</summary>
    /// <param name="address">Where it is, see <see cref="JobApiAddress"/>.</param>
    /// <param name="token">Its token; null where it asks for none.</param>
    public JobApiClient(Uri address, string? token)
    {
        Address = address;
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = !address.IsLoopback,     // a proxy cannot reach this machine's loopback
            AllowAutoRedirect = false,          // a token goes where it was meant to go
            ConnectTimeout = TimeSpan.FromSeconds(10),
        })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,     // streams last; each request has its own
        };
        if (token != null)
        {
            if (token.Length == 0 || token.Any(c => c is <= ' ' or > '~'))
                throw new JobApiException("the token has characters that no token has; give the coordinator's with --token or CONVNET_TOKEN.", status: 401);
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>Where the coordinator is.</summary>
    public Uri Address { get; }

    /// <summary>How long a coordinator may take to answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Queues a job.</summary>
    public Task<JobRecord> SubmitAsync(SubmitRequest request, CancellationToken stop) =>
        AskAsync<JobRecord>(HttpMethod.Post, "api/jobs", JsonContent.Create(request, options: ManagementJson.Options), stop);

    /// <summary>All jobs, newest first.</summary>
    public Task<IReadOnlyList<JobRecord>> ListAsync(CancellationToken stop) => AskAsync<IReadOnlyList<JobRecord>>(HttpMethod.Get, "api/jobs", null, stop);

    /// <summary>One job.</summary>
    public Task<JobRecord> FindAsync(string id, CancellationToken stop) => AskAsync<JobRecord>(HttpMethod.Get, $"api/jobs/{Part(id)}", null, stop);

    /// <summary>Cancels a job that has not ended.</summary>
    public Task<JobRecord> CancelAsync(string id, CancellationToken stop) => AskAsync<JobRecord>(HttpMethod.Post, $"api/jobs/{Part(id)}/cancel", Nothing(), stop);

    /// <summary>Queues a failed or cancelled job again.</summary>
    public Task<JobRecord> ResumeAsync(string id, CancellationToken stop) => AskAsync<JobRecord>(HttpMethod.Post, $"api/jobs/{Part(id)}/resume", Nothing(), stop);

    /// <summary>The kept lines of a job's log with a sequence number above <paramref name="after"/>.</summary>
    public Task<IReadOnlyList<JobLogEntry>> LogAsync(string id, long after, CancellationToken stop) =>
        AskAsync<IReadOnlyList<JobLogEntry>>(HttpMethod.Get, FormattableString.Invariant($"api/jobs/{Part(id)}/log?after={after}"), null, stop);

    /// <summary>All nodes of the cluster.</summary>
    public Task<IReadOnlyList<NodeRecord>> NodesAsync(CancellationToken stop) => AskAsync<IReadOnlyList<NodeRecord>>(HttpMethod.Get, "api/nodes", null, stop);

    /// <summary>Fetches a model into a folder, whole or not at all, and checks its weights.</summary>
    /// <returns>The path of the weights.</returns>
    public async Task<string> FetchModelAsync(JobRecord job, string folder, CancellationToken stop)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, $"api/jobs/{Part(job.Id)}/model", null, stop);
        try
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(stop);
            return await ModelArchive.ReadAsync(body, folder, job.WeightsSha256, stop);
        }
        catch (Exception cut) when (cut is HttpRequestException or HttpIOException or EndOfStreamException)
        {
            throw new JobApiException($"the model of {job.Id} was cut off on the way; nothing was kept. Fetch it again.", cause: cut);
        }
        catch (InvalidDataException wrong)
        {
            throw new JobApiException($"{wrong.Message.TrimEnd('.')}. Nothing was kept.", 500, cause: wrong);
        }
    }

    /// <summary>Opens the stream of a job's events from after a line on.</summary>
    internal async Task<HttpResponseMessage> EventsAsync(string id, long after, CancellationToken stop) =>
        await SendAsync(HttpMethod.Get, $"api/jobs/{Part(id)}/events", null, stop, request =>
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            request.Headers.Add("Last-Event-ID", after.ToString(System.Globalization.CultureInfo.InvariantCulture));
        });

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<T> AskAsync<T>(HttpMethod method, string path, HttpContent? body, CancellationToken stop)
    {
        using HttpResponseMessage response = await SendAsync(method, path, body, stop);
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(ManagementJson.Options, stop).WaitAsync(Patience, stop) ?? throw new JsonException("null");
        }
        catch (Exception cut) when (cut is HttpRequestException or HttpIOException or TimeoutException)
        {
            throw NoAnswer(cut);
        }
        catch (JsonException unknown)
        {
            throw new JobApiException($"{Address} answers in words that this program does not know ({unknown.Message.TrimEnd('.')}). Are both of one version?", 500, cause: unknown);
        }
    }

    /// <summary>The answer, its body still to be read, if it is one of success.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken stop, Action<HttpRequestMessage>? prepare = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        prepare?.Invoke(request);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        late.CancelAfter(Patience);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, late.Token);
        }
        catch (Exception unheard) when (unheard is HttpRequestException || (unheard is OperationCanceledException && !stop.IsCancellationRequested))
        {
            throw NoAnswer(unheard);
        }

        if (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType is "application/json" or "text/event-stream" or ModelArchive.MediaType)
            return response;
        using (response)
            throw await RefusedAsync(response, late.Token);
    }

    private JobApiException NoAnswer(Exception cause) => new(
        cause is OperationCanceledException or TimeoutException
            ? $"the coordinator at {Shown} has not answered for {Patience.TotalSeconds:0} s. Is it stopped, or is something in between?"
            : $"no coordinator answers at {Shown}: is a node with --roles coordinator running? --to or CONVNET_TO names another address",
        cause: cause);

    private async Task<JobApiException> RefusedAsync(HttpResponseMessage response, CancellationToken stop)
    {
        int status = (int)response.StatusCode;
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json" && response.Content.Headers.ContentLength is null or <= LongestProblem)
        {
            try
            {
                using JsonDocument problem = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(stop), cancellationToken: stop);
                string detail = problem.RootElement.TryGetProperty("detail", out JsonElement text) ? text.GetString() ?? "" : "";
                string[]? problems = problem.RootElement.TryGetProperty("problems", out JsonElement lines) ? [.. lines.EnumerateArray().Select(line => line.GetString() ?? "")] : null;
                if (detail.Length > 0)
                    return new JobApiException(detail, status, problems);
            }
            catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or HttpRequestException or HttpIOException)
            {
                return new JobApiException($"{Shown} refuses (HTTP {status}), and its reason cannot be read.", status, cause: unreadable);
            }
        }

        return response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
            ? new JobApiException($"no coordinator answers behind {Shown} (HTTP {status}).", status)
            : new JobApiException($"{Shown} answers, but not as a coordinator does (HTTP {status}, {response.Content.Headers.ContentType?.MediaType ?? "no content"}). Is the port in --to or CONVNET_TO the one of --http?", status == 500 ? 500 : 404);
    }

    private string Shown => Address.ToString().TrimEnd('/');

    private static string Part(string id) => Uri.EscapeDataString(id);

    /// <summary>An empty object: a POST says that it is JSON even where there is nothing to say.</summary>
    private static JsonContent Nothing() => JsonContent.Create(new { });
}
