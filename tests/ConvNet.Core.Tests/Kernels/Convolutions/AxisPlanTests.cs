using ConvNet.Core.Kernels.Convolutions;
using ConvNet.Core.Tensors;
using CsCheck;

namespace ConvNet.Core.Tests.Kernels.Convolutions;

public sealed class AxisPlanTests
{
    private static readonly Gen<(Window Window, int Size)> Axes =
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[0, 7], Gen.Int[0, 7], Gen.Int[1, 4], Gen.Int[1, 20],
            (kernel, stride, before, after, dilation, size) => (new Window(kernel, stride, before, after, dilation), size));

    [Fact]
    public void Forward_runs_hold_every_output_place_once_with_the_taps_inside_the_image()
    {
        foreach ((Window window, int size) in Numbers.Cases(Axes, 2000))
        {
            var expected = Enumerable.Range(0, window.Slide(size)).Select(o => (o, Taps: Enumerable.Range(0, window.Kernel)
                .Select(k => new AxisTap(k, (o * window.Stride) + (k * window.Dilation) - window.Before))
                .Where(t => t.Source >= 0 && t.Source < size)));

            AssertPlaces(expected, AxisPlan.Forward(window, size), $"{window} over {size}");
        }
    }

    [Fact]
    public void Backward_runs_hold_every_input_place_once_with_the_output_places_that_look_at_it()
    {
        foreach ((Window window, int size) in Numbers.Cases(Axes, 2000))
        {
            var expected = Enumerable.Range(0, size).Select(place => (place, Taps:
                from k in Enumerable.Range(0, window.Kernel)
                from o in Enumerable.Range(0, window.Slide(size))
                where (o * window.Stride) + (k * window.Dilation) - window.Before == place
                select new AxisTap(k, o)));

            AssertPlaces(expected, AxisPlan.Backward(window, size), $"{window} over {size}");
        }
    }

    [Fact]
    public void The_interior_of_a_padded_axis_is_one_run()
    {
        AxisRun[] runs = AxisPlan.Forward(new Window(5, Before: 2, After: 2), 28);

        Assert.Equal([1, 1, 24, 1, 1], runs.Select(r => r.Count));
    }

    private static void AssertPlaces(IEnumerable<(int Place, IEnumerable<AxisTap> Taps)> expected, AxisRun[] runs, string what)
    {
        var found = new SortedDictionary<int, AxisTap[]>();
        foreach (AxisRun run in runs)
        {
            for (int i = 0; i < run.Count; i++)
                Assert.True(found.TryAdd(run.First + (i * run.Step), [.. run.Taps.Select(t => t with { Source = t.Source + (i * run.SourceStep) })]), what);
        }

        var places = expected.ToArray();
        Assert.True(places.Select(p => p.Place).SequenceEqual(found.Keys), what);
        foreach ((int place, IEnumerable<AxisTap> taps) in places)
            Assert.True(taps.SequenceEqual(found[place]), $"{what}, place {place}");
    }
}
