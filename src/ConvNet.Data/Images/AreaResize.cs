using ConvNet.Core.Tensors;

namespace ConvNet.Data.Images;

/// <summary>Makes images another size: each new pixel is the mean of the area that it covers, in integers, so that all machines come to the same.</summary>
/// <remarks>
/// Across first, then down. In units of 1 / (new size) of an old pixel all weights are whole numbers, and sums of whole numbers are exact: the result is the same as that
/// of weighing the whole area at once, rounded once at the end.
/// </remarks>
internal static class AreaResize
{
    /// <summary>Resizes one plane.</summary>
    /// <param name="from">The old pixels, row by row.</param>
    /// <param name="old">Their height and width.</param>
    /// <param name="to">The new pixels, all overwritten.</param>
    /// <param name="size">Their height and width.</param>
    public static void Plane(ReadOnlySpan<byte> from, Size old, Span<byte> to, Size size)
    {
        if (old == size)
        {
            from[..(old.Height * old.Width)].CopyTo(to);
            return;
        }

        // Row sums are at most 255 · old width, which fits 32 bits up to eight million pixels of a row.
        var across = new int[old.Height * size.Width];
        for (int x = 0; x < size.Width; x++)
        {
            int left = x * old.Width, right = left + old.Width, first = left / size.Width, last = (right - 1) / size.Width;
            int firstShare = Math.Min(right, (first + 1) * size.Width) - left, lastShare = right - (last * size.Width);
            for (int y = 0; y < old.Height; y++)
            {
                ReadOnlySpan<byte> row = from.Slice(y * old.Width, old.Width);
                int sum = firstShare * row[first];
                for (int sx = first + 1; sx < last; sx++)
                    sum += size.Width * row[sx];
                across[(y * size.Width) + x] = last > first ? sum + (lastShare * row[last]) : sum;
            }
        }

        long area = (long)old.Width * old.Height;
        var sums = new long[size.Width];
        for (int y = 0; y < size.Height; y++)
        {
            int top = y * old.Height, bottom = top + old.Height;
            Array.Clear(sums);
            for (int sy = top / size.Height; sy * size.Height < bottom; sy++)
            {
                long tall = Math.Min(bottom, (sy + 1) * size.Height) - Math.Max(top, sy * size.Height);
                ReadOnlySpan<int> row = across.AsSpan(sy * size.Width, size.Width);
                for (int x = 0; x < sums.Length; x++)
                    sums[x] += tall * row[x];
            }

            for (int x = 0; x < sums.Length; x++)
                to[(y * size.Width) + x] = (byte)((sums[x] + (area / 2)) / area);
        }
    }
}
