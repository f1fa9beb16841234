namespace ConvNet.Cluster.Coordinator;

/// <summary>Which epoch was the best, and whether it is time to stop looking for a better one. Pure: accuracies have the same bits whoever counts them.</summary>
internal static class BestEpoch
{
    /// <summary>The epoch with the best accuracy, the first of several that are equally good; null where none was evaluated.</summary>
    public static int? Of(IEnumerable<(int Epoch, double Accuracy)> epochs)
    {
        (int Epoch, double Accuracy)? best = null;
        foreach (var epoch in epochs.OrderBy(e => e.Epoch))
        {
            if (best is null || epoch.Accuracy > best.Value.Accuracy)
                best = epoch;
        }

        return best?.Epoch;
    }

    /// <summary>Whether as many epochs as patience allows have brought nothing better.</summary>
    /// <param name="epochs">All that were evaluated.</param>
    /// <param name="patience">Epochs, at least 1; 0 for patience without end.</param>
    public static bool IsOver(IReadOnlyCollection<(int Epoch, double Accuracy)> epochs, int patience) =>
        patience > 0 && Of(epochs) is { } best && epochs.Max(e => e.Epoch) - best >= patience;
}
