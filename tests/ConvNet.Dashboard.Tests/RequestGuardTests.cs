using System.Net.Http.Headers;
using System.Text;
using ConvNet.Dashboard.Tests.Support;

namespace ConvNet.Dashboard.Tests;

public sealed class RequestGuardTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static readonly HttpOptions WithToken = new() { Url = "http://127.0.0.1:0", Token = Token };

    public static TheoryData<string> Guarded() => ["/api/jobs", "/api/jobs/j1", "/api/jobs/j1/events", "/api/jobs/j1/log", "/api/jobs/j1/model", "/api/nodes", "/openapi/v1.json", "/nowhere"];

    [Theory]
    [MemberData(nameof(Guarded))]
    public async Task Without_the_token_nothing_is_told(string path)
    {
        await using Server server = await Server.StartAsync(WithToken);
        server.Jobs.DoRun();

        Answer none = await server.GetAsync(path);
        Answer wrong = await server.GetAsync(path, r => r.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token[..^1] + "0"));
        Answer scheme = await server.GetAsync(path, r => r.Headers.Authorization = new AuthenticationHeaderValue("Basic", Token));

        foreach (Answer refused in new[] { none, wrong, scheme })
        {
            Assert.Equal(401, refused.Status);
            Assert.Contains("--token or CONVNET_TOKEN", refused.Detail, StringComparison.Ordinal);
            Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        }
    }

    [Fact]
    public async Task A_job_without_the_token_is_not_even_read()
    {
        await using Server server = await Server.StartAsync(WithToken);

        Assert.Equal(401, (await server.PostAsync("/api/jobs", "no json")).Status);
        Assert.Null(server.Jobs.Submitted);
    }

    [Fact]
    public async Task With_the_token_all_is_told()
    {
        await using Server server = await Server.StartAsync(WithToken);

        foreach (string path in new[] { "/api/jobs", "/api/nodes", "/openapi/v1.json" })
            Assert.Equal(200, (await server.GetAsync(path, r => r.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token))).Status);
    }

    [Fact]
    public async Task Health_is_told_to_everybody()
    {
        await using Server server = await Server.StartAsync(WithToken);

        Assert.Equal(200, (await server.GetAsync("/health/live", r => r.Headers.Host = "anything")).Status);
        Assert.Equal(200, (await server.GetAsync("/health/ready")).Status);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:8080")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example")]
    public async Task A_name_that_a_web_page_made_point_here_is_refused(string host)
    {
        await using Server server = await Server.StartAsync();

        Answer answer = await server.GetAsync("/api/jobs", r => r.Headers.Host = host);

        Assert.Equal(403, answer.Status);
        Assert.Contains($"not to '{host}'", answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:1234")]
    [InlineData("127.0.0.1:9")]
    [InlineData("[::1]:8080")]
    public async Task The_names_of_this_machine_are_heard(string host)
    {
        await using Server server = await Server.StartAsync();

        Assert.Equal(200, (await server.GetAsync("/api/jobs", r => r.Headers.Host = host)).Status);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    [InlineData(null)]
    public async Task What_a_form_on_a_web_page_can_send_is_refused(string? type)
    {
        await using Server server = await Server.StartAsync();
        server.Jobs.DoRun();

        foreach (string path in new[] { "/api/jobs", "/api/jobs/j1/cancel", "/api/jobs/j1/resume" })
        {
            var body = new ByteArrayContent(Encoding.UTF8.GetBytes("{}"));
            body.Headers.ContentType = type == null ? null : new MediaTypeHeaderValue(type);
            Answer answer = await server.SendAsync(HttpMethod.Post, path, body);

            Assert.Equal(415, answer.Status);
            Assert.Contains("Content-Type: application/json", answer.Detail, StringComparison.Ordinal);
        }

        Assert.Null(server.Jobs.Submitted);
        Assert.Equal("running", (await server.GetAsync("/api/jobs/j1")).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Other_origins_are_not_invited()
    {
        await using Server server = await Server.StartAsync();

        Answer preflight = await server.SendAsync(HttpMethod.Options, "/api/jobs", null, r =>
        {
            r.Headers.Add("Origin", "http://evil.example");
            r.Headers.Add("Access-Control-Request-Method", "POST");
        });

        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.InRange(preflight.Status, 400, 499);
    }
}
