using System.Diagnostics.CodeAnalysis;

namespace ConvNet.Cluster.Threads;

/// <summary>A queue from many threads to one.</summary>
internal sealed class WorkQueue<T>
{
    private readonly Lock _gate = new();
    private readonly Queue<T> _items = [];
    private readonly Parker _parker = new();
    private bool _closed;

    /// <summary>Adds an item.</summary>
    /// <returns>False where the queue has been closed: the item stays the caller's.</returns>
    public bool TryAdd(T item)
    {
        lock (_gate)
        {
            if (_closed)
                return false;
            _items.Enqueue(item);
        }

        _parker.Unpark();
        return true;
    }

    /// <summary>Waits for an item.</summary>
    /// <returns>False when the queue is closed and empty.</returns>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_items.TryDequeue(out item))
                    return true;
                if (_closed)
                    return false;
            }

            _parker.Park();
        }
    }

    /// <summary>Takes no more items. Those that wait are still handed out.</summary>
    public void Close()
    {
        lock (_gate)
            _closed = true;
        _parker.Unpark();
    }
}
