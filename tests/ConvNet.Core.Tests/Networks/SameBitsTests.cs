using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

/// <summary>Training gives one hash whatever the width of the vectors. The widths are tried in processes of their own, because a process chooses once.</summary>
public class SameBitsTests
{
    /// <summary>On every machine, for ever, unless the canonical order of a sum is changed on purpose.</summary>
    private const string Golden = "2057b242e096d4f57f5fff968d6a8b876bdb67df4a2007771067a65d0f543d11";

    /// <inheritdoc cref="Golden"/>
    private const string GoldenOfBranches = "4ab18f27c3f520c5790b6e91133ecd7f376548f3259e62b69de41f83ddf670be";

    /// <inheritdoc cref="Golden"/>
    private const string GoldenOfChannels = "c446f7f95d31592de51003a370c94c96564f8f6c1642cb106c06f20ed7aef386";

    public static TheoryData<string, int> Widths => new()
    {
        { "", 16 },
        { "DOTNET_TieredCompilation=0", 16 },
        { "DOTNET_EnableAVX512=0", 8 },
        { "DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0", 4 },
    };

    [Theory]
    [MemberData(nameof(Widths))]
    public void Weights_after_three_steps_have_one_hash_on_any_width(string knobs, int mostLanes)
    {
        (int lanes, string hash, string hashOfBranches, string hashOfChannels) = InAnotherProcess(knobs);

        Assert.InRange(lanes, 4, mostLanes);
        Assert.Equal(Golden, hash);
        Assert.Equal(GoldenOfBranches, hashOfBranches);
        Assert.Equal(GoldenOfChannels, hashOfChannels);
    }

    [Fact]
    public void What_is_hashed_is_right()
    {
        var trial = new Trial(Everything(), samples: 21);

        trial.Check(trial.Train(new ExecutionPlan(trial.Network, 32)));
    }

    /// <summary>The other process: says how wide its vectors are, and the hashes.</summary>
    internal static void Main() => Console.WriteLine($"{Widest.Lanes} {HashOfThreeSteps(Everything(), 21)} {HashOfThreeSteps(Branches(), 21)} {HashOfThreeSteps(Channels(), 5)}");

    /// <summary>Three steps with a last block that is not full.</summary>
    private static string HashOfThreeSteps(Network network, int samples)
    {
        var trial = new Trial(network, samples);
        var plan = new ExecutionPlan(network, samples > 16 ? 32 : 8);
        using var workspace = new Workspace(plan);
        var velocity = new float[network.ParameterCount];
        var sgd = new Sgd(0.9f, 1e-4f, Nesterov: true);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int step = 0; step < 3; step++)
        {
            float[] contribution = trial.Train(workspace, plan);
            hash.AppendData(MemoryMarshal.AsBytes(contribution.AsSpan()));
            sgd.Apply(trial.Weights, contribution.AsSpan(0, network.ParameterCount), velocity, scale: 1f / samples, rate: 0.1f);
        }

        hash.AppendData(MemoryMarshal.AsBytes(trial.Weights.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Network Everything() => new NetworkBuilder("everything", new Shape(2, 9, 8))
        .Add("conv1", new Conv2D(13, 3) { Padding = Padding.Same, Stride = new Size(1, 2) })
        .Add("relu1", new Relu())
        .Add("depthwise", new Conv2D(13, 3) { Groups = 13, Padding = 2, Dilation = 2, Bias = false })
        .Add("tanh1", new Tanh())
        .Add("join", new Add(), "tanh1", "relu1")
        .Add("max", new MaxPool2D(3) { Stride = 2, Padding = 1 })
        .Add("sigmoid", new Sigmoid())
        .Add("mean", new AveragePool2D(2) { Stride = 1 })
        .Add("flatten", new Flatten())
        .Add("fc1", new FullyConnected(17))
        .Add("tanh2", new Tanh())
        .Add("fc2", new FullyConnected(6))
        .Build();

    /// <summary>Branches, normalisation, soft activations, the way down and up again.</summary>
    private static Network Branches() => new NetworkBuilder("branches", new Shape(2, 9, 8))
        .Add("conv1", new Conv2D(7, 3) { Bias = false })
        .Add("norm1", new BatchNorm2D())
        .Add("leaky", new LeakyRelu(0.1f))
        .Add("a", new Conv2D(3, 1), "leaky")
        .Add("elu", new Elu())
        .Add("b", new Conv2D(5, 3) { Padding = 1 }, "leaky")
        .Add("gelu", new Gelu())
        .Add("response", new LocalResponseNormalisation { K = 2 }, "leaky")
        .Add("softmax", new Softmax())
        .Add("join", new Concat(), "elu", "gelu", "softmax")
        .Add("pool", new MaxPool2D(3) { Stride = 2, CeilMode = true })
        .Add("up", new TransposedConv2D(4, 3) { Stride = 2, Padding = 1, Groups = 1, OutputPadding = 1 })
        .Add("relu", new Relu())
        .Add("other", new LocalResponseNormalisation(3) { Beta = 0.6f })
        .Add("shortcut", new IdentityShortcut(6) { Stride = 2 })
        .Add("drop", new Dropout(0.3f))
        .Add("sum", new Add(), "drop", "shortcut", "drop")
        .Add("mean", new GlobalAveragePool2D())
        .Add("fc", new FullyConnected(6))
        .Build();

    /// <summary>A small micro-batch, which goes over channel lanes: direct convolutions and Winograd's, normalisation, pooling, branches.</summary>
    private static Network Channels() => new NetworkBuilder("channels", new Shape(3, 21, 18))
        .Add("conv1", new Conv2D(20, 5) { Padding = 2, Stride = 2 })
        .Add("relu1", new Relu())
        .Add("conv2", new Conv2D(32, 3) { Padding = 1, Bias = false })
        .Add("norm2", new BatchNorm2D())
        .Add("relu2", new Relu())
        .Add("a", new Conv2D(16, 1), "relu2")
        .Add("gelu", new Gelu())
        .Add("b", new Conv2D(48, 3) { Padding = 1, Dilation = 1 }, "relu2")
        .Add("response", new LocalResponseNormalisation())
        .Add("join", new Concat(), "gelu", "response")
        .Add("pool", new MaxPool2D(3) { Stride = 2, CeilMode = true })
        .Add("conv3", new Conv2D(64, 3) { Stride = 2, Padding = 1 })
        .Add("shortcut", new IdentityShortcut(64) { Stride = 2 }, "pool")
        .Add("sum", new Add(), "conv3", "shortcut")
        .Add("depthwise", new Conv2D(64, 3) { Groups = 64, Padding = 1 })
        .Add("drop", new Dropout(0.3f))
        .Add("mean", new GlobalAveragePool2D())
        .Add("fc", new FullyConnected(6))
        .Build();

    private static (int Lanes, string Hash, string HashOfBranches, string HashOfChannels) InAnotherProcess(string knobs)
    {
        string host = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo(host, ["exec", typeof(SameBitsTests).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string knob in knobs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            start.Environment[knob.Split('=')[0]] = knob.Split('=')[1];
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{knobs}: exit code {process.ExitCode}\n{output}\n{errors.Result}");
        string[] words = output.Trim().Split(' ');
        return (int.Parse(words[0]), words[1], words[2], words[3]);
    }
}
