using System.Net;
using ConvNet.Cluster.Management;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.OpenApi;

namespace ConvNet.Dashboard;

/// <summary>A web server with the job API and nothing else: no settings from files or the environment change where it listens or what it serves.</summary>
public sealed class JobApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private JobApiHost(WebApplication app, string url) => (_app, Url) = (app, url);

    /// <summary>Where it listens, with the port that it got.</summary>
    public string Url { get; }

    /// <summary>Starts it.</summary>
    /// <param name="options">Where, and for whom.</param>
    /// <param name="jobs">Who answers. Stays the caller's.</param>
    /// <param name="logs">Where it logs. Stays the caller's.</param>
    /// <param name="stop">Ends the start.</param>
    /// <exception cref="HttpOptionsException">The options do not make sense, or something else listens there.</exception>
    public static async Task<JobApiHost> StartAsync(HttpOptions options, IJobService jobs, ILoggerFactory logs, CancellationToken stop)
    {
        options.Validate();
        WebApplication app = Build(options, jobs, logs);
        try
        {
            app.MapJobApi(options);
            await app.StartAsync(stop);
            return new JobApiHost(app, app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        }
        catch (Exception failed)
        {
            await app.DisposeAsync();
            if (failed is IOException or System.Net.Sockets.SocketException)
                throw new HttpOptionsException($"--http {options.Url}: cannot be listened at ({failed.Message.TrimEnd('.')}). Choose another port, or stop what uses it.");
            throw;
        }
    }

    /// <summary>Stops it: streams are cut, requests under way get a few seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(HttpOptions options, IJobService jobs, ILoggerFactory logs)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            (IPAddress? address, int port, bool localhost, _) = options.Where();
            if (localhost && port != 0)
                kestrel.ListenLocalhost(port);
            else if (localhost)
                kestrel.Listen(IPAddress.Loopback, 0);      // one free port for both address families is not to be had
            else if (address != null)
                kestrel.Listen(address, port);
            else
                kestrel.ListenAnyIP(port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Limits.MaxConcurrentConnections = 1024;
        });
        IServiceCollection services = builder.Services;
        services.AddRouting();
        services.AddSingleton(logs);
        services.AddSingleton(jobs);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IHostLifetime, NoSignals>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(3));
        services.Configure<JsonOptions>(json => ManagementJson.Apply(json.SerializerOptions));
        services.AddOpenApi("v1", api => api.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "ConvNet.Cluster jobs", Version = "v1", Description = "Submit jobs to a cluster, watch them, fetch their models." };
            document.Servers?.Clear();
            (document.Components ??= new()).SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                ["token"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The coordinator's token; needed unless it listens to loopback alone." },
            };
            document.Security = [new() { [new OpenApiSecuritySchemeReference("token", document)] = [] }];
            return Task.CompletedTask;
        }));
        return builder.Build();
    }

    /// <summary>Leaves the signals to the process: the node decides when this stops.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
