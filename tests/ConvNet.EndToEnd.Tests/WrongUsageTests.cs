using ConvNet.Data.Tests.Support;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

public sealed class WrongUsageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Wrong() => new()
    {
        { "tran", "unknown command 'tran'. Did you mean 'train'?" },
        { "train --epoch 3", "unknown option '--epoch'. Did you mean '--epochs'?" },
        { "train --model lenet6", "--model: expected one of lenet5, lenet5-classic, alexnet, zfnet, vgg11, vgg11-bn, vgg13, vgg13-bn, vgg16, vgg16-bn, vgg19, vgg19-bn, googlenet, resnet18, resnet34, resnet50, resnet101, resnet152, resnet20, resnet32, resnet44, resnet56, resnet110, got \"lenet6\". Did you mean lenet5?" },
        { "train --batch 100 --micro-batch 32", "a batch of 100 is not a whole number of micro-batches of 32" },
        { "train --epochs 0", "--epochs: expected a whole number from 1 to 100000, got \"0\"" },
        { "train --lr x", "--lr: expected a number above 0" },
        { "train --workers 0", "--workers is 0; it takes 1 to 1024" },
        { "train --servers 0", "--servers is 0; it takes 1 to 1024" },
        { "train --lanes two", "two" },
        { "train missing.yaml", "missing.yaml: cannot be read" },
        { "train bad.yaml", "bad.yaml:2: unknown field \"modle\"; did you mean model?" },
        { "train --data nowhere", "data 'nowhere': there is no such folder" },
        { "train --data mnist:nowhere", "nowhere: there is no such folder" },
        { "train --data .", "no train-images-idx3-ubyte.gz or train-images-idx3-ubyte in it" },
        { "train --out file.txt", "--out file.txt" },
        { "evaluate nowhere", "nowhere: expected the folder of a trained model" },
        { "predict", "Required argument 'MODEL' missing" },
        { "predict . x.png", "model.json: missing" },
        { "train misfit.yaml", "misfit.yaml:3: conv2d1: a 40×40 window does not fit an input of 1x28x28 with padding valid." },
        { "describe lenet6", "unknown model 'lenet6'. Did you mean 'lenet5'?" },
        { "bench --model lenet6", "unknown model 'lenet6'. Did you mean 'lenet5'?" },
        { "submit bad.yaml", "bad.yaml:2: unknown field \"modle\"; did you mean model?" },
        { "jobs --to http://127.0.0.1:1", "no coordinator answers at http://127.0.0.1:1: is a node with --roles coordinator running?" },
        { "jobs --to ftp://x", "'ftp://x' is no address of a coordinator" },
        { "bench --batch 10 --micro-batch 3", "--batch 10 is not a whole number of micro-batches of 3" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_asked_wrongly_is_told_in_a_line_and_exits_with_2(string arguments, string expected)
    {
        File.WriteAllText(_folder.File("file.txt"), "x");
        File.WriteAllText(_folder.File("bad.yaml"), "epochs: 2\nmodle: lenet5\n");
        File.WriteAllText(_folder.File("misfit.yaml"), "data: digits\nlayers:\n  - conv2d: {out-channels: 4, kernel: 40}\n  - fully-connected: {outputs: 10}\n");

        Finished run = await Convnet.RunAsync(_folder.Path, arguments.Split(' '));

        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
        Assert.Equal(2, run.ExitCode);
    }

    [Fact]
    public async Task Help_shows_every_verb_and_every_option()
    {
        Finished root = await Convnet.RunAsync(_folder.Path, "--help"), train = await Convnet.RunAsync(_folder.Path, "train", "--help");

        Assert.All(["train", "evaluate", "predict", "models", "describe", "bench", "submit", "jobs", "status", "logs", "cancel", "resume", "nodes", "fetch"], verb => Assert.Contains(verb, root.Output, StringComparison.Ordinal));
        Assert.All(
            ["--model", "--data", "--epochs", "--batch", "--micro-batch", "--workers", "--lanes", "--servers", "--lr", "--momentum", "--weight-decay", "--seed", "--out", "--json", "--quiet"],
            option => Assert.Contains(option, train.Output, StringComparison.Ordinal));
        Assert.Equal((0, 0), (root.ExitCode, train.ExitCode));
    }
}
