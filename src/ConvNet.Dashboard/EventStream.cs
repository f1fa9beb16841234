using System.Globalization;
using System.Text;
using System.Text.Json;
using ConvNet.Cluster.Management;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace ConvNet.Dashboard;

/// <summary>The log of a job as server-sent events (WHATWG HTML, "Server-sent events").</summary>
/// <remarks>
/// A message is a <see cref="JobLogEntry"/>; those that are kept have their sequence number as id, so that a client which comes back with
/// <c>Last-Event-ID</c> gets what it missed. Live progress has no id. <c>ping</c> says that the connection is alive. <c>end</c>, with the job as it now is,
/// is the last event of a job that has ended: a stream that ends without it was cut.
/// </remarks>
internal sealed class EventStream(HttpContext http, HttpOptions options, TimeProvider time)
{
    /// <summary>The event that ends the stream of a job that has ended.</summary>
    public const string End = "end";

    /// <summary>The event that says that the connection is alive.</summary>
    public const string Ping = "ping";

    /// <summary>The sequence number after which a client wants to go on; null where it says nothing of use.</summary>
    public static long? LastEventId(HttpRequest request) =>
        long.TryParse(request.Headers["Last-Event-ID"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : null;

    /// <summary>Writes the log until the job has ended, the client hangs up, or the server stops.</summary>
    public async Task WriteAsync(IJobService jobs, string id, long after, ILogger log, CancellationToken stop)
    {
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(stop, http.RequestAborted);
        JobRecord job = await jobs.FindAsync(id, stopped.Token);        // not found is told before the stream begins
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-cache,no-store";
        await EventAsync(Ping, null, job.Id, stopped.Token);            // the headers go out at once
        try
        {
            await LinesAsync(jobs.LogAsync(id, after, follow: true, stopped.Token), stopped.Token);
            job = await jobs.FindAsync(id, stopped.Token);
            if (job.HasEnded)
                await EventAsync(End, null, job, stopped.Token);
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
            // The client has hung up, or this node stops; the client comes back with Last-Event-ID.
        }
        catch (JobServiceException unavailable)
        {
            log.LogWarning("The events of {Job} are cut: {Reason}", id, unavailable.Message);
        }
    }

    private async Task LinesAsync(IAsyncEnumerable<JobLogEntry> lines, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using IAsyncEnumerator<JobLogEntry> at = lines.GetAsyncEnumerator(over.Token);
        Task<bool> next = at.MoveNextAsync().AsTask();
        try
        {
            long? lastProgress = null;
            while (await NextAsync(next, stop))
            {
                JobLogEntry line = at.Current;
                bool live = line.Sequence == 0;
                if (!live || lastProgress == null || time.GetElapsedTime(lastProgress.Value) >= options.ProgressInterval)
                {
                    await EventAsync(null, live ? null : line.Sequence, line, stop);
                    lastProgress = live ? time.GetTimestamp() : lastProgress;
                }

                next = at.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await over.CancelAsync();       // an enumerator may only be disposed of while nothing is asked of it
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits for the next line, and meanwhile says from time to time that the connection is alive.</summary>
    private async Task<bool> NextAsync(Task<bool> next, CancellationToken stop)
    {
        while (true)
        {
            using var waited = CancellationTokenSource.CreateLinkedTokenSource(stop);
            if (await Task.WhenAny(next, Task.Delay(options.Heartbeat, time, waited.Token)) == next)
            {
                await waited.CancelAsync();
                return await next;
            }

            stop.ThrowIfCancellationRequested();
            await EventAsync(Ping, null, "", stop);
        }
    }

    private async Task EventAsync<T>(string? type, long? id, T data, CancellationToken stop)
    {
        var text = new StringBuilder();
        if (id != null)
            text.Append(CultureInfo.InvariantCulture, $"id: {id}\n");
        if (type != null)
            text.Append(CultureInfo.InvariantCulture, $"event: {type}\n");
        text.Append("data: ").Append(JsonSerializer.Serialize(data, ManagementJson.Options)).Append("\n\n");      // JSON has no line breaks of its own
        await http.Response.WriteAsync(text.ToString(), stop);
        await http.Response.Body.FlushAsync(stop);
    }
}
