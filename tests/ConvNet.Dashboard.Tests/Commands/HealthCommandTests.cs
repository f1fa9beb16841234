using System.Net;
using System.Net.Sockets;
using ConvNet.Cli;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests.Commands;

/// <summary><c>convnet health</c>, as a container's health check runs it.</summary>
public sealed class HealthCommandTests
{
    [Fact]
    public async Task A_coordinator_that_answers_over_http_is_healthy_without_a_token()
    {
        await using Server server = await Server.StartAsync(new HttpOptions { Url = "http://127.0.0.1:0", Token = "0123456789abcdef" });

        Assert.Equal((0, $"healthy: {server.Url}/health/live answers"), await RunAsync("--http", server.Url));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("a-name-that-only-others-know")]
    public async Task A_worker_that_takes_connections_is_healthy_whatever_others_call_it(string host)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string address = $"{listener.LocalEndpoint}";

        Assert.Equal((0, $"healthy: {address} answers"), await RunAsync("--roles", "worker", "--host", host, "--port", address.Split(':')[1]));
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("worker")]
    public async Task A_node_that_is_not_there_is_not_healthy_and_one_line_says_where(string role)
    {
        int free = FreePort();

        (int exitCode, string said) = await RunAsync("--roles", role, "--http", $"http://0.0.0.0:{free}", "--port", $"{free}");

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"not healthy: {(role == "worker" ? "" : "http://")}127.0.0.1:{free}", said, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_that_answers_with_an_error_is_not_healthy()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answered = AnswerAsync(listener, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal((1, $"not healthy: http://{listener.LocalEndpoint}/health/live: status 500"), await RunAsync("--http", $"http://{listener.LocalEndpoint}"));
        await answered;
    }

    [Theory]
    [InlineData("--http http://127.0.0.1:0", "--http http://127.0.0.1:0: port 0 is any free one")]
    [InlineData("--http 8080", "--http 8080: expected a URL")]
    [InlineData("--roles worker", "--port is 0, any free one")]
    [InlineData("--roles boss", "--roles: there is no role \"boss\"")]
    public async Task Settings_that_leave_nothing_to_ask_are_told(string options, string expected)
    {
        (int exitCode, string said) = await RunAsync(options.Split(' '));

        Assert.Equal(2, exitCode);
        Assert.StartsWith($"error: {expected}", said, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task AnswerAsync(TcpListener listener, string answer)
    {
        using Socket socket = await listener.AcceptSocketAsync();
        await socket.ReceiveAsync(new byte[4096]);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
        socket.Shutdown(SocketShutdown.Both);
    }

    private static async Task<(int ExitCode, string Said)> RunAsync(params string[] options)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int exitCode = await CommandLine.RunAsync(["health", .. options], output, error);
        return (exitCode, $"{output}{error}".TrimEnd('\n'));
    }
}
