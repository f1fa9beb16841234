using ConvNet.Cluster.Jobs;

namespace ConvNet.Cli.Reports;

/// <summary>Means over a few steps each.</summary>
/// <param name="Version">Steps taken at the end of them.</param>
/// <param name="Loss">Their mean loss.</param>
internal readonly record struct StepLoss(long Version, double Loss);

/// <summary>Remembers the loss of a job step by step. However many steps there are, it keeps a few thousand means: when it is full, neighbours become one.</summary>
internal sealed class StepLosses : IJobObserver
{
    /// <summary>Means that are kept at most.</summary>
    internal const int Most = 2048;

    private readonly List<StepLoss> _means = [];
    private long _stepsOfMean = 1, _steps;
    private double _sum;

    /// <summary>What is remembered, in order. To be read when the job has ended.</summary>
    public IReadOnlyList<StepLoss> Means => _means;

    /// <inheritdoc/>
    public void On(JobEvent happened)
    {
        if (happened is not JobEvent.Stepped stepped)
            return;
        _sum += stepped.Loss;
        if (++_steps < _stepsOfMean)
            return;
        _means.Add(new(stepped.Step + 1, _sum / _steps));
        (_sum, _steps) = (0, 0);
        if (_means.Count < Most)
            return;
        for (int i = 0; i < Most / 2; i++)
            _means[i] = new(_means[(2 * i) + 1].Version, (_means[2 * i].Loss + _means[(2 * i) + 1].Loss) / 2);
        _means.RemoveRange(Most / 2, Most / 2);
        _stepsOfMean *= 2;
    }
}
