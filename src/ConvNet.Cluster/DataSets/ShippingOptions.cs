namespace ConvNet.Cluster.DataSets;

/// <summary>How data sets are fetched from the coordinator.</summary>
internal sealed record ShippingOptions
{
    /// <summary>Pieces under way at a time: enough that the line does not idle while one is written, and few megabytes.</summary>
    public int Window { get; init; } = 4;

    /// <summary>When nothing has come for so long, what is under way is asked for again.</summary>
    public TimeSpan AskAgain { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>When nothing has come for so long, the source is held to be gone. Longer than it takes to make a broken connection anew.</summary>
    public TimeSpan GiveUp { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The clock for both.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
