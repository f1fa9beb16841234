using ConvNet.Core.Schedules;
using Xunit;

namespace ConvNet.Core.Tests.Schedules;

/// <summary>Each schedule against its published formula, with the platform's functions in double precision, at every step.</summary>
public class ScheduleFormulaTests
{
    private const int Total = 391;

    private static void Same(LearningRateSchedule schedule, Func<int, double> formula, int total = Total)
    {
        for (int step = 0; step < total; step++)
        {
            double expected = formula(step);
            Assert.Equal(expected, schedule.Share(step, total), 1e-7 * Math.Max(expected, 1e-6));
        }
    }

    [Fact]
    public void Step() => Same(new StepSchedule(40, 0.1), step => Math.Pow(0.1, step / 40));

    [Fact]
    public void Multi_step() => Same(
        new MultiStepSchedule([100, 250, 300], 0.2), step => step < 100 ? 1 : step < 250 ? 0.2 : step < 300 ? 0.2 * 0.2 : 0.2 * 0.2 * 0.2);

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    public void Cosine(double last) => Same(new CosineSchedule(last), step => last + ((1 - last) * 0.5 * (1 + Math.Cos(Math.PI * step / Total))));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.01)]
    [InlineData(0.9, 0)]
    public void Polynomial(double power, double last) =>
        Same(new PolynomialSchedule(power, last), step => last + ((1 - last) * Math.Pow(1 - (step / (double)Total), power)));

    // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=391, pct_start=0.3): the end of a phase is at pct_start * total_steps - 1.
    [Fact]
    public void One_cycle() => Same(new OneCycleSchedule(), step =>
    {
        const double First = 1 / 25.0, Least = First / 1e4, Top = (0.3 * Total) - 1;
        return step < Top
            ? 1 + ((First - 1) / 2 * (1 + Math.Cos(Math.PI * step / Top)))
            : Least + ((1 - Least) / 2 * (1 + Math.Cos(Math.PI * (step - Top) / (Total - 1 - Top))));
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void One_cycle_of_a_very_short_job_stays_between_nothing_and_the_full_rate(int total)
    {
        for (int step = 0; step < total; step++)
            Assert.InRange(new OneCycleSchedule().Share(step, total), 1e-7f, 1f);
    }

    [Fact]
    public void Warm_up_rises_in_even_steps_to_the_full_rate() => Same(
        new WarmUpSchedule(LearningRateSchedule.Constant, 10), step => step < 10 ? (step + 1) / 10.0 : 1);

    [Fact]
    public void What_is_stretched_over_the_job_begins_after_the_warm_up() => Same(
        new WarmUpSchedule(new CosineSchedule(), 51), step => step < 51 ? (step + 1) / 51.0 : 0.5 * (1 + Math.Cos(Math.PI * (step - 51) / (Total - 51))));

    [Fact]
    public void Stairs_count_from_the_beginning_of_the_job() => Same(
        new WarmUpSchedule(new MultiStepSchedule([30, 100], 0.1), 50),
        step => (step < 30 ? 1 : step < 100 ? 0.1 : 0.01) * (step < 50 ? (step + 1) / 50.0 : 1));

    // Golden: the bits of the formulas above at step 212 of 391, from Python, rounded once to a float. A rate that differs in its last bit makes other weights.
    [Theory]
    [InlineData("step", 0x3C23D70Au)]
    [InlineData("polynomial", 0x3EFD7128u)]
    [InlineData("one-cycle", 0x3F3A3C43u)]
    public void These_bits_for_ever(string name, uint bits)
    {
        LearningRateSchedule schedule = name switch
        {
            "step" => new StepSchedule(100, 0.1),
            "polynomial" => new PolynomialSchedule(0.9),
            _ => new OneCycleSchedule(),
        };

        Assert.Equal($"{bits:X8}", $"{BitConverter.SingleToUInt32Bits(schedule.Share(212, Total)):X8}");
    }
}
