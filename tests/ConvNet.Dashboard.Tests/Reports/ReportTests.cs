using System.Text.RegularExpressions;
using ConvNet.Dashboard.Tests.Support;
using ConvNet.Data.Images;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Dashboard.Tests.Reports;

/// <summary>The report that <c>convnet train</c> writes.</summary>
public sealed partial class ReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _out;

    public ReportTests() => _out = _folder.File("out");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_report_shows_the_job_and_needs_nothing_but_itself()
    {
        string data = SmallSet.Write(_folder.File("digits"), training: 256, test: 90);

        TrainRun run = await TrainRun.Of("--data", data, "--epochs", "2", "--batch", "64", "--out", _out);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Path.Combine(_out, "report.html"), run.Text("reportPath"));
        string page = File.ReadAllText(run.Text("reportPath"));
        AssertSelfContained(page);
        Assert.Contains(run.Text("weightsSha256"), page, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        int wrong = 90 - (int)Math.Round(90 * run.Json.GetProperty("testAccuracy").GetDouble());
        Assert.Contains($"{wrong} of 90 test images are taken for another class", page, StringComparison.Ordinal);
        Assert.Equal(Math.Min(24, wrong), Regex.Count(page, "<figure>"));
        // Three curves in two themes, the filters, and the mistakes.
        Assert.Equal(7 + Math.Min(24, wrong), Pictures(page).Count);
        foreach (string plot in new[] { "loss.png", "accuracy.png", "learning-rate.png", "confusion.png", "filters.png" })
            Assert.True(ImageFile.IsPicture(Path.Combine(_out, plot)), plot);
    }

    [Fact]
    public async Task A_report_changes_nothing_of_the_training_and_can_be_left_out()
    {
        string data = SmallSet.Write(_folder.File("digits"), training: 128, test: 20);
        string[] job = ["--data", data, "--epochs", "1", "--batch", "64"];
        TrainRun with = await TrainRun.Of([.. job, "--out", _folder.File("with")]);

        TrainRun without = await TrainRun.Of([.. job, "--out", _out, "--no-report"]);

        Assert.Equal(with.Text("weightsSha256"), without.Text("weightsSha256"));
        Assert.Null(without.Text("reportPath"));
        Assert.Equal(["model.json", "model.safetensors"], Directory.GetFiles(_out).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_is_a_warning_and_the_model_is_there()
    {
        string data = SmallSet.Write(_folder.File("digits"), training: 64, test: 20);
        Directory.CreateDirectory(Path.Combine(_out, "report.html", "in the way"));

        TrainRun run = await TrainRun.Of("--data", data, "--epochs", "1", "--batch", "64", "--out", _out);

        Assert.Equal(0, run.ExitCode);
        Assert.Null(run.Text("reportPath"));
        Assert.Contains($"warning: the report could not be written to {Path.Combine(_out, "report.html")}", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(run.Text("modelPath")));
        Assert.Empty(Directory.GetFiles(_out, "*.tmp"));
    }

    [Fact]
    public async Task Classes_of_any_name_and_number_are_shown()
    {
        const string Odd = "a<script>&'b";
        string[] classes = [Odd, .. Enumerable.Range(1, 24).Select(c => $"class {c}")];
        var random = new Random(1);
        foreach (string place in new[] { "train", "test" }.SelectMany(split => classes.Select(c => _folder.File(Path.Combine("pictures", split, c)))))
        {
            Directory.CreateDirectory(place);
            var pixels = new byte[3 * 12 * 12];
            random.NextBytes(pixels);
            File.WriteAllBytes(Path.Combine(place, "1.png"), TestPng.Rgb(12, 12, pixels));
        }

        File.WriteAllText(_folder.File("job.yaml"), $"""
            data: images:12:{_folder.File("pictures")}
            epochs: 1
            batch: 16
            micro-batch: 16
            layers:
              - conv2d: {"{"}out-channels: 4, kernel: 5{"}"}
              - relu
              - fully-connected: {"{"}outputs: 25{"}"}
            """);

        TrainRun run = await TrainRun.Of(_folder.File("job.yaml"), "--out", _out);

        Assert.True(run.ExitCode == 0, run.Error);
        string page = File.ReadAllText(Path.Combine(_out, "report.html"));
        AssertSelfContained(page);
        Assert.Contains("a&lt;script&gt;&amp;&#39;b", page, StringComparison.Ordinal);
        // The curves and the matrix in two themes, the filters, and the mistakes.
        Assert.Equal(9 + Regex.Count(page, "<figure>"), Pictures(page).Count);
        Assert.Contains("top-5", page, StringComparison.Ordinal);
    }

    /// <summary>No script, and no address but those of embedded pictures.</summary>
    private static void AssertSelfContained(string page)
    {
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<link", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        Assert.All(Addresses().Matches(page), address => Assert.StartsWith("data:image/png;base64,", address.Groups[1].Value, StringComparison.Ordinal));
    }

    /// <summary>The embedded pictures, each of which can be decoded.</summary>
    private List<string> Pictures(string page)
    {
        var files = new List<string>();
        foreach (Match address in Addresses().Matches(page))
        {
            files.Add(_folder.File($"embedded {files.Count}.png"));
            File.WriteAllBytes(files[^1], Convert.FromBase64String(address.Groups[1].Value["data:image/png;base64,".Length..]));
            Assert.True(ImageFile.IsPicture(files[^1]));
        }

        return files;
    }

    [GeneratedRegex("(?:src|srcset|href)=\"([^\"]*)\"")]
    private static partial Regex Addresses();
}
