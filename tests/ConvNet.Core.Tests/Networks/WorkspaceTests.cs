using ConvNet.Core.Layers;
using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;
using ConvNet.Core.Training;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

public class WorkspaceTests
{
    [Theory]
    [InlineData("lenet5")]
    [InlineData("lenet5-classic")]
    [InlineData("resnet20")]
    [InlineData("two shortcuts, one inside the other")]
    public void A_steady_step_allocates_no_managed_memory(string name)
    {
        Network network = ModelZoo.Find(name) is { } model ? model.Build(model.Input, model.Classes) : Graphs.Of(name);
        var trial = new Trial(network, samples: 17);
        using var workspace = new Workspace(new ExecutionPlan(network, 32));
        var state = new float[network.StateLength];
        trial.Weights.CopyTo(state, 0);
        var contribution = new float[trial.Layout.Length];
        var metrics = new float[ContributionLayout.MetricsLength];
        var probabilities = new float[17 * network.Classes];
        trial.Fill(workspace);
        Work();

        // A collection that other tests' threads bring about counts what it takes of this thread's allocation buffer; what a step allocates it allocates each time.
        long allocated = Enumerable.Range(0, 3).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Work();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });

        Assert.Equal(0, allocated);

        void Work()
        {
            for (int i = 0; i < 5; i++)
            {
                workspace.Train(17, state, contribution);
                workspace.Evaluate(17, state, metrics);
                workspace.Predict(17, state, probabilities);
            }
        }
    }

    [Fact]
    public void Evaluation_gives_the_metrics_of_training_and_no_more()
    {
        var trial = new Trial(Graphs.Of("a chain"), samples: 21);
        var plan = new ExecutionPlan(trial.Network, 32);
        using var workspace = new Workspace(plan);
        var metrics = new float[ContributionLayout.MetricsLength];

        float[] contribution = trial.Train(workspace, plan);
        trial.Fill(workspace);
        workspace.Evaluate(21, trial.Weights, metrics);

        Assert.Equal(contribution[trial.Layout.MetricsOffset..], metrics);
    }

    [Fact]
    public void Metrics_count_what_double_precision_counts()
    {
        var trial = new Trial(new NetworkBuilder("eight", new Shape(1, 4, 4)).Add("fc", new FullyConnected(8)).Build(), samples: 40);
        double[] weights = [.. trial.Weights.Select(w => (double)w)];
        double[][] scores = [.. trial.Samples.Select(s => trial.Logits(s, weights))];
        int[] ranks = [.. scores.Select((z, s) => z.Count(other => other > z[trial.Labels[s]]))];

        float[] metrics = trial.Train(new ExecutionPlan(trial.Network, 40))[trial.Layout.MetricsOffset..];

        Assert.Equal(trial.Loss(weights), metrics[ContributionLayout.LossSum], 1e-4);
        Assert.Equal(ranks.Count(r => r == 0), metrics[ContributionLayout.Top1Correct]);
        Assert.Equal(ranks.Count(r => r < 5), metrics[ContributionLayout.Top5Correct]);
        Assert.Equal(40, metrics[ContributionLayout.Samples]);
        Assert.All(metrics[4..], m => Assert.Equal(0, m));
    }

    [Fact]
    public void Of_equal_scores_the_class_with_the_lower_number_is_greater()
    {
        var trial = new Trial(new NetworkBuilder("eight", new Shape(1, 4, 4)).Add("fc", new FullyConnected(8)).Build(), samples: 40);
        Array.Clear(trial.Weights);

        float[] metrics = trial.Train(new ExecutionPlan(trial.Network, 40))[trial.Layout.MetricsOffset..];

        Assert.Equal(trial.Labels.Count(label => label == 0), metrics[ContributionLayout.Top1Correct]);
        Assert.Equal(trial.Labels.Count(label => label < 5), metrics[ContributionLayout.Top5Correct]);
        Assert.Equal(40 * Math.Log(8), metrics[ContributionLayout.LossSum], 1e-4);
    }

    [Fact]
    public void Enormous_scores_have_a_loss_and_a_gradient()
    {
        var trial = new Trial(new NetworkBuilder("far apart", new Shape(3, 1, 1)).Add("fc", new FullyConnected(4)).Build(), samples: 20);
        for (int i = 0; i < trial.Weights.Length; i++)
            trial.Weights[i] *= 3000;

        float[] contribution = trial.Train(new ExecutionPlan(trial.Network, 20));

        double loss = trial.Loss([.. trial.Weights.Select(w => (double)w)]);
        Assert.InRange(loss, 10_000, 1_000_000);
        Assert.Equal(loss, contribution[trial.Layout.MetricsOffset + ContributionLayout.LossSum], loss * 1e-6);
        Assert.All(contribution, v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void Lanes_that_share_a_plan_do_not_disturb_one_another()
    {
        Network network = LeNet5.Modern(new Shape(1, 12, 12), 3);
        var plan = new ExecutionPlan(network, 32);
        Trial[] trials = [.. Enumerable.Range(0, 8).Select(i => new Trial(network, 20 + i, seed: i))];
        float[][] alone = [.. trials.Select(t => t.Train(plan))];

        for (int round = 0; round < 5; round++)
        {
            var together = new float[trials.Length][];
            Parallel.For(0, trials.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => together[i] = trials[i].Train(plan));

            Assert.Equal(alone, together);
        }
    }

    [Fact]
    public void Probabilities_are_the_softmax_of_the_scores()
    {
        var trial = new Trial(Graphs.Of("tanh after tanh"), samples: 18);
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 32));
        var probabilities = new float[18 * 3];
        double[] weights = [.. trial.Weights.Select(w => (double)w)];
        trial.Fill(workspace);

        workspace.Predict(18, trial.Weights, probabilities);

        for (int s = 0; s < 18; s++)
        {
            double[] scores = trial.Logits(trial.Samples[s], weights);
            double sum = scores.Sum(Math.Exp);
            for (int c = 0; c < 3; c++)
                Assert.Equal(Math.Exp(scores[c]) / sum, probabilities[(s * 3) + c], 1e-6);
        }
    }

    [Fact]
    public void The_class_of_the_greatest_score_is_told_and_agrees_with_the_count()
    {
        var trial = new Trial(new NetworkBuilder("eight", new Shape(1, 4, 4)).Add("fc", new FullyConnected(8)).Build(), samples: 40);
        double[] weights = [.. trial.Weights.Select(w => (double)w)];
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 48));
        var metrics = new float[ContributionLayout.MetricsLength];
        int[] predicted = new int[40];
        float[] probabilities = new float[40 * 8], alone = new float[40 * 8];
        trial.Fill(workspace);
        workspace.Predict(40, trial.Weights, alone);
        trial.Fill(workspace);

        workspace.Evaluate(40, trial.Weights, metrics, predicted, probabilities);

        Assert.Equal(alone, probabilities);

        for (int s = 0; s < 40; s++)
        {
            double[] scores = trial.Logits(trial.Samples[s], weights);
            Assert.Equal(Array.IndexOf(scores, scores.Max()), predicted[s]);
        }

        Assert.Equal(predicted.Zip(trial.Labels).Count(p => p.First == p.Second), metrics[ContributionLayout.Top1Correct]);
    }

    [Fact]
    public void Samples_that_are_labelled_as_none_are_left_out()
    {
        var trial = new Trial(Graphs.Of("a chain"), samples: 20);
        var plan = new ExecutionPlan(trial.Network, 32);
        using var workspace = new Workspace(plan);
        var contribution = new float[trial.Layout.Length];
        trial.Fill(workspace);
        workspace.Input[..(trial.Network.Input.Elements * 2 * Stripes.Count)].Clear();

        workspace.Labels.Fill(-1);
        workspace.Train(20, trial.Weights, contribution);

        Assert.All(contribution, v => Assert.Equal(0, v));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    [InlineData(-2)]
    public void A_label_that_is_no_class_is_refused_before_anything_is_touched(int label)
    {
        var trial = new Trial(Graphs.Of("a chain"), samples: 20);
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 32));
        trial.Fill(workspace);
        workspace.Labels[18] = label;

        var refusal = Assert.Throws<ArgumentException>(() => workspace.Train(20, trial.Weights, new float[trial.Layout.Length]));

        Assert.Equal($"Sample 18 is labelled {label}; a chain has the classes 0 to 2, and -1 is no sample.", refusal.Message);
    }

    [Fact]
    public void A_label_beyond_the_samples_is_refused()
    {
        var trial = new Trial(Graphs.Of("a chain"), samples: 20);
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 32));
        trial.Fill(workspace);

        var refusal = Assert.Throws<ArgumentException>(() => workspace.Evaluate(19, trial.Weights, new float[ContributionLayout.MetricsLength]));

        Assert.StartsWith("Lane 19 is labelled", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Buffers_of_the_wrong_length_are_refused()
    {
        var trial = new Trial(Graphs.Of("one layer"), samples: 4);
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 16));
        trial.Fill(workspace);

        Assert.Throws<ArgumentOutOfRangeException>(() => workspace.Train(17, trial.Weights, new float[trial.Layout.Length]));
        Assert.Throws<ArgumentOutOfRangeException>(() => workspace.Train(0, trial.Weights, new float[trial.Layout.Length]));
        Assert.Throws<ArgumentException>(() => workspace.Train(4, trial.Weights.AsSpan(1), new float[trial.Layout.Length]));
        Assert.Throws<ArgumentException>(() => workspace.Train(4, trial.Weights, new float[trial.Layout.Length - 1]));
        Assert.Throws<ArgumentException>(() => workspace.Evaluate(4, trial.Weights, new float[ContributionLayout.MetricsLength - 1]));
        Assert.Throws<ArgumentException>(() => workspace.Predict(4, trial.Weights, new float[15]));
        Assert.Throws<ArgumentException>(() => workspace.Evaluate(4, trial.Weights, new float[ContributionLayout.MetricsLength], probabilities: new float[15]));
    }

    [Fact]
    public void A_sample_that_is_not_a_number_shows_in_the_loss()
    {
        var trial = new Trial(Graphs.Of("a chain"), samples: 5);
        trial.Samples[3][7] = double.NaN;
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 16));
        var metrics = new float[ContributionLayout.MetricsLength];

        trial.Fill(workspace);
        workspace.Evaluate(5, trial.Weights, metrics);
        trial.Fill(workspace);
        var failure = Assert.Throws<LossNotFiniteException>(() => workspace.Train(5, trial.Weights, new float[trial.Layout.Length]));
        trial.Fill(workspace);

        Assert.True(float.IsNaN(metrics[ContributionLayout.LossSum]));
        Assert.True(float.IsNaN(failure.Loss));
        Assert.Equal("the samples have NaN", workspace.NotFinite(5, trial.Weights, default));
    }

    [Theory]
    [InlineData("conv1", float.NaN, "weights of layer conv1 are NaN")]
    [InlineData("fc2", float.PositiveInfinity, "weights of layer fc2 are infinity")]
    [InlineData("conv2", 1e38f, "layer conv2 gave infinity")]
    public void The_first_layer_that_is_not_finite_is_found(string layer, float weight, string expected)
    {
        var trial = new Trial(LeNet5.Modern(new Shape(1, 28, 28), 10), samples: 3);
        Parameter parameter = trial.Network.Parameters.Single(p => p.Name == $"{layer}.weight");
        trial.Weights.AsSpan(parameter.Offset, parameter.Length).Fill(weight);
        using var workspace = new Workspace(new ExecutionPlan(trial.Network, 16));
        trial.Fill(workspace);
        Assert.Throws<LossNotFiniteException>(() => workspace.Train(3, trial.Weights, new float[trial.Layout.Length]));
        trial.Fill(workspace);

        Assert.Equal(expected, workspace.NotFinite(3, trial.Weights, default));
    }
}
