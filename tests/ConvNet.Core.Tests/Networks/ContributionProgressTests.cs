using ConvNet.Core.Networks;
using ConvNet.Core.Training;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

public class ContributionProgressTests
{
    public static TheoryData<string> Names => [.. Graphs.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_said_to_be_final_is_and_the_pass_does_not_need_it_any_more(string name)
    {
        var trial = new Trial(Graphs.Of(name), samples: 17);
        var plan = new ExecutionPlan(trial.Network, 32);
        using var workspace = new Workspace(plan);
        float[] expected = trial.Train(workspace, plan), contribution = new float[trial.Layout.Length];
        trial.Fill(workspace);
        var taker = new Taker(contribution);

        workspace.Train(17, trial.Weights, contribution, progress: taker);

        Assert.Equal(expected, taker.Taken);
        Assert.All(contribution, f => Assert.True(float.IsNaN(f)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_layer_with_parameters_is_told_as_soon_as_it_is_done(string name)
    {
        var trial = new Trial(Graphs.Of(name), samples: 5);
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 16));
        float[] contribution = new float[trial.Layout.Length];
        trial.Fill(workspace);
        var taker = new Taker(contribution);

        workspace.Train(5, trial.Weights, contribution, progress: taker);

        var layers = trial.Network.Nodes.Where(n => n.ParameterCount > 0).Select(n => n.FirstParameter).Reverse();
        Assert.Equal(layers, taker.Offsets.Where(o => o < trial.Network.ParameterCount));
    }

    /// <summary>Takes what is final, and leaves NaN in its place.</summary>
    private sealed class Taker(float[] contribution) : IContributionProgress
    {
        private int _end = contribution.Length;

        public float[] Taken { get; } = new float[contribution.Length];

        public List<int> Offsets { get; } = [];

        public void FinalFrom(int offset)
        {
            Assert.InRange(offset, 0, _end);
            Offsets.Add(offset);
            contribution.AsSpan(offset, _end - offset).CopyTo(Taken.AsSpan(offset));
            contribution.AsSpan(offset, _end - offset).Fill(float.NaN);
            _end = offset;
        }
    }
}
