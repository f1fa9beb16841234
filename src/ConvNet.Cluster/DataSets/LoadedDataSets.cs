using ConvNet.Data;

namespace ConvNet.Cluster.DataSets;

/// <summary>The data sets in this node's memory, by content hash: each is loaded once, whoever asks for it how often.</summary>
/// <remarks>
/// Those who ask for one that is being loaded wait together; when the last of them gives up, so does the loading. Jobs hold what they use. Beyond that, the one that was
/// asked for last is held too, since the next attempt at a job, or the next job, is likely to want it.
/// </remarks>
/// <param name="holdLast">Whether the last one is held: not worth its memory on a node that does not train.</param>
internal sealed class LoadedDataSets(bool holdLast)
{
    private sealed class Loading
    {
        public CancellationTokenSource Stop { get; } = new();

        public int Waiting { get; set; }

        public Task<DataSplits> Task { get; set; } = null!;
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, WeakReference<DataSplits>> _loaded = [];
    private readonly Dictionary<string, Loading> _loading = [];
    private DataSplits? _last;

    /// <summary>A data set, loaded by <paramref name="load"/> unless it has been already. A loading that fails is forgotten: the next one tries again.</summary>
    public async Task<DataSplits> GetAsync(string hash, Func<CancellationToken, Task<DataSplits>> load, CancellationToken stop)
    {
        Loading? loading;
        lock (_gate)
        {
            if (_loaded.TryGetValue(hash, out var reference) && reference.TryGetTarget(out var data))
            {
                Hold(data);
                return data;
            }

            if (!_loading.TryGetValue(hash, out loading))
            {
                _last = null;       // rather than two in memory for nobody
                loading = new Loading();
                _loading.Add(hash, loading);
                loading.Task = Task.Run(() => LoadAsync(hash, load, loading), CancellationToken.None);
            }

            loading.Waiting++;
        }

        try
        {
            return await loading.Task.WaitAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                if (--loading.Waiting == 0 && !loading.Task.IsCompleted)
                {
                    Forget(hash, loading);
                    loading.Stop.Cancel();
                }
            }
        }
    }

    private async Task<DataSplits> LoadAsync(string hash, Func<CancellationToken, Task<DataSplits>> load, Loading loading)
    {
        try
        {
            var data = await load(loading.Stop.Token).ConfigureAwait(false);
            lock (_gate)
            {
                foreach (string gone in _loaded.Where(l => !l.Value.TryGetTarget(out _)).Select(l => l.Key).ToArray())
                    _loaded.Remove(gone);
                _loaded[hash] = new(data);
                Hold(data);
            }

            return data;
        }
        finally
        {
            lock (_gate)
                Forget(hash, loading);
        }
    }

    private void Hold(DataSplits data) => _last = holdLast ? data : null;

    private void Forget(string hash, Loading loading)
    {
        if (_loading.GetValueOrDefault(hash) == loading)
            _loading.Remove(hash);
    }
}
