using ConvNet.Core.Schedules;

namespace ConvNet.Core.Tests.Schedules;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void Constant_stays()
    {
        Assert.Equal(1, LearningRateSchedule.Constant.Share(0, 100));
        Assert.Equal(1, LearningRateSchedule.Constant.Share(99, 100));
    }

    [Fact]
    public void Cosine_falls_from_1_to_0_along_half_a_cosine()
    {
        for (int step = 0; step <= 1000; step++)
            Assert.Equal(0.5 * (1 + Math.Cos(Math.PI * step / 1000)), LearningRateSchedule.Cosine.Share(step, 1000), 1e-7);
    }

    [Fact]
    public void Every_name_leads_to_its_schedule()
    {
        Assert.All(LearningRateSchedule.Names, name => Assert.NotNull(LearningRateSchedule.Find(name)));
        Assert.Null(LearningRateSchedule.Find("cosin"));
    }
}
