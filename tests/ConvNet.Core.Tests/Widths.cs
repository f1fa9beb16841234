using System.Runtime.Intrinsics;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests;

/// <summary>The three vector widths. Those that this machine lacks the runtime puts together from narrower ones: slower, same bits.</summary>
internal static class Widths
{
    /// <summary>Floats of a vector.</summary>
    public static TheoryData<int> All => [16, 8, 4];

    /// <summary>Runs a kernel at a width of so many floats.</summary>
    public static void Run<TKernel, TArguments>(int width, in TArguments arguments)
        where TKernel : struct, IKernel<TArguments>
        where TArguments : struct
    {
        switch (width)
        {
            case 16: TKernel.Run<Vector512<float>, Ops512>(in arguments); break;
            case 8: TKernel.Run<Vector256<float>, Ops256>(in arguments); break;
            default: TKernel.Run<Vector128<float>, Ops128>(in arguments); break;
        }
    }
}
