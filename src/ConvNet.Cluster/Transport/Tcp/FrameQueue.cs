namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>The frames of a session that have not been acknowledged, in their order: first those that are written, then those that are not. Not thread-safe.</summary>
/// <remarks>A frame leaves when it is acknowledged and written, or when all are taken. Until then its floats are held, for it may have to be written again.</remarks>
internal sealed class FrameQueue
{
    private OutgoingFrame? _oldest, _newest;
    private long _lastNumber, _acknowledged;

    /// <summary>The first frame that is not written whole.</summary>
    public OutgoingFrame? Next { get; private set; }

    /// <summary>Whether nothing waits, neither to be written nor to be acknowledged.</summary>
    public bool IsEmpty => _oldest is null;

    /// <summary>Frames that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a frame at the end and numbers it.</summary>
    public void Add(OutgoingFrame frame)
    {
        frame.Number(++_lastNumber);
        if (_newest is null)
            _oldest = frame;
        else
            _newest.Next = frame;
        _newest = frame;
        Next ??= frame;
        Count++;
    }

    /// <summary><see cref="Next"/> is written whole.</summary>
    /// <returns>Frames that may be cleared now: a chain.</returns>
    public OutgoingFrame? Written()
    {
        Next = Next!.Next;
        return Release();
    }

    /// <summary>The receiver says that it has all frames up to a number.</summary>
    /// <param name="number">What it says.</param>
    /// <param name="released">Frames that may be cleared now: a chain.</param>
    /// <returns>False where that cannot be, since no such frame was begun.</returns>
    /// <remarks>It may come to know of a frame's end before <see cref="Written"/> is called: that frame stays until then, because its writer still looks at it.</remarks>
    public bool TryAcknowledge(long number, out OutgoingFrame? released)
    {
        released = null;
        if (number < _acknowledged || number > (Next?.Sequence ?? _lastNumber))
            return false;
        _acknowledged = number;
        released = Release();
        return true;
    }

    /// <summary>A new connection: all that is not acknowledged is to be written again.</summary>
    public void Rewind() => Next = _oldest;

    /// <summary>Takes everything: a chain.</summary>
    public OutgoingFrame? TakeAll()
    {
        var all = _oldest;
        _oldest = _newest = Next = null;
        Count = 0;
        return all;
    }

    private OutgoingFrame? Release()
    {
        OutgoingFrame? first = null, last = null;
        while (_oldest is not null && _oldest != Next && _oldest.Sequence <= _acknowledged)
        {
            first ??= _oldest;
            last = _oldest;
            _oldest = _oldest.Next;
            Count--;
        }

        if (last is not null)
            last.Next = null;
        if (_oldest is null)
            _newest = null;
        return first;
    }
}
