using ConvNet.Cluster.Sums;
using CsCheck;

namespace ConvNet.Cluster.Tests.Sums;

public sealed class TreeNodeTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(5, 3)]
    [InlineData(64, 6)]
    [InlineData(65, 7)]
    public void The_root_is_the_lowest_node_over_all(int microBatches, int level)
    {
        Assert.Equal(new TreeNode(level, 0), TreeNode.Root(microBatches));
    }

    [Fact]
    public void Parents_siblings_and_ranges_of_a_node()
    {
        var node = new TreeNode(1, 2);

        Assert.Equal(new TreeNode(2, 1), node.Parent);
        Assert.Equal(new TreeNode(1, 3), node.Sibling);
        Assert.True(node.IsLeft);
        Assert.Equal((4, 6), node.Covers(9));
        Assert.Equal((4, 5), node.Covers(5));
        Assert.Equal(new TreeNode(2, 1), node.Promoted(5));
        Assert.Equal(node, node.Promoted(7));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 5)]
    [InlineData(0, -1)]
    [InlineData(4, 0)]
    [InlineData(99, 0)]
    public void What_is_not_in_the_tree_is_known(int level, int index)
    {
        Assert.False(new TreeNode(level, index).IsIn(5));
    }

    [Fact]
    public void A_run_is_covered_by_few_promoted_nodes_from_left_to_right()
    {
        Assert.Equal([new TreeNode(0, 1), new TreeNode(1, 1), new TreeNode(0, 4)], TreeNode.Cover(1, 5, 8));
        Assert.Equal([new TreeNode(3, 0)], TreeNode.Cover(0, 5, 5));
        Assert.Equal([new TreeNode(0, 3), new TreeNode(2, 1)], TreeNode.Cover(3, 5, 5));
        Assert.Empty(TreeNode.Cover(2, 2, 5));
    }

    [Fact]
    public void A_cover_holds_each_micro_batch_of_its_run_once()
    {
        Gen.Int[1, 200].SelectMany(v => Gen.Select(Gen.Const(v), Gen.Int[0, v], Gen.Int[0, v])).Sample((v, a, b) =>
        {
            (int start, int end) = (Math.Min(a, b), Math.Max(a, b));
            var nodes = TreeNode.Cover(start, end, v);

            int at = start;
            foreach (var node in nodes)
            {
                Assert.True(node.IsIn(v));
                Assert.Equal(node, node.Promoted(v));
                Assert.Equal(at, node.Covers(v).Start);
                at = node.Covers(v).End;
            }

            Assert.Equal(end, at);
            Assert.True(nodes.Count <= 2 * (TreeNode.Root(v).Level + 1));
        });
    }
}
