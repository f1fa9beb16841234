using Akka.Actor;
using Akka.Cluster;
using ConvNet.Cluster.Nodes;

namespace ConvNet.Cluster.Tests.Nodes;

public sealed class CutOffRuleTests
{
    private static readonly UniqueAddress Coordinator = Node(1), Server = Node(2), Worker = Node(3), Late = Node(4);

    private readonly CutOffRule _rule = new();

    [Fact]
    public void The_coordinator_removes_whom_it_does_not_hear_for_long()
    {
        for (int look = 1; look < CutOffRule.Patience; look++)
            Assert.Empty(AtCoordinator(Heard(Server), Unheard(Worker)));

        Assert.Equal([Worker], AtCoordinator(Heard(Server), Unheard(Worker)));
    }

    [Fact]
    public void Who_is_heard_again_in_time_stays()
    {
        for (int look = 1; look < CutOffRule.Patience; look++)
            AtCoordinator(Unheard(Worker));
        AtCoordinator(Heard(Worker));

        Assert.Empty(AtCoordinator(Unheard(Worker)));
    }

    [Fact]
    public void Another_node_that_does_not_hear_the_coordinator_removes_itself_and_nobody_else()
    {
        for (int look = 1; look < CutOffRule.Patience; look++)
            Assert.Empty(AtWorker(Unheard(Coordinator), Unheard(Server)));

        Assert.Equal([Worker], AtWorker(Unheard(Coordinator), Unheard(Server)));
    }

    [Fact]
    public void Another_node_leaves_it_to_the_coordinator_to_remove_others()
    {
        for (int look = 0; look < 2 * CutOffRule.PatienceWithRumours; look++)
            Assert.Empty(AtWorker(Heard(Coordinator), Unheard(Server)));
    }

    /// <summary>A cable is mended, and whoever was behind it says that all the others are gone, while all say the same of it.</summary>
    [Fact]
    public void The_tales_of_one_that_was_cut_off_remove_nobody_that_is_heard()
    {
        for (int look = 0; look < 2 * CutOffRule.Patience; look++)
            Assert.Empty(AtCoordinator(Suspected(Server), Suspected(Worker)));
    }

    [Fact]
    public void Two_that_do_not_reach_each_other_for_long_lose_the_younger_one()
    {
        for (int look = 1; look < CutOffRule.PatienceWithRumours; look++)
            Assert.Empty(AtCoordinator(Heard(Server), Suspected(Worker), Suspected(Late)));

        Assert.Equal([Late], AtCoordinator(Heard(Server), Suspected(Worker), Suspected(Late)));
        Assert.Empty(AtCoordinator(Heard(Server), Suspected(Worker)));
    }

    [Fact]
    public void Where_this_node_does_not_listen_itself_others_are_believed_at_once()
    {
        for (int look = 1; look < CutOffRule.Patience; look++)
            Assert.Empty(AtCoordinator(new Sight(Worker, null, IsSuspected: true), new Sight(Server, null, IsSuspected: false)));

        Assert.Equal([Worker], AtCoordinator(new Sight(Worker, null, IsSuspected: true), new Sight(Server, null, IsSuspected: false)));
    }

    [Fact]
    public void A_cluster_without_a_coordinator_is_left_alone()
    {
        for (int look = 0; look < 2 * CutOffRule.PatienceWithRumours; look++)
            Assert.Empty(_rule.Look(Worker, null, [Unheard(Server)]));
    }

    private IEnumerable<UniqueAddress> AtCoordinator(params Sight[] others) => _rule.Look(Coordinator, Coordinator, others);

    private IEnumerable<UniqueAddress> AtWorker(params Sight[] others) => _rule.Look(Worker, Coordinator, others);

    private static UniqueAddress Node(int number) => new(new Address("akka.tcp", "convnet", "127.0.0.1", 4000 + number), number);

    private static Sight Heard(UniqueAddress node) => new(node, Hears: true, IsSuspected: false);

    private static Sight Suspected(UniqueAddress node) => new(node, Hears: true, IsSuspected: true);

    private static Sight Unheard(UniqueAddress node) => new(node, Hears: false, IsSuspected: true);
}
