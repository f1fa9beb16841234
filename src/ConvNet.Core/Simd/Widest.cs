using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ConvNet.Core.Simd;

/// <summary>A kernel written once for all vector widths.</summary>
/// <typeparam name="TArguments">What it works on.</typeparam>
internal interface IKernel<TArguments>
    where TArguments : struct
{
    /// <summary>Runs the kernel at one width. Every width gives the same bits.</summary>
    static abstract void Run<TVector, TOps>(in TArguments arguments)
        where TVector : struct
        where TOps : struct, IVectorOps<TVector>;
}

/// <summary>Runs kernels at the widest vectors that this machine has.</summary>
/// <remarks>The tests are constants to the JIT: no branch is left. <c>DOTNET_EnableAVX512=0</c> and <c>DOTNET_EnableAVX2=0</c> narrow the choice.</remarks>
internal static class Widest
{
    /// <summary>Floats of the vectors in use: 16, 8 or 4.</summary>
    public static int Lanes => Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    public static void Run<TKernel, TArguments>(in TArguments arguments)
        where TKernel : struct, IKernel<TArguments>
        where TArguments : struct
    {
        if (Vector512.IsHardwareAccelerated)
            TKernel.Run<Vector512<float>, Ops512>(in arguments);
        else if (Vector256.IsHardwareAccelerated)
            TKernel.Run<Vector256<float>, Ops256>(in arguments);
        else
            TKernel.Run<Vector128<float>, Ops128>(in arguments);
    }

    /// <summary>What was stored around the caches is visible to whoever sees a later store.</summary>
    public static void Fence()
    {
        if (Sse.IsSupported)
            Sse.StoreFence();
        else
            Interlocked.MemoryBarrier();
    }
}
