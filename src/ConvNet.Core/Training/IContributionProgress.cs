namespace ConvNet.Core.Training;

/// <summary>Is told by a lane, while it computes, how much of a contribution is final: so that it can be sent while the backward pass is still running.</summary>
/// <remarks>Parameters lie in the order of the layers, and gradients become final from the top of the network down: one number says it all.</remarks>
public interface IContributionProgress
{
    /// <summary>The pass will not read or write the floats from <paramref name="offset"/> to the end again: they are the listener's. Offsets only fall.</summary>
    /// <remarks>Called on the lane's thread, which computes nothing meanwhile. An exception ends the pass.</remarks>
    void FinalFrom(int offset);
}
