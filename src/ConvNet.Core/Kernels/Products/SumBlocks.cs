namespace ConvNet.Core.Kernels.Products;

/// <summary>How long sums are cut: the blocks of the canonical order.</summary>
/// <remarks>
/// A sum over channels and taps is cut along the channels into blocks of about 256 terms. Each block is one chain of fused multiply-adds
/// from zero; the blocks' results are added in order. That bounds the error of long sums and keeps a block's operands in the cache.
/// The block depends on the layer alone.
/// </remarks>
internal static class SumBlocks
{
    /// <summary>Terms that a block aims at.</summary>
    public const int Terms = 256;

    /// <summary>Channels of a block for a window of <paramref name="taps"/> taps: a multiple of 16.</summary>
    public static int Channels(int taps) => 16 * Math.Max(1, Terms / (16 * taps));
}
