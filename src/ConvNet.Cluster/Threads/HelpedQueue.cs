namespace ConvNet.Cluster.Threads;

/// <summary>Does items one after the other, in their order: on a thread of its own, or on the thread of a helper that brings one.</summary>
/// <remarks>
/// Waking a thread takes 30 to 60 µs, and on a machine whose cores are all computing it may take until one of them is preempted: longer
/// than a small item takes. So who brings a small item while nothing is being done does it himself, and what others bring meanwhile.
/// The queue's thread does what is brought without help, and is the only one that ends.
/// </remarks>
/// <param name="work">Does an item. Handles its own exceptions.</param>
internal sealed class HelpedQueue<T>(Action<T> work)
{
    private readonly Lock _gate = new();
    private readonly Queue<T> _items = [];
    private readonly Parker _parker = new();
    private bool _working, _closed;

    /// <summary>Adds an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="help">Whether the caller's thread may do it, and others that come meanwhile, before this returns.</param>
    /// <returns>False where the queue has been closed: the item stays the caller's.</returns>
    public bool TryAdd(T item, bool help)
    {
        lock (_gate)
        {
            if (_closed)
                return false;
            _items.Enqueue(item);
            if (_working)
                return true;
            _working = help;
        }

        if (help)
            Work();
        else
            _parker.Unpark();
        return true;
    }

    /// <summary>The body of the queue's thread. Returns when the queue is closed and everything in it has been done.</summary>
    public void Run()
    {
        while (true)
        {
            bool mine;
            lock (_gate)
            {
                if (_closed && !_working && _items.Count == 0)
                    return;
                mine = !_working && _items.Count > 0;
                _working |= mine;
            }

            if (mine)
                Work();
            else
                _parker.Park();
        }
    }

    /// <summary>Takes no more items. Those that wait are still done.</summary>
    public void Close()
    {
        lock (_gate)
            _closed = true;
        _parker.Unpark();
    }

    private void Work()
    {
        while (true)
        {
            T? item;
            lock (_gate)
            {
                if (!_items.TryDequeue(out item))
                {
                    _working = false;
                    if (_closed)
                        _parker.Unpark();
                    return;
                }
            }

            work(item);
        }
    }
}
