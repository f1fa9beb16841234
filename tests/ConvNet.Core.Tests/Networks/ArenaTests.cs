using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Tests.Networks;

public sealed class ArenaTests
{
    [Fact]
    public void Buffers_that_are_alive_together_never_overlap()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            var buffers = new List<Arena.Buffer>();
            for (int i = 0; i < 30; i++)
            {
                var buffer = new Arena.Buffer(random.Next(1, 1000), random.Next(50));
                buffer.UseAt(buffer.Born + random.Next(20));
                buffers.Add(buffer);
            }

            int total = Arena.Place(buffers);

            foreach (Arena.Buffer a in buffers)
            {
                Assert.True(a.Offset >= 0 && a.Offset % 16 == 0 && a.Offset + a.Length <= total);
                Assert.All(buffers.Where(b => b != a && b.Meets(a)), b => Assert.True(a.Offset + a.Length <= b.Offset || b.Offset + b.Length <= a.Offset));
            }
        }
    }

    [Fact]
    public void Buffers_that_never_meet_share_their_place()
    {
        Arena.Buffer a = new(100, 0), b = new(100, 1);

        Assert.Equal(100, Arena.Place([a, b]));
    }

    [Fact]
    public void A_plan_takes_less_than_all_its_activations_and_gradients_side_by_side()
    {
        Network network = LeNet5.Modern(new Shape(1, 28, 28), 10);
        var plan = new ExecutionPlan(network, 16);

        int sideBySide = 16 * (network.Input.Elements + network.Nodes.Sum(n => 2 * n.Output.Elements));

        Assert.InRange(plan.ArenaLength, 1, sideBySide / 2);
    }
}
