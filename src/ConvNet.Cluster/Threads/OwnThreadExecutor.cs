using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace ConvNet.Cluster.Threads;

/// <summary>Gives a dispatcher a thread of its own, which sleeps when there is nothing to do. Named in <c>cluster.conf</c>.</summary>
/// <remarks>
/// Akka's own threads (<c>fork-join-executor</c>) yield some thirty times before each sleep. With 35 messages a second, heartbeats and gossip, that was
/// 1000 context switches and 7 ms of processor time a second on a node that did nothing, taken from lanes.
/// </remarks>
/// <param name="config">The dispatcher's configuration.</param>
/// <param name="prerequisites">What it may use of its actor system.</param>
public sealed class OwnThreadExecutorConfigurator(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    /// <inheritdoc/>
    public override ExecutorService Produce(string id) => new OwnThreadExecutor(id, Prerequisites.EventStream);

    private sealed class OwnThreadExecutor : ExecutorService
    {
        private readonly EventStream _events;
        private readonly HelpedQueue<IRunnable> _queue;

        public OwnThreadExecutor(string id, EventStream events) : base(id)
        {
            (_events, _queue) = (events, new(RunOrReport));
            new Thread(Run) { Name = id, IsBackground = true }.Start();
        }

        public override void Execute(IRunnable run) => _queue.TryAdd(run, help: false);

        public override void Shutdown() => _queue.Close();

        private void Run()
        {
            BriefTurns.Ask();   // a node that computes on all cores still answers
            _queue.Run();
        }

        private void RunOrReport(IRunnable run)
        {
            try
            {
                run.Run();
            }
            catch (Exception e)
            {
                _events.Publish(new Error(e, Id, run.GetType(), "A mailbox or a task of an actor failed."));
            }
        }
    }
}
