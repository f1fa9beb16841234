using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ConvNet.Data.Batches;

/// <summary>From 16 rows of bytes to one row of 16 floats for each column: <c>y[f][lane] = fma(x[lane][f], scale, shift)</c>.</summary>
internal static class LaneTranspose
{
    private const int Lanes = SampleLanes.Lanes;

    /// <summary>Converts <paramref name="length"/> columns.</summary>
    /// <param name="rows">16 rows, each <paramref name="stride"/> bytes after the one before.</param>
    /// <param name="stride">A multiple of 16, so that the last square may read past <paramref name="length"/>, into bytes that are not used.</param>
    /// <param name="length">Columns, at most <paramref name="stride"/>.</param>
    /// <param name="scale">Multiplies every byte.</param>
    /// <param name="shift">Is added, with one rounding.</param>
    /// <param name="into">16 floats a column.</param>
    [SkipLocalsInit]
    public static void Convert(ReadOnlySpan<byte> rows, int stride, int length, float scale, float shift, Span<float> into)
    {
        if (stride % Lanes != 0 || length > stride || rows.Length < Lanes * stride || into.Length < length * Lanes)
            throw new ArgumentException($"{Lanes} rows of {stride} bytes do not give {length} columns from {rows.Length} bytes into {into.Length} floats.");

        Span<Vector128<byte>> square = stackalloc Vector128<byte>[Lanes];
        ref byte source = ref MemoryMarshal.GetReference(rows);
        ref float target = ref MemoryMarshal.GetReference(into);
        for (int f = 0; f < length; f += Lanes)
        {
            for (int lane = 0; lane < Lanes; lane++)
                square[lane] = Vector128.LoadUnsafe(ref source, (nuint)(lane * stride + f));
            Transpose(ref MemoryMarshal.GetReference(square));
            int columns = Math.Min(Lanes, length - f);
            for (int column = 0; column < columns; column++)
                Store(square[column], scale, shift, ref Unsafe.Add(ref target, (f + column) * Lanes));
        }
    }

    /// <summary>Rows become columns: four rounds of a perfect shuffle of rows i and i + 8, which turn the index's bits by four places.</summary>
    [SkipLocalsInit]
    private static void Transpose(ref Vector128<byte> square)
    {
        Span<Vector128<byte>> other = stackalloc Vector128<byte>[Lanes];
        ref var scratch = ref MemoryMarshal.GetReference(other);
        Shuffle(ref square, ref scratch);
        Shuffle(ref scratch, ref square);
        Shuffle(ref square, ref scratch);
        Shuffle(ref scratch, ref square);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Shuffle(ref Vector128<byte> from, ref Vector128<byte> to)
    {
        for (int i = 0; i < Lanes / 2; i++)
        {
            var (a, b) = (Unsafe.Add(ref from, i), Unsafe.Add(ref from, i + Lanes / 2));
            Unsafe.Add(ref to, 2 * i) = InterleaveLow(a, b);
            Unsafe.Add(ref to, 2 * i + 1) = InterleaveHigh(a, b);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> InterleaveLow(Vector128<byte> a, Vector128<byte> b)
    {
        if (Sse2.IsSupported)
            return Sse2.UnpackLow(a, b);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipLow(a, b);
        var (x, y) = (Vector128.WidenLower(a), Vector128.WidenLower(b));
        return (x | (y << 8)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> InterleaveHigh(Vector128<byte> a, Vector128<byte> b)
    {
        if (Sse2.IsSupported)
            return Sse2.UnpackHigh(a, b);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipHigh(a, b);
        var (x, y) = (Vector128.WidenUpper(a), Vector128.WidenUpper(b));
        return (x | (y << 8)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> lanes, float scale, float shift, ref float into)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            var x = Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(lanes));
            Vector512.FusedMultiplyAdd(x, Vector512.Create(scale), Vector512.Create(shift)).StoreUnsafe(ref into);
        }
        else if (Avx2.IsSupported)
        {
            var (scales, shifts) = (Vector256.Create(scale), Vector256.Create(shift));
            var low = Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(lanes));
            var high = Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.Shuffle(lanes.AsInt64(), Vector128.Create(1L, 0L)).AsByte()));
            Vector256.FusedMultiplyAdd(low, scales, shifts).StoreUnsafe(ref into);
            Vector256.FusedMultiplyAdd(high, scales, shifts).StoreUnsafe(ref into, 8);
        }
        else
        {
            var (low, high) = (Vector128.WidenLower(lanes), Vector128.WidenUpper(lanes));
            StoreFour(Vector128.WidenLower(low), scale, shift, ref into, 0);
            StoreFour(Vector128.WidenUpper(low), scale, shift, ref into, 4);
            StoreFour(Vector128.WidenLower(high), scale, shift, ref into, 8);
            StoreFour(Vector128.WidenUpper(high), scale, shift, ref into, 12);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFour(Vector128<uint> lanes, float scale, float shift, ref float into, nuint at) =>
        Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(lanes.AsInt32()), Vector128.Create(scale), Vector128.Create(shift)).StoreUnsafe(ref into, at);
}
