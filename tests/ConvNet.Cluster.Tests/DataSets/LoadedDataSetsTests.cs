using ConvNet.Cluster.DataSets;
using ConvNet.Core.Tensors;
using ConvNet.Data;

namespace ConvNet.Cluster.Tests.DataSets;

public sealed class LoadedDataSetsTests
{
    private readonly LoadedDataSets _loaded = new(holdLast: true);

    [Fact]
    public async Task A_set_is_loaded_once_however_many_ask_at_once_or_later()
    {
        int loads = 0;
        var gate = new TaskCompletionSource();
        async Task<DataSplits> Load(CancellationToken stop)
        {
            Interlocked.Increment(ref loads);
            await gate.Task;
            return Some();
        }

        var first = _loaded.GetAsync("a", Load, default);
        var second = _loaded.GetAsync("a", Load, default);
        gate.SetResult();

        Assert.Same(await first, await second);
        Assert.Same(await first, await _loaded.GetAsync("a", Load, default));
        Assert.Equal(1, loads);
    }

    [Fact]
    public async Task The_last_one_stays_for_the_next_job_even_if_no_job_holds_it()
    {
        await Forget("a");
        Collect();

        await _loaded.GetAsync("a", _ => throw new InvalidOperationException("It is loaded again."), default);
    }

    [Fact]
    public async Task One_that_nobody_holds_goes_when_another_comes()
    {
        var gone = await Forget("a");
        await Forget("b");
        Collect();

        Assert.False(gone.TryGetTarget(out _));
    }

    [Fact]
    public async Task One_that_a_job_holds_stays_although_another_comes()
    {
        var held = await _loaded.GetAsync("a", _ => Task.FromResult(Some()), default);
        await Forget("b");
        Collect();

        Assert.Same(held, await _loaded.GetAsync("a", _ => throw new InvalidOperationException("It is loaded again."), default));
    }

    [Fact]
    public async Task A_failure_reaches_all_who_wait_and_the_next_one_tries_again()
    {
        var gate = new TaskCompletionSource<DataSplits>();
        var first = _loaded.GetAsync("a", _ => gate.Task, default);
        var second = _loaded.GetAsync("a", _ => gate.Task, default);
        gate.SetException(new DataException("no"));

        await Assert.ThrowsAsync<DataException>(() => first);
        await Assert.ThrowsAsync<DataException>(() => second);

        Assert.NotNull(await _loaded.GetAsync("a", _ => Task.FromResult(Some()), default));
    }

    [Fact]
    public async Task Loading_ends_when_the_last_who_waits_gives_up_and_not_before()
    {
        using CancellationTokenSource one = new(), two = new();
        var ended = new TaskCompletionSource();
        async Task<DataSplits> Load(CancellationToken stop)
        {
            await using var end = stop.Register(() => ended.SetResult());
            await ended.Task;
            stop.ThrowIfCancellationRequested();
            return Some();
        }

        var first = _loaded.GetAsync("a", Load, one.Token);
        var second = _loaded.GetAsync("a", Load, two.Token);
        one.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(ended.Task.IsCompleted);
        two.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.NotNull(await _loaded.GetAsync("a", _ => Task.FromResult(Some()), default));
    }

    // A method of its own, so that no local of the test holds the set.
    private async Task<WeakReference<DataSplits>> Forget(string hash) => new(await _loaded.GetAsync(hash, _ => Task.FromResult(Some()), default));

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private static DataSplits Some()
    {
        DataSet Images() => new("some", new Shape(1, 1, 1), [1, 2], [0, 1], ["0", "1"]);
        return new("some", Images(), Images());
    }
}
