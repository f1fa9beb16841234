using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Protocol;
using MessagePack;

namespace ConvNet.Cluster.Tests.Jobs;

public sealed class RecipeFieldTests
{
    [Fact]
    public void Every_field_of_the_recipe_is_read()
    {
        Assert.Equal(
            new JobSpec(LearningRate: 0.1f, Momentum: 0.8f, Nesterov: true, WeightDecay: 1e-4f, Schedule: LearningRateSchedule.MultiStep, Epochs: 164)
            {
                DecayExclude = "bias-and-norm",
                WarmUp = "2 epochs",
                Milestones = "82, 123",
                Gamma = 0.2,
                ClipValue = 0.5f,
                ClipNorm = 5,
                LabelSmoothing = 0.1f,
                EarlyStop = 20,
                Keep = KeptWeights.Best,
            },
            Parse("""
                epochs: 164
                lr: 0.1
                optimizer: sgd
                momentum: 0.8
                nesterov: true
                weight-decay: 0.0001
                decay-exclude: bias-and-norm
                schedule: multi-step
                milestones: [82, 123]
                gamma: 0.2
                warm-up: 2 epochs
                clip-value: 0.5
                clip-norm: 5
                label-smoothing: 0.1
                early-stop: 20
                keep: best
                """));
        Assert.Equal(
            new JobSpec { Optimizer = OptimizerKind.AdamW, Beta1 = 0.8, Beta2 = 0.99, Epsilon = 1e-6, WarmUp = "1 step", PercentStart = 0.2, DivisionFactor = 10, FinalDivisionFactor = 100 }
                with
            { LearningRate = 0.001f, WeightDecay = 0.01f, Momentum = 0, Schedule = LearningRateSchedule.OneCycle },
            Parse("optimizer: adamw\nbeta1: 0.8\nbeta2: 0.99\nepsilon: 1e-6\nschedule: one-cycle\nwarm-up: 1 step\npct-start: 0.2\ndiv-factor: 10\nfinal-div-factor: 100\n"));
        Assert.Equal(
            new JobSpec(Schedule: LearningRateSchedule.Polynomial) { Optimizer = OptimizerKind.RmsProp, Alpha = 0.9, Power = 2, MinLearningRate = 1e-5, LearningRate = 0.001f, WeightDecay = 0, Momentum = 0.5f },
            Parse("optimizer: rmsprop\nalpha: 0.9\nmomentum: 0.5\nschedule: polynomial\npower: 2\nmin-lr: 1e-5\n"));
        Assert.Equal(
            new JobSpec(Schedule: LearningRateSchedule.Step) { Optimizer = OptimizerKind.Lars, TrustCoefficient = 0.02, StepSize = 3, DecayExclude = "*.bias, conv1.weight" },
            Parse("optimizer: lars\ntrust-coefficient: 0.02\nschedule: step\nstep-size: 3\ndecay-exclude: [\"*.bias\", conv1.weight]\n"));
    }

    [Theory]
    [InlineData("adam", 0.001f, 0f)]
    [InlineData("adamw", 0.001f, 0.01f)]
    [InlineData("rmsprop", 0.001f, 0f)]
    [InlineData("adagrad", 0.01f, 0f)]
    [InlineData("lars", 0.02f, 0.0005f)]
    [InlineData("sgd", 0.02f, 0.0005f)]
    public void Rate_and_decay_that_are_not_given_are_those_usual_for_the_optimizer(string optimizer, float rate, float decay)
    {
        JobSpec usual = Parse($"optimizer: {optimizer}\n"), given = Parse($"lr: 0.5\noptimizer: {optimizer}\nweight-decay: 0.25\n");

        Assert.Equal((rate, decay), (usual.LearningRate, usual.WeightDecay));
        Assert.Equal((0.5f, 0.25f), (given.LearningRate, given.WeightDecay));
    }

    [Theory]
    [InlineData("optimizer: adm", "job.yaml:1: optimizer: expected sgd, adam, adamw, rmsprop, adagrad or lars, got \"adm\". Did you mean adam?")]
    [InlineData("schedule: cosin", "job.yaml:1: schedule: expected constant, step, multi-step, exponential, cosine, polynomial or one-cycle, got \"cosin\". Did you mean cosine?")]
    [InlineData("optimizer: adam\nmomentum: 0.9", "job.yaml:2: momentum: the optimizer adam does not use it; sgd, rmsprop and lars do. Leave it out.")]
    [InlineData("beta1: 0.8", "job.yaml:1: beta1: the optimizer sgd does not use it; adam and adamw do. Leave it out.")]
    [InlineData("gamma: 0.5", "job.yaml:1: gamma: the schedule cosine does not use it; step, multi-step and exponential do. Leave it out.")]
    [InlineData("schedule: constant\nmin-lr: 0", "job.yaml:2: min-lr: the schedule constant does not use it; cosine and polynomial do. Leave it out.")]
    [InlineData("power: 2", "job.yaml:1: power: the schedule cosine does not use it; polynomial does. Leave it out.")]
    [InlineData("schedule: step", "job.yaml:1: schedule: step needs step-size, the epochs between two cuts of the rate, such as \"step-size: 30\".")]
    [InlineData("schedule: multi-step", "job.yaml:1: schedule: multi-step needs milestones, the epochs at which the rate is cut, such as \"milestones: [82, 123]\".")]
    [InlineData("schedule: exponential", "job.yaml:1: schedule: exponential needs gamma, what the rate is multiplied with after each epoch, such as \"gamma: 0.95\".")]
    [InlineData("schedule: multi-step\nmilestones: [5, 5]", "job.yaml:2: milestones: expected epochs in ascending order, such as \"82, 123\", got \"5, 5\".")]
    [InlineData("lr: 0.01\nmin-lr: 0.1", "job.yaml:2: min-lr: 0.1 is above lr, which is 0.01.")]
    [InlineData("warm-up: 5 minutes", "job.yaml:1: warm-up: expected a number of epochs or steps, such as \"5 epochs\" or \"500 steps\", or 0 for none, got \"5 minutes\".")]
    [InlineData("epochs: 5\nwarm-up: 5", "job.yaml:2: warm-up: 5 epochs of warm-up leave nothing of a job of 5.")]
    [InlineData("decay-exclude: [none, \"*.bias\"]", "job.yaml:1: decay-exclude: expected none, bias-and-norm, or names of parameters such as \"*.bias, bn1.weight\", got \"none, *.bias\".")]
    [InlineData("label-smoothing: 1", "job.yaml:1: label-smoothing: expected a number from 0 to below 1, got \"1\".")]
    [InlineData("keep: first", "job.yaml:1: keep: expected last or best, got \"first\".")]
    [InlineData("clip-norm: -1", "job.yaml:1: clip-norm: expected a number from 0 (not at all) to 1e9, got \"-1\".")]
    public void What_is_wrong_is_said_with_its_place(string text, string expected)
    {
        var wrong = Assert.Throws<JobFileException>(() => Parse(text + "\n"));

        Assert.Equal([expected], wrong.Problems);
    }

    [Fact]
    public void The_recipe_travels_with_the_job()
    {
        var spec = new JobSpec(Schedule: LearningRateSchedule.OneCycle)
        {
            Optimizer = OptimizerKind.Adagrad,
            Beta1 = 0.1,
            Beta2 = 0.2,
            Epsilon = 0.3,
            Alpha = 0.4,
            TrustCoefficient = 0.5,
            DecayExclude = "a",
            WarmUp = "1 epoch",
            StepSize = 1,
            Milestones = "1",
            Gamma = 0.6,
            MinLearningRate = 0.7,
            Power = 0.8,
            PercentStart = 0.9,
            DivisionFactor = 2,
            FinalDivisionFactor = 3,
            ClipValue = 4,
            ClipNorm = 5,
            LabelSmoothing = 0.6f,
            EarlyStop = 7,
            Keep = KeptWeights.Best,
        };

        Assert.Equal(spec, MessagePackSerializer.Deserialize<JobSpec>(MessagePackSerializer.Serialize(spec, ClusterSerializer.Options), ClusterSerializer.Options));
        Assert.Equal(spec, System.Text.Json.JsonSerializer.Deserialize<JobSpec>(
            System.Text.Json.JsonSerializer.Serialize(spec, ConvNet.Cluster.Management.ManagementJson.Options), ConvNet.Cluster.Management.ManagementJson.Options));
    }

    [Fact]
    public void The_recipe_is_told_in_words()
    {
        JobSpec spec = Parse("lr: 0.1\nnesterov: true\ndecay-exclude: bias-and-norm\nschedule: multi-step\nmilestones: [82, 123]\nwarm-up: 1\nclip-norm: 5\nkeep: best\n");

        Assert.Equal("sgd: rate 0.1, momentum 0.9 (Nesterov), weight decay 0.0005 except bias-and-norm", RecipeText.Optimizer(spec));
        Assert.Equal("multi-step at epochs 82, 123, each times 0.1, after a warm-up of 1 epoch", RecipeText.Schedule(spec));
        Assert.Equal("gradients cut to a norm of 5, keeps the best epoch's weights", RecipeText.Besides(spec));
        Assert.Null(RecipeText.Besides(new JobSpec()));
    }

    private static JobSpec Parse(string text) => JobFile.Parse(text, "job.yaml");
}
