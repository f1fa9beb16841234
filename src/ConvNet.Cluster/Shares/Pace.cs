namespace ConvNet.Cluster.Shares;

/// <summary>How fast a worker computes, as it has measured itself.</summary>
/// <param name="Lanes">Micro-batches that it computes side by side.</param>
/// <param name="MicroBatchesPerSecond">Of all lanes together, while they compute; above 0.</param>
public readonly record struct Pace(int Lanes, double MicroBatchesPerSecond)
{
    /// <summary>Seconds for a number of micro-batches. Lanes compute whole micro-batches: three take two lanes as long as four do.</summary>
    public double Seconds(int microBatches) => (microBatches + Lanes - 1) / Lanes * Lanes / MicroBatchesPerSecond;
}
