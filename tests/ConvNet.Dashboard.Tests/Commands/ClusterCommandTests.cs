using System.Text.Json;
using ConvNet.Cli;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Tests.Support;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Dashboard.Tests.Commands;

/// <summary>The commands that ask a coordinator, each as a user types it.</summary>
public sealed class ClusterCommandTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private Server _server = null!;

    private FakeJobs Jobs => _server.Jobs;

    public async Task InitializeAsync() => _server = await Server.StartAsync();

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Submit_gives_the_job_file_with_its_options_to_the_cluster()
    {
        File.WriteAllText(_folder.File("job.yaml"), "model: lenet5-classic\nepochs: 3\n");

        Ran ran = await RunAsync("submit", _folder.File("job.yaml"), "--epochs", "7", "--lr", "0.1", "--priority", "-2", "--name", "my job");

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(new JobSubmission(new JobSpec("lenet5-classic", Epochs: 7, LearningRate: 0.1f), -2, "my job"), Jobs.Submitted);
        Assert.StartsWith("j1 is queued: my job\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("convnet logs j1 -f", ran.Output, StringComparison.Ordinal);
        Assert.Equal("", ran.Error);
    }

    [Fact]
    public async Task Submit_as_json_prints_the_job_alone()
    {
        Ran ran = await RunAsync("submit", "--json");

        Assert.Equal(("submit", "j1", "queued"), (ran.Text("command"), ran.Text("id"), ran.Text("state")));
        Assert.Single(ran.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Submit_and_follow_ends_with_the_hash_of_the_weights()
    {
        Task<Ran> running = RunAsync("submit", "--follow", "--json");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        Jobs.Do(q => q.Progress("j1", 1, 195, 195, 0.5, 100, FakeJobs.Two));
        Jobs.Do(q => q.EpochEnded("j1", 1, 4, 0.375, 0.25, 0.9, FakeJobs.Two));
        Jobs.Do(q => q.Done("j1", 1, 195, "ab12", FakeJobs.Two));
        Ran ran = await running;

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(("submit", "done", "ab12"), (ran.Text("command"), ran.Text("state"), ran.Text("weightsSha256")));
        Assert.Equal(0.9, ran.Json.GetProperty("testAccuracy").GetDouble());
        Assert.Equal(["j1 is queued: lenet5 on digits", "started", "epoch 5/5   loss 0.3750   test loss 0.2500   accuracy 90.00 %   100 images/s", "done: accuracy 90.00 %, weights sha256 ab12"], ran.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Submit_and_follow_tells_people_what_came_of_it()
    {
        Task<Ran> running = RunAsync("submit", "--follow");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        Jobs.Do(q => q.EpochEnded("j1", 1, 4, 0.375, 0.25, 0.9, FakeJobs.Two));
        Jobs.Do(q => q.Done("j1", 1, 195, "ab12", FakeJobs.Two.AddSeconds(2)));
        Ran ran = await running;

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(["j1 is queued: lenet5 on digits", "accuracy 90.00 %", "trained  195 steps in 2.0 s", "model    'convnet fetch j1 --out DIR' brings it here", "weights  sha256 ab12"], ran.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_job_that_fails_while_it_is_followed_ends_the_command_with_1()
    {
        Task<Ran> running = RunAsync("submit", "--follow", "--json");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        Jobs.Do(q => q.Fail("j1", 1, "the loss is no number at step 3", FakeJobs.Two));
        Ran ran = await running;

        Assert.Equal(1, ran.ExitCode);
        Assert.Equal(("failed", "the loss is no number at step 3"), (ran.Text("state"), ran.Text("failure")));
        Assert.Contains("error: j1 failed: the loss is no number at step 3", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_while_it_is_followed_ends_the_command_with_1_and_how_to_go_on()
    {
        Task<Ran> running = RunAsync("submit", "--follow");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        Jobs.Do(q => q.Cancel("j1", FakeJobs.Two));
        Ran ran = await running;

        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("'convnet resume j1' goes on with it", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_while_following_is_told_and_survived()
    {
        Jobs.Cuts = 1;
        Task<Ran> running = RunAsync("submit", "--follow", "--json");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        await Jobs.FollowedAsync("j1", 2);
        Jobs.Do(q => q.Done("j1", 1, 195, "ab12", FakeJobs.Two));
        Ran ran = await running;

        Assert.Equal("ab12", ran.Text("weightsSha256"));
        Assert.Contains("trying again, the job does not need us", ran.Error, StringComparison.Ordinal);
        Assert.Contains("the coordinator answers again", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jobs_lists_them_as_a_table_that_scripts_can_cut_too()
    {
        Jobs.DoRun();
        Jobs.Do(q => q.Progress("j1", 1, 812, 4690, 0.08312, 1940.4, FakeJobs.Two));
        Jobs.Do(q => q.EpochEnded("j1", 1, 0, 0.0831, 0.25, 0.9876, FakeJobs.Two));
        Jobs.Do(q => q.Submit(new JobSubmission(new JobSpec(), 5, "a [name] of its own, which is rather long and has [/] brackets"), FakeJobs.Two));

        Ran ran = await RunAsync("jobs");
        string[] lines = ran.Output.TrimEnd().Split('\n');

        Assert.Equal(["JOB", "NAME", "STATE", "STEP", "LOSS", "ACCURACY", "IMAGES/S", "SUBMITTED"], Words(lines[0]));
        Assert.Equal(["j2", "a [name] of its own, which is rather long and has [/] brackets", "queued (+5)"], Words(lines[1])[..3]);
        Assert.Equal(["j1", "lenet5 on digits", "running", "812/4690", "0.0831", "98.76 %", "1,940"], Words(lines[2])[..7]);
        Assert.Equal(3, lines.Length);
        Assert.DoesNotContain('\u001b', ran.Output);
    }

    [Fact]
    public async Task Jobs_and_nodes_as_json_hold_all_there_is()
    {
        Jobs.DoRun();

        Ran jobs = await RunAsync("jobs", "--json"), nodes = await RunAsync("nodes", "--json");

        Assert.Equal("running", jobs.Json.GetProperty("jobs")[0].GetProperty("state").GetString());
        Assert.Equal(4, nodes.Json.GetProperty("nodes")[1].GetProperty("lanes").GetInt32());
    }

    [Fact]
    public async Task No_jobs_are_told_in_words()
    {
        Assert.Equal("no jobs; 'convnet submit job.yaml' submits one\n", (await RunAsync("jobs")).Output);
        Assert.Empty((await RunAsync("jobs", "--json")).Json.GetProperty("jobs").EnumerateArray());
    }

    [Fact]
    public async Task Status_tells_all_that_is_known()
    {
        Jobs.DoRun();
        Jobs.Do(q => q.Progress("j1", 1, 812, 4690, 0.08312, 1940.4, FakeJobs.Two));
        Jobs.Do(q => q.Checkpointed("j1", 1, 800, FakeJobs.Two));
        Jobs.Do(q => q.FallBack("j1", 1, "server-2 is lost", FakeJobs.Two));

        Ran ran = await RunAsync("status", "j1");

        Assert.Contains("state      running, attempt 2\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("progress   step 800 of 4690 (17.1 %)\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("checkpoint step 800\n", ran.Output, StringComparison.Ordinal);
        Assert.Contains("trains     lenet5 on digits, 5 epochs, batch 128 in micro-batches of 32, seed 1\n", ran.Output, StringComparison.Ordinal);
        Assert.Equal("running", (await RunAsync("status", "j1", "--json")).Text("state"));
    }

    [Fact]
    public async Task Nodes_lists_them()
    {
        string[] lines = (await RunAsync("nodes")).Output.TrimEnd().Split('\n');

        Assert.Equal(["NODE", "ROLES", "STATE", "LANES", "MICRO-BATCHES/S", "VERSION", "ADDRESS"], Words(lines[0]));
        Assert.Equal(["coordinator-1", "coordinator,server", "up", "0.1.0", "akka.tcp://convnet@10.0.0.1:4053"], Words(lines[1]));
        Assert.Equal(["worker-1", "worker", "up", "4", "12.3", "0.1.0", "akka.tcp://convnet@10.0.0.2:4053"], Words(lines[2]));
    }

    [Fact]
    public async Task Logs_prints_the_lines_and_with_f_those_to_come()
    {
        Jobs.DoRun();
        Ran now = await RunAsync("logs", "j1");
        Task<Ran> following = RunAsync("logs", "j1", "-f", "--json");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Fail("j1", 1, "why", FakeJobs.Two));
        Ran followed = await following;

        Assert.Equal(["submitted: lenet5 on digits", "started"], now.Output.TrimEnd().Split('\n').Select(line => line[21..]));
        Assert.Equal(["submitted", "started", "failed"], followed.Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("kind").GetString()));
        Assert.Equal((0, 0), (now.ExitCode, followed.ExitCode));
    }

    [Fact]
    public async Task Cancel_and_resume_tell_what_they_did()
    {
        Jobs.DoRun();
        Jobs.Do(q => q.Progress("j1", 1, 33, 100, 1, null, FakeJobs.Two));

        Ran cancelled = await RunAsync("cancel", "j1");
        Jobs.Do(q => q.Checkpointed("j1", 1, 33, FakeJobs.Two));
        Ran resumed = await RunAsync("resume", "j1");

        Assert.Equal("j1 is cancelled after step 33; 'convnet resume j1' goes on with it\n", cancelled.Output);
        Assert.Equal("j1 is queued again, to go on after step 33\n", resumed.Output);
    }

    [Fact]
    public async Task Resume_and_follow_shows_the_rest_alone()
    {
        Jobs.DoRun();
        Jobs.Do(q => q.Cancel("j1", FakeJobs.Two));

        Task<Ran> running = RunAsync("resume", "j1", "--follow", "--json");
        await Jobs.FollowedAsync("j1");
        Jobs.Do(q => q.Start("j1", null, FakeJobs.Two));
        Jobs.Do(q => q.Done("j1", 2, 195, "ab12", FakeJobs.Two));
        Ran ran = await running;

        Assert.Equal(("resume", "ab12"), (ran.Text("command"), ran.Text("weightsSha256")));
        Assert.Equal(["j1 is queued again, to begin at step 0", "attempt 2 begins at step 0", "done: weights sha256 ab12"], ran.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Fetch_brings_the_model_as_train_would_have_saved_it()
    {
        string hash = DoneWithModel();

        Ran ran = await RunAsync("fetch", "j1", "--out", _folder.File("out"), "--json");

        Assert.Equal(0, ran.ExitCode);
        Assert.Equal((hash, _folder.File("out/model.safetensors")), (ran.Text("weightsSha256"), ran.Text("modelPath")));
        Assert.Equal(hash, ModelFile.Load(_folder.File("out")).WeightsSha256);
    }

    [Fact]
    public async Task Fetch_keeps_nothing_of_a_model_with_other_weights()
    {
        DoneWithModel(hash: new string('0', 64));

        Ran ran = await RunAsync("fetch", "j1", "--out", _folder.File("out"));

        Assert.Equal(1, ran.ExitCode);
        Assert.StartsWith("error: the model's weights hash to ", ran.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public async Task Fetch_into_a_place_that_is_none_is_wrong_usage()
    {
        DoneWithModel();
        File.WriteAllText(_folder.File("file"), "x");

        Ran ran = await RunAsync("fetch", "j1", "--out", _folder.File("file/out"));

        Assert.Equal(2, ran.ExitCode);
        Assert.StartsWith($"error: --out {_folder.File("file/out")}: the model cannot be put there", ran.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Wrong() => new()
    {
        { "submit --epochs 0", "error: --epochs: expected a whole number from 1 to 100000, got \"0\"" },
        { "submit missing.yaml", "error: missing.yaml: cannot be read" },
        { "submit --priority high", "high" },
        { "submit --prioritie 3", "error: unknown option '--prioritie'. Did you mean '--priority'?" },
        { "status j9", "error: there is no job 'j9'; the newest is j1. 'convnet jobs' lists them all." },
        { "logs j9", "error: there is no job 'j9'" },
        { "logs j9 -f", "error: there is no job 'j9'" },
        { "cancel j9", "error: there is no job 'j9'" },
        { "resume j1", "error: j1 is running; only failed and cancelled jobs can be resumed." },
        { "fetch j1", "error: j1 has no model yet" },
        { "status", "error: Required argument 'JOB' missing" },
        { "job", "error: unknown command 'job'. Did you mean 'jobs'?" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_asked_wrongly_is_told_in_a_line_and_exits_with_2(string arguments, string expected)
    {
        Jobs.DoRun();

        Ran ran = await RunAsync(arguments.Split(' '));

        Assert.Contains(expected, ran.Error, StringComparison.Ordinal);
        Assert.Equal("", ran.Output);
        Assert.Equal(2, ran.ExitCode);
        Assert.Null(Jobs.Submitted);
    }

    [Fact]
    public async Task A_coordinator_that_is_not_there_is_told_with_what_to_do_and_exits_with_2()
    {
        string url = _server.Url;
        await _server.DisposeAsync();

        Ran ran = await RunAsync("jobs");

        Assert.Equal(2, ran.ExitCode);
        Assert.Equal($"error: no coordinator answers at {url}: is a node with --roles coordinator running? --to or CONVNET_TO names another address\n", ran.Error);
        _server = await Server.StartAsync();
    }

    [Fact]
    public async Task The_token_goes_along()
    {
        const string Token = "0123456789abcdef0123456789abcdef";
        await using Server guarded = await Server.StartAsync(new HttpOptions { Url = "http://127.0.0.1:0", Token = Token });

        Ran without = await RunAtAsync(guarded.Url, "nodes"), with = await RunAtAsync(guarded.Url, "nodes", "--token", Token);

        Assert.Equal(2, without.ExitCode);
        Assert.Contains("CONVNET_TOKEN", without.Error, StringComparison.Ordinal);
        Assert.Equal(0, with.ExitCode);
    }

    private string DoneWithModel(string? hash = null)
    {
        Jobs.ModelFolder = _folder.File("model");
        hash ??= TestModel.Save(Jobs.ModelFolder);
        if (!Directory.Exists(Jobs.ModelFolder))
            TestModel.Save(Jobs.ModelFolder);
        Jobs.DoRun();
        Jobs.Do(q => q.Done("j1", 1, 195, hash, FakeJobs.Two));
        return hash;
    }

    private Task<Ran> RunAsync(params string[] arguments) => RunAtAsync(_server.Url, arguments);

    private static async Task<Ran> RunAtAsync(string url, params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        // A misspelt verb has no --to.
        string[] to = arguments[0] == "job" ? [] : ["--to", url];
        int exitCode = await CommandLine.RunAsync([.. arguments, .. to], TextWriter.Synchronized(output), TextWriter.Synchronized(error));
        return new(exitCode, output.ToString(), error.ToString());
    }

    private static string[] Words(string line) => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private sealed record Ran(int ExitCode, string Output, string Error)
    {
        public JsonElement Json => JsonDocument.Parse(Output.TrimEnd().Split('\n')[^1]).RootElement;

        public string? Text(string field) => Json.GetProperty(field).GetString();
    }
}
