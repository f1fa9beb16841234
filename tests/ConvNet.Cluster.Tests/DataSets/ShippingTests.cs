using System.Security.Cryptography;
using ConvNet.Cluster.DataSets;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Tests.Fakes;
using ConvNet.Cluster.Transport;
using ConvNet.Data;
using ConvNet.Data.Manifests;
using ConvNet.Data.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConvNet.Cluster.Tests.DataSets;

/// <summary>A data set of several pieces goes from a source into a folder, whatever happens on the way.</summary>
public sealed class ShippingTests : IDisposable
{
    private static readonly ShippingOptions Impatient = new() { AskAgain = TimeSpan.FromMilliseconds(20) };

    private readonly TemporaryFolder _there = new(), _here = new();
    private readonly LocatedData _data;

    public ShippingTests()
    {
        // A file of several pieces whose last has 3 bytes; one of exactly one piece; one of a byte; one of none; one in a folder.
        (string Name, int Length)[] files = [("big", (5 * DataPiece.MostBytes) + 3), ("piece", DataPiece.MostBytes), ("one", 1), ("none", 0), ("sub/some", 1234)];
        Directory.CreateDirectory(_there.File("sub"));
        var manifest = new List<DataFile>();
        foreach (var (name, length) in files)
        {
            byte[] bytes = new byte[length];
            new Random(length).NextBytes(bytes);
            File.WriteAllBytes(_there.File(name), bytes);
            manifest.Add(new(name, length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        }

        _data = new("test", new DataManifest(DataKind.Idx, manifest), _there.Path, "");
    }

    public void Dispose()
    {
        _there.Dispose();
        _here.Dispose();
    }

    [Fact]
    public async Task All_files_arrive_as_they_are()
    {
        using var transport = new InProcessTransport();

        await Ship(transport);

        AssertArrived();
        Assert.Equal(0, transport.Refused);
    }

    [Fact]
    public async Task Requests_and_pieces_that_are_lost_are_asked_for_again()
    {
        int frames = 0;
        using var transport = new FaultyTransport((header, values, deliver) =>
        {
            if (Interlocked.Increment(ref frames) % 3 == 0)
                values.Dispose();
            else
                deliver(header, values);
        });

        await Ship(transport);

        AssertArrived();
    }

    [Fact]
    public async Task Pieces_that_come_twice_count_once()
    {
        using var transport = new FaultyTransport((header, values, deliver) =>
        {
            deliver(header, values.Share());
            deliver(header, values);
        });

        await Ship(transport);

        AssertArrived();
        Assert.True(transport.Refused > 0);
    }

    [Fact]
    public async Task Frames_that_were_not_asked_for_are_refused()
    {
        using var transport = new FaultyTransport((header, values, deliver) =>
        {
            if (header is DataHeader h)
            {
                deliver(h with { File = 99 }, values.Share());
                deliver(h with { File = -1 }, values.Share());
                deliver(h with { Offset = h.Offset + 1 }, values.Share());
                deliver(h with { Length = h.Length + 1 }, values.Share());
                deliver(h with { Length = int.MinValue }, values.Share());
                deliver(h with { Length = 0 }, values.Share());
                deliver(h with { Length = 0, Offset = -5 }, TensorLease.Empty);
                deliver(h, values.Slice(0, values.Length - 1));
                deliver(new WeightsHeader(0, 0), values.Share());
            }

            deliver(header, values);
        });

        await Ship(transport);

        AssertArrived();
        Assert.True(transport.Refused >= 9 * 9);
    }

    [Fact]
    public void A_source_answers_for_the_files_of_its_manifest_only()
    {
        using var transport = new InProcessTransport();
        using var source = new DataSetSource(_data, transport, NullLogger.Instance);
        var reply = new TensorTarget(transport.Endpoint, "data", "somebody");
        DataRequest[] wrong =
        [
            new(5, 0, 1, reply), new(-1, 0, 1, reply), new(0, -1, 1, reply), new(0, 0, 0, reply), new(0, 0, -1, reply), new(0, 0, DataPiece.MostBytes + 1, reply),
            new(0, long.MaxValue, 1, reply), new(0, (5 * DataPiece.MostBytes) + 3, 1, reply), new(0, 0, 1, null!), new(0, 0, 1, reply with { Job = "j1" }), new(0, 0, 1, reply with { Endpoint = null! }),
        ];

        foreach (var request in wrong)
            transport.Send(source.Target, request, TensorLease.Empty);
        transport.Send(source.Target, new DataRequest(0, 0, 1, reply), TensorLease.Allocate(1));
        transport.Send(source.Target, new WeightsRequest(0, reply), TensorLease.Empty);

        Assert.Equal(wrong.Length + 2, transport.Refused);
    }

    [Fact]
    public async Task Garbage_within_a_piece_is_found_by_the_hash()
    {
        using var transport = new FaultyTransport((header, values, deliver) =>
        {
            if (header is DataHeader { File: 0, Offset: 0 })
                values.Span[100] += 1;
            deliver(header, values);
        });

        var error = await Assert.ThrowsAsync<DataException>(() => Ship(transport));

        Assert.Contains("big came from the coordinator at local with SHA-256 ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("changed", "came from the coordinator at local with SHA-256 ")]
    [InlineData("cut", "cannot read big any more")]
    [InlineData("gone", "cannot read big any more")]
    public async Task A_file_that_changed_at_the_source_is_told(string what, string expected)
    {
        using var transport = new InProcessTransport();
        if (what == "gone")
            File.Delete(_there.File("big"));
        else
        {
            using var file = File.OpenWrite(_there.File("big"));
            if (what == "cut")
                file.SetLength(3 * DataPiece.MostBytes);
            else
                file.Write([1, 2, 3]);
        }

        var error = await Assert.ThrowsAsync<DataException>(() => Ship(transport));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_dies_is_told()
    {
        DataSetSource? source = null;
        int pieces = 0;
        using var transport = new FaultyTransport((header, values, deliver) =>
        {
            deliver(header, values);
            if (header is DataHeader && Interlocked.Increment(ref pieces) == 3)
                source!.Dispose();
        });
        source = new DataSetSource(_data, transport, NullLogger.Instance);
        var options = Impatient with { GiveUp = TimeSpan.FromMilliseconds(100) };

        var error = await Assert.ThrowsAsync<DataException>(
            () => DataSetDownload.RunAsync("test", _data.Manifest, source.Target, _here.Path, transport, options, CancellationToken.None));

        Assert.Equal("data test: the coordinator at local has sent nothing of it for 0.1 s. Is it running, and can this node reach it?", error.Message);
    }

    [Fact]
    public async Task A_download_ends_when_nobody_wants_it()
    {
        using var stop = new CancellationTokenSource();
        using var transport = new FaultyTransport((header, values, deliver) =>
        {
            deliver(header, values);
            if (header is DataHeader { File: 0 })
                stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Ship(transport, stop.Token));
    }

    [Fact]
    public async Task Many_may_ask_one_source_at_once_and_all_its_buffers_come_back()
    {
        using var transport = new InProcessTransport();
        using var source = new DataSetSource(_data, transport, NullLogger.Instance);
        string[] folders = [.. Enumerable.Range(0, 12).Select(i => Directory.CreateDirectory(_here.File($"{i}")).FullName)];

        await Task.WhenAll(folders.Select(f => Task.Run(() => DataSetDownload.RunAsync("test", _data.Manifest, source.Target, f, transport, Impatient, CancellationToken.None))));

        Assert.All(folders, AssertArrived);
        Assert.Equal(0, source.BuffersOut);
        source.Dispose();
        await source.Answering;
    }

    private async Task Ship(ITensorTransport transport, CancellationToken stop = default)
    {
        using var source = new DataSetSource(_data, transport, NullLogger.Instance);
        await DataSetDownload.RunAsync("test", _data.Manifest, source.Target, _here.Path, transport, Impatient, stop);
    }

    private void AssertArrived() => AssertArrived(_here.Path);

    private void AssertArrived(string folder)
    {
        foreach (var file in _data.Manifest.Files)
            Assert.Equal(File.ReadAllBytes(_data.PathOf(file)), File.ReadAllBytes(Path.Combine(folder, file.Name)));
        Assert.Equal(_data.Manifest.Files.Count, Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length);
    }
}
