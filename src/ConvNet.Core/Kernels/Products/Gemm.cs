using System.Runtime.Intrinsics;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Kernels.Products;

/// <summary>A matrix in memory: element (i, j) is at <c>Pointer + i·RowStep + j·ColumnStep</c>. Transposing swaps the steps.</summary>
internal readonly unsafe struct Matrix(float* pointer, nint rowStep, nint columnStep)
{
    public readonly float* Pointer = pointer;
    public readonly nint RowStep = rowStep;
    public readonly nint ColumnStep = columnStep;

    /// <summary>The same numbers, mirrored at the diagonal.</summary>
    public Matrix Transposed => new(Pointer, ColumnStep, RowStep);
}

/// <summary>C = A·B or C += A·B, any sizes, any transposition: <c>A [m, k]</c>, <c>B [k, n]</c>, <c>C [m, n]</c>.</summary>
/// <remarks>
/// B is packed in blocks of 256 × 512 that stay in the second-level cache, in panels 32 columns wide; A in panels of 12 rows × 256 that stay
/// in the first. A 12×32 tile of C then reads both front to back. After Goto and van de Geijn 2008, "Anatomy of high-performance matrix
/// multiplication", with the roles of the caches chosen for a 32 KB first level.
/// <b>Canonical order</b> of an element: k ascending in blocks of <see cref="SumBlocks.Terms"/>, each one chain of fused multiply-adds from +0;
/// the blocks are added to C in order.
/// </remarks>
internal static unsafe class Gemm
{
    private const int TileColumns = 2;
    private const int PanelWidth = TileColumns * Stripes.Count;
    private const int BlockWidth = 512;

    /// <summary>Floats of scratch that a multiplication needs.</summary>
    public const int ScratchLength =
        (SumBlocks.Terms * BlockWidth) + (SumBlocks.Terms * ProductTile.TallRows) + (ProductTile.TallRows * Stripes.Count);

    /// <summary>Multiplies.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="a">A.</param>
    /// <param name="b">B.</param>
    /// <param name="c">C: rows at any step, columns side by side (column step 1).</param>
    /// <param name="accumulate">Add to C instead of overwriting it.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats, 64-byte aligned.</param>
    public static void Multiply(int m, int n, int k, Matrix a, Matrix b, Matrix c, bool accumulate, float* scratch)
    {
        if (Vector512.IsHardwareAccelerated)
            Multiply<Vector512<float>, Ops512>(m, n, k, a, b, c, accumulate, scratch);
        else if (Vector256.IsHardwareAccelerated)
            Multiply<Vector256<float>, Ops256>(m, n, k, a, b, c, accumulate, scratch);
        else
            Multiply<Vector128<float>, Ops128>(m, n, k, a, b, c, accumulate, scratch);
    }

    /// <summary>The same at one vector width.</summary>
    internal static void Multiply<TVector, TOps>(int m, int n, int k, Matrix a, Matrix b, Matrix c, bool accumulate, float* scratch)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        float* packedB = scratch, packedA = packedB + (SumBlocks.Terms * BlockWidth), edge = packedA + (SumBlocks.Terms * ProductTile.TallRows);
        Tap whole = default;
        var p = new ProductOperands
        {
            ARow = 1,
            AStep = ProductTile.TallRows,
            BColumn = Stripes.Count,
            BStep = PanelWidth,
            CColumn = Stripes.Count,
            Taps = &whole,
            TapCount = 1,
            A = packedA,
        };
        for (int column = 0; column < n; column += BlockWidth)
        {
            int columns = Math.Min(BlockWidth, n - column);
            for (int term = 0; term == 0 || term < k; term += SumBlocks.Terms)
            {
                p.Depth = Math.Min(SumBlocks.Terms, k - term);
                p.Accumulate = accumulate || term > 0;
                PackB<TVector, TOps>(b, term, p.Depth, column, columns, packedB);
                for (int row = 0; row < m; row += ProductTile.TallRows)
                {
                    int rows = Math.Min(ProductTile.TallRows, m - row);
                    PackA(a, row, rows, term, p.Depth, packedA);
                    for (int panel = 0; panel < columns; panel += PanelWidth)
                    {
                        p.B = packedB + ((nint)panel * p.Depth);
                        p.C = c.Pointer + (row * c.RowStep) + column + panel;
                        p.CRow = c.RowStep;
                        Tile<TVector, TOps>(rows, Math.Min(PanelWidth, columns - panel), p, edge);
                    }
                }
            }
        }
    }

    /// <summary>The specification, element by element.</summary>
    internal static void Reference(int m, int n, int k, Matrix a, Matrix b, Matrix c, bool accumulate)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                float* element = c.Pointer + (i * c.RowStep) + (j * c.ColumnStep);
                for (int term = 0; term == 0 || term < k; term += SumBlocks.Terms)
                {
                    float sum = 0;
                    for (int t = term; t < Math.Min(term + SumBlocks.Terms, k); t++)
                    {
                        sum = MathF.FusedMultiplyAdd(
                            a.Pointer[(i * a.RowStep) + (t * a.ColumnStep)], b.Pointer[(t * b.RowStep) + (j * b.ColumnStep)], sum);
                    }

                    *element = accumulate || term > 0 ? *element + sum : sum;
                }
            }
        }
    }

    private static void Tile<TVector, TOps>(int rows, int width, ProductOperands p, float* edge)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        int columns = width / Stripes.Count, rest = width % Stripes.Count;
        if (columns > 0)
        {
            ProductTile.Prefetch(rows, columns, in p);
            ProductTile<TVector, TOps>.Run(rows, columns, in p);
        }

        if (rest == 0)
            return;

        // The last few columns of C: the tile works on a copy 16 wide.
        float* c = p.C + (columns * Stripes.Count);
        nint cRow = p.CRow;
        p.B += columns * Stripes.Count;
        p.C = edge;
        p.CRow = Stripes.Count;
        if (p.Accumulate)
            CopyRows(c, cRow, edge, Stripes.Count, rows, rest);
        ProductTile<TVector, TOps>.Run(rows, 1, in p);
        CopyRows(edge, Stripes.Count, c, cRow, rows, rest);
    }

    private static void CopyRows(float* from, nint fromRow, float* to, nint toRow, int rows, int width)
    {
        for (int r = 0; r < rows; r++)
            new Span<float>(from + (r * fromRow), width).CopyTo(new Span<float>(to + (r * toRow), width));
    }

    /// <summary>A block of B as panels <c>[k][32]</c>, the last one filled up with zeros.</summary>
    private static void PackB<TVector, TOps>(Matrix b, int term, int depth, int column, int columns, float* to)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>
    {
        for (int panel = 0; panel < columns; panel += PanelWidth, to += (nint)PanelWidth * depth)
        {
            float* from = b.Pointer + (term * b.RowStep) + ((column + panel) * b.ColumnStep);
            int width = Math.Min(PanelWidth, columns - panel), t = 0;
            if (width == PanelWidth && b.ColumnStep == 1)
            {
                for (; t < depth; t++)
                {
                    for (int j = 0; j < PanelWidth; j += TOps.Count)
                        TOps.Store(TOps.Load(from + (t * b.RowStep) + j), to + ((nint)t * PanelWidth) + j);
                }
            }
            else if (width == PanelWidth && b.RowStep == 1)
            {
                for (; t + 4 <= depth; t += 4)
                {
                    for (int j = 0; j < PanelWidth; j += 4)
                        Transpose4.Turn(from + t + (j * b.ColumnStep), b.ColumnStep, to + ((nint)t * PanelWidth) + j, PanelWidth);
                }
            }

            for (; t < depth; t++)
            {
                for (int j = 0; j < PanelWidth; j++)
                    to[((nint)t * PanelWidth) + j] = j < width ? from[(t * b.RowStep) + (j * b.ColumnStep)] : 0;
            }
        }
    }

    /// <summary>Up to 12 rows of A as <c>[k][12]</c>; rows that are not there are left as they are, nothing reads them.</summary>
    private static void PackA(Matrix a, int row, int rows, int term, int depth, float* to)
    {
        const int height = ProductTile.TallRows;
        float* from = a.Pointer + (row * a.RowStep) + (term * a.ColumnStep);
        int t = 0;
        if (rows == height && a.ColumnStep == 1)
        {
            for (; t + 4 <= depth; t += 4)
            {
                for (int r = 0; r < height; r += 4)
                    Transpose4.Turn(from + (r * a.RowStep) + t, a.RowStep, to + ((nint)t * height) + r, height);
            }
        }

        for (; t < depth; t++)
        {
            for (int r = 0; r < rows; r++)
                to[((nint)t * height) + r] = from[(r * a.RowStep) + (t * a.ColumnStep)];
        }
    }
}
