using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Randomness;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;

namespace ConvNet.Core.Tests.Networks;

public sealed class WorkspaceTests
{
    private readonly Network _network = LeNet5.Modern(new Shape(1, 28, 28), 10);
    private readonly float[] _weights;
    private readonly float[] _contribution;

    public WorkspaceTests()
    {
        _weights = new float[_network.ParameterCount];
        _network.Initialize(_weights, 1);
        _contribution = new float[new ContributionLayout(_network.ParameterCount, 0).Length];
    }

    [Fact]
    public void A_training_step_and_an_evaluation_allocate_nothing()
    {
        using var workspace = new Workspace(new ExecutionPlan(_network, 32));
        var metrics = new float[ContributionLayout.MetricsLength];
        for (int i = 0; i < 3; i++)
            Pass(workspace, metrics);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass(workspace, metrics);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void What_a_lane_did_before_does_not_change_its_next_micro_batch()
    {
        using Workspace used = new(new ExecutionPlan(_network, 32)), fresh = new(new ExecutionPlan(_network, 32));
        var metrics = new float[ContributionLayout.MetricsLength];
        Pass(used, metrics);
        var again = new float[_contribution.Length];

        Fill(used, 20, seed: 9);
        used.Train(20, _weights, _contribution);
        Fill(fresh, 20, seed: 9);
        fresh.Train(20, _weights, again);

        Numbers.AssertSameBits(again, _contribution, "contribution");
    }

    [Fact]
    public void Probabilities_add_up_to_1_for_each_sample()
    {
        using var workspace = new Workspace(new ExecutionPlan(_network, 18));
        Fill(workspace, 18, seed: 1);
        var probabilities = new float[18 * 10];

        workspace.Predict(18, _weights, probabilities);

        foreach (float[] sample in probabilities.Chunk(10))
            Assert.Equal(1, sample.Sum(), 1e-5f);
    }

    [Fact]
    public void More_samples_than_planned_are_refused()
    {
        using var workspace = new Workspace(new ExecutionPlan(_network, 16));

        Assert.Throws<ArgumentOutOfRangeException>(() => workspace.Train(17, _weights, _contribution));
    }

    private void Pass(Workspace workspace, float[] metrics)
    {
        Fill(workspace, 32, seed: 3);
        workspace.Train(32, _weights, _contribution);
        workspace.Evaluate(32, _weights, metrics);
    }

    private static void Fill(Workspace workspace, int samples, ulong seed)
    {
        var random = new Philox(seed, Purpose.Test);
        workspace.Input.Clear();
        for (int i = 0; i < samples * 784; i++)
            workspace.Input[(((i / 784 / 16 * 784) + (i % 784)) * 16) + (i / 784 % 16)] = random.Uniform(0, (ulong)i);
        for (int i = 0; i < workspace.Labels.Length; i++)
            workspace.Labels[i] = i < samples ? i % 10 : -1;
    }
}
