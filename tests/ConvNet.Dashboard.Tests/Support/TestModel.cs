using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Data;
using ConvNet.Data.ModelFiles;

namespace ConvNet.Dashboard.Tests.Support;

/// <summary>A model as a job leaves it.</summary>
public static class TestModel
{
    /// <summary>Saves one and gives the hash of its weights.</summary>
    public static string Save(string folder)
    {
        Model model = ModelZoo.Find("lenet5")!;
        Network network = model.Build(model.Input, model.Classes);
        var weights = new float[network.ParameterCount];
        network.Initialize(weights, 3);
        var trained = new TrainedModel(network, weights, [.. Enumerable.Range(0, model.Classes).Select(c => $"{c}")], new Normalisation([0.1f], [0.3f]));
        ModelFile.Save(folder, trained, new Dictionary<string, string> { ["data"] = "digits" });
        return trained.WeightsSha256;
    }
}
