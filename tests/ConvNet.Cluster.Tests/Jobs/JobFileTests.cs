using ConvNet.Cluster.Jobs;

namespace ConvNet.Cluster.Tests.Jobs;

public sealed class JobFileTests
{
    [Theory]
    [InlineData("")]
    [InlineData("# nothing but a comment\n")]
    [InlineData("---\n")]
    public void An_empty_file_is_a_job_of_defaults(string text)
    {
        Assert.Equal(new JobSpec("lenet5", "digits", 5, 128, 32, 1, 0.02f, 0.9f, false, 0.0005f, LearningRateSchedule.Cosine), JobFile.Parse(text, "job.yaml"));
    }

    [Fact]
    public void Every_field_is_read()
    {
        var job = JobFile.Parse(
            """
            model: lenet5-classic
            data: mnist:/data/mnist   # with a comment
            epochs: 12
            batch: 256
            micro-batch: 64
            seed: 18446744073709551615
            lr: 1e-2
            momentum: 0
            nesterov: true
            weight-decay: 0.001
            schedule: constant
            """,
            "job.yaml");

        Assert.Equal(
            new JobSpec("lenet5-classic", "mnist:/data/mnist", 12, 256, 64, ulong.MaxValue, 0.01f, 0, true, 0.001f, LearningRateSchedule.Constant), job);
    }

    [Fact]
    public void How_data_is_divided_is_read()
    {
        JobSpec job = JobFile.Parse("validation: 0.1\nskip-corrupt: true\n", "job.yaml");

        Assert.Equal(new JobSpec(Validation: 0.1f, SkipCorrupt: true), job);
        Assert.Equal(["job.yaml:1: validation: expected a number from 0 to below 1: the share of the training images that is held out, got \"1\"."], Assert.Throws<JobFileException>(() => JobFile.Parse("validation: 1", "job.yaml")).Problems);
    }

    [Theory]
    [InlineData("epochs: ", "[")]
    [InlineData("epochs: ", "{")]
    [InlineData("epochs:\n  ", "- ")]
    [InlineData("x: ", "{a: 1, b: ")]
    public void Nesting_has_a_limit_because_its_time_grows_with_the_square(string before, string unit)
    {
        var wrong = Assert.Throws<JobFileException>(() => JobFile.Parse(before + string.Concat(Enumerable.Repeat(unit, 10_000)), "job.yaml"));

        Assert.Contains(wrong.Problems, problem => problem is "job.yaml:1: this is not YAML: nested deeper than 32 levels." or "job.yaml:2: this is not YAML: nested deeper than 32 levels.");
    }

    [Fact]
    public void Every_problem_is_reported_with_its_line()
    {
        var wrong = Assert.Throws<JobFileException>(() => JobFile.Parse(
            """
            epoch: 5
            batch: many
            lr: -1
            momentum: [0.9]
            seed: 1
            seed: 2
            zebra: 1
            nesterov: maybe
            """,
            "job.yaml"));

        Assert.Equal(
            [
                "job.yaml:1: unknown field \"epoch\"; did you mean epochs?",
                "job.yaml:2: batch: expected a whole number from 1 to 1048576, got \"many\".",
                "job.yaml:3: lr: expected a number above 0, at most 1000, got \"-1\".",
                "job.yaml:4: momentum: expected a number from 0 to below 1, got a list.",
                "job.yaml:6: seed: given before, on line 5.",
                "job.yaml:7: unknown field \"zebra\"; the fields are model, layers, data, epochs, batch, micro-batch, seed, lr, optimizer, momentum, nesterov, beta1, beta2, alpha, epsilon, trust-coefficient, weight-decay, decay-exclude, schedule, warm-up, step-size, milestones, gamma, min-lr, power, pct-start, div-factor, final-div-factor, clip-value, clip-norm, label-smoothing, early-stop, keep, augment, validation, skip-corrupt, init, freeze.",
                "job.yaml:8: nesterov: expected true or false, got \"maybe\".",
            ],
            wrong.Problems);
    }

    [Theory]
    [InlineData("batch: 100\nmicro-batch: 32\n", "job.yaml:2: micro-batch: a batch of 100 is not a whole number of micro-batches of 32; choose a multiple, such as 96.")]
    [InlineData("batch: 100\n", "job.yaml:1: batch: a batch of 100 is not a whole number of micro-batches of 32; choose a multiple, such as 96.")]
    [InlineData("- a\n- b\n", "job.yaml:1: expected lines of \"field: value\", such as \"epochs: 5\".")]
    [InlineData("lr: .nan\n", "job.yaml:1: lr: expected a number above 0, at most 1000, got \".nan\".")]
    [InlineData("epochs: 1\n---\nepochs: 2\n", "job.yaml:2: a job file holds one document, here begins another.")]
    [InlineData("augment: [crop 4, rotat 10]\n", "job.yaml:1: augment: expected a list of: crop PIXELS, flip, rotate DEGREES, resized-crop SHARE, jitter SHARE, erase PROBABILITY; such as \"crop 4, flip\", got \"rotat 10\". Did you mean rotate?")]
    public void A_wrong_file_says_what_is_wrong(string text, string expected)
    {
        var wrong = Assert.Throws<JobFileException>(() => JobFile.Parse(text, "job.yaml"));

        Assert.Equal([expected], wrong.Problems);
    }

    [Theory]
    [InlineData("epochs: \"5\n")]
    [InlineData("epochs: 5\n  batch: 3\n")]
    [InlineData("? [a]\n: 1\n")]
    [InlineData("epochs: *x\n")]
    [InlineData("epochs: 5\naugment: [crop 4\nlr: 1\n")]
    [InlineData("augment: [crop 4")]
    public void Text_that_is_no_job_is_one_clear_error(string text)
    {
        var wrong = Assert.Throws<JobFileException>(() => JobFile.Parse(text, "job.yaml"));

        Assert.StartsWith("job.yaml:", Assert.Single(wrong.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_override_the_file_and_are_named_in_errors()
    {
        var draft = new JobDraft().ReadYaml("lr: 0.1\nepochs: 3\n", "job.yaml").SetOption("lr", "0.2");
        Assert.Equal(0.2f, draft.ToSpec().LearningRate);
        Assert.Equal(3, draft.ToSpec().Epochs);

        var wrong = Assert.Throws<JobFileException>(() => draft.SetOption("lr", "abc").SetOption("batch", "0").ToSpec());

        Assert.Equal(
            ["--lr: expected a number above 0, at most 1000, got \"abc\".", "--batch: expected a whole number from 1 to 1048576, got \"0\"."],
            wrong.Problems);
    }

    [Fact]
    public void The_sample_files_are_jobs_and_digits_is_the_job_of_defaults()
    {
        string config = Config();

        Assert.Equal(new JobSpec(), JobFile.Parse(File.ReadAllText(Path.Combine(config, "digits.yaml")), "digits.yaml"));
        Assert.All(Directory.GetFiles(config, "*.yaml"), file => JobFile.Parse(File.ReadAllText(file), file));
    }

    private static string Config()
    {
        string? at = AppContext.BaseDirectory;
        while (at != null && !File.Exists(Path.Combine(at, "ConvNet.Cluster.sln")))
            at = Path.GetDirectoryName(at);
        return Path.Combine(at!, "config");
    }
}
