using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Transport;
using CsCheck;

namespace ConvNet.Cluster.Tests.Sums;

public sealed class StepLedgerTests
{
    [Fact]
    public void The_second_of_two_siblings_is_added_whichever_it_is()
    {
        var ledger = new StepLedger(2);

        var first = Assert.IsType<Verdict.Accepted>(ledger.Offer(TreeNode.Leaf(1)));
        var second = Assert.IsType<Verdict.Accepted>(ledger.Offer(TreeNode.Leaf(0)));

        Assert.Empty(first.Merges);
        Assert.Equal([new Merge(TreeNode.Leaf(0), TreeNode.Leaf(1), new TreeNode(1, 0))], second.Merges);
        Assert.True(ledger.IsComplete);
    }

    [Fact]
    public void A_second_copy_is_covered_and_changes_nothing()
    {
        var ledger = new StepLedger(4);
        ledger.Offer(new(1, 0));

        Assert.IsType<Verdict.Covered>(ledger.Offer(new(1, 0)));
        Assert.IsType<Verdict.Covered>(ledger.Offer(TreeNode.Leaf(1)));
        Assert.Equal([new TreeNode(1, 0)], ledger.Applied);
    }

    [Fact]
    public void A_coarser_node_takes_the_place_of_finer_ones()
    {
        var ledger = new StepLedger(4);
        ledger.Offer(TreeNode.Leaf(1));

        var verdict = Assert.IsType<Verdict.Accepted>(ledger.Offer(new(1, 0)));

        Assert.Equal([TreeNode.Leaf(1)], verdict.Dropped);
        Assert.Equal([new TreeNode(1, 0)], ledger.Applied);
    }

    [Fact]
    public void A_node_outside_of_the_tree_is_told_why()
    {
        var verdict = Assert.IsType<Verdict.Outside>(new StepLedger(3).Offer(TreeNode.Leaf(3)));

        Assert.Equal("node 0:3 is not in the tree over 3 micro-batches", verdict.Why);
    }

    [Fact]
    public void Whatever_comes_in_whatever_order_and_however_often_the_sum_has_the_same_bits()
    {
        Gen.Select(Gen.Int[1, 40], Gen.Int).Sample((v, seed) =>
        {
            var random = new Random(seed);
            float[][] parts = [.. Enumerable.Range(0, v).Select(_ => new[] { (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(-6, 7)), random.NextSingle() })];
            float[] expected = ToyRuntime.CanonicalSum(parts, 0, v);
            using var tree = new SumTree(v);

            while (!tree.IsComplete)
            {
                // Any node of the tree, under any of its names, over and over.
                int level = random.Next(0, TreeNode.Root(v).Level + 1);
                var node = new TreeNode(level, random.Next(0, ((v - 1) >> level) + 1));
                var (start, end) = node.Covers(v);
                var lease = TensorLease.Allocate(2);
                ToyRuntime.CanonicalSum(parts, start, end).CopyTo(lease.Span);
                tree.Offer(node, lease);
            }

            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), tree.Sum.ToArray().Select(BitConverter.SingleToInt32Bits));
            Assert.Equal(Enumerable.Range(0, v), tree.Applied.SelectMany(n => Enumerable.Range(n.Covers(v).Start, n.Covers(v).End - n.Covers(v).Start)).Order());
        });
    }
}
