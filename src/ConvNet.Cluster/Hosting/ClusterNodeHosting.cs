using System.Reflection;
using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Hosting;
using Akka.Hosting.Logging;
using Akka.Remote.Hosting;
using ConvNet.Cluster.Management;
using ConvNet.Cluster.Nodes;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ConvNet.Cluster.Hosting;

/// <summary>Puts a node of the cluster into a host: its actor system, its data plane, what its roles ask for.</summary>
internal static class ClusterNodeHosting
{
    /// <summary>Key of the job manager in the registry.</summary>
    private sealed class JobManagerKey;

    /// <summary>How long a node may take to hand over what it hosts; the phase in cluster.conf has a little more.</summary>
    private static readonly TimeSpan HandOverPatience = TimeSpan.FromSeconds(40);

    /// <summary>Adds a node.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">What node.</param>
    /// <param name="parts">What it gives to workers and servers.</param>
    /// <param name="manager">What its job manager works with; null without the role.</param>
    /// <param name="removed">Called when the cluster has no place for this node any more, and it should join anew.</param>
    public static IServiceCollection AddClusterNode(this IServiceCollection services, NodeOptions options, NodeParts parts, ManagerParts? manager, Action removed) =>
        services.AddAkka(NodeOptions.SystemName, (akka, provider) => akka
            .AddHocon(options.Akka.WithFallback(ClusterConfig.Default), HoconAddMode.Prepend)
            .ConfigureLoggers(logs =>
            {
                logs.LogLevel = Akka.Event.LogLevel.InfoLevel;
                logs.ClearLoggers();
                logs.AddLogger<AkkaLog>();
            })
            .AddSetup(new LoggerFactorySetup(provider.GetRequiredService<ILoggerFactory>()))
            .WithNetwork(options)
            .WithHandOver(options, parts, manager)
            .WithJobManager(manager)
            .AddStartup((system, _) =>
            {
                system.ActorOf(Props.Create(() => new ControlPlaneRefusals()), "refusals");
                if (options.Seeds.Count == 0)
                    Akka.Cluster.Cluster.Get(system).Join(((ExtendedActorSystem)system).Provider.DefaultAddress);   // founds a cluster
                if (!options.Has(NodeRole.Coordinator))
                    system.ActorOf(Props.Create(() => new CoordinatorWatch(options.Seeds, removed)), "coordinator-watch");
            }));

    /// <summary>How a node introduces itself.</summary>
    public static NodeProtocol.Introduction Introduce(NodeOptions options, string endpoint, Address address) => new(
        options.ProtocolVersion,
        options.Name ?? $"{address.Host}:{address.Port}",
        [.. options.Roles],
        options.Has(NodeRole.Worker) ? options.Lanes : 0,
        endpoint,
        typeof(ClusterNodeHosting).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "");

    private static AkkaConfigurationBuilder WithNetwork(this AkkaConfigurationBuilder akka, NodeOptions options) => akka
        .WithRemoting(new RemoteOptions { HostName = options.BindOrDefault, PublicHostName = options.Host, Port = options.Port })
        .WithClustering(new ClusterOptions
        {
            Roles = [.. options.Roles],
            SeedNodes = options.Seeds.Count > 0 ? [.. options.Seeds] : null,
        });

    /// <summary>Before the node leaves the cluster, others take over what it hosts.</summary>
    private static AkkaConfigurationBuilder WithHandOver(this AkkaConfigurationBuilder akka, NodeOptions options, NodeParts parts, ManagerParts? manager) =>
        akka.AddStartup((system, _) =>
        {
            var address = ((ExtendedActorSystem)system).Provider.DefaultAddress;
            var agent = system.ActorOf(NodeAgent.PropsFor(parts, Introduce(options, parts.Transport.Endpoint, address)), NodeProtocol.AgentName);
            CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "hand-over", async () =>
            {
                if (manager?.Door.Manager is { } jobs)
                    await jobs.Ask<JobManagerProtocol.Reply>(new JobManagerProtocol.PrepareToStop(), HandOverPatience).ConfigureAwait(false);
                await agent.Ask<NodeAgent.ReadyToLeave>(NodeAgent.PrepareToLeave.Instance, HandOverPatience).ConfigureAwait(false);
                return Akka.Done.Instance;
            });
        });

    private static AkkaConfigurationBuilder WithJobManager(this AkkaConfigurationBuilder akka, ManagerParts? manager) => manager is null
        ? akka
        : akka.WithSingleton<JobManagerKey>(
            "jobs", (_, _, _) => JobManager.PropsFor(manager), new ClusterSingletonOptions { Role = NodeRole.Coordinator }, createProxyToo: false);
}
