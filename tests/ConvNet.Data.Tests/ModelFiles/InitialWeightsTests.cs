using System.Security.Cryptography;
using System.Text;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data.Manifests;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.ModelFiles;

public sealed class InitialWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => _folder.File("w.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_the_same_network_gives_all_of_its_state()
    {
        Network network = Net();
        float[] state = Trained(network);

        InitialWeights initial = InitialWeights.Of(Saved(network, state), network, seed: 9);

        Assert.Equal(state, initial.State.ToArray());
        Assert.Equal(["7 of 7 tensors (53 of 53 values) are those of w"], initial.Report);
    }

    [Fact]
    public void A_folder_and_a_description_stand_for_the_weights_in_it()
    {
        Network network = Net();
        ModelFile.Save(_folder.Path, new TrainedModel(network, Trained(network), ["a", "b", "c"], new Normalisation([0], [1])), new Dictionary<string, string>());
        string hash = Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(_folder.File("model.safetensors"))));

        Assert.Equal(hash, SavedTensors.Read("m", _folder.Path).Sha256);
        Assert.Equal(hash, SavedTensors.Read("m", _folder.File("model.json")).Sha256);
        Assert.Equal(hash, SavedTensors.Read(_folder.File("model.safetensors")).Sha256);
    }

    [Fact]
    public void For_other_classes_only_the_classifier_begins_anew()
    {
        Network network = Net(classes: 5);
        float[] fresh = new float[network.StateLength];
        network.Initialize(fresh, seed: 9);
        Network old = Net(classes: 3);
        float[] state = Trained(old);

        InitialWeights initial = InitialWeights.Of(Saved(old, state), network, seed: 9);

        foreach (NamedTensor tensor in NamedTensor.Of(network))
        {
            NamedTensor before = NamedTensor.Of(old).Single(t => t.Name == tensor.Name);
            float[] expected = tensor.Name.StartsWith("fc.", StringComparison.Ordinal) ? fresh[tensor.Offset..(tensor.Offset + tensor.Length)] : state[before.Offset..(before.Offset + before.Length)];
            Assert.Equal(expected, initial.State.Slice(tensor.Offset, tensor.Length).ToArray());
        }

        Assert.Equal("fc.weight, fc.bias stay at their initial values, for other classes: the file has [3, 8], [3], net [5, 8], [5]", initial.Report[1]);
    }

    [Fact]
    public void The_classifier_of_an_auxiliary_output_may_be_for_other_classes_too()
    {
        static Network Two(int classes) => new NetworkBuilder("two", new Shape(1, 4, 4))
            .Add("flat", new Flatten()).Add("side", new FullyConnected(classes)).Add("hidden", new FullyConnected(6), "flat").Add("fc", new FullyConnected(classes)).Auxiliary("side", 0.3f).Build();
        Network old = Two(3);

        InitialWeights initial = InitialWeights.Of(Saved(old, Trained(old)), Two(4), seed: 1);

        Assert.StartsWith("2 of 6 tensors", initial.Report[0], StringComparison.Ordinal);
        Assert.StartsWith("side.weight, side.bias, fc.weight, fc.bias stay", initial.Report[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Another_shape_anywhere_else_is_an_error_that_has_both()
    {
        string error = Error(Net(channels: 3));

        Assert.Equal("init: w: conv.weight is [2, 1, 3, 3], net takes [3, 1, 3, 3]; bn.weight is [2], net takes [3]; bn.bias is [2], net takes [3]; fc.weight is [3, 8], net takes [3, 12] and 2 more. Is the file of another network, or of images of another size?", error);

        string Error(Network network) => Assert.Throws<DataException>(() => InitialWeights.Of(Saved(Net(), Trained(Net())), network, 1)).Message;
    }

    [Fact]
    public void A_classifier_that_is_fed_otherwise_is_an_error()
    {
        Write("""{"conv.weight":{"dtype":"F32","shape":[2,1,3,3],"data_offsets":[0,72]},"fc.weight":{"dtype":"F32","shape":[3,9],"data_offsets":[72,180]}}""", new byte[180]);

        Assert.Contains("fc.weight is [3, 9], net takes [3, 8]", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_which_nothing_can_be_used_is_an_error_that_has_names_of_both()
    {
        Write("""{"module.conv.weight":{"dtype":"F32","shape":[2,1,3,3],"data_offsets":[0,72]}}""", new byte[72]);

        Assert.Equal("init: w: none of its 1 tensors is one of net: the file has module.conv.weight; net takes conv.weight, bn.weight, bn.bias, fc.weight and 3 more.", Error());
    }

    [Theory]
    [InlineData(float.NaN, "init: w: bn.bias has a NaN (value 1 of 2)")]
    [InlineData(float.NegativeInfinity, "init: w: bn.bias has an infinity (value 1 of 2)")]
    public void A_value_that_is_not_finite_is_told_by_its_tensor(float value, string expected)
    {
        Network network = Net();
        float[] state = Trained(network);
        state[NamedTensor.Of(network).Single(t => t.Name == "bn.bias").Offset + 1] = value;

        Assert.StartsWith(expected, Assert.Throws<DataException>(() => InitialWeights.Of(Saved(network, state), network, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_and_what_is_too_much_is_told_and_counters_are_not()
    {
        // Half precision is widened; values behind a counter of 8 bytes and two odd ones are where they are.
        byte[] values = new byte[8 + 2 + 4 + 4 + 8];
        BitConverter.GetBytes((Half)0.333f).CopyTo(values, 10);
        BitConverter.GetBytes((Half)(-2f)).CopyTo(values, 12);
        new byte[] { 0x80, 0x3F, 0x20, 0xC0 }.CopyTo(values, 14);   // 1 and -2.5
        Write("""
            {"__metadata__":{"format":"pt"},
             "bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},
             "flags":{"dtype":"BOOL","shape":[2],"data_offsets":[8,10]},
             "bn.weight":{"dtype":"F16","shape":[2],"data_offsets":[10,14]},
             "bn.running_mean":{"dtype":"BF16","shape":[2],"data_offsets":[14,18]},
             "head.bias":{"dtype":"F32","shape":[2],"data_offsets":[18,26]}}
            """, values);
        Network network = Net();

        InitialWeights initial = InitialWeights.Of(SavedTensors.Read("w", File), network, 1);

        float[] Of(string name) => NamedTensor.Of(network).Single(t => t.Name == name) is var t ? initial.State.Slice(t.Offset, t.Length).ToArray() : [];
        Assert.Equal([(float)(Half)0.333f, -2], Of("bn.weight"));
        Assert.Equal([1, -2.5f], Of("bn.running_mean"));
        Assert.Equal([0, 0], Of("bn.bias"));
        Assert.Equal("2 of 7 tensors (4 of 53 values) are those of w", initial.Report[0]);
        Assert.Equal("conv.weight, bn.bias, fc.weight, fc.bias and 1 more stay at their initial values: not in the file", initial.Report[1]);
        Assert.Equal("flags, head.bias in the file are of no use to net", initial.Report[2]);
        Assert.Equal(3, initial.Report.Count);
    }

    [Theory]
    [InlineData("""{"conv.weight":{"dtype":"I8","shape":[2,1,3,3],"data_offsets":[0,18]}}""", 18, "conv.weight is of type I8; only F32, F16 and BF16 are read")]
    [InlineData("""{"conv.weight":{"dtype":"F32","shape":[2,1,3,3],"data_offsets":[0,72]}}""", 71, "its header tells of 72 bytes of values, found 71")]
    [InlineData("""{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},"conv.weight":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "conv.weight starts at byte 4, expected 3")]
    [InlineData("PK", 100, "its header is not that of a safetensors file")]
    public void A_damaged_file_is_told_by_its_name_and_what_is_wrong(string header, int bytes, string expected)
    {
        Write(header, new byte[bytes]);

        string error = Error();

        Assert.StartsWith("init: w: ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_a_cluster_is_to_begin_with_lie_in_the_data_directory()
    {
        var directory = new DataDirectory(_folder.File("data"));
        Directory.CreateDirectory(_folder.File("data/model"));
        System.IO.File.WriteAllText(_folder.File("data/model/model.safetensors"), "x");
        System.IO.File.WriteAllText(_folder.File("secret"), "x");
        System.IO.File.CreateSymbolicLink(_folder.File("data/link"), _folder.File("secret"));

        Assert.EndsWith("data/model/model.safetensors", directory.LocateWeights("model"), StringComparison.Ordinal);
        Assert.Contains($"init: gone: there is no such file in the data directory {directory.Path} of the coordinator (looked for ", Assert.Throws<DataException>(() => directory.LocateWeights("gone")).Message, StringComparison.Ordinal);
        foreach (string outside in new[] { "../secret", "link", "/etc/passwd" })
            Assert.Contains("is not in the data directory", Assert.Throws<DataException>(() => directory.LocateWeights(outside)).Message, StringComparison.Ordinal);
    }

    private static Network Net(int classes = 3, int channels = 2) => new NetworkBuilder("net", new Shape(1, 4, 4))
        .Add("conv", new Conv2D(channels, new Size(3, 3)) { Bias = false })
        .Add("bn", new BatchNorm2D())
        .Add("flat", new Flatten())
        .Add("fc", new FullyConnected(classes))
        .Build();

    private static float[] Trained(Network network) => [.. Enumerable.Range(1, network.StateLength).Select(i => i / 8f)];

    private SavedTensors Saved(Network network, float[] state)
    {
        Safetensors.Write(File, NamedTensor.Of(network), state, new Dictionary<string, string>());
        return SavedTensors.Read("w", File);
    }

    private void Write(string header, byte[] values) =>
        System.IO.File.WriteAllBytes(File, [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. values]);

    private string Error() => Assert.Throws<DataException>(() => InitialWeights.Of(SavedTensors.Read("w", File), Net(), 1)).Message;
}
