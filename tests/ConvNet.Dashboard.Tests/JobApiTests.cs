using System.Text.Json;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Dashboard.Client;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests;

public sealed class JobApiTests : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private Server _server = null!;

    private FakeJobs Jobs => _server.Jobs;

    public async Task InitializeAsync() => _server = await Server.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task The_text_of_a_job_file_is_submitted()
    {
        Answer answer = await _server.PostAsync("/api/jobs", """{"job": "model: lenet5-classic\nepochs: 3\nlr: 0.1\n", "priority": 4, "name": "mine", "options": {"epochs": "7", "nesterov": true}}""");

        Assert.Equal(201, answer.Status);
        Assert.Equal("/api/jobs/j1", answer.Headers.Location?.ToString());
        Assert.Equal(new JobSubmission(new JobSpec("lenet5-classic", Epochs: 7, LearningRate: 0.1f, Nesterov: true), 4, "mine"), Jobs.Submitted);
        Assert.Equal("j1", answer.Json.GetProperty("id").GetString());
        Assert.Equal("queued", answer.Json.GetProperty("state").GetString());
        Assert.Equal("cosine", answer.Json.GetProperty("spec").GetProperty("schedule").GetString());
    }

    [Fact]
    public async Task An_object_of_fields_is_submitted()
    {
        Answer answer = await _server.PostAsync("/api/jobs", """{"job": {"epochs": 2, "micro-batch": "16", "batch": 64, "nesterov": false, "weight-decay": 1e-4}}""");

        Assert.Equal(201, answer.Status);
        Assert.Equal(new JobSpec(Epochs: 2, Batch: 64, MicroBatch: 16, WeightDecay: 1e-4f), Jobs.Submitted?.Spec);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"job": null}""")]
    [InlineData("""{"job": ""}""")]
    public async Task No_job_is_a_job_of_defaults(string body)
    {
        Assert.Equal(201, (await _server.PostAsync("/api/jobs", body)).Status);
        Assert.Equal(new JobSpec(), Jobs.Submitted?.Spec);
    }

    [Fact]
    public async Task Every_problem_of_a_job_is_told_at_once()
    {
        Answer answer = await _server.PostAsync("/api/jobs", """{"job": "model: lenet6\nepochs: 0\ncommand: rm -rf\n", "fileName": "my.yaml", "options": {"lr": [1], "batchs": 3}}""");

        Assert.Equal(400, answer.Status);
        Assert.Contains("my.yaml:1: model:", answer.Detail, StringComparison.Ordinal);
        string[] problems = [.. answer.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetString()!)];
        Assert.Equal(
            ["my.yaml:1: model: expected", "my.yaml:2: epochs: expected", "my.yaml:3: unknown field", "options: lr: expected a number above 0, at most 1000, got no single value.", "options: unknown field \"batchs\"; did you mean batch?"],
            problems.Zip(["my.yaml:1: model: expected", "my.yaml:2: epochs: expected", "my.yaml:3: unknown field", problems[3], problems[4]], (p, start) => p.StartsWith(start, StringComparison.Ordinal) ? start : p));
        Assert.Null(Jobs.Submitted);
    }

    [Fact]
    public async Task An_object_with_a_network_of_its_own_is_submitted()
    {
        Network network = new NetworkBuilder("two-paths", new Shape(1, 6, 6))
            .Add("a", new Conv2D(2, new Size(3, 5)) { Padding = Padding.Same })
            .Add("hint", new FullyConnected(3))
            .Add("b", new Add(), "a", "a")
            .Add(new FullyConnected(3))
            .Auxiliary("hint", 0.3f)
            .Build();

        using JobApiClient client = _server.Client();
        await client.SubmitAsync(SubmitRequest.For(network, new Dictionary<string, string> { ["epochs"] = "2" }), default);

        JobSpec spec = Jobs.Submitted!.Spec;
        Assert.Equal(("two-paths", 2), (spec.Model, spec.Epochs));
        Network again = JobNetwork.Build(spec, network.Input, network.Classes);
        Assert.Equal(network.Nodes.Select(n => (n.Name, n.Layer, n.Inputs[^1])), again.Nodes.Select(n => (n.Name, n.Layer, n.Inputs[^1])));
        Assert.Equal(network.Auxiliaries, again.Auxiliaries);
    }

    [Fact]
    public async Task A_job_has_its_network_as_json()
    {
        Answer answer = await _server.PostAsync("/api/jobs", """{"job": {"data": "digits", "layers": ["relu", {"fully-connected": {"outputs": 10, "inputs": ["relu1"]}}]}}""");

        Assert.Equal(201, answer.Status);
        JsonElement layer = answer.Json.GetProperty("spec").GetProperty("network").GetProperty("layers")[1];
        Assert.Equal(("fully-connected1", "fully-connected", "relu1", "10"), (
            layer.GetProperty("name").GetString(), layer.GetProperty("kind").GetString(), layer.GetProperty("inputs")[0].GetString(), layer.GetProperty("settings").GetProperty("outputs").GetString()));
    }

    [Theory]
    [InlineData("", "the body is not the JSON of a job to submit")]
    [InlineData("[1]", "the body is not the JSON of a job to submit")]
    [InlineData("null", "the body is null")]
    [InlineData("""{"job": {}, "prioritie": 3}""", "prioritie")]
    [InlineData("""{"job": {}, "priority": "high"}""", "priority")]
    [InlineData("""{"job": 7}""", "job: expected the text of a job file, or an object with its fields.")]
    [InlineData("""{"job": {"epochs": 1, "epochs": 2}}""", "job: epochs: given twice.")]
    [InlineData("""{"job": {"layers": ["relu"], "layers": ["tanh"]}}""", "job: layers: given twice.")]
    [InlineData("""{"job": {"layers": ["relu"], "model": "lenet5"}}""", "job: layers: a job has one network, and model names one too.")]
    [InlineData("""{"job": {"layers": ["rulu"]}}""", "job:1: unknown kind of layer 'rulu'. Did you mean 'relu'?")]
    [InlineData("""{"job": {"layers": {"$type": "System.Diagnostics.Process"}}}""", "job: layers: expected a list of layers")]
    [InlineData("""{"job": {"layers": [{"$type": "System.Diagnostics.Process"}]}}""", "job:1: $type: expected settings")]
    [InlineData("""{"job": {"epochs": {"$type": "System.Diagnostics.Process"}}}""", "job: epochs: expected")]
    [InlineData("""{"job": "- a\n- b\n"}""", "expected lines of")]
    [InlineData("""{"job": "epochs: &a [*a]\n"}""", "epochs")]
    [InlineData("""{"job": "!!System.Diagnostics.Process {}"}""", "")]
    [InlineData("""{"name": "two\nlines"}""", "name: expected at most 120 characters on one line")]
    public async Task What_is_no_job_is_refused_with_words(string body, string expected)
    {
        Answer answer = await _server.PostAsync("/api/jobs", body);

        if (expected.Length > 0)
        {
            Assert.Equal(400, answer.Status);
            Assert.Contains(expected, answer.Detail, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Process", Jobs.Submitted?.Spec.ToString() ?? "", StringComparison.Ordinal);
        Assert.Equal(200, (await _server.GetAsync("/health/ready")).Status);
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    [InlineData('&')]
    [InlineData(' ')]
    [InlineData('\t')]
    [InlineData('-')]
    public async Task Deep_or_odd_text_is_refused_and_hurts_nobody(char c)
    {
        Answer yaml = await _server.PostAsync("/api/jobs", JsonSerializer.Serialize(new { job = "epochs: " + new string(c, 100_000) }, Relaxed));
        Answer json = await _server.PostAsync("/api/jobs", "{\"job\": " + new string(c, 100_000));

        Assert.Equal(400, yaml.Status);
        Assert.Equal(400, json.Status);
        Assert.Equal(200, (await _server.GetAsync("/api/jobs")).Status);
    }

    [Fact]
    public async Task A_body_larger_than_any_job_file_is_refused()
    {
        Answer answer = await _server.PostAsync("/api/jobs", JsonSerializer.Serialize(new { job = new string('#', 300_000) }));

        Assert.Equal(413, answer.Status);
        Assert.Null(Jobs.Submitted);
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_and_found_by_name()
    {
        Jobs.DoRun();
        Jobs.Do(q => q.Progress("j1", 1, 7, 100, double.NaN, null, FakeJobs.Two));
        Jobs.Do(q => q.Wait("j1", 1, "no worker is there", FakeJobs.Two));
        await _server.PostAsync("/api/jobs");

        JsonElement list = (await _server.GetAsync("/api/jobs")).Json;
        JsonElement one = (await _server.GetAsync("/api/jobs/j1")).Json;

        Assert.Equal(["j2", "j1"], list.EnumerateArray().Select(job => job.GetProperty("id").GetString()));
        Assert.Equal("waiting-for-workers", one.GetProperty("state").GetString());
        Assert.Equal("NaN", one.GetProperty("loss").GetString());
        Assert.Equal(100, one.GetProperty("totalSteps").GetInt64());
        Assert.False(one.TryGetProperty("number", out _));
    }

    [Fact]
    public async Task A_job_is_cancelled_and_resumed()
    {
        Jobs.DoRun();

        Assert.Equal("cancelled", (await _server.PostAsync("/api/jobs/j1/cancel")).Json.GetProperty("state").GetString());
        Assert.Equal("queued", (await _server.PostAsync("/api/jobs/j1/resume")).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_does_not_fit_the_state_of_a_job_is_a_conflict()
    {
        Jobs.DoRun();

        Answer resume = await _server.PostAsync("/api/jobs/j1/resume"), model = await _server.GetAsync("/api/jobs/j1/model");

        Assert.Equal((409, "j1 is running; only failed and cancelled jobs can be resumed."), (resume.Status, resume.Detail));
        Assert.Equal((409, "j1 has no model yet: it is not done."), (model.Status, model.Detail));
    }

    [Theory]
    [InlineData("GET", "/api/jobs/j9")]
    [InlineData("GET", "/api/jobs/j9/log")]
    [InlineData("GET", "/api/jobs/j9/events")]
    [InlineData("GET", "/api/jobs/j9/model")]
    [InlineData("POST", "/api/jobs/j9/cancel")]
    [InlineData("POST", "/api/jobs/j9/resume")]
    [InlineData("GET", "/api/jobs/..%2f..%2fetc%2fpasswd")]
    public async Task A_job_that_is_not_there_is_not_found(string method, string path)
    {
        Answer answer = method == "GET" ? await _server.GetAsync(path) : await _server.PostAsync(path);

        Assert.Equal(404, answer.Status);
        Assert.StartsWith("there is no job '", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_is_not_there_is_not_found()
    {
        Answer answer = await _server.GetAsync("/api/job");

        Assert.Equal((404, "there is no /api/job here; /openapi/v1.json lists what there is."), (answer.Status, answer.Detail));
    }

    [Fact]
    public async Task A_log_is_given_from_a_line_on()
    {
        Jobs.DoRun();
        Jobs.Do(q => q.EpochEnded("j1", 1, 0, 0.375, 0.5, 0.9, FakeJobs.Two));

        JsonElement all = (await _server.GetAsync("/api/jobs/j1/log")).Json, rest = (await _server.GetAsync("/api/jobs/j1/log?after=2")).Json;

        Assert.Equal(["submitted", "started", "epoch"], all.EnumerateArray().Select(line => line.GetProperty("kind").GetString()));
        Assert.Equal([3L], rest.EnumerateArray().Select(line => line.GetProperty("sequence").GetInt64()));
        Assert.Equal(0.9, rest[0].GetProperty("record").GetProperty("testAccuracy").GetDouble());
    }

    [Fact]
    public async Task Nodes_are_listed()
    {
        JsonElement nodes = (await _server.GetAsync("/api/nodes")).Json;

        Assert.Equal(["coordinator", "server"], nodes[0].GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        Assert.Equal(12.34, nodes[1].GetProperty("microBatchesPerSecond").GetDouble());
    }

    [Fact]
    public async Task A_job_manager_that_is_away_makes_the_node_unready_but_not_dead()
    {
        Assert.Equal(200, (await _server.GetAsync("/health/ready")).Status);
        Jobs.Failure = new JobServiceException(JobServiceProblem.Unavailable, "the job manager is moving to another node.");

        Answer ready = await _server.GetAsync("/health/ready"), list = await _server.GetAsync("/api/jobs");

        Assert.Equal((503, "the job manager is moving to another node."), (ready.Status, ready.Detail));
        Assert.Equal(503, list.Status);
        Assert.Equal(200, (await _server.GetAsync("/health/live")).Status);
    }

    [Fact]
    public async Task A_job_manager_that_says_nothing_makes_the_node_unready()
    {
        Jobs.Delay = new TaskCompletionSource().Task;

        Assert.Equal(503, (await _server.GetAsync("/health/ready")).Status);
        Assert.Equal(200, (await _server.GetAsync("/health/live")).Status);
    }

    [Fact]
    public async Task A_bug_is_a_500_that_keeps_its_insides_to_itself()
    {
        Jobs.Failure = new InvalidOperationException("secret inside");

        Answer answer = await _server.GetAsync("/api/jobs");

        Assert.Equal((500, "the coordinator failed to answer; its log says why."), (answer.Status, answer.Detail));
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_document_lists_every_path()
    {
        JsonElement document = (await _server.GetAsync("/openapi/v1.json")).Json;

        string[] paths =
        [
            .. document.GetProperty("paths").EnumerateObject()
                .SelectMany(path => path.Value.EnumerateObject().Where(m => m.Name is "get" or "post").Select(m => $"{m.Name} {path.Name}")).Order(StringComparer.Ordinal),
        ];
        Assert.Equal(
            [
                "get /api/jobs", "get /api/jobs/{id}", "get /api/jobs/{id}/events", "get /api/jobs/{id}/log", "get /api/jobs/{id}/model", "get /api/nodes",
                "get /health/live", "get /health/ready", "post /api/jobs", "post /api/jobs/{id}/cancel", "post /api/jobs/{id}/resume",
            ],
            paths);
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.True(document.GetProperty("paths").GetProperty("/api/jobs").GetProperty("post").TryGetProperty("requestBody", out _));
        Assert.True(document.GetProperty("components").GetProperty("schemas").TryGetProperty("JobRecord", out JsonElement record));
        Assert.True(record.GetProperty("properties").TryGetProperty("weightsSha256", out _));
    }
}
