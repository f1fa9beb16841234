using ConvNet.Cluster.Shards;
using static ConvNet.Cluster.Protocol.ShardProtocol;

namespace ConvNet.Cluster.Tests.Shards;

public sealed class ProgressReportTests
{
    private static readonly MetricSums Sums = new(1, 2, 3, 4);

    [Fact]
    public void Long_steps_are_reported_one_by_one_and_short_ones_together()
    {
        var progress = new ProgressReport("j1");

        Assert.Equal(0, progress.Add(0, Sums, TimeSpan.Zero)!.First);
        Assert.Equal(1, progress.Add(1, Sums, TimeSpan.FromSeconds(1))!.First);
        Assert.Null(progress.Add(2, Sums, TimeSpan.FromSeconds(1.001)));
        Assert.Null(progress.Add(3, Sums, TimeSpan.FromSeconds(1.099)));
        var together = progress.Add(4, Sums, TimeSpan.FromSeconds(1.101))!;

        Assert.Equal(2, together.First);
        Assert.Equal(3, together.Metrics.Length);
    }

    [Fact]
    public void What_has_not_been_reported_is_flushed_once()
    {
        var progress = new ProgressReport("j1");
        progress.Add(0, Sums, TimeSpan.Zero);
        progress.Add(1, Sums, TimeSpan.Zero);

        Assert.Equal(1, progress.Flush()!.First);
        Assert.Null(progress.Flush());
    }
}
