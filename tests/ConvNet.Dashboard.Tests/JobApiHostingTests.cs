using ConvNet.Cluster.Management;
using ConvNet.Dashboard.Client;
using ConvNet.Dashboard.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ConvNet.Dashboard.Tests;

public sealed class JobApiHostingTests
{
    [Fact]
    public async Task It_starts_and_stops_with_the_host_of_a_node()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton<IJobService>(new FakeJobs());
        builder.Services.AddJobApi(new HttpOptions { Url = "http://localhost:0" });
        using IHost host = builder.Build();

        await host.StartAsync();
        var api = host.Services.GetRequiredService<JobApiService>();
        using var client = new JobApiClient(JobApiAddress.Parse(api.Url!), null);
        Assert.Equal(2, (await client.NodesAsync(default)).Count);
        await host.StopAsync();

        Assert.Null(api.Url);
        Assert.True((await Assert.ThrowsAsync<JobApiException>(() => client.NodesAsync(default))).IsPassing);
    }

    [Fact]
    public void Wrong_options_are_told_before_anything_starts() =>
        Assert.Throws<HttpOptionsException>(() => new ServiceCollection().AddJobApi(new HttpOptions { Url = "http://0.0.0.0:8080" }));
}
