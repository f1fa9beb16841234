using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Optimizers;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;

namespace ConvNet.Core.Tests.Models;

public sealed class ModelZooTests
{
    /// <summary>Published counts; those of CIFAR's ResNets are the table's 0.27, 0.46, 0.66, 0.85 and 1.7 million, exactly.</summary>
    [Theory]
    [InlineData("lenet5", 61_706)]
    [InlineData("lenet5-classic", 61_706)]
    [InlineData("alexnet", 61_100_840)]
    [InlineData("zfnet", 62_357_608)]
    [InlineData("vgg11", 132_863_336)]
    [InlineData("vgg13", 133_047_848)]
    [InlineData("vgg16", 138_357_544)]
    [InlineData("vgg19", 143_667_240)]
    [InlineData("vgg11-bn", 132_868_840)]
    [InlineData("vgg13-bn", 133_053_736)]
    [InlineData("vgg16-bn", 138_365_992)]
    [InlineData("vgg19-bn", 143_678_248)]
    [InlineData("googlenet", 6_998_552)]
    [InlineData("resnet18", 11_689_512)]
    [InlineData("resnet34", 21_797_672)]
    [InlineData("resnet50", 25_557_032)]
    [InlineData("resnet101", 44_549_160)]
    [InlineData("resnet152", 60_192_808)]
    [InlineData("resnet20", 269_722)]
    [InlineData("resnet32", 464_154)]
    [InlineData("resnet44", 658_586)]
    [InlineData("resnet56", 853_018)]
    [InlineData("resnet110", 1_727_962)]
    public void A_model_has_as_many_parameters_as_published(string name, int expected)
    {
        Network network = Published(name);

        Assert.Equal(expected, network.ParameterCount - network.AuxiliaryParameterCount);
        Assert.Equal(name, network.Name);
    }

    [Fact]
    public void Every_model_is_in_the_table_of_counts() => Assert.Equal(
        [.. ModelZoo.All.Select(m => m.Name)],
        typeof(ModelZooTests).GetMethod(nameof(A_model_has_as_many_parameters_as_published))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Select(a => (string)((InlineDataAttribute)a).GetData(null!).Single()[0]).Order().ToHashSet());

    [Theory]
    [InlineData("alexnet", 0.70, 0.72)]
    [InlineData("vgg16", 15.4, 15.6)]
    [InlineData("vgg19", 19.5, 19.7)]
    [InlineData("googlenet", 1.5, 1.6)]
    [InlineData("resnet18", 1.8, 1.83)]
    [InlineData("resnet50", 4.05, 4.15)]
    [InlineData("resnet152", 11.4, 11.6)]
    [InlineData("resnet20", 0.0405, 0.0412)]
    public void A_model_takes_as_many_multiply_adds_as_published(string name, double least, double most) =>
        Assert.InRange(Published(name).MultiplyAdds / 1e9, least, most);

    [Theory]
    [InlineData("alexnet", 15)]
    [InlineData("zfnet", 17)]
    [InlineData("vgg11", 32)]
    [InlineData("vgg19-bn", 32)]
    [InlineData("googlenet", 24)]
    public void A_model_works_from_a_size_on_and_says_so(string name, int smallest)
    {
        Model model = ModelZoo.Find(name)!;

        for (int size = smallest; size < 80; size++)
            Assert.Equal(7, model.Build(new Shape(1, size, size + 3), 7).Classes);
        ShapeException refusal = Assert.Throws<ShapeException>(() => model.Build(new Shape(3, 40, smallest - 1), 7));
        Assert.Equal($"{name} works from {smallest}×{smallest} pixels on, got images of 40×{smallest - 1}.", refusal.Message);
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("resnet50")]
    [InlineData("resnet20")]
    public void A_residual_network_takes_any_size(string name)
    {
        Model model = ModelZoo.Find(name)!;
        foreach (int size in new[] { 1, 7, 32, 63, 64, 65, 100 })
            Assert.Equal(3, model.Build(new Shape(2, size, size), 3).Classes);
    }

    /// <summary>One lane, one micro-batch of noise with labels: what the network can learn by heart it must.</summary>
    [Theory]
    [InlineData("alexnet", 15)]
    [InlineData("zfnet", 17)]
    [InlineData("vgg11", 32)]
    [InlineData("vgg11-bn", 32)]
    [InlineData("googlenet", 24)]
    [InlineData("resnet18", 16)]
    [InlineData("resnet50", 40)]
    [InlineData("resnet20", 16)]
    public void A_few_steps_on_one_micro_batch_lower_its_loss(string name, int size)
    {
        const int Samples = 8, Classes = 4;
        Network network = ModelZoo.Find(name)!.Build(new Shape(3, size, size), Classes);
        using var workspace = new Workspace(new ExecutionPlan(network, Samples));
        float[] state = new float[network.StateLength], contribution = new float[network.Layout.Length], velocity = new float[network.ParameterCount];
        network.Initialize(state, 1);
        var sgd = new Sgd(0.5f, 0);
        var noise = new Philox(1, Purpose.Test);
        var losses = new List<float>();

        for (int step = 0; step < 3; step++)
        {
            for (int i = 0; i < workspace.Input.Length; i++)
                workspace.Input[i] = i % 16 < Samples ? noise.Uniform(0, (ulong)i) - 0.5f : 0;
            workspace.Labels.Fill(-1);
            for (int sample = 0; sample < Samples; sample++)
                workspace.Labels[sample] = sample % Classes;
            workspace.Train(Samples, state, contribution, new TrainingPass(Seed: 1, Step: 0, FirstSample: 0));   // one step's dropout, so that losses compare
            sgd.Apply(state.AsSpan(0, network.ParameterCount), contribution.AsSpan(0, network.ParameterCount), velocity, 1f / Samples, 0.002f);
            losses.Add(contribution[network.Layout.MetricsOffset + ContributionLayout.LossSum] / Samples);
        }

        Assert.True(losses[^1] < losses[0], string.Join(" ", losses));
    }

    [Fact]
    public void Every_model_can_be_described_and_built_again()
    {
        foreach (Model model in ModelZoo.All)
        {
            Network network = model.Build(model.Input, model.Classes), again = NetworkDescription.Of(network).Build();

            Assert.Equal(network.Parameters.Select(p => (p.Name, p.Offset)), again.Parameters.Select(p => (p.Name, p.Offset)));
            Assert.Equal(network.Nodes.Select(n => n.Layer), again.Nodes.Select(n => n.Layer));
            Assert.Equal(network.Auxiliaries, again.Auxiliaries);
        }
    }

    private static Network Published(string name)
    {
        Model model = ModelZoo.Find(name)!;
        return model.Build(model.Input, model.Classes);
    }
}
