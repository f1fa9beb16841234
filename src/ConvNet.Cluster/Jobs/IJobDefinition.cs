using ConvNet.Cluster.Shards;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Jobs;

/// <summary>What a job is: all that its coordinator and its parameter servers need to know, and no pixels. Used by many threads at once.</summary>
/// <remarks>A pure function of the job file and the description of the data: every node of a job makes its own, and all are alike to the last bit.</remarks>
public interface IJobDefinition
{
    /// <summary>Epochs, steps and micro-batches.</summary>
    StepPlan Plan { get; }

    /// <summary>What a micro-batch gives to a step.</summary>
    ContributionLayout Layout { get; }

    /// <summary>Classes that are told apart; 0 where nobody knows.</summary>
    int Classes => 0;

    /// <summary>Writes a range of version 0 of weights and statistics: so that each shard of a large model makes its own and no more.</summary>
    /// <param name="start">Where the range starts in the state, which has <see cref="ContributionLayout.StateLength"/> floats.</param>
    /// <param name="range">Overwritten.</param>
    void WriteInitialState(int start, Span<float> range);

    /// <summary>The optimizer, with the job's rates. Called once for each shard.</summary>
    ISliceUpdate CreateUpdate();
}
