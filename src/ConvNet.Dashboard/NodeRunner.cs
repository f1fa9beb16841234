using Akka.Actor;
using Akka.Cluster;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ConvNet.Dashboard;

/// <summary>Runs a node until it is told to stop; joins anew whenever the cluster has dropped it.</summary>
/// <remarks>
/// A node that was frozen or cut off for long is removed by the others, and a member that was removed can never come back: its actor system ends. So
/// does one whose coordinator is gone. Here another actor system then takes its place, in the same process, and asks the same coordinators again.
/// </remarks>
public sealed class NodeRunner
{
    /// <summary>The longest that a node takes to leave; whatever runs it should wait for longer. Longer than all phases of the shutdown together: see cluster.conf.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(80);

    private static readonly TimeSpan RejoinPause = TimeSpan.FromSeconds(1);

    private readonly NodeOptions _node;
    private readonly HttpOptions _http;
    private readonly Action<ILoggingBuilder> _logging;
    private readonly Action<string> _say;

    /// <param name="node">What node.</param>
    /// <param name="http">Where a coordinator takes jobs.</param>
    /// <param name="logging">Where the node logs.</param>
    /// <param name="say">Takes lines for people: what the node is, and where.</param>
    /// <exception cref="HttpOptionsException">The options do not make sense.</exception>
    public NodeRunner(NodeOptions node, HttpOptions http, Action<ILoggingBuilder> logging, Action<string> say)
    {
        if (node.Has(NodeRole.Coordinator))
            http.Validate();
        (_node, _http, _logging, _say) = (node, http, logging, say);
    }

    /// <summary>Runs the node until <paramref name="stop"/>, then leaves the cluster in good order.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (await RunOnceAsync(stop).ConfigureAwait(false))
        {
            _say("removed from the cluster; joining again");
            try
            {
                await Task.Delay(RejoinPause, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <returns>Whether it was removed from the cluster, and not told to stop.</returns>
    private async Task<bool> RunOnceAsync(CancellationToken stop)
    {
        using var logs = LoggerFactory.Create(_logging);
        await using var services = await NodeServices.OpenAsync(_node, logs.CreateLogger<NodeServices>()).ConfigureAwait(false);
        var removed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = Build(services, () => removed.TrySetResult());
        await host.StartAsync(stop).ConfigureAwait(false);
        var system = host.Services.GetRequiredService<ActorSystem>();
        Introduce(host, system, services);

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stopping = stop.Register(() => stopped.TrySetResult()).ConfigureAwait(false);
        await Task.WhenAny(stopped.Task, removed.Task, system.WhenTerminated).ConfigureAwait(false);
        if (stop.IsCancellationRequested)
            _say("leaving: handing over what this node has in hand");
        await host.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await system.WhenTerminated.ConfigureAwait(false);
        return !stop.IsCancellationRequested;
    }

    private IHost Build(NodeServices node, Action removed)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        _logging(builder.Logging);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        node.AddTo(builder.Services, removed);
        if (_node.Has(NodeRole.Coordinator))
            builder.Services.AddJobApi(_http);
        return builder.Build();
    }

    private void Introduce(IHost host, ActorSystem system, NodeServices services)
    {
        var address = Akka.Cluster.Cluster.Get(system).SelfAddress;
        _say($"node      {_node.Name ?? $"{address.Host}:{address.Port}"}: {string.Join(", ", _node.Roles)}{(_node.Has(NodeRole.Worker) ? $" with {_node.Lanes} lane{(_node.Lanes == 1 ? "" : "s")}" : "")}");
        _say($"address   {address}");
        _say($"tensors   {services.TensorEndpoint}");
        if (host.Services.GetService<JobApiService>()?.Url is { } url)
            _say($"jobs      {url}");
    }

    /// <summary>Leaves the signals to whoever runs this.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
