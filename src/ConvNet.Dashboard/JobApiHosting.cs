using ConvNet.Cluster.Management;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Dashboard;

/// <summary>Adds the job API to a node.</summary>
public static class JobApiHosting
{
    /// <summary>Runs the job API while the host runs, over the host's <see cref="IJobService"/>. <see cref="JobApiService"/> tells where.</summary>
    /// <exception cref="HttpOptionsException">The options do not make sense; thrown at once, before anything starts.</exception>
    public static IServiceCollection AddJobApi(this IServiceCollection services, HttpOptions options)
    {
        options.Validate();
        services.AddSingleton(provider => new JobApiService(options, provider.GetRequiredService<IJobService>(), provider.GetRequiredService<ILoggerFactory>()));
        return services.AddHostedService(provider => provider.GetRequiredService<JobApiService>());
    }
}

/// <summary>The job API as a part of a host: starts and stops with it.</summary>
public sealed class JobApiService : IHostedService
{
    private readonly HttpOptions _options;
    private readonly IJobService _jobs;
    private readonly ILoggerFactory _logs;
    private JobApiHost? _host;

    internal JobApiService(HttpOptions options, IJobService jobs, ILoggerFactory logs) => (_options, _jobs, _logs) = (options, jobs, logs);

    /// <summary>Where it listens; null while it does not.</summary>
    public string? Url => _host?.Url;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _host = await JobApiHost.StartAsync(_options, _jobs, _logs, cancellationToken);
        _logs.CreateLogger<JobApiHost>().LogInformation("Jobs are taken at {Url}{Token}", _host.Url, _options.Token == null ? "" : ", with a token");
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        JobApiHost? host = _host;
        _host = null;
        if (host != null)
            await host.DisposeAsync();
    }
}
