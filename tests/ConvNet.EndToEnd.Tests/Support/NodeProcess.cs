namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>A <c>convnet node</c> process.</summary>
public sealed class NodeProcess : IDisposable
{
    private readonly Convnet _process;

    private NodeProcess(Convnet process, string name, string address, string? jobs) => (_process, Name, Address, Jobs) = (process, name, address, jobs);

    public string Name { get; }

    /// <summary>Where it is in the cluster.</summary>
    public string Address { get; }

    /// <summary>Where it takes jobs, if it is a coordinator.</summary>
    public string? Jobs { get; }

    /// <summary>The machine that it runs on; null for this one.</summary>
    public Machine? Machine { get; private init; }

    public bool IsCoordinator => Jobs is not null;

    /// <summary>Starts a node and waits until it says where it is.</summary>
    /// <param name="folder">Where its data, work and audit are, in folders by its name.</param>
    /// <param name="name">Its name.</param>
    /// <param name="roles">Its roles, by comma.</param>
    /// <param name="machine">The machine that it runs on; null for this one, on loopback.</param>
    /// <param name="more">More options.</param>
    public static async Task<NodeProcess> StartAsync(string folder, string name, string roles, Machine? machine, params string[] more)
    {
        bool coordinates = roles.Contains("coordinator", StringComparison.Ordinal);
        string[] arguments =
        [
            "node", "--name", name, "--roles", roles, "--lanes", "1", "--http", $"http://{machine?.Address ?? "127.0.0.1"}:0",
            "--data-dir", Path.Combine(folder, coordinates ? "data" : $"data-{name}"), "--work-dir", Path.Combine(folder, "work"), "--audit", Path.Combine(folder, "audit", name), .. more,
        ];
        if (!more.Contains("--port"))
            arguments = [.. arguments, "--port", "0"];
        if (machine is not null)
            arguments = [.. arguments, "--host", machine.Address, "--token", ProcessCluster.Token];
        var process = Convnet.StartBehind(machine?.Enter ?? [], folder, new Dictionary<string, string>(), arguments);
        string address = await process.LineAsync("address ");
        string? jobs = coordinates ? await process.LineAsync("jobs ") : null;
        return new(process, name, address, jobs) { Machine = machine };
    }

    /// <summary>Sends a signal: KILL, STOP, CONT or TERM.</summary>
    public void Signal(string signal) => _process.Signal(signal);

    /// <summary>Waits for its end.</summary>
    public Task<Finished> EndAsync() => _process.EndAsync();

    public void Dispose() => _process.Dispose();
}
