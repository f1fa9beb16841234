using ConvNet.Cluster.Shards;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job made ready to run on this node: its data loaded, its network planned. Used by many threads at once.</summary>
/// <remarks>A pure function of the job file and the data: every node of a job makes its own, and all are alike to the last bit.</remarks>
public interface IJobRuntime
{
    /// <summary>Epochs, steps and micro-batches.</summary>
    StepPlan Plan { get; }

    /// <summary>What a micro-batch gives to a step.</summary>
    ContributionLayout Layout { get; }

    /// <summary>Writes a range of version 0 of weights and statistics: so that each shard of a large model makes its own and no more.</summary>
    /// <param name="start">Where the range starts in the state, which has <see cref="ContributionLayout.StateLength"/> floats.</param>
    /// <param name="range">Overwritten.</param>
    void WriteInitialState(int start, Span<float> range);

    /// <summary>A new lane, with an arena of its own. Called on the lane's thread; the caller disposes it.</summary>
    IMicroBatchLane CreateLane();

    /// <summary>The optimizer, with the job's rates. Called once for each shard.</summary>
    ISliceUpdate CreateUpdate();
}

/// <summary>Makes a job ready on this node. May be slow; called away from the actors' threads, and once for each part of the job on the node.</summary>
public delegate IJobRuntime JobRuntimeFactory(JobSpec job);
