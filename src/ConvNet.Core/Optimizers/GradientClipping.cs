using System.Runtime.Intrinsics;
using ConvNet.Core.Numerics;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Optimizers;

/// <summary>Keeps gradients from being too large: by value, element by element, and by their Euclidean norm over all parameters.</summary>
/// <remarks>
/// The norm is √ of a sum of squares in which nothing depends on how the parameters are cut up. The squares of 16 elements, which are exact in double
/// precision, are added in a fixed tree; the blocks' sums go into an <see cref="ExactSum"/>, which has no order. Blocks begin at multiples of 16 among all
/// parameters, as shards do: no block lies in two of them.
/// Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks"; numbers as PyTorch has them.
/// </remarks>
public static unsafe class GradientClipping
{
    /// <summary>What PyTorch adds to the norm.</summary>
    private const double Epsilon = 1e-6;

    /// <summary>Makes a summed gradient the mean, with elements beyond ±<paramref name="limit"/> cut to it. NaN stays NaN.</summary>
    /// <param name="gradient">The sum on entry, the clipped mean on return.</param>
    /// <param name="scale">1 / samples of the step.</param>
    /// <param name="limit">Above 0.</param>
    public static void ByValue(Span<float> gradient, float scale, float limit)
    {
        fixed (float* g = gradient)
            Widest.Run<Kernel, Arguments>(new Arguments(g, gradient.Length, scale, limit));
    }

    /// <summary>What a mean gradient is multiplied with so that its norm is no greater than <paramref name="limit"/>; NaN where the norm is.</summary>
    public static double Factor(double norm, double limit) => norm <= limit ? 1 : Math.Min(1, limit / (norm + Epsilon));

    /// <summary>Adds the squares of a slice to a sum.</summary>
    /// <param name="values">The slice.</param>
    /// <param name="offset">Its place among all parameters.</param>
    /// <param name="sum">What they are added to.</param>
    public static void AddSquares(ReadOnlySpan<float> values, int offset, ref ExactSum sum)
    {
        float* part = stackalloc float[Stripes.Count];
        fixed (float* v = values)
        {
            for (int i = 0; i < values.Length;)
            {
                int place = (offset + i) % Stripes.Count, length = Math.Min(Stripes.Count - place, values.Length - i);
                float* block = v + i;
                if (length < Stripes.Count)
                {
                    // What belongs to the block and not to the slice is 0, which changes no sum.
                    new Span<float>(part, Stripes.Count).Clear();
                    new ReadOnlySpan<float>(v + i, length).CopyTo(new Span<float>(part + place, length));
                    block = part;
                }

                sum.Add(SquaresOf16(block));
                i += length;
            }
        }
    }

    private static double SquaresOf16(float* block)
    {
        (Vector256<double> a0, Vector256<double> a1) = Vector256.Widen(Vector256.Load(block));
        (Vector256<double> b0, Vector256<double> b1) = Vector256.Widen(Vector256.Load(block + 8));
        Vector256<double> four = ((a0 * a0) + (b0 * b0)) + ((a1 * a1) + (b1 * b1));
        Vector128<double> two = four.GetLower() + four.GetUpper();
        return two[0] + two[1];
    }

    internal readonly struct Arguments(float* gradient, int length, float scale, float limit)
    {
        public readonly float* Gradient = gradient;
        public readonly int Length = length;
        public readonly float Scale = scale, Limit = limit;
    }

    internal readonly struct Kernel : IKernel<Arguments>
    {
        public static void Run<TVector, TOps>(in Arguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            int i = 0;
            for (; i <= a.Length - TOps.Count; i += TOps.Count)
                Clip<TVector, TOps>(a.Gradient + i, a);
            int rest = a.Length - i;
            if (rest == 0)
                return;
            float* last = stackalloc float[Stripes.Count];
            new Span<float>(last, Stripes.Count).Clear();
            new ReadOnlySpan<float>(a.Gradient + i, rest).CopyTo(new Span<float>(last, rest));
            Clip<TVector, TOps>(last, a);
            new ReadOnlySpan<float>(last, rest).CopyTo(new Span<float>(a.Gradient + i, rest));
        }

        private static void Clip<TVector, TOps>(float* gradient, in Arguments a)
            where TVector : struct
            where TOps : struct, IVectorOps<TVector>
        {
            TVector g = TOps.Multiply(TOps.Load(gradient), TOps.Broadcast(a.Scale));
            g = TOps.Greater(TOps.Broadcast(-a.Limit), g);   // in this order, so that a NaN gets through
            TOps.Store(TOps.Less(TOps.Broadcast(a.Limit), g), gradient);
        }
    }
}
