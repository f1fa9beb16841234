using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ConvNet.Cluster.Management;

namespace ConvNet.Dashboard.Client;

/// <summary>Follows the log of a job to its end, over any number of connections: no kept line is missed or given twice.</summary>
/// <remarks>Each new connection begins after the last kept line. A coordinator that stays away for longer than <see cref="GiveUpAfter"/> is an error; the job goes on without us.</remarks>
public sealed class JobFollower(JobApiClient client, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>How long to try again.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Silence that means that the connection is dead: three heartbeats.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Is told when the connection is lost, with the reason, and with null when it is there again.</summary>
    public Action<string?> ConnectionChanged { get; init; } = _ => { };

    /// <summary>The lines after <paramref name="after"/>, with live progress in between, until the job has ended.</summary>
    /// <exception cref="JobApiException">There is no such job, it may not be asked for, or the coordinator stays away.</exception>
    public async IAsyncEnumerable<JobLogEntry> FollowAsync(string id, long after, [EnumeratorCancellation] CancellationToken stop)
    {
        long? lost = null;
        bool first = true;
        TimeSpan pause = FirstPause;
        while (true)
        {
            await using IAsyncEnumerator<JobLogEntry?> lines = ConnectionAsync(id, after, stop).GetAsyncEnumerator(stop);
            bool ended = false;
            while (true)
            {
                JobLogEntry? line;
                try
                {
                    if (!await lines.MoveNextAsync())
                    {
                        ended = true;
                        break;
                    }

                    line = lines.Current;
                }
                catch (JobApiException cut) when (cut.IsPassing && !first)
                {
                    if (lost == null)
                    {
                        lost = time.GetTimestamp();
                        ConnectionChanged(cut.Message);
                    }
                    else if (time.GetElapsedTime(lost.Value) > GiveUpAfter)
                    {
                        throw new JobApiException($"{cut.Message}. Tried for {GiveUpAfter.TotalMinutes:0.#} minutes; {id} may go on without us: 'convnet logs {id} -f' follows it again.", cut.Status, cause: cut);
                    }

                    break;
                }

                first = false;
                if (lost != null)
                {
                    (lost, pause) = (null, FirstPause);
                    ConnectionChanged(null);
                }

                if (line == null)
                    continue;
                if (line.Sequence > 0 && line.Sequence <= after)
                    continue;       // a server that knows nothing of Last-Event-ID begins anew
                after = Math.Max(after, line.Sequence);
                yield return line;
            }

            if (ended)
                yield break;
            await Task.Delay(pause, time, stop);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    /// <summary>The lines of one connection, null for a sign of life; ends where the job has ended.</summary>
    private async IAsyncEnumerable<JobLogEntry?> ConnectionAsync(string id, long after, [EnumeratorCancellation] CancellationToken stop)
    {
        using HttpResponseMessage response = await client.EventsAsync(id, after, stop);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using Stream body = await response.Content.ReadAsStreamAsync(stop);
        await using IAsyncEnumerator<SseItem<string>> events = SseParser.Create(body).EnumerateAsync(over.Token).GetAsyncEnumerator(over.Token);
        while (true)
        {
            over.CancelAfter(Silence);
            JobLogEntry? line;
            try
            {
                if (!await events.MoveNextAsync())
                    throw new JobApiException($"{client.Address} has cut the events of {id}", 503);
                if (events.Current.EventType == EventStream.End)
                    yield break;
                line = events.Current.EventType == SseParser.EventTypeDefault ? JsonSerializer.Deserialize<JobLogEntry>(events.Current.Data, ManagementJson.Options) : null;
            }
            catch (Exception cut) when (cut is HttpRequestException or IOException or JsonException || (cut is OperationCanceledException && !stop.IsCancellationRequested))
            {
                throw new JobApiException(
                    cut is OperationCanceledException ? $"{client.Address} has been silent for {Silence.TotalSeconds:0} s" : $"the connection to {client.Address} was cut", 503, cause: cut);
            }

            yield return line;
        }
    }
}
