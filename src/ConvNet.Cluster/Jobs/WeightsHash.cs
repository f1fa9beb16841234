using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ConvNet.Cluster.Jobs;

/// <summary>The name of a set of weights: two runs that report the same one have the same weights, bit for bit.</summary>
public static class WeightsHash
{
    /// <summary>SHA-256 over the little-endian bytes of weights and running statistics, in lower-case hex.</summary>
    public static string Of(ReadOnlySpan<float> state)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Weights are hashed as little-endian floats; this machine is big-endian.");

        // By blocks: a span of bytes ends at 2 GiB, the weights do not.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        const int Block = 1 << 20;
        for (int at = 0; at < state.Length; at += Block)
            hash.AppendData(MemoryMarshal.AsBytes(state.Slice(at, Math.Min(Block, state.Length - at))));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
