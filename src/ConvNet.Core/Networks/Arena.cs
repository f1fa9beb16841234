namespace ConvNet.Core.Networks;

/// <summary>Lays buffers with known lifetimes into one arena so that those alive at the same time never overlap.</summary>
/// <remarks>Greedy by size: the biggest first, each at the lowest place that is free during its whole life (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference", §5).</remarks>
internal static class Arena
{
    private const int Granule = 16;     // floats: 64 bytes

    /// <summary>A buffer: its floats, and the first and last moment at which it holds something.</summary>
    public sealed class Buffer(int length, int born)
    {
        /// <summary>Floats.</summary>
        public int Length { get; } = length;

        /// <summary>The moment it is first written.</summary>
        public int Born { get; } = born;

        /// <summary>The last moment it is read or written.</summary>
        public int LastUse { get; private set; } = born;

        /// <summary>Where it lies, in floats; set by <see cref="Place"/>.</summary>
        public int Offset { get; set; } = -1;

        /// <summary>Keeps it alive up to a moment.</summary>
        public void UseAt(int moment) => LastUse = Math.Max(LastUse, moment);

        /// <summary>Whether both hold something at one moment.</summary>
        public bool Meets(Buffer other) => Born <= other.LastUse && other.Born <= LastUse;
    }

    /// <summary>Gives every buffer its offset; returns the arena's floats.</summary>
    public static int Place(IEnumerable<Buffer> buffers)
    {
        var placed = new List<Buffer>();
        int total = 0;
        foreach (Buffer buffer in buffers.OrderByDescending(b => b.Length).ThenBy(b => b.Born))
        {
            int offset = 0;
            foreach (Buffer other in placed.Where(buffer.Meets).OrderBy(b => b.Offset))
            {
                if (other.Offset - offset >= buffer.Length)
                    break;
                offset = Math.Max(offset, RoundUp(checked(other.Offset + other.Length)));
            }

            buffer.Offset = offset;
            placed.Add(buffer);
            total = Math.Max(total, checked(offset + buffer.Length));
        }

        return total;
    }

    /// <summary>Gives every buffer a place of its own; returns the arena's floats.</summary>
    public static int SideBySide(IEnumerable<Buffer> buffers)
    {
        int total = 0;
        foreach (Buffer buffer in buffers)
        {
            buffer.Offset = total;
            total = RoundUp(checked(total + buffer.Length));
        }

        return total;
    }

    private static int RoundUp(int value) => (value + Granule - 1) / Granule * Granule;
}
