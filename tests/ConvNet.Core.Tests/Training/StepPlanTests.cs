using ConvNet.Core.Training;
using CsCheck;

namespace ConvNet.Core.Tests.Training;

public sealed class StepPlanTests
{
    private static readonly Gen<StepPlan> Plans =
        Gen.Select(Gen.Int[1, 200], Gen.Int[0, 50], Gen.Int[1, 8], Gen.Int[1, 8], Gen.Int[1, 3],
            (training, test, microBatches, microBatch, epochs) => new StepPlan(training, test, microBatches * microBatch, microBatch, epochs));

    [Fact]
    public void Every_sample_is_used_exactly_once_an_epoch()
    {
        foreach (StepPlan plan in Numbers.Cases(Plans, 500))
        {
            var used = new int[plan.Epochs, plan.TrainingSamples];
            for (long step = 0; step < plan.TotalSteps; step++)
            {
                int samples = 0;
                for (int microBatch = 0; microBatch < plan.MicroBatchesOf(step); microBatch++)
                {
                    (int epoch, int start, int count) = plan.Positions(step, microBatch);
                    Assert.InRange(count, 1, plan.MicroBatch);
                    Assert.Equal(plan.EpochOf(step), epoch);
                    samples += count;
                    for (int i = 0; i < count; i++)
                        used[epoch, start + i]++;
                }

                Assert.Equal(plan.SamplesOf(step), samples);
            }

            Assert.All(used.Cast<int>(), times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Every_test_sample_is_evaluated_exactly_once()
    {
        foreach (StepPlan plan in Numbers.Cases(Plans, 500))
        {
            int next = 0;
            for (int microBatch = 0; microBatch < plan.EvaluationMicroBatches; microBatch++)
            {
                (int start, int count) = plan.EvaluationSamples(microBatch);
                Assert.Equal(next, start);
                Assert.InRange(count, 1, plan.MicroBatch);
                next += count;
            }

            Assert.Equal(plan.TestSamples, next);
        }
    }

    [Fact]
    public void The_last_step_of_an_epoch_and_its_last_micro_batch_may_be_smaller()
    {
        var plan = new StepPlan(TrainingSamples: 100, TestSamples: 30, Batch: 32, MicroBatch: 16, Epochs: 2);

        Assert.Equal(4, plan.StepsPerEpoch);
        Assert.Equal(8, plan.TotalSteps);
        Assert.Equal([32, 32, 32, 4], Enumerable.Range(0, 4).Select(s => plan.SamplesOf(s)));
        Assert.Equal((1, 96, 4), plan.Positions(step: 7, microBatch: 0));
        Assert.Equal((16, 14), plan.EvaluationSamples(1));
        Assert.Equal([4L, 8L], Enumerable.Range(0, 9).Select(v => (long)v).Where(plan.EvaluatesAt));
    }
}
