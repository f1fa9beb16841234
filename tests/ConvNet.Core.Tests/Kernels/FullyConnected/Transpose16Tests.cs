using ConvNet.Core.Kernels.FullyConnected;
using ConvNet.Core.Memory;
using ConvNet.Core.Simd;

namespace ConvNet.Core.Tests.Kernels.FullyConnected;

public sealed unsafe class Transpose16Tests
{
    [Fact]
    public void Every_number_changes_place_and_the_rest_of_a_row_is_zero()
    {
        for (int features = 1; features <= 40; features++)
        {
            foreach (int width in (int[])[features, features + 1, 48])
            {
                using AlignedBuffer source = Numbers.Uniform(features * Stripes.Count, seed: 1), turned = Numbers.Unwritten(width * Stripes.Count);
                var expected = new float[turned.Length];
                for (int f = 0; f < features; f++)
                {
                    for (int lane = 0; lane < Stripes.Count; lane++)
                        expected[(lane * width) + f] = source.Span[(f * Stripes.Count) + lane];
                }

                Transpose16.Rows(source.Pointer, features, turned.Pointer, width);

                Numbers.AssertSameBits(expected, turned.Span, $"{features} features, {width} wide");
            }
        }
    }
}
