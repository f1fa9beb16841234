using System.Text.Json;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Protocol;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data;
using ConvNet.Data.Digits;
using MessagePack;

namespace ConvNet.Cluster.Tests.Jobs;

/// <summary>Networks that a job file brings itself.</summary>
public sealed class OwnNetworkTests
{
    private const string Branching =
        """
        batch: 48
        micro-batch: 16
        epochs: 1
        layers:
          - conv2d: {out-channels: 4, kernel: 3, padding: same}
          - batch-norm
          - relu:
          - conv2d:
              name: down
              out-channels: 6
              kernel: 3x5
              stride: 2
              padding: [1, 2, 1, 2]
              inputs: relu1
          - max-pool: {kernel: 2, inputs: relu1}
          - concat: {inputs: [down, max-pool1]}
          - dropout: {probability: 0.2}
          - global-average-pool
          - fully-connected: {name: hint, outputs: 10, inputs: [relu1], auxiliary: 0.25}
          - fully-connected: {outputs: 10, inputs: [global-average-pool1]}
        """;

    // 100 is no multiple of the batch, nor 30 of the micro-batch.
    private static readonly DataSplits Digits = new("digits", Some(DigitSplit.Training, 100), Some(DigitSplit.Test, 30));

    [Fact]
    public void Layers_have_names_inputs_settings_and_lines()
    {
        JobSpec job = JobFile.Parse(Branching, "some/where/my net.yaml");

        Network network = JobNetwork.Build(job, new Shape(1, 28, 28), 10);

        Assert.Equal("my-net", network.Name);
        Assert.Equal(
            ["conv2d1 < input 4x28x28", "batch-norm1 < conv2d1 4x28x28", "relu1 < batch-norm1 4x28x28", "down < relu1 6x14x14", "max-pool1 < relu1 4x14x14", "concat1 < down, max-pool1 10x14x14", "dropout1 < concat1 10x14x14", "global-average-pool1 < dropout1 10", "hint < relu1 10", "fully-connected2 < global-average-pool1 10"],
            network.Nodes.Select(n => $"{n.Name} < {string.Join(", ", n.Inputs.Select(i => i < 0 ? "input" : network.Nodes[i].Name))} {n.Output}"));
        Assert.Equal([new AuxiliaryOutput(8, 0.25f)], network.Auxiliaries);
        Assert.Equal([5, 6, 7, 8, 15, 16, 17, 18, 19, 20], job.Network!.Layers.Select(l => l.Line));
    }

    [Fact]
    public async Task One_two_and_three_workers_give_the_same_weights()
    {
        JobSpec spec = JobFile.Parse(Branching, "job.yaml");

        string one = await Train(spec, new() { Lanes = 1 });

        Assert.Equal(one, await Train(spec, new() { Workers = 2, Lanes = 1, Servers = 2 }));
        Assert.Equal(one, await Train(spec, new() { Workers = 3, Lanes = 2, Servers = 3 }));
    }

    [Fact]
    public async Task A_network_of_the_zoo_written_out_trains_to_the_same_weights()
    {
        var zoo = new JobSpec("lenet5", Epochs: 1, Batch: 48, MicroBatch: 16);
        JobSpec own = zoo with { Network = OwnNetwork.Of(LeNet5.Modern(Digits.Training.Shape, 10)) };

        Assert.Equal(await Train(zoo, new()), await Train(own, new() { Workers = 2 }));
    }

    [Fact]
    public void It_goes_there_and_back_in_messages_and_in_the_store()
    {
        JobSpec job = JobFile.Parse(Branching, "job.yaml");

        Assert.Equal(job, MessagePackSerializer.Deserialize<JobSpec>(MessagePackSerializer.Serialize(job, ClusterSerializer.Options), ClusterSerializer.Options));
        Assert.Equal(job, JsonSerializer.Deserialize<JobSpec>(JsonSerializer.Serialize(job, ManagementJson.Options), ManagementJson.Options));
        Assert.NotEqual(job, JobFile.Parse(Branching.Replace("0.2}", "0.3}", StringComparison.Ordinal), "job.yaml"));
        Assert.DoesNotContain("network", JsonSerializer.Serialize(new JobSpec(), ManagementJson.Options), StringComparison.Ordinal);   // or older checkpoints would not be found again
    }

    [Fact]
    public void An_option_chooses_another_network_than_the_file()
    {
        JobSpec job = new JobDraft().ReadYaml(Branching, "job.yaml").SetOption("model", "resnet20").ToSpec();

        Assert.Equal(("resnet20", null), (job.Model, job.Network));
    }

    public static TheoryData<string, string> Wrong() => new()
    {
        { "layers: relu", "job.yaml:1: layers: expected a list of layers, such as [{conv2d: {out-channels: 16, kernel: 3}}, relu], got \"relu\"." },
        { "layers: {relu: 1}", "job.yaml:1: layers: expected a list of layers, such as [{conv2d: {out-channels: 16, kernel: 3}}, relu], got a mapping." },
        { "layers: []", "job.yaml:1: layers: the list is empty; a network takes at least one layer." },
        { "layers:\n  - relu\nmodel: lenet5", "job.yaml:3: model: a job has one network, and job.yaml:1: layers names one too. Leave one of the two out." },
        { "model: lenet5\nlayers:\n  - relu", "job.yaml:2: layers: a job has one network, and job.yaml:1: model names one too. Leave one of the two out." },
        { "layers:\n  - relo", "job.yaml:2: unknown kind of layer 'relo'. Did you mean 'relu'? There are: conv2d, …" },
        { "layers:\n  - Conv2D: {}", "job.yaml:2: unknown kind of layer 'Conv2D'. Did you mean 'conv2d'? There are: conv2d, …" },
        { "layers:\n  - [relu]", "job.yaml:2: layers: expected a layer, such as \"relu\" or \"conv2d: {out-channels: 16, kernel: 3}\", got a list." },
        { "layers:\n  - relu: 3", "job.yaml:2: relu: expected settings, such as {name: a}, got \"3\"." },
        { "layers:\n  - max-pool:\n    kernel: 2", "job.yaml:3: layers: 'kernel' stands beside max-pool, not under it. Indent a setting further than its layer, or write max-pool: {kernel: …}; begin each layer with a dash." },
        { "layers:\n  - max-pool", "job.yaml:2: max-pool1: the setting 'kernel' is missing." },
        { "layers:\n  - max-pool:\n      kernel: 2\n      strid: 2", "job.yaml:4: max-pool1: max-pool has no setting 'strid'. Did you mean 'stride'? It has: kernel, stride, padding, ceil-mode." },
        { "layers:\n  - max-pool:\n      kernel: 2\n      stride: many", "job.yaml:4: max-pool1: stride takes a whole number up to 4096; got 'many'." },
        { "layers:\n  - max-pool:\n      kernel: 2\n      kernel: 2", "job.yaml:4: max-pool: kernel: given before, on line 3." },
        { "layers:\n  - max-pool:\n      kernel: {a: 1}", "job.yaml:3: max-pool: kernel: expected a single value or a list of them." },
        { "layers:\n  - relu: {name: a b}", "job.yaml:2: 'a b' cannot name a layer: letters, digits, '_', '-' and '.' can, up to 100 of them, and 'input' is the sample itself." },
        { "layers:\n  - relu\n  - relu: {name: relu1}", "job.yaml:3: relu1: there are two layers of this name, the other on line 2; every layer takes its own." },
        { "layers:\n  - relu\n  - tanh: {inputs: rely1}", "job.yaml:3: tanh1: its input 'rely1' is not a layer before it. Did you mean 'relu1'?" },
        { "layers:\n  - relu\n  - add: {inputs: [relu1]}", "job.yaml:3: add1: add takes 2 or more inputs, got 1. Name them with inputs: [a, b]." },
        { "layers:\n  - relu\n  - concat", "job.yaml:3: concat1: concat takes 2 or more inputs, got 1. Name them with inputs: [a, b]." },
        { "layers:\n  - relu: {inputs: [input, input]}", "job.yaml:2: relu1: relu takes 1 input, got 2. Name them with inputs: [a]." },
        { "layers:\n  - relu: {auxiliary: -1}", "job.yaml:2: relu: auxiliary: expected the weight of its loss, a number above 0, got \"-1\"." },
        { "layers:\n  - relu: &a {name: x}\n  - tanh: *a", "job.yaml:3: tanh: expected settings, such as {name: a}, got a reference." },
        { "layers: &a\n  - relu\n  - *a", "job.yaml:3: layers: expected a layer, such as \"relu\" or \"conv2d: {out-channels: 16, kernel: 3}\", got a reference." },
        { "layers:\n  - relu\nepochs: 0\nlr: x", "job.yaml:3: epochs: expected a whole number from 1 to 100000, got \"0\".\njob.yaml:4: lr: expected a number above 0, at most 1000, got \"x\"." },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_in_a_file_is_told_with_its_line(string text, string expected)
    {
        var wrong = Assert.Throws<JobFileException>(() => JobFile.Parse(text, "job.yaml"));

        // What there is of kinds will grow.
        Assert.Equal(expected.Split('\n'), wrong.Problems.Select(p => p.IndexOf("There are: conv2d, ", StringComparison.Ordinal) is >= 0 and var at ? $"{p[..at]}There are: conv2d, …" : p).Order(StringComparer.Ordinal));
    }

    public static TheoryData<string, string> Misfits() => new()
    {
        { "- conv2d: {out-channels: 4, kernel: 3}\n- conv2d: {name: far, out-channels: 4, kernel: 30}\n- fully-connected: {outputs: 10}", "job.yaml:3: far: a 30×30 window does not fit an input of 4x26x26 with padding valid." },
        { "- conv2d: {out-channels: 4, kernel: 3}\n- add: {inputs: [conv2d1, input]}\n- fully-connected: {outputs: 10}", "job.yaml:3: add1: adds inputs of one shape, got 4x26x26 and 1x28x28." },
        { "- conv2d: {out-channels: 4, kernel: 3}\n- relu", "job.yaml:3: relu1: the last layer gives one score for each class, got an image of 4x26x26; end with a fully connected layer." },
        { "- fully-connected: {outputs: 12}", "job.yaml:2: fully-connected1: the last layer gives one score for each class; it gives 12, and the data have 10 classes." },
        { "- relu\n- fully-connected: {outputs: 10, inputs: input}", "job.yaml:2: relu1: no layer reads its output; name it among a later layer's inputs or remove it." },
        { "- dropout: {probability: 2}\n- fully-connected: {outputs: 10}", "job.yaml:2: dropout1: " },
        { "- fully-connected: {outputs: 10, name: a, auxiliary: 1}\n- fully-connected: {outputs: 10, inputs: a}", "job.yaml:2: a: an auxiliary output ends its branch; no layer reads it, and it is named once." },
        { "- conv2d: {out-channels: 1000000, kernel: 4, padding: 4000}\n- fully-connected: {outputs: 10}", "job.yaml:2: conv2d1: is too large" },
        { "- fully-connected: {outputs: 1000000}\n- fully-connected: {outputs: 10}", "job.yaml:2: fully-connected1: with its 785000000 parameters the network has more than 268435456" },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void What_does_not_fit_the_images_is_told_with_its_line(string layers, string expected)
    {
        JobSpec job = JobFile.Parse($"layers:\n{layers}", "job.yaml");

        var wrong = Assert.Throws<ShapeException>(() => JobNetwork.Build(job, new Shape(1, 28, 28), 10));

        Assert.StartsWith(expected, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hostile_list_of_layers_is_refused_soon()
    {
        string many = $"layers: [{string.Join(", ", Enumerable.Repeat("relu", 3000))}]";
        string heavy = $"layers: [{string.Join(", ", Enumerable.Range(0, 1500).Select(i => $"conv2d: {{name: {new string('n', 60)}{i}, out-channels: 1, kernel: 1}}"))}]";

        Assert.Equal(["job.yaml:1: layers: at most 2048 of them are allowed."], Assert.Throws<JobFileException>(() => JobFile.Parse(many, "job.yaml")).Problems);
        string problem = Assert.Single(Assert.Throws<JobFileException>(() => JobFile.Parse(heavy, "job.yaml")).Problems);
        Assert.EndsWith("bytes in a message; at most 64000 are allowed. Use fewer layers, or shorter names.", problem, StringComparison.Ordinal);
    }

    private static async Task<string> Train(JobSpec spec, LocalClusterOptions options)
    {
        using JobResult result = await LocalCluster.RunAsync(spec, new NetworkJob(spec, Digits), options);
        return result.WeightsSha256;
    }

    private static DataSet Some(DigitSplit split, int count)
    {
        (byte[] pixels, byte[] labels) = DigitSet.Draw(split, count, 2);
        return new DataSet("digits", new Shape(1, DigitSet.Side, DigitSet.Side), pixels, labels, [.. Enumerable.Range(0, 10).Select(d => $"{d}")]);
    }
}
