using System.CommandLine;
using System.Globalization;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet nodes</c>: the nodes of a cluster.</summary>
internal static class NodesCommand
{
    public static Command Create(TextWriter output)
    {
        var coordinator = new CoordinatorOptions();
        Command command = coordinator.AddTo(new Command("nodes", "List the nodes of a cluster"));
        command.SetAction(async (parsed, stop) =>
        {
            using JobApiClient client = coordinator.Client(parsed);
            IReadOnlyList<NodeRecord> nodes = await client.NodesAsync(stop);
            if (parsed.GetValue(coordinator.Json))
                JobJson.Write(output, "nodes", "nodes", nodes);
            else
                TextTable.Write(output, ["NODE", "ROLES", "STATE", "LANES", "MICRO-BATCHES/S", "VERSION", "ADDRESS"], nodes.Select(Row));
            return ExitCode.Done;
        });
        return command;
    }

    private static string[] Row(NodeRecord node) =>
    [
        node.Name,
        string.Join(",", node.Roles),
        node.State,
        node.Lanes == 0 ? "" : node.Lanes.ToString(CultureInfo.InvariantCulture),
        node.MicroBatchesPerSecond?.ToString("F1", CultureInfo.InvariantCulture) ?? "",
        node.Version,
        node.Address,
    ];
}
