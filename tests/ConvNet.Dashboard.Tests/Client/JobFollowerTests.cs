using System.Collections.Concurrent;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests.Client;

public sealed class JobFollowerTests
{
    private readonly ConcurrentQueue<string?> _said = [];

    [Fact]
    public async Task A_job_is_followed_to_its_end()
    {
        await using Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();
        server.Jobs.DoRun();

        Task<List<JobLogEntry>> following = FollowAsync(client, "j1");
        await server.Jobs.FollowedAsync("j1");
        server.Jobs.Do(q => q.Progress("j1", 1, 5, 10, 0.5, 100, FakeJobs.Two));
        server.Jobs.Do(q => q.Done("j1", 1, 10, "ab", FakeJobs.Two));

        Assert.Equal(["submitted", "started", "progress", "done"], (await following).Select(line => line.Kind));
        Assert.Empty(_said);
    }

    [Fact]
    public async Task However_often_the_stream_is_cut_no_line_is_missed_or_told_twice()
    {
        await using Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();
        server.Jobs.Cuts = 3;
        server.Jobs.DoRun();
        server.Jobs.Do(q => q.Checkpointed("j1", 1, 5, FakeJobs.Two));
        server.Jobs.Do(q => q.Done("j1", 1, 10, "ab", FakeJobs.Two));

        List<JobLogEntry> lines = await FollowAsync(client, "j1");

        Assert.Equal([1L, 2, 3, 4], lines.Select(line => line.Sequence));
        Assert.Equal([0L, 1, 2, 3], server.Jobs.FollowedAfter);
        Assert.Equal(3, _said.Count(reason => reason == null));
    }

    [Fact]
    public async Task A_coordinator_that_restarts_is_found_again()
    {
        var jobs = new FakeJobs();
        Server first = await Server.StartAsync(jobs: jobs);
        using JobApiClient client = first.Client();
        jobs.DoRun();
        Task<List<JobLogEntry>> following = FollowAsync(client, "j1");
        await jobs.FollowedAsync("j1");

        await first.DisposeAsync();
        jobs.Do(q => q.Checkpointed("j1", 1, 5, FakeJobs.Two));
        await using Server second = await Server.StartAsync(new HttpOptions { Url = first.Url }, jobs);
        await jobs.FollowedAsync("j1", 2);
        jobs.Do(q => q.Done("j1", 1, 10, "ab", FakeJobs.Two));

        Assert.Equal([1L, 2, 3, 4], (await following).Select(line => line.Sequence));
        Assert.Null(_said.Last());
    }

    [Fact]
    public async Task A_connection_that_is_silent_is_made_anew()
    {
        await using Server server = await Server.StartAsync(new HttpOptions { Url = "http://127.0.0.1:0", Heartbeat = TimeSpan.FromHours(1) });
        using JobApiClient client = server.Client();
        server.Jobs.DoRun();

        Task<List<JobLogEntry>> following = FollowAsync(client, "j1", silence: TimeSpan.FromMilliseconds(300));
        await server.Jobs.FollowedAsync("j1", 2);
        server.Jobs.Do(q => q.Done("j1", 1, 10, "ab", FakeJobs.Two));

        Assert.Equal([1L, 2, 3], (await following).Select(line => line.Sequence));
        Assert.Contains(_said, reason => reason?.Contains("has been silent", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_coordinator_that_stays_away_is_given_up_with_words()
    {
        Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();
        server.Jobs.DoRun();
        Task<List<JobLogEntry>> following = FollowAsync(client, "j1", giveUpAfter: TimeSpan.Zero);
        await server.Jobs.FollowedAsync("j1");

        await server.DisposeAsync();

        var away = await Assert.ThrowsAsync<JobApiException>(() => following);
        Assert.Contains("j1 may go on without us", away.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_is_not_there_is_told_at_once()
    {
        await using Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();

        Assert.Equal(404, (await Assert.ThrowsAsync<JobApiException>(() => FollowAsync(client, "j1"))).Status);
    }

    private async Task<List<JobLogEntry>> FollowAsync(JobApiClient client, string id, TimeSpan? silence = null, TimeSpan? giveUpAfter = null)
    {
        var follower = new JobFollower(client, TimeProvider.System)
        {
            ConnectionChanged = _said.Enqueue,
            Silence = silence ?? TimeSpan.FromSeconds(30),
            GiveUpAfter = giveUpAfter ?? TimeSpan.FromMinutes(5),
        };
        var lines = new List<JobLogEntry>();
        await foreach (JobLogEntry line in follower.FollowAsync(id, 0, CancellationToken.None))
            lines.Add(line);
        return lines;
    }
}
