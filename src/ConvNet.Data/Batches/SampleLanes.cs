using System.Runtime.CompilerServices;

namespace ConvNet.Data.Batches;

/// <summary>Puts images into the engine's layout: 16 samples side by side in the innermost place, normalised.</summary>
/// <remarks>A byte becomes a float without rounding and every value is one fused multiply-add, so all paths give the same bits. Allocates nothing.</remarks>
public static class SampleLanes
{
    /// <summary>Samples of a block.</summary>
    internal const int Lanes = 16;

    /// <summary>Pixels that are turned over at a time: a multiple of 16, and 16 such rows fit the first-level cache.</summary>
    private const int Piece = 1024;

    /// <summary>Fills a micro-batch.</summary>
    /// <param name="data">The images.</param>
    /// <param name="samples">Which of them, in order.</param>
    /// <param name="normalisation">How bytes become numbers.</param>
    /// <param name="input"><c>[block][C][H][W][16]</c>, overwritten up to the last block needed: sample s is lane s mod 16 of block s / 16; lanes without a sample are zero.</param>
    /// <param name="labels">One for each lane, all overwritten: −1 where there is no sample.</param>
    public static void Fill(DataSet data, ReadOnlySpan<int> samples, Normalisation normalisation, Span<float> input, Span<int> labels)
    {
        labels.Fill(-1);
        for (int s = 0; s < samples.Length; s++)
            labels[s] = data.Label(samples[s]);
        int blockLength = data.Shape.Elements * Lanes;
        for (int block = 0; block * Lanes < samples.Length; block++)
        {
            ReadOnlySpan<int> here = samples[(block * Lanes)..Math.Min(samples.Length, (block + 1) * Lanes)];
            FillBlock(data, here, normalisation, input.Slice(block * blockLength, blockLength));
        }
    }

    /// <summary>Pieces of the 16 samples go into a scratch of equal rows, then <see cref="LaneTranspose"/> turns squares of 16 by 16 over.</summary>
    /// <remarks>A lane without a sample reads the block's first sample like any other, and is cleared at the end.</remarks>
    [SkipLocalsInit]
    private static void FillBlock(DataSet data, ReadOnlySpan<int> samples, Normalisation normalisation, Span<float> block)
    {
        int features = data.Shape.Elements, pixels = data.Shape.Pixels;
        Span<byte> scratch = stackalloc byte[Lanes * Piece];
        for (int channel = 0; channel < data.Shape.Channels; channel++)
        {
            float scale = normalisation.Scale(channel), shift = normalisation.Shift(channel);
            for (int start = 0; start < pixels; start += Piece)
            {
                int first = (channel * pixels) + start, length = Math.Min(Piece, pixels - start);
                for (int lane = 0; lane < Lanes; lane++)
                    data.Pixels(samples[lane < samples.Length ? lane : 0]).Slice(first, length).CopyTo(scratch[(lane * Piece)..]);
                LaneTranspose.Convert(scratch, Piece, length, scale, shift, block.Slice(first * Lanes, length * Lanes));
            }
        }

        for (int f = 0; samples.Length < Lanes && f < features; f++)
            block.Slice((f * Lanes) + samples.Length, Lanes - samples.Length).Clear();
    }
}
