using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Nodes;

namespace ConvNet.Cluster.Tests.Hosting;

public sealed class NodeSettingsTests
{
    [Fact]
    public void Nothing_given_is_a_whole_cluster_on_this_machine()
    {
        var node = Read().Node;

        Assert.Equal(NodeRole.All, node.Roles);
        Assert.Equal(("127.0.0.1", 4053), (node.Host, node.Port));
        Assert.Empty(node.Seeds);
    }

    [Fact]
    public void A_worker_alone_looks_for_a_coordinator_on_this_machine_and_takes_a_free_port()
    {
        var node = Read(options: new() { ["roles"] = "worker" }).Node;

        Assert.Equal(["akka.tcp://convnet@127.0.0.1:4053"], node.Seeds);
        Assert.Equal(0, node.Port);
    }

    [Fact]
    public void Options_go_before_the_environment_and_that_before_the_file()
    {
        var settings = Read(
            options: new() { ["port"] = "1" },
            variables: new() { ["CONVNET_PORT"] = "2", ["CONVNET_TENSOR_PORT"] = "22", ["CONVNET_LANES"] = "" },
            file: "convnet { port = 3, tensor-port = 33, lanes = 3, roles = [server, worker], http = \"http://h:3\" }");

        Assert.Equal((1, 22, 3), (settings.Node.Port, settings.Node.TensorPort, settings.Node.Lanes));
        Assert.Equal([NodeRole.Server, NodeRole.Worker], settings.Node.Roles);
        Assert.Equal("http://h:3", settings.Http);
    }

    [Fact]
    public void The_file_may_hold_settings_of_the_actor_system()
    {
        var node = Read(file: "akka.cluster.failure-detector.threshold = 7").Node;

        Assert.Equal(7, node.Akka.GetInt("akka.cluster.failure-detector.threshold"));
    }

    [Fact]
    public void Every_problem_is_told_with_the_place_it_came_from()
    {
        var problems = Assert.Throws<NodeSettingsException>(() => Read(
            options: new() { ["roles"] = "worker,boss" },
            variables: new() { ["CONVNET_PORT"] = "x", ["CONVNET_SEEDS"] = "10.0.0.1:4053" },
            file: "convnet { lanes = 0, data-dirs = /d }")).Problems;

        Assert.Equal(
            [
                "node.conf: convnet.data-dirs: there is no such setting; did you mean data-dir?",
                "--roles: there is no role \"boss\"; the roles are coordinator, server, worker.",
                "CONVNET_PORT: expected a whole number from 0 to 65535, got \"x\".",
                "CONVNET_SEEDS: expected addresses such as akka.tcp://convnet@10.0.0.1:4053, got \"10.0.0.1:4053\".",
                "node.conf: convnet.lanes: expected a whole number from 1 to 1024, got \"0\".",
            ],
            problems);
    }

    [Fact]
    public void An_address_that_nobody_can_reach_is_no_host() =>
        Assert.Contains("--bind 0.0.0.0", Assert.Throws<NodeSettingsException>(() => Read(options: new() { ["host"] = "0.0.0.0" })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_no_hocon_is_named() =>
        Assert.StartsWith("node.conf: this is not HOCON", Assert.Throws<NodeSettingsException>(() => Read(file: "convnet { port = ${nowhere} }")).Message, StringComparison.Ordinal);

    private static NodeSettings Read(Dictionary<string, string>? options = null, Dictionary<string, string>? variables = null, string file = "") =>
        NodeSettings.Read(name => options?.GetValueOrDefault(name), name => variables?.GetValueOrDefault(name), "node.conf", file);
}
