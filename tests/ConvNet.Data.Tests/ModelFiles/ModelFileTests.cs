using System.Text.Json.Nodes;
using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.ModelFiles;

public sealed class ModelFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(float.NaN, "a NaN")]
    [InlineData(float.NegativeInfinity, "an infinity")]
    public void Weights_that_are_not_finite_are_refused_with_their_place(float value, string what)
    {
        TrainedModel model = Model();
        Parameter weight = model.Network.Parameters[0];
        model.Weights[weight.Offset + 7] = value;
        ModelFile.Save(_folder.Path, model, new Dictionary<string, string>());

        var error = Assert.Throws<DataException>(() => ModelFile.Load(_folder.Path));

        Assert.Contains($"{weight.Name} has {what} (value 7 of {weight.Length})", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.json")]
    [InlineData("model.safetensors")]
    public void A_saved_model_is_loaded_whole_by_its_folder_or_either_file(string name)
    {
        TrainedModel saved = Model();
        ModelFile.Save(_folder.Path, saved, new Dictionary<string, string> { ["data"] = "digits" });

        TrainedModel loaded = ModelFile.Load(Path.Combine(_folder.Path, name));

        Assert.Equal(saved.WeightsSha256, loaded.WeightsSha256);
        Assert.Equal(saved.ClassNames, loaded.ClassNames);
        Assert.Equal(saved.Normalisation.Mean, loaded.Normalisation.Mean);
        Assert.Equal(saved.Normalisation.Deviation, loaded.Normalisation.Deviation);
        Assert.Equal(saved.Network.Nodes.Select(n => (n.Name, n.Layer, n.Output)), loaded.Network.Nodes.Select(n => (n.Name, n.Layer, n.Output)));
    }

    [Fact]
    public void A_network_with_every_setting_comes_back_as_it_was()
    {
        Network network = new NetworkBuilder("odd", new Shape(4, 13, 11))
            .Add("a", new Conv2D(8, new Size(3, 5)) { Stride = new Size(2, 1), Padding = new Padding(false, 1, 2, 3, 0), Dilation = 2, Groups = 2, Bias = false })
            .Add("b", new Sigmoid())
            .Add("c", new MaxPool2D(2) { Stride = 1, Padding = Padding.Same })
            .Add("d", new Add(), "b", "c")
            .Add("e", new AveragePool2D(new Size(2, 3)) { Padding = 1, CountPadding = true })
            .Add("f", new Tanh())
            .Add("g", new FullyConnected(3) { Bias = false })
            .Build();

        Network again = NetworkDescription.Of(network).Build();

        Assert.Equal(network.Nodes.Select(n => (n.Name, n.Layer, n.Output, string.Join(",", n.Inputs))), again.Nodes.Select(n => (n.Name, n.Layer, n.Output, string.Join(",", n.Inputs))));
    }

    [Fact]
    public void A_model_without_its_weights_is_told_by_the_missing_file()
    {
        ModelFile.Save(_folder.Path, Model(), new Dictionary<string, string>());
        File.Delete(_folder.File("model.safetensors"));

        Assert.Contains("model.safetensors: missing", Assert.Throws<DataException>(() => ModelFile.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_another_network_are_refused()
    {
        ModelFile.Save(_folder.Path, Model(), new Dictionary<string, string>());
        JsonNode description = JsonNode.Parse(File.ReadAllText(_folder.File("model.json")))!;
        description["layers"]!.AsArray().First(l => (string)l!["name"]! == "fc1")!["outputs"] = "121";
        File.WriteAllText(_folder.File("model.json"), description.ToJsonString());

        Assert.Contains("fc1.weight is [120, 400]; lenet5 takes [121, 400]", Assert.Throws<DataException>(() => ModelFile.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("""{"format":"convnet-model/2"}""")]
    [InlineData("""{"format":"convnet-model/1","model":"x","input":[1,28,28],"layers":[{"name":"a","type":"system","inputs":["input"]}],"classes":[],"normalisation":{}}""")]
    public void A_description_that_cannot_be_is_told_by_its_name(string json)
    {
        ModelFile.Save(_folder.Path, Model(), new Dictionary<string, string>());
        File.WriteAllText(_folder.File("model.json"), json);

        Assert.Contains("model.json: ", Assert.Throws<DataException>(() => ModelFile.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private static TrainedModel Model()
    {
        Network network = LeNet5.Modern(new Shape(1, 28, 28), 10);
        var weights = new float[network.ParameterCount];
        network.Initialize(weights, 7);
        return new TrainedModel(network, weights, [.. Enumerable.Range(0, 10).Select(c => $"class {c}")], new Normalisation([0.1307f], [0.3081f]));
    }
}
