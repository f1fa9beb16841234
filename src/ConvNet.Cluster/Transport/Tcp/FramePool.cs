using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Frames to use again, so that sending allocates nothing.</summary>
internal sealed class FramePool(TcpCounters counters)
{
    private const int MaxSpare = 256;

    private readonly Lock _gate = new();
    private OutgoingFrame? _spare;   // a chain
    private int _spares;

    /// <summary>A frame with its content. The lease is given, even if this throws.</summary>
    public OutgoingFrame Take(TensorTarget target, ITensorHeader header, TensorLease values)
    {
        OutgoingFrame? frame;
        lock (_gate)
        {
            frame = _spare;
            if (frame is not null)
                (_spare, _spares, frame.Next) = (frame.Next, _spares - 1, null);
        }

        frame ??= new();
        try
        {
            frame.Fill(target, header, values);
            return frame;
        }
        catch
        {
            values.Dispose();
            throw;
        }
    }

    /// <summary>Takes back frames that have done their work, a chain. Their floats go back to who sent them.</summary>
    public void Recycle(OutgoingFrame? chain)
    {
        while (chain is { } frame)
        {
            chain = frame.Next;
            frame.Clear();
            lock (_gate)
            {
                if (_spares == MaxSpare)
                    continue;
                (frame.Next, _spare, _spares) = (_spare, frame, _spares + 1);
            }
        }
    }

    /// <summary>Takes back frames that will never arrive, a chain.</summary>
    public void Drop(OutgoingFrame? chain)
    {
        for (var frame = chain; frame is not null; frame = frame.Next)
            counters.FramesDropped.Add(1);
        Recycle(chain);
    }
}
