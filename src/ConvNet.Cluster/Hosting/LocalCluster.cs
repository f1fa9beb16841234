using Akka.Actor;
using Akka.Configuration;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;

namespace ConvNet.Cluster.Hosting;

/// <summary>How many of each a job on one machine has. The result does not depend on it.</summary>
public sealed record LocalClusterOptions
{
    /// <summary>Worker actors, at least 1.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Lanes of each worker, at least 1. Default: the machine's processors, shared among the workers.</summary>
    public int? Lanes { get; init; }

    /// <summary>Parameter servers, at least 1.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>Parameters of a shard at most; larger models have more shards than servers.</summary>
    public int ShardParameters { get; init; } = ShardPlacement.MostParameters;

    /// <summary>Whether the job waits when no worker is left; otherwise it fails.</summary>
    public bool WaitsForWorkers { get; init; }

    /// <summary>A step that takes longer than this, and than four usual ones, is taken over from workers that are behind.</summary>
    public TimeSpan StragglerPatience { get; init; } = StragglerWatch.LeastPatience;

    /// <summary>Faults to make happen, in tests.</summary>
    public IFaults Faults { get; init; } = Fault.None;

    /// <summary>Is told what each step was made of, in tests.</summary>
    public IAppliedLedger? Ledger { get; init; }

    /// <summary>Settings of Akka that go before the defaults.</summary>
    public Config Akka { get; init; } = Config.Empty;

    /// <summary>The clock for throughput.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The lanes of each worker, worked out.</summary>
    public int LanesOrDefault => Lanes ?? Math.Max(1, Environment.ProcessorCount / Math.Max(1, Workers));
}

/// <summary>Runs a job with all its actors in this process. No network, no files.</summary>
public static class LocalCluster
{
    /// <summary>Runs a job to its end.</summary>
    /// <param name="spec">The job.</param>
    /// <param name="runtime">The job made ready; every actor uses it.</param>
    /// <param name="options">How many workers, lanes and servers.</param>
    /// <param name="observer">Is told how it goes.</param>
    /// <param name="stop">Stops the job cleanly: the result is that of the steps taken so far.</param>
    /// <exception cref="JobFailedException">The job failed; the message says where, why and what to do.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static async Task<JobResult> RunAsync(
        JobSpec spec, IJobRuntime runtime, LocalClusterOptions options, IJobObserver? observer = null, CancellationToken stop = default)
    {
        var run = Start(spec, runtime, options, observer);
        await using var stopping = stop.Register(run.Stop);
        return await run.Completion.ConfigureAwait(false);
    }

    /// <summary>Starts a job.</summary>
    public static LocalRun Start(JobSpec spec, IJobRuntime runtime, LocalClusterOptions options, IJobObserver? observer = null)
    {
        Check("--workers", options.Workers, 1024);
        Check("--lanes", options.LanesOrDefault, 1024);
        _ = new ShardPlan(runtime.Layout, options.Servers);   // says what is wrong with --servers
        return new LocalRun(spec, runtime, options, observer);
    }

    private static void Check(string option, int value, int most)
    {
        if (value < 1 || value > most)
            throw new ArgumentException($"{option} is {value}; it takes 1 to {most}.");
    }
}

/// <summary>A job that runs in this process.</summary>
public sealed class LocalRun
{
    private readonly ActorSystem _system;
    private readonly IActorRef _host;
    private readonly InProcessTransport _transport = new();

    internal LocalRun(JobSpec spec, IJobRuntime runtime, LocalClusterOptions options, IJobObserver? observer)
    {
        var node = new NodeParts(new GivenRuntime(runtime), _transport, Threads, options.LanesOrDefault, options.Faults, options.Ledger);
        _system = ActorSystem.Create("convnet", options.Akka.WithFallback(ClusterConfig.Default));
        var finished = new TaskCompletionSource<JobResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _host = _system.ActorOf(LocalJobHost.PropsFor(
            node, options, ShardPlacement.Of(runtime.Layout, options.Servers, options.ShardParameters).Length, (servers, workers) => new CoordinatorJob("local", spec, runtime, servers, workers, _transport, options.Clock, observer)
            {
                WaitsForWorkers = options.WaitsForWorkers,
                StragglerPatience = options.StragglerPatience,
            }, finished), "job");
        Completion = EndAsync(finished.Task);
    }

    /// <summary>The end of the job: everything has stopped, and all threads and buffers are given back.</summary>
    public Task<JobResult> Completion { get; }

    /// <summary>The threads that compute.</summary>
    public DedicatedThreads Threads { get; } = new();

    /// <summary>Brings the job to a clean end, keeping the steps taken. May be called at any time, any number of times.</summary>
    public void Stop() => _host.Tell(new JobCoordinator.StopJob());

    /// <summary>Adds a worker while the job runs.</summary>
    public void AddWorker() => _host.Tell(LocalJobHost.OneMoreWorker.Instance);

    private async Task<JobResult> EndAsync(Task<JobResult> finished)
    {
        try
        {
            return await finished.ConfigureAwait(false);
        }
        finally
        {
            await _system.Terminate().ConfigureAwait(false);
            await Threads.WhenAllEnded().ConfigureAwait(false);
            _transport.Dispose();
        }
    }
}
