using System.Text.Json;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests;

public sealed class EventStreamTests
{
    private static readonly HttpOptions AllProgress = new() { Url = "http://127.0.0.1:0", ProgressInterval = TimeSpan.Zero };

    [Fact]
    public async Task Kept_lines_have_ids_progress_has_none_and_the_end_is_told()
    {
        await using Server server = await Server.StartAsync(AllProgress);
        server.Jobs.DoRun();
        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events");
        await server.Jobs.FollowedAsync("j1");

        server.Jobs.Do(q => q.Progress("j1", 1, 5, 10, 0.5, 100, FakeJobs.Two));
        server.Jobs.Do(q => q.Done("j1", 1, 10, "ab", FakeJobs.Two));
        List<Event> events = await EventsAsync(stream);

        Assert.Equal([("ping", null), (null, "1"), (null, "2"), (null, null), (null, "3"), ("end", null)], events.Select(e => (e.Type, e.Id)));
        Assert.Equal(["submitted", "started", "progress", "done"], events.Where(e => e.Type == null).Select(e => e.Json.GetProperty("kind").GetString()));
        Assert.Equal("ab", events[^1].Json.GetProperty("weightsSha256").GetString());
    }

    [Fact]
    public async Task Whoever_comes_back_gets_what_was_missed_and_no_more()
    {
        await using Server server = await Server.StartAsync();
        server.Jobs.DoRun();
        server.Jobs.Do(q => q.Done("j1", 1, 10, "ab", FakeJobs.Two));

        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events", lastEventId: 2);
        using StreamReader query = await server.StreamAsync("/api/jobs/j1/events?after=1");

        Assert.Equal(["3"], (await EventsAsync(stream)).Where(e => e.Id != null).Select(e => e.Id));
        Assert.Equal(["2", "3"], (await EventsAsync(query)).Where(e => e.Id != null).Select(e => e.Id));
    }

    [Fact]
    public async Task A_stream_that_is_cut_ends_without_the_end()
    {
        await using Server server = await Server.StartAsync();
        server.Jobs.DoRun();
        server.Jobs.Cuts = 1;

        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events");
        List<Event> events = await EventsAsync(stream);

        Assert.DoesNotContain(events, e => e.Type == "end");
    }

    [Fact]
    public async Task When_nothing_happens_the_connection_is_said_to_be_alive()
    {
        await using Server server = await Server.StartAsync(AllProgress with { Heartbeat = TimeSpan.FromMilliseconds(20) });
        server.Jobs.DoRun();
        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events");

        int pings = 0;
        while (pings < 4 && await stream.ReadLineAsync() is { } line)
            pings += line == "event: ping" ? 1 : 0;
        server.Jobs.Do(q => q.Cancel("j1", FakeJobs.Two));
        List<Event> rest = await EventsAsync(stream);

        Assert.Equal(4, pings);
        Assert.Equal("end", rest[^1].Type);
    }

    [Fact]
    public async Task Progress_that_comes_too_fast_is_passed_over_but_no_kept_line_is()
    {
        await using Server server = await Server.StartAsync(AllProgress with { ProgressInterval = TimeSpan.FromHours(1) });
        server.Jobs.DoRun();
        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events");
        await server.Jobs.FollowedAsync("j1");

        for (int step = 1; step <= 50; step++)
        {
            int now = step;
            server.Jobs.Do(q => q.Progress("j1", 1, now, 100, 0.5, 100, FakeJobs.Two));
            server.Jobs.Do(q => q.Note("j1", 1, "warning", "note", FakeJobs.Two));
        }

        server.Jobs.Do(q => q.Done("j1", 1, 100, "ab", FakeJobs.Two));
        List<Event> events = await EventsAsync(stream);

        Assert.Equal(53, events.Count(e => e.Id != null));
        Assert.Single(events, e => e.Type == null && e.Id == null);
    }

    [Fact]
    public async Task A_text_with_line_breaks_stays_one_event()
    {
        await using Server server = await Server.StartAsync();
        server.Jobs.Do(q => q.Submit(new JobSubmission(new JobSpec()), FakeJobs.Two));
        server.Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        server.Jobs.Do(q => q.Fail("j1", 1, "first\n\nevent: end\ndata: {}\n\nlast", FakeJobs.Two));

        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events");
        List<Event> events = await EventsAsync(stream);

        Assert.Equal("failed: first\n\nevent: end\ndata: {}\n\nlast", events[^2].Json.GetProperty("text").GetString());
        Assert.Single(events, e => e.Type == "end");
    }

    [Fact]
    public async Task A_server_that_stops_does_not_wait_for_its_followers()
    {
        Server server = await Server.StartAsync();
        server.Jobs.DoRun();
        using StreamReader stream = await server.StreamAsync("/api/jobs/j1/events");
        await server.Jobs.FollowedAsync("j1");

        Task<List<Event>> rest = EventsAsync(stream);
        await server.DisposeAsync();

        Assert.DoesNotContain(await rest, e => e.Type == "end");
    }

    /// <summary>All events to the end of the stream.</summary>
    private static async Task<List<Event>> EventsAsync(StreamReader stream)
    {
        var events = new List<Event>();
        string? type = null, id = null, data = null;
        try
        {
            while (await stream.ReadLineAsync() is { } line)
            {
                if (line.Length == 0 && data != null)
                {
                    events.Add(new(type, id, data));
                    (type, id, data) = (null, null, null);
                }
                else if (line.StartsWith("event: ", StringComparison.Ordinal))
                {
                    type = line[7..];
                }
                else if (line.StartsWith("id: ", StringComparison.Ordinal))
                {
                    id = line[4..];
                }
                else if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    data = line[6..];
                }
            }
        }
        catch (IOException)
        {
            // The server went away in the middle: what came before is what counts.
        }

        return events;
    }

    private sealed record Event(string? Type, string? Id, string Data)
    {
        public JsonElement Json => JsonDocument.Parse(Data).RootElement;
    }
}
