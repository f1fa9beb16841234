using System.Diagnostics;

namespace ConvNet.Core.Networks;

/// <summary>How long each layer's passes took, pass by pass.</summary>
internal sealed class PassTimes(int layers)
{
    private readonly List<long>[] _forward = [.. Enumerable.Range(0, layers).Select(_ => new List<long>())];
    private readonly List<long>[] _backward = [.. Enumerable.Range(0, layers).Select(_ => new List<long>())];

    /// <summary>Adds a forward pass that began at a timestamp and ends now.</summary>
    public void AddForward(int layer, long start) => _forward[layer].Add(Stopwatch.GetTimestamp() - start);

    /// <summary>Adds a backward pass that began at a timestamp and ends now.</summary>
    public void AddBackward(int layer, long start) => _backward[layer].Add(Stopwatch.GetTimestamp() - start);

    /// <summary>Seconds of a layer's forward pass, the median; 0 where there was none.</summary>
    public double Forward(int layer) => Median(_forward[layer]);

    /// <summary>Seconds of a layer's backward pass, the median; 0 where there was none.</summary>
    public double Backward(int layer) => Median(_backward[layer]);

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        foreach (List<long> times in _forward.Concat(_backward))
            times.Clear();
    }

    private static double Median(List<long> ticks) => ticks.Count == 0 ? 0 : ticks.Order().ElementAt(ticks.Count / 2) / (double)Stopwatch.Frequency;
}
