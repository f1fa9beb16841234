using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using ConvNet.Cli.Rendering;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Nodes;
using ConvNet.Dashboard;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet health</c>: whether the node of this machine answers, for the health checks of containers.</summary>
/// <remarks>
/// It reads what the node reads, so a container's check needs no words of its own. A coordinator is asked over HTTP; any other node by a connection to its control plane,
/// which is closed again. So a worker that computes on all cores is healthy, and so is one that still looks for its coordinator: a restart would not help it.
/// </remarks>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create(TextWriter output)
    {
        var options = new NodeSettingOptions();
        Command command = options.AddTo(new Command("health", "Say whether the node of this machine answers; takes the node's settings, exit code 0 or 1"));
        command.SetAction(async (parsed, stop) =>
        {
            NodeSettings settings = options.Read(parsed);
            bool coordinates = settings.Node.Has(NodeRole.Coordinator);
            string where = coordinates ? $"{new HttpOptions { Url = settings.Http }.LocalUrl}health/live" : $"{ControlPlane(settings.Node)}";
            string? problem = await ProblemAsync(coordinates ? AskAsync(where, stop) : ConnectAsync(ControlPlane(settings.Node), stop), stop);
            await output.WriteLineAsync(problem is null ? $"healthy: {where} answers" : $"not healthy: {where}: {problem}");
            return problem is null ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>Where the control plane is reached from this machine.</summary>
    private static IPEndPoint ControlPlane(NodeOptions node)
    {
        if (node.Port == 0)
            throw new UsageException("--port is 0, any free one, so only the node knows it. Give node and check the same --port or CONVNET_PORT.");
        var bound = IPAddress.Parse(node.BindOrDefault);
        return new(bound.Equals(IPAddress.Any) ? IPAddress.Loopback : bound.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : bound, node.Port);
    }

    private static async Task<string?> ProblemAsync(Task<string?> question, CancellationToken stop)
    {
        try
        {
            return await question.WaitAsync(Patience, stop);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            return e.Message;
        }
        catch (TimeoutException)
        {
            return $"no answer within {Patience.TotalSeconds} s";
        }
    }

    private static async Task<string?> AskAsync(string url, CancellationToken stop)
    {
        // A container is often given a proxy for the world outside; the node is not there.
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Patience * 2 };
        using HttpResponseMessage answer = await http.GetAsync(url, stop);
        return answer.IsSuccessStatusCode ? null : $"status {(int)answer.StatusCode}";
    }

    private static async Task<string?> ConnectAsync(IPEndPoint controlPlane, CancellationToken stop)
    {
        using var socket = new Socket(controlPlane.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(controlPlane, stop);
        return null;
    }
}
