using ConvNet.Core.Models;
using ConvNet.Core.Networks;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>A network whose training is scaled over workers.</summary>
/// <param name="Network">The network.</param>
/// <param name="Batch">Samples of a step for each worker: with two workers the step has twice as many.</param>
/// <param name="MicroBatch">Samples that a lane computes at a time.</param>
internal sealed record ScalingCase(Network Network, int Batch, int MicroBatch);

/// <summary>The networks and batches: a small one whose step takes milliseconds, two that compute much with few parameters, one that has very many.</summary>
/// <remarks>Shapes and batches are those of the measurement of PyTorch's data-parallel training that the README has beside them.</remarks>
internal static class ScalingNetworks
{
    public static IReadOnlyList<string> Names { get; } = ["lenet5", "resnet20", "alexnet", "resnet18"];

    public static ScalingCase Find(string name)
    {
        (int batch, int microBatch) = name switch
        {
            "lenet5" => (128, 32),
            "resnet20" => (64, 32),
            "alexnet" => (16, 16),
            "resnet18" => (8, 8),
            _ => throw new ArgumentException($"There is no network {name} here; there are {string.Join(", ", Names)}."),
        };
        Model model = ModelZoo.Find(name)!;
        return new(model.Build(model.Input, model.Classes), batch, microBatch);
    }
}
