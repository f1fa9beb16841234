using ConvNet.Core.Tensors;
using ConvNet.Data.Images;
using CsCheck;
using Size = ConvNet.Core.Tensors.Size;

namespace ConvNet.Data.Tests.Images;

public sealed class AreaResizeTests
{
    [Fact]
    public void Every_new_pixel_is_the_mean_of_the_area_that_it_covers() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9], Gen.Int[1, 9], Gen.Int[1, 9]).Sample((height, width, newHeight, newWidth) =>
        {
            byte[] from = [.. Enumerable.Range(0, height * width).Select(i => (byte)(i * 37))], to = new byte[newHeight * newWidth];

            AreaResize.Plane(from, new Size(height, width), to, new Size(newHeight, newWidth));

            for (int y = 0; y < newHeight; y++)
            {
                for (int x = 0; x < newWidth; x++)
                    Assert.Equal(Mean(from, height, width, newHeight, newWidth, y, x), to[(y * newWidth) + x]);
            }
        }, iter: 300);

    /// <summary>Cut so finely that every new and every old pixel is a whole number of cells.</summary>
    private static byte Mean(byte[] from, int height, int width, int newHeight, int newWidth, int y, int x)
    {
        long sum = 0, cells = 0;
        for (int fy = y * height; fy < (y + 1) * height; fy++)
        {
            for (int fx = x * width; fx < (x + 1) * width; fx++)
            {
                sum += from[(fy / newHeight * width) + (fx / newWidth)];
                cells++;
            }
        }

        return (byte)((sum + (cells / 2)) / cells);
    }
}
