using System.Text.Json;
using ConvNet.Cli;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests.Commands;

/// <summary><c>convnet models</c> and <c>convnet describe</c>.</summary>
public sealed class DescribeCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convnet-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_built_in_network_is_a_table_of_its_layers()
    {
        (int exitCode, string said) = await RunAsync("describe", "lenet5");

        Assert.Equal(0, exitCode);
        Assert.Equal(
            """
            lenet5: input 1x28x28, 10 classes

            LAYER    KIND             OUTPUT    PARAMETERS  MULTIPLY-ADDS    MEMORY
            conv1    conv2d           6x28x28          156        117.6 K  602.1 KB
            act1     relu             6x28x28                              602.1 KB
            pool1    max-pool         6x14x14                              150.5 KB
            conv2    conv2d           16x10x10       2,416        240.0 K  204.8 KB
            act2     relu             16x10x10                             204.8 KB
            pool2    max-pool         16x5x5                               51.20 KB
            flatten  flatten          400                                  51.20 KB
            fc1      fully-connected  120           48,120        48.00 K  15.36 KB
            act3     relu             120                                  15.36 KB
            fc2      fully-connected  84            10,164        10.08 K  10.75 KB
            act4     relu             84                                   10.75 KB
            fc3      fully-connected  10               850            840   1.28 KB

            parameters     61,706
            weights        246.8 KB
            multiply-adds  416.5 K for an image
            memory         1.61 MB in each lane; 3.94 MB if layers did not share it (activations and gradients of 32 images)
            """.ReplaceLineEndings("\n"),
            said);
    }

    [Fact]
    public async Task A_network_that_branches_shows_where_from_and_what_only_training_has()
    {
        (_, string said) = await RunAsync("describe", "googlenet", "--input", "3x32x32", "--classes", "10");

        Assert.Contains("3a.out              concat               3a.relu_1x1, 3a.relu_3x3, 3a.relu_5x5, 3a.relu_pool_proj  256x8x8", said, StringComparison.Ordinal);
        Assert.Contains("\naux1.fc2 * ", said, StringComparison.Ordinal);
        Assert.Contains("\nparameters     6,394,190, 418,068 of them in layers that only training has (*)\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scripts_get_the_same_as_json()
    {
        (int exitCode, string said) = await RunAsync("describe", "resnet50", "--json");

        Assert.Equal(0, exitCode);
        JsonElement json = JsonDocument.Parse(said).RootElement;
        Assert.Equal(25_557_032, json.GetProperty("parameters").GetInt64());
        Assert.InRange(json.GetProperty("multiplyAdds").GetInt64(), 4_050_000_000, 4_150_000_000);
        Assert.InRange(json.GetProperty("arenaBytes").GetInt64(), 1, json.GetProperty("unsharedBytes").GetInt64());
        JsonElement first = json.GetProperty("layers")[0];
        Assert.Equal(("conv1", "conv2d", "input", "64x112x112"), (
            first.GetProperty("name").GetString(), first.GetProperty("kind").GetString(), first.GetProperty("inputs")[0].GetString(), first.GetProperty("output").GetString()));
    }

    [Fact]
    public async Task A_job_file_is_described_for_its_data_or_for_the_images_given()
    {
        string job = Path.Combine(_folder, "mine.yaml");
        File.WriteAllText(job, "data: nowhere\nmicro-batch: 16\nbatch: 64\nlayers:\n  - conv2d: {out-channels: 4, kernel: 3}\n  - fully-connected: {outputs: 3}\n");

        (int exitCode, string said) = await RunAsync("describe", job, "--input", "2x5x5", "--classes", "3");
        (int withoutData, string why) = await RunAsync("describe", job);
        (int wrong, string place) = await RunAsync("describe", job, "--input", "2x2x2", "--classes", "3");

        Assert.Equal(0, exitCode);
        Assert.StartsWith("mine: input 2x5x5, 3 classes\n", said, StringComparison.Ordinal);
        Assert.Contains("\nconv2d1           conv2d           4x3x3           76            648  2.30 KB\n", said, StringComparison.Ordinal);
        Assert.Contains("(activations and gradients of 16 images)", said, StringComparison.Ordinal);
        Assert.Equal(2, withoutData);
        Assert.EndsWith("With --input and --classes no data are needed.", why, StringComparison.Ordinal);
        Assert.Equal((2, $"error: {job}:5: conv2d1: a 3×3 window does not fit an input of 2x2x2 with padding valid."), (wrong, place));
    }

    [Fact]
    public async Task A_trained_model_is_described_as_it_is()
    {
        TestModel.Save(_folder);

        (int exitCode, string said) = await RunAsync("describe", _folder);
        (int wrong, string why) = await RunAsync("describe", _folder, "--classes", "3");

        Assert.Equal(0, exitCode);
        Assert.StartsWith("lenet5: input 1x28x28, 10 classes\n", said, StringComparison.Ordinal);
        Assert.Equal((2, $"error: {_folder} is a trained model: its input and its classes are what they are; leave out --input and --classes."), (wrong, why));
    }

    [Theory]
    [InlineData("resnet5", "error: unknown model 'resnet5'. Did you mean 'resnet50'? 'convnet models' shows them all. A job file (.yaml) or the folder of a trained model can be described too.")]
    [InlineData("missing.yaml", "error: missing.yaml: cannot be read")]
    [InlineData("lenet5 --input 28x28", "error: --input is '28x28'; it takes channels, height and width, such as 3x224x224.")]
    [InlineData("lenet5 --classes 0", "error: --classes is 0; it takes 1 to 65536.")]
    [InlineData("lenet5 --micro-batch 0", "error: --micro-batch is 0; it takes 1 to 65536.")]
    [InlineData("alexnet --input 3x8x8", "error: alexnet works from 15×15 pixels on, got images of 8×8.")]
    [InlineData("resnet18 --input 3x60000x60000", "error: conv1: is too large")]
    public async Task What_cannot_be_described_is_told(string arguments, string expected)
    {
        (int exitCode, string said) = await RunAsync(["describe", .. arguments.Split(' ')]);

        Assert.Equal(2, exitCode);
        Assert.StartsWith(expected, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_has_the_published_figures()
    {
        (int exitCode, string said) = await RunAsync("models");

        Assert.Equal(0, exitCode);
        Assert.Contains("\nalexnet         3x224x224     1000   61,100,840        714.2 M  AlexNet in one column (2012)\n", said, StringComparison.Ordinal);
        Assert.Contains("\ngooglenet       3x224x224     1000    6,998,552         1.58 G  GoogLeNet, Inception v1 (2014)\n", said, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Said)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int exitCode = await CommandLine.RunAsync(arguments, output, error);
        return (exitCode, $"{output}{error}".TrimEnd('\n'));
    }
}
