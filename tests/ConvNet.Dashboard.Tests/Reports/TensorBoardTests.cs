using System.Text;
using ConvNet.Dashboard.Tests.Support;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Dashboard.Tests.Reports;

/// <summary><c>convnet train --tensorboard</c>.</summary>
public sealed class TensorBoardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_reader_of_these_tests_knows_the_published_checksum() =>
        Assert.Equal(0xE3069283u, EventRecords.Crc32C(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public async Task The_curves_of_a_job_are_read_back()
    {
        string data = SmallSet.Write(_folder.File("digits"), training: 320, test: 40);
        double before = Seconds();

        TrainRun run = await TrainRun.Of(
            "--data", data, "--epochs", "3", "--batch", "64", "--lr", "0.05", "--schedule", "multi-step", "--milestones", "1", "--gamma", "0.1",
            "--out", _folder.File("out"), "--tensorboard", _folder.File("board"), "--no-report");

        Assert.Equal(0, run.ExitCode);
        string file = Assert.Single(Directory.GetFiles(_folder.File("board")));
        Assert.Equal(file, run.Text("eventsPath"));
        Assert.StartsWith("events.out.tfevents.", Path.GetFileName(file), StringComparison.Ordinal);
        IReadOnlyList<EventRecords.Entry> entries = EventRecords.Read(File.ReadAllBytes(file));
        Assert.Equal("brain.Event:2", entries[0].Version);
        Assert.All(entries, e => Assert.InRange(e.Time, before, Seconds()));

        (long Step, float Value)[] Curve(string tag) => [.. from e in entries from s in e.Scalars where s.Tag == tag select (e.Step, s.Value)];
        Assert.Equal(Enumerable.Range(1, 15).Select(step => (long)step), Curve("loss/step").Select(p => p.Step));
        Assert.Equal([.. Enumerable.Repeat(0.05f, 5), .. Enumerable.Repeat(0.05f * 0.1f, 10)], Curve("learning_rate").Select(p => p.Value));
        foreach (string tag in new[] { "loss/train", "loss/test", "accuracy/train", "accuracy/test", "images_per_second" })
            Assert.Equal([5L, 10, 15], Curve(tag).Select(p => p.Step));
        Assert.Equal((float)run.Json.GetProperty("testAccuracy").GetDouble(), Curve("accuracy/test")[^1].Value);
        Assert.Equal((float)run.Json.GetProperty("testLoss").GetDouble(), Curve("loss/test")[^1].Value);
        Assert.Equal((float)run.Json.GetProperty("trainLoss").GetDouble(), Curve("loss/train")[^1].Value);
        // All batches of an epoch are of one size here, so its loss is the mean of its steps' losses.
        Assert.Equal(Curve("loss/step")[10..].Average(p => p.Value), Curve("loss/train")[^1].Value, 1e-5);
        Assert.All(Curve("images_per_second"), p => Assert.True(p.Value > 0));
    }

    [Fact]
    public async Task A_second_job_leaves_the_file_of_the_first_alone()
    {
        string data = SmallSet.Write(_folder.File("digits"), training: 64, test: 20);
        string[] job = ["--data", data, "--epochs", "1", "--batch", "64", "--tensorboard", _folder.File("board"), "--no-report"];
        TrainRun first = await TrainRun.Of([.. job, "--out", _folder.File("first")]);
        byte[] written = File.ReadAllBytes(first.Text("eventsPath"));

        TrainRun second = await TrainRun.Of([.. job, "--out", _folder.File("second")]);

        Assert.Equal(first.Text("weightsSha256"), second.Text("weightsSha256"));
        Assert.NotEqual(first.Text("eventsPath"), second.Text("eventsPath"));
        Assert.Equal(written, File.ReadAllBytes(first.Text("eventsPath")));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_told_before_anything_begins()
    {
        string data = SmallSet.Write(_folder.File("digits"), training: 64, test: 20);
        File.WriteAllText(_folder.File("board"), "");

        TrainRun run = await TrainRun.Of("--data", data, "--tensorboard", _folder.File("board"), "--out", _folder.File("out"));

        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"--tensorboard {_folder.File("board")}: cannot be written to", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    private static double Seconds() => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalSeconds;
}
