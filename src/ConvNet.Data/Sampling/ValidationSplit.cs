using ConvNet.Core.Randomness;

namespace ConvNet.Data.Sampling;

/// <summary>Holds a part of the training set out to be measured on in place of the test set, so that settings can be chosen without looking at that.</summary>
/// <remarks>
/// Which images is a function of (seed, number of images, share) alone: a random permutation by Fisher–Yates with Philox numbers, of which the last ones are held out, both parts then in their
/// old order. Pixels stay normalised with mean and deviation of the whole training set.
/// </remarks>
public static class ValidationSplit
{
    /// <summary>Images of both parts.</summary>
    /// <param name="training">Images of the training set.</param>
    /// <param name="test">Images of the test set.</param>
    /// <param name="share">The share of the training set that is held out, rounded to whole images, but at least one; 0 for none: then the test set is measured on.</param>
    /// <exception cref="DataException">No image would be left to learn from.</exception>
    public static (int Training, int Test) Counts(int training, int test, float share)
    {
        if (share == 0)
            return (training, test);
        int held = Math.Max(1, (int)Math.Round(training * (double)share, MidpointRounding.AwayFromZero));
        return held < training
            ? (training - held, held)
            : throw new DataException(FormattableString.Invariant($"validation: {share} of {training} training images leaves none to learn from. Choose a smaller share."));
    }

    /// <summary>Splits.</summary>
    /// <param name="data">The data.</param>
    /// <param name="share">As in <see cref="Counts"/>.</param>
    /// <param name="seed">The job's seed.</param>
    /// <exception cref="DataException">No image would be left to learn from.</exception>
    public static DataSplits Of(DataSplits data, float share, ulong seed)
    {
        if (share == 0)
            return data;
        int[] order = [.. Enumerable.Range(0, data.Training.Count)];
        var random = new Philox(seed, Purpose.ValidationSplit);
        for (int i = order.Length - 1; i > 0; i--)
        {
            int other = (int)random.Below((uint)i + 1, 0, (ulong)i);
            (order[i], order[other]) = (order[other], order[i]);
        }

        int training = Counts(order.Length, data.Test.Count, share).Training;
        return new DataSplits(data.Name, data.Training.Part([.. order[..training].Order()]), data.Training.Part([.. order[training..].Order()]), data.Normalisation) { Skipped = data.Skipped };
    }
}
