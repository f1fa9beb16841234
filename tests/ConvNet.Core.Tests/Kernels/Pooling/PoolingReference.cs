using ConvNet.Core.Kernels.Pooling;
using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Kernels.Pooling;

/// <summary>Pooling, place by place in plain loops, in the documented order.</summary>
internal static unsafe class PoolingReference
{
    public static void MaxForward(in PoolingArguments p)
    {
        foreach ((int plane, int oh, int ow, int lane) in Outputs(p.Planes, p.OutputHeight, p.OutputWidth))
        {
            float most = 0;
            bool any = false;
            foreach ((int h, int w) in Inside(p, oh, ow))
            {
                float x = p.X[In(p, plane, h, w, lane)];
                if (!any || x > most)
                    (most, any) = (x, true);
            }

            p.Y[Out(p, plane, oh, ow, lane)] = most;
        }
    }

    public static void MaxBackward(in PoolingArguments p)
    {
        new Span<float>(p.Dx, p.Planes * p.Height * p.Width * Stripes.Count).Clear();
        foreach ((int plane, int oh, int ow, int lane) in Outputs(p.Planes, p.OutputHeight, p.OutputWidth))
        {
            foreach ((int h, int w) in Inside(p, oh, ow))
            {
                if (p.X[In(p, plane, h, w, lane)] == p.Y[Out(p, plane, oh, ow, lane)])
                {
                    p.Dx[In(p, plane, h, w, lane)] += p.Dy[Out(p, plane, oh, ow, lane)];
                    break;
                }
            }
        }
    }

    public static void AverageForward(in PoolingArguments p)
    {
        foreach ((int plane, int oh, int ow, int lane) in Outputs(p.Planes, p.OutputHeight, p.OutputWidth))
        {
            float sum = 0;
            foreach ((int h, int w) in Inside(p, oh, ow))
                sum += p.X[In(p, plane, h, w, lane)];
            p.Y[Out(p, plane, oh, ow, lane)] = sum * Share(p, oh, ow);
        }
    }

    public static void AverageBackward(in PoolingArguments p)
    {
        new Span<float>(p.Dx, p.Planes * p.Height * p.Width * Stripes.Count).Clear();
        foreach ((int plane, int oh, int ow, int lane) in Outputs(p.Planes, p.OutputHeight, p.OutputWidth))
        {
            float part = p.Dy[Out(p, plane, oh, ow, lane)] * Share(p, oh, ow);
            foreach ((int h, int w) in Inside(p, oh, ow))
                p.Dx[In(p, plane, h, w, lane)] += part;
        }
    }

    private static float Share(PoolingArguments p, int oh, int ow) =>
        1f / (p.CountPadding ? Padded(p.Rows, oh, p.Height) * Padded(p.Columns, ow, p.Width) : Math.Max(1, Inside(p, oh, ow).Count()));

    private static int Padded(Window window, int place, int size) =>
        Enumerable.Range(0, window.Kernel).Count(k => window.Source(place, k) < size + window.After);

    private static IEnumerable<(int Plane, int Row, int Column, int Lane)> Outputs(int planes, int height, int width) =>
        from plane in Enumerable.Range(0, planes)
        from row in Enumerable.Range(0, height)
        from column in Enumerable.Range(0, width)
        from lane in Enumerable.Range(0, Stripes.Count)
        select (plane, row, column, lane);

    private static IEnumerable<(int Row, int Column)> Inside(PoolingArguments p, int oh, int ow) =>
        from kh in Enumerable.Range(0, p.Rows.Kernel)
        from kw in Enumerable.Range(0, p.Columns.Kernel)
        let h = p.Rows.Source(oh, kh)
        let w = p.Columns.Source(ow, kw)
        where h >= 0 && h < p.Height && w >= 0 && w < p.Width
        select (h, w);

    private static nint In(in PoolingArguments p, int plane, int h, int w, int lane) =>
        (((((plane * p.Height) + h) * p.Width) + w) * Stripes.Count) + lane;

    private static nint Out(in PoolingArguments p, int plane, int oh, int ow, int lane) =>
        (((((plane * p.OutputHeight) + oh) * p.OutputWidth) + ow) * Stripes.Count) + lane;
}
