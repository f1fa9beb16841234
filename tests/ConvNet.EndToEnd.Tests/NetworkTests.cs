using ConvNet.Cluster.Management;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>Nodes on machines with addresses of their own, whose cables are cut and mended.</summary>
public sealed class NetworkTests : IAsyncLifetime
{
    private ProcessCluster _cluster = null!;
    private string _job = null!;
    private Task<string> _expected = null!;

    public Task InitializeAsync()
    {
        if (Namespaces.Missing is not null)
            return Task.CompletedTask;
        _cluster = new ProcessCluster(new Namespaces());
        _job = _cluster.WriteJob(Expected.Epochs);
        _expected = Expected.Of(_cluster, _job);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    [NamespacesFact(Timeout = 240_000)]
    public async Task Undisturbed_and_with_a_worker_killed()
    {
        var (_, workers) = await _cluster.StartAllAsync(servers: 2, workers: 3);
        string first = await _cluster.SubmitAsync(_job), second = await _cluster.SubmitAsync(_job);
        await EndsWithTheSameBits(first);

        await _cluster.StepAsync(second, 20);
        workers[0].Signal("KILL");
        await _cluster.LineAsync(second, l => l.Kind == "worker-lost" && l.Text.Contains(workers[0].Name, StringComparison.Ordinal));
        await _cluster.GoneAsync(workers[0]);

        await EndsWithTheSameBits(second);
    }

    /// <summary>No process ends and no connection says so: the others go on, the cluster removes the worker, and when its cable is mended it joins again by itself.</summary>
    [NamespacesFact(Timeout = 240_000)]
    public async Task A_workers_cable_is_cut_and_mended()
    {
        var (_, workers) = await _cluster.StartAllAsync(servers: 2, workers: 3);
        string job = await _cluster.SubmitAsync(_job);
        await _cluster.StepAsync(job, 20);

        Namespaces.Cut(workers[0].Machine!);
        await _cluster.LineAsync(job, l => l.Kind is "worker-behind" or "worker-lost");
        await EndsWithTheSameBits(job);
        await WaitForAsync(workers[0], "unreachable", gone: true);
        Namespaces.Mend(workers[0].Machine!);
        await _cluster.AllUpAsync();

        string again = await _cluster.SubmitAsync(_job);
        await _cluster.LineAsync(again, l => l.Kind == "worker-joined" && l.Text.Contains("3 in all", StringComparison.Ordinal));
        await EndsWithTheSameBits(again);
    }

    /// <summary>Waits until a node is in a state, or gone from the list.</summary>
    private async Task WaitForAsync(NodeProcess node, string state, bool gone)
    {
        while (true)
        {
            var now = (await _cluster.Client.NodesAsync(default)).FirstOrDefault(n => n.Name == node.Name);
            if (now?.State == state || (gone && now is null))
                return;
            await Task.Delay(50);
        }
    }

    private async Task EndsWithTheSameBits(string job)
    {
        JobRecord ended = await _cluster.DoneAsync(job);
        Assert.Equal(await _expected, ended.WeightsSha256);
        Audit.AssertEverySampleOnce(_cluster.Folder, job, Expected.Epochs * Expected.StepsPerEpoch);
    }
}
