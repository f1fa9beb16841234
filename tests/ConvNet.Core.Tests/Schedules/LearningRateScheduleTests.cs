using ConvNet.Core.Schedules;
using Xunit;

namespace ConvNet.Core.Tests.Schedules;

public class LearningRateScheduleTests
{
    [Fact]
    public void Constant_is_one_throughout() =>
        Assert.All([0L, 1, 99, 1000], step => Assert.Equal(1, LearningRateSchedule.Constant.Share(step, 1000)));

    [Fact]
    public void Cosine_starts_at_one_is_a_half_in_the_middle_and_ends_at_zero()
    {
        Assert.Equal(1, LearningRateSchedule.Cosine.Share(0, 1000));
        Assert.Equal(0.5f, LearningRateSchedule.Cosine.Share(500, 1000));
        Assert.InRange(LearningRateSchedule.Cosine.Share(1000, 1000), 0, 1e-16f);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4690)]
    public void Cosine_never_rises_and_never_leaves_zero_to_one(int total)
    {
        float before = float.PositiveInfinity;
        for (int step = 0; step <= total; step++)
        {
            float share = LearningRateSchedule.Cosine.Share(step, total);
            Assert.InRange(share, 0, Math.Min(before, 1));
            before = share;
        }
    }

    [Fact]
    public void Cosine_is_the_platform_s_to_the_last_bit_of_a_float_or_nearly()
    {
        for (int step = 0; step <= 977; step++)
        {
            double expected = 0.5 * (1 + Math.Cos(Math.PI * step / 977));
            Assert.Equal(expected, LearningRateSchedule.Cosine.Share(step, 977), 6e-8);
        }
    }

    // Golden: the bits of 0.5 * (1 + cos(pi * step / total)), rounded once to a float.
    // python3 -c "import struct,math; print(struct.pack('>f', 0.5*(1+math.cos(math.pi*1/4690))).hex())"
    [Theory]
    [InlineData(1, 4690, 0x3F7FFFFEu)]
    [InlineData(1000, 4690, 0x3F645756u)]
    [InlineData(4000, 4690, 0x3D56E2AEu)]
    [InlineData(4689, 4690, 0x33F0E492u)]
    [InlineData(1, 3, 0x3F400000u)]
    public void Cosine_has_these_bits_for_ever(long step, long total, uint bits) =>
        Assert.Equal(bits, BitConverter.SingleToUInt32Bits(LearningRateSchedule.Cosine.Share(step, total)));
}
