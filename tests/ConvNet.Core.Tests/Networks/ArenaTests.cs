using ConvNet.Core.Networks;
using CsCheck;
using Xunit;

namespace ConvNet.Core.Tests.Networks;

public class ArenaTests
{
    private static readonly Gen<(int Length, int Born, int Life)[]> Lives =
        Gen.Select(Gen.Int[1, 200], Gen.Int[0, 12], Gen.Int[0, 6]).Array[1, 25];

    [Fact]
    public void Buffers_alive_together_never_overlap_and_all_lie_inside_on_cache_lines() => Lives.Sample(
        lives =>
        {
            Arena.Buffer[] buffers = [.. lives.Select(Living)];

            int total = Arena.Place(buffers);

            foreach (Arena.Buffer a in buffers)
            {
                Assert.InRange(a.Offset, 0, total - a.Length);
                Assert.Equal(0, a.Offset % 16);
                foreach (Arena.Buffer b in buffers.Where(b => b != a && b.Born <= a.LastUse && a.Born <= b.LastUse))
                    Assert.True(a.Offset + a.Length <= b.Offset || b.Offset + b.Length <= a.Offset, $"{a.Offset}+{a.Length} meets {b.Offset}+{b.Length}");
            }
        },
        seed: "0000000000000",
        iter: 300);

    [Fact]
    public void No_arena_is_bigger_than_all_buffers_side_by_side() => Lives.Sample(
        lives => Arena.Place([.. lives.Select(Living)]) <= lives.Sum(l => (l.Length + 15) / 16 * 16),
        seed: "0000000000000",
        iter: 300);

    [Fact]
    public void What_is_dead_is_used_again()
    {
        Arena.Buffer[] chain = [.. Enumerable.Range(0, 10).Select(i => Living((160, i, 1)))];

        Assert.Equal(320, Arena.Place(chain));
    }

    [Fact]
    public void A_small_buffer_takes_a_gap_between_bigger_ones()
    {
        Arena.Buffer big = Living((320, 0, 9)), early = Living((160, 0, 1)), late = Living((96, 2, 7)), small = Living((64, 5, 0));

        int total = Arena.Place([small, late, early, big]);

        Assert.Equal(480, total);
        Assert.Equal((0, 320, 320, 416), (big.Offset, early.Offset, late.Offset, small.Offset));
    }

    [Fact]
    public void A_buffer_read_in_the_moment_another_is_written_is_alive_with_it()
    {
        Arena.Buffer read = Living((16, 0, 3)), written = Living((16, 3, 2)), later = Living((16, 4, 0));

        Assert.True(read.Meets(written));
        Assert.False(read.Meets(later));
    }

    private static Arena.Buffer Living((int Length, int Born, int Life) l)
    {
        var buffer = new Arena.Buffer(l.Length, l.Born);
        buffer.UseAt(l.Born + l.Life);
        return buffer;
    }
}
