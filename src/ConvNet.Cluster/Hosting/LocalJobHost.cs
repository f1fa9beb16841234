using Akka.Actor;
using ConvNet.Cluster.Coordinator;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Workers;

namespace ConvNet.Cluster.Hosting;

/// <summary>Parent of all actors of a job in one process: makes them, and says by <see cref="FailureTable"/> what a failure of one means.</summary>
internal sealed class LocalJobHost : ReceiveActor
{
    /// <summary>Makes one more worker.</summary>
    public sealed record OneMoreWorker : INoSerializationVerificationNeeded
    {
        public static readonly OneMoreWorker Instance = new();
    }

    private readonly NodeParts _node;
    private readonly TaskCompletionSource<JobResult> _finished;
    private Exception? _bug;

    public LocalJobHost(
        NodeParts node, LocalClusterOptions options, int shards, Func<IActorRef[], IActorRef[], CoordinatorJob> job, TaskCompletionSource<JobResult> finished)
    {
        (_node, _finished) = (node, finished);
        var servers = Enumerable.Range(0, shards).Select(i => Context.ActorOf(ParameterServer.PropsFor(node), $"shard-{i}")).ToArray();
        var workers = Enumerable.Range(0, options.Workers).Select(_ => MakeWorker()).ToArray();
        var coordinator = Context.ActorOf(JobCoordinator.PropsFor(job(servers, workers)), "coordinator");

        Receive<OneMoreWorker>(_ => coordinator.Tell(new JobCoordinator.AddWorker(MakeWorker())));
        Receive<JobCoordinator.StopJob>(coordinator.Forward);
        Receive<JobCoordinator.Finished>(m =>
        {
            if (m.Result is not null)
                finished.TrySetResult(m.Result);
            else
                finished.TrySetException(new JobFailedException(m.Failure!));
        });
    }

    public static Props PropsFor(
        NodeParts node, LocalClusterOptions options, int shards, Func<IActorRef[], IActorRef[], CoordinatorJob> job, TaskCompletionSource<JobResult> finished) =>
        Props.Create(() => new LocalJobHost(node, options, shards, job, finished));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(-1, -1, failure =>
    {
        var decision = FailureTable.Decide(failure);
        if (decision == Directive.Escalate)
            _bug = failure;
        return decision;
    }, loggingEnabled: false);

    protected override void PostStop() =>
        _finished.TrySetException(_bug ?? new JobFailedException("the job's actors were stopped from outside."));

    private IActorRef MakeWorker() => Context.ActorOf(Worker.PropsFor(_node));
}
