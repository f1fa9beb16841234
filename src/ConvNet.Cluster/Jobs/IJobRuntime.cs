using ConvNet.Core.Training;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job made ready to compute on this node: its data loaded, its network planned. Used by many threads at once.</summary>
public interface IJobRuntime : IJobDefinition
{
    /// <summary>A new lane, with an arena of its own. Called on the lane's thread; the caller disposes it.</summary>
    IMicroBatchLane CreateLane();
}
