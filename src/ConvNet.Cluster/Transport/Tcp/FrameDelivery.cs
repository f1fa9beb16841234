using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>A frame that was accepted and whose floats are still coming.</summary>
internal sealed record Arrival(ITensorReceiver Receiver, ITensorHeader Header, TensorLease Values);

/// <summary>Between the connections and the receivers of this node.</summary>
internal sealed class FrameDelivery(TargetTable targets, TcpContext context)
{
    /// <summary>Finds out where a frame's floats go. Null: nowhere.</summary>
    public Arrival? Accept(string job, string part, ITensorHeader? header, int floats)
    {
        var target = new TensorTarget(context.Endpoint, job, part);
        if (header is null || targets.Find(target) is not { } receiver)
            return null;
        try
        {
            var destination = TargetTable.Ask(receiver, header, floats);
            return destination.Refusal is null
                ? new(receiver, header, destination.Place ?? destination.Pool?.Rent() ?? TensorLease.Empty)
                : null;
        }
        catch (ObjectDisposedException)
        {
            return null;   // the receiver stopped this very moment, and took its pool or its place along
        }
        catch (Exception e)
        {
            Failed(target.ToString(), e);
            return null;
        }
    }

    /// <summary>Tells the receiver that a frame is complete.</summary>
    public void Arrived(Arrival arrival)
    {
        try
        {
            arrival.Receiver.Arrived(arrival.Header, arrival.Values);
        }
        catch (Exception e)
        {
            Failed(arrival.Header.ToString()!, e);
        }
    }

    // A receiver that throws is a bug, but not the connection's, on which others' frames come as well.
    private void Failed(string what, Exception e) => context.Report(TransportEventKind.ReceiverFailed, context.Endpoint, $"has a receiver that failed at {what}: {e}");
}
