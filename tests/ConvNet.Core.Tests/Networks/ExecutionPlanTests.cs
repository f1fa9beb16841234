using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

public class ExecutionPlanTests
{
    public static TheoryData<string> GraphNames => [.. Graphs.Names];

    [Theory]
    [MemberData(nameof(GraphNames))]
    public void Gradients_of_the_whole_network_are_those_of_the_loss(string graph)
    {
        var trial = new Trial(Graphs.Of(graph), samples: 17);

        trial.Check(trial.Train(new ExecutionPlan(trial.Network, microBatch: 17)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(40)]
    public void A_micro_batch_may_be_smaller_than_planned(int samples)
    {
        var trial = new Trial(Graphs.Of("a shortcut around a convolution"), samples);

        float[] contribution = trial.Train(new ExecutionPlan(trial.Network, microBatch: 40));

        trial.Check(contribution);
        Assert.Equal(trial.Train(new ExecutionPlan(trial.Network, samples)), contribution);
    }

    [Theory]
    [MemberData(nameof(GraphNames))]
    public void Sharing_memory_changes_no_bit(string graph)
    {
        var trial = new Trial(Graphs.Of(graph), samples: 17);

        float[] shared = trial.Train(new ExecutionPlan(trial.Network, 17));
        float[] apart = trial.Train(new ExecutionPlan(trial.Network, 17, sharesMemory: false));

        Assert.Equal(apart, shared);
    }

    [Theory]
    [MemberData(nameof(GraphNames))]
    public void A_workspace_keeps_nothing_from_one_micro_batch_to_the_next(string graph)
    {
        Network network = Graphs.Of(graph);
        var plan = new ExecutionPlan(network, 40);
        using var workspace = new Workspace(plan);
        Trial first = new(network, 5, seed: 1), second = new(network, 40, seed: 2);

        float[] before = first.Train(workspace, plan);
        second.Train(workspace, plan);
        float[] after = first.Train(workspace, plan);

        Assert.Equal(before, after);
    }

    [Fact]
    public void Memory_is_shared()
    {
        Network network = Graphs.Of("two shortcuts, one inside the other");

        int shared = new ExecutionPlan(network, 16).ArenaLength, apart = new ExecutionPlan(network, 16, sharesMemory: false).ArenaLength;

        Assert.True(shared < apart * 0.7, $"{shared} floats shared, {apart} apart");
    }

    [Fact]
    public void A_relu_costs_neither_memory_nor_a_pass_after_a_convolution()
    {
        NetworkBuilder Builder() => new NetworkBuilder("n", new Shape(1, 6, 6)).Add("conv", new Conv2D(4, 3));
        Network with = Builder().Add("relu", new Relu()).Add("fc", new FullyConnected(3)).Build();
        Network without = Builder().Add("fc", new FullyConnected(3)).Build();

        var plan = new ExecutionPlan(with, 16);

        Assert.True(plan.Steps[1].ForwardDone);
        Assert.Equal(new ExecutionPlan(without, 16).ArenaLength, plan.ArenaLength);
    }

    [Fact]
    public void A_relu_that_another_layer_must_not_see_is_a_pass_of_its_own()
    {
        var plan = new ExecutionPlan(Graphs.Of("a shortcut from before the activation"), 16);

        Assert.False(plan.Steps[1].ForwardDone);
        Assert.False(plan.Steps[1].InPlace);
    }

    [Fact]
    public void A_micro_batch_of_nothing_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ExecutionPlan(Graphs.Of("one layer"), 0));

    [Fact]
    public void A_network_without_parameters_has_a_loss_and_no_gradient()
    {
        var trial = new Trial(new NetworkBuilder("none", new Shape(1, 2, 2)).Add("flatten", new Flatten()).Add("tanh", new Tanh()).Build(), 3);

        float[] contribution = trial.Train(new ExecutionPlan(trial.Network, 3));

        Assert.Equal(ContributionLayout.MetricsLength, contribution.Length);
        Assert.Equal(trial.Loss([]), contribution[ContributionLayout.LossSum], 1e-5);
    }
}
