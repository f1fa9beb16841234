using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Products;

/// <summary>Computes a tile of <see cref="ProductOperands"/> of up to 12 rows by 2 columns, or 6 rows by 4 columns, at the width in use.</summary>
internal static unsafe class ProductTile
{
    /// <summary>The most rows of a tile two columns wide.</summary>
    public const int TallRows = 12;

    /// <summary>The most rows of a tile four columns wide.</summary>
    public const int WideRows = 6;

    /// <summary>Columns to do together for a number of rows: 4 for up to 6 rows, else 2.</summary>
    public static int ColumnsFor(int rows) => rows <= WideRows ? 4 : 2;

    /// <summary>Computes the tile.</summary>
    /// <param name="rows">1…12; at most 6 where <paramref name="columns"/> is 3 or 4.</param>
    /// <param name="columns">1…4.</param>
    /// <param name="p">The operands.</param>
    public static void Run(int rows, int columns, in ProductOperands p)
    {
        if (Vector512.IsHardwareAccelerated)
            ProductTile<Vector512<float>, Ops512>.Run(rows, columns, in p);
        else if (Vector256.IsHardwareAccelerated)
            ProductTile<Vector256<float>, Ops256>.Run(rows, columns, in p);
        else
            ProductTile<Vector128<float>, Ops128>.Run(rows, columns, in p);
    }

    /// <summary>Asks for C's cache lines while the sums are still being computed. Worth it where C is large and the sums are long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(int rows, int columns, in ProductOperands p)
    {
        if (!Sse.IsSupported)
            return;
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
                Sse.Prefetch0(p.C + (row * p.CRow) + (column * p.CColumn));
        }
    }

    /// <summary>Asks for a cache line that will be needed soon, but not at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* line)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(line);
    }

    /// <summary>The specification, element by element.</summary>
    internal static void Reference(int rows, int columns, in ProductOperands p)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int lane = 0; lane < columns * Stripes.Count; lane++)
            {
                nint column = lane / Stripes.Count, within = lane % Stripes.Count;
                float sum = 0;
                for (int tap = 0; tap < p.TapCount; tap++)
                {
                    for (nint i = 0; i < p.Depth; i++)
                    {
                        float a = p.A[p.Taps[tap].A + i * p.AStep + row * p.ARow];
                        float b = p.B[p.Taps[tap].B + i * p.BStep + column * p.BColumn + within];
                        sum = MathF.FusedMultiplyAdd(a, b, sum);
                    }
                }

                float* c = p.C + row * p.CRow + column * p.CColumn + within;
                if (p.Accumulate)
                    sum = *c + sum;
                if (p.Bias != null)
                    sum += p.Bias[row];
                else if (p.LaneBias != null)
                    sum += p.LaneBias[lane];
                *c = p.Rectify && !(sum > 0) && !float.IsNaN(sum) ? 0 : sum;
            }
        }
    }
}

/// <summary>The tile at one vector width.</summary>
internal static unsafe partial class ProductTile<TVector, TOps>
    where TVector : struct
    where TOps : struct, IVectorOps<TVector>
{
    private static int VectorsPerColumn => Stripes.Count / TOps.Count;

    /// <inheritdoc cref="ProductTile.Run"/>
    public static void Run(int rows, int columns, in ProductOperands p)
    {
        if (TOps.Count == Stripes.Count)
        {
            Registers(rows, columns, in p);
            return;
        }

        // Narrower vectors: a column is several vectors, so a tile falls into columns of at most six rows.
        ProductOperands part = p;
        for (int column = 0; column < columns; column++)
        {
            for (int row = 0; row < rows; row += ProductTile.WideRows)
            {
                part.A = p.A + row * p.ARow;
                part.B = p.B + column * p.BColumn;
                part.C = p.C + row * p.CRow + column * p.CColumn;
                part.Bias = p.Bias == null ? null : p.Bias + row;
                part.LaneBias = p.LaneBias == null ? null : p.LaneBias + (column * Stripes.Count);
                Registers(Math.Min(ProductTile.WideRows, rows - row), VectorsPerColumn, in part);
            }
        }
    }

    private static void Registers(int rows, int vectors, in ProductOperands p)
    {
        switch (vectors)
        {
            case 1:
                Registers<N1>(rows, in p);
                break;
            case 2:
                Registers<N2>(rows, in p);
                break;
            case 3:
                WideRegisters<N3>(rows, in p);
                break;
            default:
                WideRegisters<N4>(rows, in p);
                break;
        }
    }

    private static void Registers<TVectors>(int rows, in ProductOperands p)
        where TVectors : struct, IConstant
    {
        switch (rows)
        {
            case 1: Tall<N1, TVectors>(in p); break;
            case 2: Tall<N2, TVectors>(in p); break;
            case 3: Tall<N3, TVectors>(in p); break;
            case 4: Tall<N4, TVectors>(in p); break;
            case 5: Tall<N5, TVectors>(in p); break;
            case 6: Tall<N6, TVectors>(in p); break;
            case 7: Tall<N7, TVectors>(in p); break;
            case 8: Tall<N8, TVectors>(in p); break;
            case 9: Tall<N9, TVectors>(in p); break;
            case 10: Tall<N10, TVectors>(in p); break;
            case 11: Tall<N11, TVectors>(in p); break;
            default: Tall<N12, TVectors>(in p); break;
        }
    }

    private static void WideRegisters<TVectors>(int rows, in ProductOperands p)
        where TVectors : struct, IConstant
    {
        switch (rows)
        {
            case 1: Wide<N1, TVectors>(in p); break;
            case 2: Wide<N2, TVectors>(in p); break;
            case 3: Wide<N3, TVectors>(in p); break;
            case 4: Wide<N4, TVectors>(in p); break;
            case 5: Wide<N5, TVectors>(in p); break;
            default: Wide<N6, TVectors>(in p); break;
        }
    }

    /// <summary>Where vector v of a row lies: some columns on, and within its column some lanes on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint VectorOffset(int v, nint columnStep) =>
        TOps.Count == Stripes.Count ? v * columnStep : (v / VectorsPerColumn * columnStep) + (v % VectorsPerColumn * TOps.Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TVector sum, float* c, int row, int vector, in ProductOperands p)
    {
        if (p.Accumulate)
            sum = TOps.Add(TOps.Load(c), sum);
        if (p.Bias != null)
            sum = TOps.Add(sum, TOps.Broadcast(p.Bias[row]));
        else if (p.LaneBias != null)
            sum = TOps.Add(sum, TOps.Load(p.LaneBias + (vector * TOps.Count)));
        if (p.Rectify)
            sum = TOps.Rectify(sum);
        if (p.Uncached)
            TOps.StoreUncached(sum, c);
        else
            TOps.Store(sum, c);
    }
}
