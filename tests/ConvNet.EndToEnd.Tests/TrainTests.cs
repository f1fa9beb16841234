using System.Text.Json;
using ConvNet.Data.Digits;
using ConvNet.Data.Tests.Support;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

public sealed class TrainTests(SmallDigits digits) : IClassFixture<SmallDigits>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_last_line_of_json_has_all_that_a_script_needs()
    {
        Finished run = await Train("--epochs", "8");

        Assert.Equal(0, run.ExitCode);
        foreach (string field in new[]
        {
            "command", "model", "data", "epochs", "steps", "workers", "lanes", "servers", "trainLoss", "testLoss", "testAccuracy", "imagesPerSecond",
            "seconds", "weightsSha256", "modelPath",
        })
        {
            Assert.True(run.Json.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null, field);
        }

        Assert.Equal(96, run.Json.GetProperty("steps").GetInt32());
        Assert.InRange(run.Json.GetProperty("testAccuracy").GetDouble(), 0.5, 1);
    }

    [Theory]
    [InlineData("--workers", "2", "--lanes", "1")]
    [InlineData("--workers", "3", "--lanes", "2", "--servers", "4")]
    [InlineData("--workers", "5", "--lanes", "1", "--servers", "2")]
    [InlineData("--workers", "1", "--lanes", "1", "--servers", "1")]
    [InlineData("--workers", "1", "--lanes", "2", "--servers", "2")]
    public async Task Any_number_of_workers_lanes_and_servers_gives_the_same_bits(params string[] launch)
    {
        Finished plain = await Train("--epochs", "2");

        Finished run = await Train(["--epochs", "2", .. launch]);

        Assert.Equal(plain.WeightsSha256, run.WeightsSha256);
        Assert.Equal(plain.Json.GetProperty("testLoss").GetRawText(), run.Json.GetProperty("testLoss").GetRawText());
        Assert.Equal(plain.Json.GetProperty("trainLoss").GetRawText(), run.Json.GetProperty("trainLoss").GetRawText());
    }

    [Theory]
    [InlineData("lenet5")]
    [InlineData("lenet5-classic")]
    public async Task Any_vector_width_gives_the_same_bits(string model)
    {
        // Without AVX2 the runtime leaves out the fused multiply-add instruction too and works it out in software: few samples, a small batch.
        string[] small = ["--model", model, "--epochs", "1", "--batch", "500", "--micro-batch", "50"];
        Finished full = await Train(small);

        Finished without512 = await Train(new() { ["DOTNET_EnableAVX512"] = "0" }, small);
        Finished without256 = await Train(new() { ["DOTNET_EnableAVX512"] = "0", ["DOTNET_EnableAVX2"] = "0" }, small);

        Assert.Equal(full.WeightsSha256, without512.WeightsSha256);
        Assert.Equal(full.WeightsSha256, without256.WeightsSha256);
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", 256)]
    [InlineData("DOTNET_EnableAVX2", 128)]
    public async Task The_switches_that_narrow_the_vectors_do_so(string name, int atMost)
    {
        Finished run = await Convnet.RunAsync(_folder.Path, new Dictionary<string, string> { [name] = "0" }, "bench", "--json", "--seconds", "0.01", "--batch", "16", "--micro-batch", "16");

        Assert.Equal(0, run.ExitCode);
        Assert.InRange(run.Json.GetProperty("vectorBits").GetInt32(), 128, atMost);
    }

    [Fact]
    public async Task A_saved_model_evaluates_to_what_training_reported_and_predicts_pictures()
    {
        Finished trained = await Train("--epochs", "6", "--out", _folder.File("model"));
        (byte[] pixels, byte[] labels) = DigitSet.Draw(DigitSplit.Training, 3, 1);
        string[] pictures = [.. Enumerable.Range(0, 3).Select(i => _folder.File($"{i}.png"))];
        for (int i = 0; i < 3; i++)
            File.WriteAllBytes(pictures[i], TestPng.Rgb(28, 28, [.. pixels.AsSpan(784 * i, 784).ToArray().SelectMany(p => new[] { p, p, p })]));

        Finished evaluated = await Convnet.RunAsync(_folder.Path, "evaluate", "model", "--data", digits.Path, "--json");
        Finished predicted = await Convnet.RunAsync(_folder.Path, ["predict", "model", "--json", .. pictures]);

        Assert.Equal(0, evaluated.ExitCode);
        Assert.Equal(trained.WeightsSha256, evaluated.WeightsSha256);
        Assert.Equal(trained.Json.GetProperty("testAccuracy").GetDouble(), evaluated.Json.GetProperty("testAccuracy").GetDouble(), 1e-9);
        Assert.Equal(
            evaluated.Json.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("correct").GetInt32()),
            evaluated.Json.GetProperty("confusion").EnumerateArray().Select((row, label) => row[label].GetInt32()));
        Assert.Equal(
            evaluated.Json.GetProperty("testAccuracy").GetDouble() * evaluated.Json.GetProperty("samples").GetInt32(),
            evaluated.Json.GetProperty("classes").EnumerateArray().Sum(c => c.GetProperty("correct").GetInt32()), 1e-6);
        Assert.Equal(0, predicted.ExitCode);
        Assert.Equal(labels.Select(l => $"{l}"), predicted.Json.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("class").GetString()));
    }

    [Fact]
    public async Task Ctrl_C_keeps_what_was_learned_and_exits_with_130()
    {
        using Convnet run = Convnet.Start(_folder.Path, new Dictionary<string, string>(), "train", "--data", digits.Path, "--epochs", "100000", "--json", "--out", "model");
        await run.SaysAsync("epoch 2/");

        run.Signal("INT");
        Finished finished = await run.EndAsync();

        Assert.Equal(130, finished.ExitCode);
        Assert.True(finished.Json.GetProperty("stopped").GetBoolean());
        Finished evaluated = await Convnet.RunAsync(_folder.Path, "evaluate", "model", "--data", digits.Path, "--json");
        Assert.Equal(finished.WeightsSha256, evaluated.WeightsSha256);
    }

    [Fact]
    public async Task A_job_file_gives_what_its_options_give_and_options_override_it()
    {
        File.WriteAllText(_folder.File("job.yaml"), $"""
            # a small job
            model: lenet5
            data: {digits.Path}
            epochs: 1
            batch: 64
            micro-batch: 16
            lr: 0.01
            seed: 5
            """);

        Finished options = await Train("--epochs", "2", "--batch", "64", "--micro-batch", "16", "--lr", "0.01", "--seed", "5");
        Finished file = await Convnet.RunAsync(_folder.Path, "train", "job.yaml", "--epochs", "2", "--json", "--quiet");

        Assert.Equal(options.WeightsSha256, file.WeightsSha256);
    }

    [Fact]
    public async Task A_loss_that_is_no_number_ends_the_job_and_says_at_which_step()
    {
        Finished run = await Train("--epochs", "3", "--lr", "900");

        Assert.Equal(1, run.ExitCode);
        Assert.Matches("(?m)^error: .*step [0-9]+", run.Error);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    private Task<Finished> Train(params string[] arguments) => Train([], arguments);

    private Task<Finished> Train(Dictionary<string, string> environment, params string[] arguments) =>
        Convnet.RunAsync(_folder.Path, environment, ["train", "--data", digits.Path, "--json", "--quiet", .. arguments]);
}
