using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Data;
using ConvNet.Data.Manifests;
using Microsoft.Win32.SafeHandles;

namespace ConvNet.Cluster.DataSets;

/// <summary>Gets all files of a data set from a source into a folder, and checks that they are what the manifest says.</summary>
/// <remarks>
/// A few pieces are under way at a time. A piece is <em>asked</em>, then <em>coming</em> once its header was accepted, and done when it is written. Only a piece
/// that is asked is accepted, so that doubled, late and foreign frames change nothing. The receiver only passes on; one loop does the rest, in a thread of the pool.
/// </remarks>
internal sealed class DataSetDownload : ITensorReceiver, IDisposable
{
    private sealed record Happened(DataPiece Piece, TensorLease? Values, bool Unreadable = false);

    private readonly DataManifest _manifest;
    private readonly TensorTarget _source, _here;
    private readonly string _name, _folder;
    private readonly ITensorTransport _transport;
    private readonly ShippingOptions _options;
    private readonly TensorPool _pool = new(DataPiece.MostFloats);
    private readonly Channel<Happened> _happened = Channel.CreateUnbounded<Happened>(new() { SingleReader = true });
    private readonly Lock _gate = new();
    private readonly Dictionary<DataPiece, bool> _underWay = [];      // whether it is coming
    private readonly (SafeFileHandle? Handle, long Missing)[] _files;
    private readonly IDisposable _open;
    private bool _closed;

    private DataSetDownload(string name, DataManifest manifest, TensorTarget source, string folder, ITensorTransport transport, ShippingOptions options)
    {
        (_name, _manifest, _source, _folder, _transport, _options) = (name, manifest, source, folder, transport, options);
        _files = [.. manifest.Files.Select(f => ((SafeFileHandle?)null, f.Length))];
        _here = new(transport.Endpoint, DataSetSource.JobName, $"download-{Guid.NewGuid():N}");
        _open = transport.Open(_here, this);
    }

    /// <summary>Downloads. What it leaves in the folder if it fails is worth nothing.</summary>
    /// <param name="name">The data set, for messages.</param>
    /// <param name="manifest">What it consists of.</param>
    /// <param name="source">Where it is asked for.</param>
    /// <param name="folder">An empty folder.</param>
    /// <param name="transport">This node's.</param>
    /// <param name="options">Window and patience.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="DataException">The source is gone or cannot read a file, what came is not what the manifest says, or it cannot be written.</exception>
    public static async Task RunAsync(
        string name, DataManifest manifest, TensorTarget source, string folder, ITensorTransport transport, ShippingOptions options, CancellationToken stop)
    {
        using var download = new DataSetDownload(name, manifest, source, folder, transport, options);
        try
        {
            await download.RunAsync(stop).ConfigureAwait(false);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"data {name}: cannot be written to {folder} ({unwritable.Message.TrimEnd('.')}). Make room, or choose another --data-dir.", unwritable);
        }
    }

    /// <inheritdoc/>
    public TensorDestination Accept(ITensorHeader header, int length)
    {
        if (header is not DataHeader h)
            return TensorDestination.Refuse("a download takes data only");
        var piece = new DataPiece(h.File, h.Offset, h.Length);
        lock (_gate)
        {
            if (h.Length == 0)
                return length == 0 && Find(h) is not null ? TensorDestination.HeaderOnly : TensorDestination.Refuse($"{h} was not asked for");
            if (_closed || !_underWay.TryGetValue(piece, out bool coming) || coming)
                return TensorDestination.Refuse($"{h} was not asked for, or has come already");
            if (length != piece.Floats)
                return TensorDestination.Refuse($"expected {piece.Floats} floats, got {length}");
            _underWay[piece] = true;
            using var buffer = _pool.Rent();
            return TensorDestination.Into(buffer.Slice(0, length));
        }
    }

    /// <inheritdoc/>
    public void Arrived(ITensorHeader header, TensorLease values)
    {
        var h = (DataHeader)header;
        lock (_gate)
        {
            if (_closed)
                values.Dispose();
            else if (h.Length > 0)
                _happened.Writer.TryWrite(new(new(h.File, h.Offset, h.Length), values));
            else if (Find(h) is { } piece)
                _happened.Writer.TryWrite(new(piece, null, Unreadable: true));
        }
    }

    /// <inheritdoc/>
    public void Abandoned(ITensorHeader header)
    {
        var h = (DataHeader)header;
        _happened.Writer.TryWrite(new(new(h.File, h.Offset, h.Length), null));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _open.Dispose();
        lock (_gate)
            _closed = true;
        while (_happened.Reader.TryRead(out var happened))
            happened.Values?.Dispose();
        _pool.Dispose();
        foreach (var (handle, _) in _files)
            handle?.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        for (int file = 0; file < _files.Length; file++)
        {
            if (_files[file].Missing == 0)
                Complete(file, stop);
        }

        using var left = DataPiece.Of(_manifest).GetEnumerator();
        int underWay = 0;
        while (underWay < _options.Window && left.MoveNext())
        {
            Ask(left.Current);
            underWay++;
        }

        long heard = _options.Clock.GetTimestamp();
        while (underWay > 0)
        {
            var happened = await NextAsync(stop).ConfigureAwait(false);
            switch (happened)
            {
                case null:
                    if (_options.Clock.GetElapsedTime(heard) >= _options.GiveUp)
                        throw new DataException(string.Create(CultureInfo.InvariantCulture, $"data {_name}: the coordinator at {_source.Endpoint} has sent nothing of it for {_options.GiveUp.TotalSeconds:0.#} s. Is it running, and can this node reach it?"));
                    AskAgain();
                    break;
                case { Unreadable: true, Piece.File: var file }:
                    throw new DataException($"data {_name}: the coordinator at {_source.Endpoint} cannot read {_manifest.Files[file].Name} any more. Put it back there, then submit the job again.");
                case { Values: null, Piece: var lost }:
                    Ask(lost);
                    break;
                case { Values: { } values, Piece: var piece }:
                    using (values)
                        Write(piece, values, stop);
                    heard = _options.Clock.GetTimestamp();
                    lock (_gate)
                        _underWay.Remove(piece);
                    if (left.MoveNext())
                        Ask(left.Current);
                    else
                        underWay--;
                    break;
            }
        }
    }

    /// <summary>The next thing that happens; null when nothing does for too long.</summary>
    private async Task<Happened?> NextAsync(CancellationToken stop)
    {
        if (_happened.Reader.TryRead(out var happened))
            return happened;
        using var patience = new CancellationTokenSource(_options.AskAgain, _options.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            return await _happened.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private void Ask(DataPiece piece)
    {
        lock (_gate)
            _underWay[piece] = false;
        Request(piece);
    }

    /// <summary>All that has been asked and is not coming.</summary>
    private void AskAgain()
    {
        DataPiece[] asked;
        lock (_gate)
            asked = [.. _underWay.Where(p => !p.Value).Select(p => p.Key)];
        foreach (var piece in asked)
            Request(piece);
    }

    private void Request(DataPiece piece) => _transport.Send(_source, new DataRequest(piece.File, piece.Offset, piece.Length, _here), TensorLease.Empty);

    private DataPiece? Find(DataHeader header)
    {
        foreach (var piece in _underWay.Keys)
        {
            if (piece.File == header.File && piece.Offset == header.Offset)
                return piece;
        }

        return null;
    }

    private void Write(DataPiece piece, TensorLease values, CancellationToken stop)
    {
        ref var file = ref _files[piece.File];
        file.Handle ??= Create(piece.File);
        RandomAccess.Write(file.Handle, MemoryMarshal.AsBytes(values.Span)[..piece.Length], piece.Offset);
        file.Missing -= piece.Length;
        if (file.Missing == 0)
            Complete(piece.File, stop);
    }

    private SafeFileHandle Create(int file)
    {
        string path = PathOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, preallocationSize: _manifest.Files[file].Length);
    }

    private void Complete(int file, CancellationToken stop)
    {
        using (var handle = _files[file].Handle ?? Create(file))
        {
            // Not each of thousands of small files: what a loss of power makes of them is found when they are looked for again, and they are fetched anew.
            if (_manifest.Files[file].Length > DataPiece.MostBytes)
                RandomAccess.FlushToDisk(handle);
        }

        string hash = FileHashes.Hash(PathOf(file), stop), expected = _manifest.Files[file].Sha256;
        if (hash != expected)
        {
            throw new DataException(
                $"data {_name}: {_manifest.Files[file].Name} came from the coordinator at {_source.Endpoint} with SHA-256 {hash}, the job's is {expected}. It was changed there; put the file back, or submit the job again.");
        }
    }

    private string PathOf(int file) => Path.Combine(_folder, _manifest.Files[file].Name);
}
