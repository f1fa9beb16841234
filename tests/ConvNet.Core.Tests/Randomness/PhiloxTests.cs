using ConvNet.Core.Randomness;

namespace ConvNet.Core.Tests.Randomness;

public sealed class PhiloxTests
{
    /// <summary>Random123, <c>tests/kat_vectors</c>, philox4x32-10.</summary>
    [Fact]
    public void The_published_vectors_come_out()
    {
        Assert.Equal(
            (0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0, 0, 0, 0, 0));
        Assert.Equal(
            (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            Philox.Block(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    [Fact]
    public void Seed_is_the_key_and_index_step_and_purpose_are_the_counter()
    {
        var random = new Philox(seed: 0x299f31d0a4093822, Purpose.Dropout);

        Assert.Equal(Philox.Block(0x55667788, 0x11223344, 99, 3, 0xa4093822, 0x299f31d0), random.Block(step: 99, index: 0x1122334455667788));
    }

    [Fact]
    public void A_unit_number_is_at_least_0_and_below_1()
    {
        Assert.Equal(0, Philox.ToUnit(0));
        Assert.Equal(0, Philox.ToUnit(255));
        Assert.Equal(0.5f, Philox.ToUnit(0x80000000));
        Assert.Equal(0.99999994f, Philox.ToUnit(uint.MaxValue));
    }

    [Fact]
    public void Bounded_numbers_stay_in_bounds_and_all_occur()
    {
        var random = new Philox(1, Purpose.Test);

        int[] seen = [.. Enumerable.Range(0, 1000).Select(i => (int)random.Below(7, 0, (ulong)i)).Distinct().Order()];

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], seen);
    }

    [Fact]
    public void Unit_numbers_have_the_mean_and_spread_of_a_uniform_distribution()
    {
        var random = new Philox(7, Purpose.InitialWeights);
        double[] u = [.. Enumerable.Range(0, 100_000).Select(i => (double)random.Uniform(0, (ulong)i))];

        Assert.InRange(u.Average(), 0.497, 0.503);
        Assert.InRange(u.Average(x => (x - 0.5) * (x - 0.5)), 0.0825, 0.0842);   // 1/12
    }
}
