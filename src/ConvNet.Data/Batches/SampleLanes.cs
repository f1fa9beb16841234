using System.Runtime.CompilerServices;
using ConvNet.Core.Tensors;

namespace ConvNet.Data.Batches;

/// <summary>Puts images into the engine's layout: 16 samples side by side in the innermost place, normalised.</summary>
/// <remarks>A byte becomes a float without rounding and every value is one fused multiply-add, so all paths give the same bits. Allocates nothing.</remarks>
public static class SampleLanes
{
    /// <summary>Samples of a block.</summary>
    internal const int Lanes = 16;

    /// <summary>Pixels that are turned over at a time: a multiple of 16, and 16 such rows fit the first-level cache.</summary>
    private const int Piece = 1024;

    /// <summary>Fills a micro-batch from a data set in memory.</summary>
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
        Fill(new Images { Set = data, Samples = samples, Count = samples.Length }, data.Shape, normalisation, input);
    }

    /// <summary>Fills a micro-batch from images that lie one after the other.</summary>
    /// <param name="images"><c>[N, C, H, W]</c>.</param>
    /// <param name="classes">Their classes, one for each.</param>
    /// <param name="shape">C, H, W.</param>
    /// <param name="normalisation">How bytes become numbers.</param>
    /// <param name="input">As above.</param>
    /// <param name="labels">As above.</param>
    public static void Fill(ReadOnlySpan<byte> images, ReadOnlySpan<int> classes, Shape shape, Normalisation normalisation, Span<float> input, Span<int> labels)
    {
        labels.Fill(-1);
        classes.CopyTo(labels);
        Fill(new Images { Bytes = images, Length = shape.Elements, Count = classes.Length }, shape, normalisation, input);
    }

    private static void Fill(Images images, Shape shape, Normalisation normalisation, Span<float> input)
    {
        int blockLength = shape.Elements * Lanes;
        for (int first = 0; first < images.Count; first += Lanes)
            FillBlock(images, first, shape, normalisation, input.Slice(first / Lanes * blockLength, blockLength));
    }

    /// <summary>Pieces of the 16 samples go into a scratch of equal rows, then <see cref="LaneTranspose"/> turns squares of 16 by 16 over.</summary>
    /// <remarks>A lane without a sample reads the block's first sample like any other, and is cleared at the end.</remarks>
    [SkipLocalsInit]
    private static void FillBlock(Images images, int first, Shape shape, Normalisation normalisation, Span<float> block)
    {
        int features = shape.Elements, pixels = shape.Pixels, count = Math.Min(Lanes, images.Count - first);
        Span<byte> scratch = stackalloc byte[Lanes * Piece];
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            float scale = normalisation.Scale(channel), shift = normalisation.Shift(channel);
            for (int start = 0; start < pixels; start += Piece)
            {
                int from = (channel * pixels) + start, length = Math.Min(Piece, pixels - start);
                for (int lane = 0; lane < Lanes; lane++)
                    images.At(first + (lane < count ? lane : 0)).Slice(from, length).CopyTo(scratch[(lane * Piece)..]);
                LaneTranspose.Convert(scratch, Piece, length, scale, shift, block.Slice(from * Lanes, length * Lanes));
            }
        }

        for (int f = 0; count < Lanes && f < features; f++)
            block.Slice((f * Lanes) + count, Lanes - count).Clear();
    }

    /// <summary>A micro-batch's images: some of a set, or one after the other.</summary>
    private readonly ref struct Images
    {
        public DataSet? Set { get; init; }

        public ReadOnlySpan<int> Samples { get; init; }

        public ReadOnlySpan<byte> Bytes { get; init; }

        public int Length { get; init; }

        public int Count { get; init; }

        public ReadOnlySpan<byte> At(int index) => Set is not null ? Set.Pixels(Samples[index]) : Bytes.Slice(index * Length, Length);
    }
}
