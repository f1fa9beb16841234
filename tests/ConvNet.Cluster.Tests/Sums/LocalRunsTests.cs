using ConvNet.Cluster.Sums;
using CsCheck;

namespace ConvNet.Cluster.Tests.Sums;

public sealed class LocalRunsTests
{
    [Fact]
    public void Micro_batches_are_handed_out_in_ascending_order_and_once()
    {
        var runs = new LocalRuns(8);

        Assert.Equal(3, runs.Extend(2, 5));
        Assert.Equal(1, runs.Extend(3, 6));
        Assert.Equal(0, runs.Extend(2, 6));

        Assert.Equal([2, 3, 4, 5], TakeAll(runs));
    }

    [Fact]
    public void Siblings_of_a_run_are_added_here_and_its_roots_are_pushed()
    {
        var runs = new LocalRuns(8);
        runs.Extend(1, 4);

        Assert.Equal(new LocalStep.Push(TreeNode.Leaf(1)), runs.Finished(part: 0, TreeNode.Leaf(1)));
        Assert.Equal(new LocalStep.Hold(TreeNode.Leaf(3)), runs.Finished(part: 0, TreeNode.Leaf(3)));
        Assert.Equal(new LocalStep.Add(new(TreeNode.Leaf(2), TreeNode.Leaf(3), new(1, 1))), runs.Finished(part: 0, TreeNode.Leaf(2)));
        Assert.Equal(new LocalStep.Push(new(1, 1)), runs.Finished(part: 0, new(1, 1)));
    }

    [Fact]
    public void However_runs_grow_and_in_whatever_order_they_finish_what_is_pushed_covers_each_micro_batch_once()
    {
        Gen.Select(Gen.Int[1, 60], Gen.Int).Sample((v, seed) =>
        {
            var random = new Random(seed);
            var runs = new LocalRuns(v);
            var assigned = new SortedSet<int>();
            var finished = new List<TreeNode>();
            var pushed = new List<TreeNode>();
            for (int round = 0; round < 4; round++)
            {
                int start = random.Next(0, v + 1), end = random.Next(start, v + 1);
                runs.Extend(start, end);
                assigned.UnionWith(Enumerable.Range(start, end - start));
                finished.AddRange(TakeAll(runs).Select(TreeNode.Leaf));
                for (int i = random.Next(0, finished.Count + 1); i > 0; i--)
                    FinishOne();
            }

            while (finished.Count > 0)
                FinishOne();

            Assert.Equal(assigned, pushed.SelectMany(n => Enumerable.Range(n.Covers(v).Start, n.Covers(v).End - n.Covers(v).Start)).Order());

            void FinishOne()
            {
                int which = random.Next(finished.Count);
                var node = finished[which];
                finished.RemoveAt(which);
                var step = runs.Finished(part: 0, node);
                if (step is LocalStep.Push(var root))
                    pushed.Add(root);
                else if (step is LocalStep.Add(var merge))
                    finished.Add(merge.Parent);
            }
        });
    }

    private static List<int> TakeAll(LocalRuns runs)
    {
        var taken = new List<int>();
        while (runs.TryTake(out int microBatch))
            taken.Add(microBatch);
        return taken;
    }
}
