using ConvNet.Cluster.Jobs;

namespace ConvNet.Cli.Reports;

/// <summary>Tells several observers of a job, one after the other.</summary>
internal sealed class JobObservers(params IReadOnlyList<IJobObserver> observers) : IJobObserver
{
    /// <inheritdoc/>
    public void On(JobEvent happened)
    {
        foreach (IJobObserver observer in observers)
            observer.On(happened);
    }
}
