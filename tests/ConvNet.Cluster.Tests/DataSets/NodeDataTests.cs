using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Transport;
using ConvNet.Data;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Cluster.Tests.DataSets;

/// <summary>A node looks in its data directory, then in its cache, then asks the coordinator.</summary>
public sealed class NodeDataTests : IDisposable
{
    private readonly TemporaryFolder _there = new(), _here = new();
    private readonly InProcessTransport _transport = new();
    private readonly Lines _log = new();
    private readonly CoordinatorData _coordinator;

    public NodeDataTests()
    {
        SmallSet.Write(_there.File("sets/small"));
        _coordinator = new(NodeData.At(_there.Path, trains: false, _transport, _log), _transport, _log);
    }

    public void Dispose()
    {
        _transport.Dispose();
        _there.Dispose();
        _here.Dispose();
    }

    [Fact]
    public async Task What_is_in_the_data_directory_is_used_there()
    {
        SmallSet.Write(_here.File("sets/small"));
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");

        var data = await Node().LoadAsync(offered.Origin, default);

        Assert.Equal(30, data.Training.Count);
        Assert.Equal([$"Data mnist:sets/small: found in {_here.File("sets/small")}"], _log.All);
        Assert.False(Directory.Exists(_here.File(".convnet/cache")));
    }

    [Fact]
    public async Task What_is_missing_is_fetched_once_and_found_in_the_cache_by_the_next_process()
    {
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");

        var fetched = await Node().LoadAsync(offered.Origin, default);
        offered.Dispose();      // the next process has nobody to ask
        var cached = await Node().LoadAsync(offered.Origin, default);

        Assert.Equal(fetched.Training.Pixels(29).ToArray(), cached.Training.Pixels(29).ToArray());
        Assert.Collection(
            _log.All,
            line => Assert.Equal($"Data mnist:sets/small: fetching {offered.Origin.ToManifest().Length} bytes from the coordinator at local", line),
            line => Assert.StartsWith("Data mnist:sets/small: fetched in ", line, StringComparison.Ordinal),
            line => Assert.Equal($"Data mnist:sets/small: found in the cache {_here.File(".convnet/cache/" + offered.Origin.ContentHash)}", line));
    }

    [Fact]
    public async Task Other_data_under_the_same_name_is_left_alone_and_not_used()
    {
        SmallSet.Write(_here.File("sets/small"), training: 20);
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");

        var data = await Node().LoadAsync(offered.Origin, default);

        Assert.Equal(30, data.Training.Count);
        Assert.Contains($"Data mnist:sets/small: what is in {_here.File("sets/small")} is not what the coordinator has; it is left alone, and not used", _log.All);
        Assert.Equal(16 + (20 * 784), new FileInfo(_here.File("sets/small/train-images-idx3-ubyte")).Length);
    }

    [Fact]
    public async Task A_folder_from_the_wire_that_leads_out_of_the_data_directory_is_not_looked_at()
    {
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");

        await Node().LoadAsync(offered.Origin with { Folder = _there.File("sets/small") }, default);

        Assert.Contains(_log.All, line => line.Contains($"is not in the data directory {_here.Path}", StringComparison.Ordinal));
        Assert.Contains(_log.All, line => line.Contains("fetched in", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Workers_of_one_node_share_one_download_and_one_copy()
    {
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");
        var node = Node();

        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => node.LoadAsync(offered.Origin, default)));

        Assert.All(all, data => Assert.Same(all[0], data));
        Assert.Single(_log.All, line => line.Contains("fetching", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_changed_at_the_coordinator_is_told_and_nothing_is_kept()
    {
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");
        using (var file = File.OpenWrite(_there.File("sets/small/train-images-idx3-ubyte")))
        {
            file.Position = 1000;
            file.WriteByte(77);
        }

        var error = await Assert.ThrowsAsync<DataException>(() => Node().LoadAsync(offered.Origin, default));

        Assert.Contains("train-images-idx3-ubyte came from the coordinator at local with SHA-256", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_here.File(".convnet/cache")));
    }

    [Fact]
    public async Task Data_that_is_not_as_the_coordinator_describes_it_is_told_not_trained_on()
    {
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");
        float mean = offered.Description.Normalisation.Mean[0];
        var other = offered.Origin with { Description = offered.Origin.Description with { Mean = [MathF.BitIncrement(mean)] } };

        var error = await Assert.ThrowsAsync<DataException>(() => Node().LoadAsync(other, default));

        Assert.Contains("this node has read pixels of mean", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_origin_that_cannot_be_is_refused()
    {
        using var offered = await _coordinator.OfferAsync("mnist:sets/small");
        var origin = offered.Origin;
        var description = origin.Description;
        DataOrigin[] wrong =
        [
            origin with { ContentHash = new('0', 64) },
            origin with { Kind = "zip" },
            origin with { Kind = null! },
            origin with { Files = null! },
            origin with { Files = [null!] },
            origin with { Files = [new("../x", 1, new('0', 64))] },
            origin with { Description = null! },
            origin with { Description = description with { Channels = 0, Mean = [], Deviation = [] } },
            origin with { Description = description with { Height = int.MaxValue, Width = int.MaxValue } },
            origin with { Description = description with { ClassNames = [] } },
            origin with { Description = description with { Mean = [1, 2] } },
            origin with { Description = description with { TrainingCount = -1 } },
        ];

        foreach (var one in wrong)
            await Assert.ThrowsAsync<DataException>(() => Node().LoadAsync(one, default));
    }

    [Fact]
    public async Task Data_is_shipped_for_as_long_as_a_job_offers_it()
    {
        var first = await _coordinator.OfferAsync("mnist:sets/small");
        var second = await _coordinator.OfferAsync("mnist:sets/small");
        var reply = new TensorTarget("local", "data", "somebody");
        var answers = new Answers();
        using var open = _transport.Open(reply, answers);

        first.Dispose();
        first.Dispose();
        _transport.Send(second.Origin.Source, new DataRequest(0, 0, 1, reply), TensorLease.Empty);
        Assert.Equal(new DataHeader(0, 0, 1), await answers.First.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, _transport.Refused);

        second.Dispose();
        _transport.Send(second.Origin.Source, new DataRequest(0, 0, 1, reply), TensorLease.Empty);
        Assert.Equal(1, _transport.Refused);

        using var third = await _coordinator.OfferAsync("mnist:sets/small");
        await Node().LoadAsync(third.Origin, default);
    }

    [Fact]
    public async Task A_coordinator_says_what_is_wrong_with_a_jobs_data()
    {
        var outside = await Assert.ThrowsAsync<DataException>(() => _coordinator.OfferAsync("mnist:/etc"));
        var missing = await Assert.ThrowsAsync<DataException>(() => _coordinator.DescribeAsync("mnist:other"));

        Assert.Equal($"data: mnist:/etc is not in the data directory {_there.Path}. Put it there, or choose another --data-dir.", outside.Message);
        Assert.Contains("there is no folder other in the data directory", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pictures_too_many_for_a_message_are_shipped_with_their_manifest()
    {
        SmallPictures.Write(_there.File("pictures"), training: 300, test: 20);
        using var offered = await _coordinator.OfferAsync("images:8:pictures");

        var fetched = await Node().LoadAsync(offered.Origin, default);
        var cached = await Node().LoadAsync(offered.Origin, default);

        Assert.Empty(offered.Origin.Files);
        Assert.InRange(MessagePack.MessagePackSerializer.Serialize(offered.Origin, ClusterSerializer.Options).Length, 1, 10_000);
        Assert.Equal((600, 40), (fetched.Training.Count, fetched.Test.Count));
        Assert.Equal(fetched.Training.Pixels(599).ToArray(), cached.Training.Pixels(599).ToArray());
        Assert.Single(_log.All, line => line.Contains("fetching", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_manifest_that_is_changed_on_the_way_is_refused()
    {
        SmallPictures.Write(_there.File("pictures"), training: 300, test: 20);
        using var offered = await _coordinator.OfferAsync("images:8:pictures");
        var other = offered.Origin with { ContentHash = new string('a', 64) };
        var longer = offered.Origin with { ManifestLength = long.MaxValue };

        var wrong = await Assert.ThrowsAsync<DataException>(() => Node().LoadAsync(other, default));
        var impossible = await Assert.ThrowsAsync<DataException>(() => Node().LoadAsync(longer, default));

        Assert.Contains("with SHA-256", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("a manifest of 9223372036854775807 bytes cannot be", impossible.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Damaged_pictures_that_the_coordinator_skips_are_skipped_on_all_nodes(bool isThere)
    {
        foreach (string folder in isThere ? new[] { _there.File("pictures"), _here.File("pictures") } : [_there.File("pictures")])
        {
            SmallPictures.Write(folder, training: 5, test: 2);
            File.WriteAllText(Path.Combine(folder, "train/dark/bad.jpg"), "no picture");
        }

        await Assert.ThrowsAsync<DataException>(() => _coordinator.OfferAsync("images:8:pictures"));
        using var offered = await _coordinator.OfferAsync("images:8:pictures", skipDamaged: true);
        var data = await Node().LoadAsync(offered.Origin, default);

        Assert.Equal((10, 4), (data.Training.Count, data.Test.Count));
        Assert.Contains("Data images:8:pictures: 1 damaged picture(s) are left out, the first is train/dark/bad.jpg", _log.All);
        Assert.Contains(_log.All, line => line.Contains(isThere ? $"found in {_here.File("pictures")}" : "fetched in", StringComparison.Ordinal));
    }

    private NodeData Node() => NodeData.At(_here.Path, trains: true, _transport, _log);

    private sealed class Answers : ITensorReceiver
    {
        private readonly TensorPool _pool = new(1);
        private readonly TaskCompletionSource<ITensorHeader> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ITensorHeader> First => _first.Task;

        public TensorDestination Accept(ITensorHeader header, int length) => TensorDestination.Keep(_pool);

        public void Arrived(ITensorHeader header, TensorLease values)
        {
            values.Dispose();
            _first.TrySetResult(header);
        }

        public void Abandoned(ITensorHeader header) => throw new InvalidOperationException($"{header} was abandoned.");
    }
}
