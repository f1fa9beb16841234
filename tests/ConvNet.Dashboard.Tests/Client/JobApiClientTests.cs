using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests.Client;

public sealed class JobApiClientTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task Every_call_gives_what_the_job_manager_says()
    {
        await using Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();
        var request = new SubmitRequest { Job = JsonSerializer.SerializeToElement("epochs: 3\n"), Priority = 2, Name = "mine" };

        JobRecord submitted = await client.SubmitAsync(request, default);
        JobRecord cancelled = await client.CancelAsync("j1", default);
        JobRecord resumed = await client.ResumeAsync("j1", default);

        Assert.Equal(new JobSubmission(new JobSpec(Epochs: 3), 2, "mine"), server.Jobs.Submitted);
        Assert.Equal((JobState.Queued, JobState.Cancelled, JobState.Queued), (submitted.State, cancelled.State, resumed.State));
        Assert.Equal([resumed], await client.ListAsync(default));
        Assert.Equal(resumed, await client.FindAsync("j1", default));
        Assert.Equal(["cancelled", "resumed"], (await client.LogAsync("j1", 1, default)).Select(line => line.Kind));
        Assert.Equal(["coordinator-1", "worker-1"], (await client.NodesAsync(default)).Select(node => node.Name));
    }

    [Fact]
    public async Task A_request_of_defaults_is_a_job_of_defaults()
    {
        await using Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();

        await client.SubmitAsync(new SubmitRequest(), default);

        Assert.Equal(new JobSubmission(new JobSpec()), server.Jobs.Submitted);
    }

    [Fact]
    public async Task The_token_is_brought_along()
    {
        await using Server server = await Server.StartAsync(new HttpOptions { Url = "http://127.0.0.1:0", Token = Token });
        using JobApiClient with = server.Client(Token), without = server.Client();

        Assert.Empty(await with.ListAsync(default));
        var refused = await Assert.ThrowsAsync<JobApiException>(() => without.ListAsync(default));
        Assert.Equal(401, refused.Status);
        Assert.Contains("CONVNET_TOKEN", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_come_with_the_words_of_the_job_manager()
    {
        await using Server server = await Server.StartAsync();
        using JobApiClient client = server.Client();
        server.Jobs.DoRun();

        var missing = await Assert.ThrowsAsync<JobApiException>(() => client.FindAsync("j9", default));
        var path = await Assert.ThrowsAsync<JobApiException>(() => client.FindAsync("../nodes", default));
        var conflict = await Assert.ThrowsAsync<JobApiException>(() => client.ResumeAsync("j1", default));
        var wrong = await Assert.ThrowsAsync<JobApiException>(() => client.SubmitAsync(new SubmitRequest { Job = JsonSerializer.SerializeToElement("epochs: 0\nlr: x\n") }, default));

        Assert.Equal((404, "there is no job 'j9'; the newest is j1. 'convnet jobs' lists them all."), (missing.Status, missing.Message));
        Assert.Equal(404, path.Status);
        Assert.Equal((409, "j1 is running; only failed and cancelled jobs can be resumed."), (conflict.Status, conflict.Message));
        Assert.Equal(["job:1: epochs: expected a whole number from 1 to 100000, got \"0\".", "job:2: lr: expected a number above 0, at most 1000, got \"x\"."], wrong.Problems);
        Assert.DoesNotContain(new[] { missing, path, conflict, wrong }, e => e.IsFault || e.IsPassing);
    }

    [Fact]
    public async Task Where_nobody_answers_it_says_what_to_do()
    {
        using JobApiClient client = new(JobApiAddress.Parse($"127.0.0.1:{FreePort()}"), null);

        var nobody = await Assert.ThrowsAsync<JobApiException>(() => client.ListAsync(default));

        Assert.Equal($"no coordinator answers at {client.Address.ToString().TrimEnd('/')}: is a node with --roles coordinator running? --to or CONVNET_TO names another address", nobody.Message);
        Assert.True(nobody.IsPassing);
    }

    [Fact]
    public async Task A_coordinator_that_says_nothing_is_given_up()
    {
        await using Server server = await Server.StartAsync();
        server.Jobs.Delay = new TaskCompletionSource().Task;
        using var client = new JobApiClient(JobApiAddress.Parse(server.Url), null) { Patience = TimeSpan.FromMilliseconds(200) };

        var silent = await Assert.ThrowsAsync<JobApiException>(() => client.ListAsync(default));

        Assert.Contains("has not answered", silent.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello", "answers, but not as a coordinator does (HTTP 200, text/html)")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers, but not as a coordinator does (HTTP 404, no content)")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "answers, but not as a coordinator does (HTTP 302, no content)")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}", "answers in words that this program does not know")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n[", "no coordinator answers at")]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: 1\r\n\r\n{", "refuses (HTTP 400), and its reason cannot be read")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "no coordinator answers behind")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "no coordinator answers at")]
    public async Task Whatever_else_answers_is_told_in_a_line(string answer, string expected)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task served = ServeAsync(listener, answer);
        using JobApiClient client = new(JobApiAddress.Parse(listener.LocalEndpoint.ToString()!), null);

        var refused = await Assert.ThrowsAsync<JobApiException>(() => client.ListAsync(default));

        await served;
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("http://c:8080", "http://c:8080/")]
    [InlineData("c:8080", "http://c:8080/")]
    [InlineData("127.0.0.1:8080/", "http://127.0.0.1:8080/")]
    [InlineData("https://c/jobs", "https://c/jobs/")]
    public void An_address_may_be_written_short(string text, string expected) => Assert.Equal(expected, JobApiAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("ftp://c")]
    [InlineData("http://c:port")]
    [InlineData("http://me:secret@c:8080")]
    [InlineData("a b")]
    public void What_is_no_address_is_told(string text) =>
        Assert.Equal($"'{text}' is no address of a coordinator; expected one such as http://127.0.0.1:8080.", Assert.Throws<JobApiException>(() => JobApiAddress.Parse(text)).Message);

    private static async Task ServeAsync(TcpListener listener, string answer)
    {
        using Socket socket = await listener.AcceptSocketAsync();
        await socket.ReceiveAsync(new byte[4096]);
        await socket.SendAsync(Encoding.ASCII.GetBytes(answer));
        socket.Shutdown(SocketShutdown.Send);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
