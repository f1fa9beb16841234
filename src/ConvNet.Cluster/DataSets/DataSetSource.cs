using System.Runtime.InteropServices;
using System.Threading.Channels;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Data.Manifests;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace ConvNet.Cluster.DataSets;

/// <summary>Answers for the pieces of one data set, on the coordinator's node: reads them from the files of the manifest, and from no others.</summary>
/// <remarks>
/// A request names a file by its place in the manifest: no path is ever read off the wire. At most <see cref="MostBuffers"/> pieces are in memory; when all
/// are on their way, requests wait, and when too many wait, some are dropped: whoever asked will ask again.
/// </remarks>
internal sealed class DataSetSource : ITensorReceiver, IDisposable
{
    private const int MostBuffers = 32, MostWaiting = 4096, MostOpenFiles = 64;

    private readonly LocatedData _data;
    private readonly ReadOnlyMemory<byte>? _content;
    private readonly ITensorTransport _transport;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _free = new(MostBuffers);
    private readonly TensorPool _pool;
    private readonly Dictionary<int, SafeFileHandle> _files = [];
    private readonly Channel<DataRequest> _asked =
        Channel.CreateBounded<DataRequest>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly IDisposable _open;

    /// <summary>Opens the target of a data set.</summary>
    public DataSetSource(LocatedData data, ITensorTransport transport, ILogger log)
        : this(data, new TensorTarget(transport.Endpoint, JobName, data.Manifest.ContentHash), null, transport, log)
    {
    }

    /// <summary>Opens the target of a set of one file that is in memory.</summary>
    public DataSetSource(LocatedData data, TensorTarget target, ReadOnlyMemory<byte>? content, ITensorTransport transport, ILogger log)
    {
        (_data, Target, _content, _transport, _log) = (data, target, content, transport, log);
        _pool = new TensorPool(DataPiece.MostFloats, returned: () => _free.Release());
        _open = transport.Open(Target, this);
        Answering = Task.Run(AnswerAsync);
    }

    /// <summary>Stands where a job's name stands in the targets of all data sets.</summary>
    public const string JobName = "data";

    /// <summary>Where pieces are asked for.</summary>
    public TensorTarget Target { get; }

    /// <summary>Pieces in memory now.</summary>
    internal int BuffersOut => _pool.Rented;

    /// <summary>Completes when the last file is closed.</summary>
    public Task Answering { get; }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        if (header is not DataRequest { ReplyTo: { Endpoint: not null, Job: JobName, Part: not null } } request)
            return TensorDestination.Refuse("a source of data takes requests for data only");
        string? wrong = new DataPiece(request.File, request.Offset, request.Length).NotIn(_data.Manifest);
        return wrong is null && length == 0 ? TensorDestination.HeaderOnly : TensorDestination.Refuse(wrong ?? $"expected no floats, got {length}");
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        values.Dispose();
        _asked.Writer.TryWrite((DataRequest)header);
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        // A request has no floats to lose.
    }

    /// <summary>Closes the target.</summary>
    public void Dispose()
    {
        _open.Dispose();
        _stop.Cancel();
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var request = await _asked.Reader.ReadAsync(_stop.Token).ConfigureAwait(false);
                await _free.WaitAsync(_stop.Token).ConfigureAwait(false);
                Answer(request);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
        finally
        {
            CloseFiles();
            _pool.Dispose();
        }
    }

    private void Answer(DataRequest request)
    {
        using var buffer = _pool.Rent();
        var piece = new DataPiece(request.File, request.Offset, request.Length);
        if (Read(piece, buffer))
            _transport.Send(request.ReplyTo, new DataHeader(piece.File, piece.Offset, piece.Length), buffer.Slice(0, piece.Floats));
        else
            _transport.Send(request.ReplyTo, new DataHeader(piece.File, piece.Offset, Length: 0), TensorLease.Empty);
    }

    /// <summary>Files stay open while pieces of them may follow, but not more than a process may have.</summary>
    private SafeFileHandle Open(int file, string path)
    {
        if (_files.TryGetValue(file, out var open))
            return open;
        if (_files.Count == MostOpenFiles)
            CloseFiles();
        return _files[file] = File.OpenHandle(path);
    }

    private void CloseFiles()
    {
        foreach (var file in _files.Values)
            file.Dispose();
        _files.Clear();
    }

    private bool Read(DataPiece piece, TensorLease buffer)
    {
        string path = _data.PathOf(_data.Manifest.Files[piece.File]);
        try
        {
            var bytes = MemoryMarshal.AsBytes(buffer.Span[..piece.Floats]);
            bytes[piece.Length..].Clear();
            if (_content is { } content)
            {
                content.Span.Slice((int)piece.Offset, piece.Length).CopyTo(bytes);
                return true;
            }

            var file = Open(piece.File, path);
            for (int have = 0; have < piece.Length;)
            {
                int read = RandomAccess.Read(file, bytes[have..piece.Length], piece.Offset + have);
                if (read == 0)
                    throw new EndOfStreamException($"it ends at byte {piece.Offset + have}");
                have += read;
            }

            return true;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            _log.LogWarning("Data {Name}: {Path} cannot be read any more, so it cannot be shipped: {Reason}", _data.Name, path, unreadable.Message);
            return false;
        }
    }
}
