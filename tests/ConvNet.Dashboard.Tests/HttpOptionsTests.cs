using ConvNet.Dashboard.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConvNet.Dashboard.Tests;

public sealed class HttpOptionsTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://127.1.2.3:8080", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://LOCALHOST:8080", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://*:8080", false)]
    [InlineData("http://+:8080", false)]
    [InlineData("http://10.0.0.1:8080", false)]
    [InlineData("http://coordinator:8080", false)]
    [InlineData("http://localhost.evil.example:8080", false)]
    public void Whatever_other_machines_can_reach_wants_a_token(string url, bool loopback)
    {
        var without = new HttpOptions { Url = url };

        Assert.Equal(loopback, without.IsLoopback);
        (without with { Token = Token }).Validate();
        if (loopback)
        {
            without.Validate();
            return;
        }

        string message = Assert.Throws<HttpOptionsException>(without.Validate).Message;
        Assert.Contains(url, message, StringComparison.Ordinal);
        Assert.Contains("--token or CONVNET_TOKEN", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.1.2.3:8080", "http://127.1.2.3:8080/")]
    [InlineData("http://localhost:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://*:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://+:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://coordinator:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://[::]:8080", "http://[::1]:8080/")]
    [InlineData("http://10.0.0.1:8080", "http://10.0.0.1:8080/")]
    public void This_machine_reaches_it_wherever_it_listens(string url, string local) => Assert.Equal(local, $"{new HttpOptions { Url = url }.LocalUrl}");

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData("https://127.0.0.1:8080")]
    [InlineData("http://127.0.0.1:8080/base")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("http://unix:/tmp/socket")]
    [InlineData("ftp://127.0.0.1")]
    public void What_is_no_address_to_listen_at_is_told(string url) =>
        Assert.Equal($"--http {url}: expected a URL such as http://127.0.0.1:8080 or http://0.0.0.0:8080.", Assert.Throws<HttpOptionsException>(new HttpOptions { Url = url }.Validate).Message);

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("0123456789abcdef 0123456789abcdef")]
    [InlineData("0123456789abcdef0123456789abcdeü")]
    public void A_token_that_can_be_guessed_or_not_be_sent_is_refused(string token)
    {
        string message = Assert.Throws<HttpOptionsException>(new HttpOptions { Token = token }.Validate).Message;

        Assert.StartsWith("--token: expected at least 16 ASCII characters", message, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_token_nothing_starts_that_others_can_reach() =>
        await Assert.ThrowsAsync<HttpOptionsException>(() => Server.StartAsync(new HttpOptions { Url = "http://0.0.0.0:0" }));

    [Fact]
    public async Task A_port_that_is_taken_is_told()
    {
        await using Server server = await Server.StartAsync();

        var taken = await Assert.ThrowsAsync<HttpOptionsException>(() => JobApiHost.StartAsync(new HttpOptions { Url = server.Url }, new FakeJobs(), NullLoggerFactory.Instance, CancellationToken.None));

        Assert.StartsWith($"--http {server.Url}: cannot be listened at", taken.Message, StringComparison.Ordinal);
    }
}
