using Akka.Actor;
using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Threads;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Workers;

namespace ConvNet.Cluster.Hosting;

/// <summary>What a node gives to the workers and servers that it hosts.</summary>
/// <param name="Runtimes">Makes jobs ready on this node.</param>
/// <param name="Transport">The node's data plane.</param>
/// <param name="Threads">The node's compute threads.</param>
/// <param name="Lanes">Lanes of each worker.</param>
/// <param name="Faults">What goes wrong; nothing, except in tests.</param>
/// <param name="Ledger">Is told what each step was made of; null except in tests.</param>
internal sealed record NodeParts(
    IJobRuntimes Runtimes, ITensorTransport Transport, DedicatedThreads Threads, int Lanes, IFaults Faults, IAppliedLedger? Ledger);

/// <summary>What it means when a part of a job fails on a node.</summary>
internal static class FailureTable
{
    /// <summary>The table.</summary>
    public static SupervisorStrategy Strategy { get; } = new OneForOneStrategy(maxNrOfRetries: -1, withinTimeMilliseconds: -1, Decide, loggingEnabled: false);

    /// <summary>One line for each kind of failure, with its reason.</summary>
    public static Directive Decide(Exception failure) => failure switch
    {
        // Others redo its micro-batches in the same step. A restart would come too late for that, and would likely fail the same way.
        LaneFailedException => Directive.Stop,

        // A worker or server that could not be made ready, or a server's engine: its floats are gone with its thread. The coordinator decides what that means for the job.
        PartFailedException => Directive.Stop,

        // A bug in an actor: let it end the run loudly.
        _ => Directive.Escalate,
    };
}

/// <summary>A worker or a server has failed.</summary>
public sealed class PartFailedException(string part, Exception inner) : Exception($"{part}: {inner.Message}", inner);

/// <summary>Engine or preparation → its own actor: it has failed. Never leaves the process.</summary>
internal sealed record EngineFailed(Exception Cause) : INoSerializationVerificationNeeded;
