namespace ConvNet.Core.Kernels.Products;

/// <summary>Where a tap's operands start, in floats from <see cref="ProductOperands.A"/> and <see cref="ProductOperands.B"/>.</summary>
/// <param name="A">Offset of the scalars.</param>
/// <param name="B">Offset of the columns.</param>
internal readonly record struct Tap(int A, int B);

/// <summary>
/// One tile of a product: for each row r and each column j of 16 lanes,
/// <c>C[r, j] (+)= Σ over taps t, then i = 0…Depth−1, of A[t, i, r] × B[t, i, j]</c>, A a scalar, B and C 16 lanes.
/// </summary>
/// <remarks>
/// <para>
/// Matrix product, fully connected layer and convolution are all this one sum; they differ in what the lanes are (samples, or channels) and in
/// the steps below. A convolution has a tap for each place of its window that lies within the image, a matrix product has one tap.
/// </para>
/// <para>
/// <b>Canonical order.</b> Each lane of each element is one chain of fused multiply-adds that starts at +0 and runs over the taps in the order
/// given and within a tap over i ascending; then what C held is added if <see cref="Accumulate"/>, then the bias. Tiling, vector width and the
/// number of rows and columns done together do not enter.
/// </para>
/// </remarks>
internal unsafe struct ProductOperands
{
    /// <summary>The scalars, and the steps to the next row and the next i.</summary>
    public float* A;

    /// <summary>Floats from one row's scalar to the next row's.</summary>
    public nint ARow;

    /// <summary>Floats from i to i + 1 in A.</summary>
    public nint AStep;

    /// <summary>The columns, 16 lanes each.</summary>
    public float* B;

    /// <summary>Floats from one column to the next in B.</summary>
    public nint BColumn;

    /// <summary>Floats from i to i + 1 in B.</summary>
    public nint BStep;

    /// <summary>The result.</summary>
    public float* C;

    /// <summary>Floats from one row to the next in C.</summary>
    public nint CRow;

    /// <summary>Floats from one column to the next in C.</summary>
    public nint CColumn;

    /// <summary>Terms of each tap.</summary>
    public int Depth;

    /// <summary>The taps, in canonical order.</summary>
    public Tap* Taps;

    /// <summary>Taps in the list; 0 gives a sum of +0.</summary>
    public int TapCount;

    /// <summary>Add what C holds (an earlier block of the same sum) instead of overwriting it.</summary>
    public bool Accumulate;

    /// <summary>One number a row, added last; null for none.</summary>
    public float* Bias;

    /// <summary>Instead of <see cref="Bias"/> a number for each lane of each column, added last; null for none.</summary>
    public float* LaneBias;

    /// <summary>Negative results become +0, after the bias.</summary>
    public bool Rectify;

    /// <summary>Memory to ask for while a tile of 6 rows or more and up to two columns is computed, a line a term: what a later tile reads. Null for none. Never decides a result.</summary>
    public float* Ahead;

    /// <summary>Floats from the place asked for at one term to the next one's.</summary>
    public nint AheadStep;

    /// <summary>Write C around the caches: it is large and not read soon. Each row and column is aligned to 64 bytes then; <see cref="Simd.IVectorOps{TVector}.StoreUncached"/>.</summary>
    public bool Uncached;
}
