using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Sums;
using ConvNet.Cluster.Transport;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Workers;

/// <summary>What becomes of the sums that a worker's lanes finish: adds up what can be added here, and sends what is complete.</summary>
/// <remarks>Runs on the lanes' threads. The lock is the engine's; it is not held while floats are added or sent.</remarks>
internal sealed class Delivery(WorkerJob job, Lock gate)
{
    private bool _stopped;

    /// <summary>Nothing leaves any more.</summary>
    public void Stop() => Volatile.Write(ref _stopped, true);

    /// <summary>A part of the sum of a node is there. The lease is given.</summary>
    public void Deliver(Phase phase, int part, TreeNode node, TensorLease sum)
    {
        while (true)
        {
            LocalStep? step;
            TensorLease? other;
            lock (gate)
                (step, other) = phase.Finished(part, node, sum);

            switch (step)
            {
                case LocalStep.Add(var merge):
                    bool isLeft = node.Promoted(phase.Runs.MicroBatches) == merge.Left;
                    (var left, var right) = isLeft ? (sum, other!) : (other!, sum);
                    VectorAdd.Into(left.Span, right.Span);
                    right.Dispose();
                    (node, sum) = (merge.Parent, left);
                    continue;
                case LocalStep.Push(var root):
                    Push(phase, part, root, sum);
                    return;
                default:
                    return;
            }
        }
    }

    private void Push(Phase phase, int part, TreeNode root, TensorLease sum)
    {
        if (!phase.Trains)
        {
            Send(job.Targets[job.Shards.MetricsShard], new EvaluationHeader(phase.Version, root.Level, root.Index), sum);
            return;
        }

        int before;
        lock (gate)
            before = phase.CountPush(root);
        try
        {
            if (before <= 1)
                job.Faults.At(before == 0 ? FaultPoint.BeforePush : FaultPoint.DuringPush, job.Worker, phase.Version);
        }
        catch
        {
            sum.Dispose();
            throw;
        }

        Send(job.Targets[part], new ContributionHeader(phase.Version, root.Level, root.Index), sum);
        if (before == phase.Parts - 1)
            job.Faults.At(FaultPoint.AfterPush, job.Worker, phase.Version);
    }

    private void Send(TensorTarget target, ITensorHeader header, TensorLease sum)
    {
        if (Volatile.Read(ref _stopped))
            sum.Dispose();
        else
            job.Transport.Send(target, header, sum);
    }
}
