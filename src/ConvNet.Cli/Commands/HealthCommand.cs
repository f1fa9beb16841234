using System.CommandLine;
using System.Net.Sockets;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Nodes;

namespace ConvNet.Cli.Commands;

/// <summary><c>convnet health</c>: whether the node of this machine answers, for the health checks of containers.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create(TextWriter output)
    {
        var command = new Command("health", "Say whether the node of this machine answers, with the settings of the node; exit code 0 or 1");
        command.SetAction(async (_, stop) =>
        {
            NodeSettings settings = NodeCommand.Read(_ => null, null);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(Patience);
            string? problem = await ProblemAsync(settings, patience.Token);
            await output.WriteLineAsync(problem ?? "healthy");
            return problem is null ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<string?> ProblemAsync(NodeSettings settings, CancellationToken stop)
    {
        try
        {
            if (settings.Node.Has(NodeRole.Coordinator))
            {
                var url = new UriBuilder(settings.Http.Replace("*", "127.0.0.1", StringComparison.Ordinal)) { Path = "/health/live" };
                if (url.Host is "0.0.0.0" or "[::]")
                    url.Host = "127.0.0.1";
                using var http = new HttpClient();
                using HttpResponseMessage answer = await http.GetAsync(url.Uri, stop);
                return answer.IsSuccessStatusCode ? null : $"{url.Uri} answers {(int)answer.StatusCode}";
            }

            using var socket = new TcpClient();
            await socket.ConnectAsync(settings.Node.Host, settings.Node.Port, stop);
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException)
        {
            return $"the node does not answer: {e.Message}";
        }
    }
}
