using System.Collections.Concurrent;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Sums;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Tests.Fakes;

/// <summary>Writes down what every step was made of, and says whether each micro-batch was applied exactly once.</summary>
public sealed class RecordingLedger : IAppliedLedger
{
    private readonly ConcurrentQueue<(int Shard, long Step, TreeNode[] Nodes)> _entries = new();

    public void Applied(string job, int shard, long step, int microBatches, IReadOnlyList<TreeNode> nodes) => _entries.Enqueue((shard, step, [.. nodes]));

    public void AssertExactlyOnce(StepPlan plan, int shards)
    {
        for (int shard = 0; shard < shards; shard++)
        {
            var steps = _entries.Where(e => e.Shard == shard).ToArray();
            Assert.Equal(Enumerable.Range(0, (int)plan.TotalSteps).Select(s => (long)s), steps.Select(s => s.Step));
            foreach (var (_, step, nodes) in steps)
            {
                int microBatches = plan.MicroBatchesOf(step);
                var counted = nodes.SelectMany(n => Enumerable.Range(n.Covers(microBatches).Start, n.Covers(microBatches).End - n.Covers(microBatches).Start));
                Assert.Equal(Enumerable.Range(0, microBatches), counted.Order());
            }
        }
    }
}
