namespace ConvNet.Core.Schedules;

/// <summary>The learning rate of every step, as a share of the job's rate: a function of the step alone.</summary>
public abstract record LearningRateSchedule
{
    /// <summary>The same rate throughout.</summary>
    public static LearningRateSchedule Constant { get; } = new ConstantRate();

    /// <summary>From the full rate down to 0 along half a cosine. Loshchilov and Hutter 2017, "SGDR", without restarts.</summary>
    public static LearningRateSchedule Cosine { get; } = new CosineRate();

    /// <summary>The names that a job file may give.</summary>
    public static IReadOnlyList<string> Names { get; } = ["constant", "cosine"];

    /// <summary>The schedule of a name, or null.</summary>
    public static LearningRateSchedule? Find(string name) => name switch
    {
        "constant" => Constant,
        "cosine" => Cosine,
        _ => null,
    };

    /// <summary>The share, 0 to 1.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="totalSteps">Steps of the job.</param>
    public abstract float Share(long step, long totalSteps);

    private sealed record ConstantRate : LearningRateSchedule
    {
        public override float Share(long step, long totalSteps) => 1;
    }

    private sealed record CosineRate : LearningRateSchedule
    {
        public override float Share(long step, long totalSteps) => (float)(0.5 * (1 + CosinePi((double)step / totalSteps)));

        // cos(π·t) for t in [0, 1]: a Taylor series of sin about the middle, because the platform's cosine differs in its last bit from system to system.
        private static double CosinePi(double t)
        {
            double x = (0.5 - t) * Math.PI, square = x * x, sum = 0;
            for (int n = 21; n >= 1; n -= 2)
                sum = 1 - (square / ((n + 1) * (n + 2)) * sum);
            return x * sum;
        }
    }
}
