using System.Diagnostics;
using System.Net.Sockets;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Threads;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>A session with one peer, from this side: keeps frames until they are acknowledged, and a connection for as long as there are any.</summary>
/// <remarks>
/// <para>Calling ──welcome──▶ Connected ──broken──▶ Calling. A link ends, and drops what it holds, when nothing got through for the peer's time-out, when the
/// peer has forgotten the session, and when it is told to; and quietly when its connection breaks while it holds nothing. What is sent then begins another link. A
/// peer that refuses the hello ends it too, but it stays for a while and swallows what is sent, lest every frame call again.</para>
/// <para>One thread at a time is the <em>writer</em>, the only one that reads the floats of frames. A small frame, while nobody writes and nothing waits, is written
/// by the thread that sends it, as far as the socket takes it at once: to wake the link's own thread would take longer. All else is for the link's thread, which also
/// calls, and does that as the writer, so that nobody is left at an older connection when frames are written again. Frames are
/// cleared after they are acknowledged <em>and</em> written, or by the last writer of a link that has ended; so never under a writer's hands. A peer that reads
/// them from this memory (<see cref="PeerMemory"/>) does so before it acknowledges them, and is told of a link's end before they are cleared.</para>
/// </remarks>
internal sealed class OutgoingLink(string endpoint, long session, TcpContext context, FramePool frames, Action<OutgoingLink> ended)
{
    /// <summary>A longer frame is left to the link's thread: copying it into the socket takes longer than waking that.</summary>
    private const int SmallFrame = 256 << 10;

    private readonly Lock _gate = new();
    private readonly Dialer _dialer = new(context.Options);
    private readonly FrameQueue _queue = new();
    private readonly CallPacing _pacing = new(context.Options.PeerTimeout);
    private readonly Parker _parker = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly byte[] _piece = new byte[OutgoingFrame.FirstPiece];   // the writer's
    private readonly OfferedMemory? _memory = context.Options.SharesMemory ? new() : null;
    private Socket? _socket;        // null while calling
    private bool _byAddress;        // the peer reads the floats of long frames from our memory
    private bool _started, _writing, _welcomed, _isEnded;
    private long _offset;           // bytes of the next frame that this connection has taken
    private long _lastMove;         // when the connection last took or acknowledged anything
    private long? _refusedUntil;

    /// <summary>Whose frames these are.</summary>
    public string Endpoint => endpoint;

    /// <summary>Frames that are not acknowledged yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    /// <summary>Takes a frame. False where the link has ended: the frame is still the caller's.</summary>
    public bool TrySend(OutgoingFrame frame)
    {
        bool small;
        lock (_gate)
        {
            if (_isEnded && !(Stopwatch.GetTimestamp() < _refusedUntil))
                return false;
            if (_isEnded)
            {
                frames.Drop(frame);   // the refusal was reported; this one shares its fate
                return true;
            }

            Start();
            small = frame.LengthOnWire(_byAddress) <= SmallFrame && _socket is not null && _queue.Next is null && !_writing;
            if (_queue.IsEmpty)
                _lastMove = Stopwatch.GetTimestamp();
            _queue.Add(frame);
            if (_writing)
                return true;
            _writing = small;
        }

        if (small)
            WriteFrames(asSender: true);
        else
            _parker.Unpark();
        return true;
    }

    /// <summary>Ends the link because it was told to. What it holds is dropped.</summary>
    public void End() => End(null, "");

    /// <summary>Breaks a connection on which nothing has moved for too long although something waits.</summary>
    public void Watch()
    {
        Socket? stuck;
        lock (_gate)
            stuck = !_queue.IsEmpty && Stopwatch.GetElapsedTime(_lastMove) > context.Options.PeerTimeout ? _socket : null;
        if (stuck is not null)
            Broken(stuck, $"nothing has moved for {context.Options.PeerTimeout.TotalSeconds:0.#} s");
    }

    private void Start()
    {
        if (_started)
            return;
        _started = true;
        context.Threads.Start($"tensors to {endpoint}", Run);
    }

    /// <summary>The body of the link's thread: calls while there is no connection and something waits, writes what nobody else writes.</summary>
    private void Run()
    {
        while (true)
        {
            bool mine, connected;
            lock (_gate)
            {
                if (_isEnded)
                    return;
                connected = _socket is not null;
                mine = !_writing && (connected ? _queue.Next is not null : !_queue.IsEmpty);
                _writing |= mine;
            }

            if (!mine)
                _parker.Park();
            else if (connected)
                WriteFrames(asSender: false);
            else
                Call();
        }
    }

    // ---- Calling, as the writer

    private void Call()
    {
        string trouble = "";
        while (!_ended.IsCancellationRequested)
        {
            TimeSpan pause, patience;
            string? reason;
            lock (_gate)
            {
                _pacing.Lost(Stopwatch.GetTimestamp());
                reason = _pacing.GiveUp(Stopwatch.GetTimestamp(), trouble, out patience);
                pause = _pacing.NextPause();
            }

            if (reason is not null)
            {
                End(TransportEventKind.PeerUnreachable, reason, asWriter: true);
                break;
            }

            _ended.Token.WaitHandle.WaitOne(pause);
            switch (Dial(patience))
            {
                case DialOutcome.Welcome(var socket, var memoryNumber, var received):
                    if (TryAdopt(socket, memoryNumber, received))
                    {
                        WriteFrames(asSender: false);
                        return;
                    }

                    trouble = $"it claims to have {received} frames of the session, which is more than were sent";
                    break;
                case DialOutcome.NotNow(var text):
                    trouble = text;
                    break;
                case DialOutcome.UnknownSession:
                    End(TransportEventKind.PeerRestarted, "knows nothing of this session any more; its process was restarted, or it was out of reach for too long", asWriter: true);
                    break;
                case DialOutcome.Refused(var text):
                    End(TransportEventKind.PeerRefused, text, asWriter: true);
                    break;
            }
        }

        StopWriting();
    }

    private DialOutcome Dial(TimeSpan patience)
    {
        try
        {
            _memory?.Renew();
            var hello = new Hello(context.Options.Cluster, context.Endpoint, context.Sender, session, _welcomed, _memory?.Offer);
            return _dialer.Dial(endpoint, hello, patience, _ended.Token);
        }
        catch (MalformedException e)
        {
            context.Malformed(endpoint, e);
            return new DialOutcome.NotNow($"it {e.Message}");
        }
    }

    private bool TryAdopt(Socket socket, long? memoryNumber, long received)
    {
        OutgoingFrame? released;
        bool again;
        lock (_gate)
        {
            if (_isEnded || !_queue.TryAcknowledge(received, out released))
            {
                socket.Dispose();
                return _isEnded;
            }

            _queue.Rewind();
            if (memoryNumber is { } number)
                _memory!.Mark(number);
            (_socket, _byAddress, _offset, _lastMove) = (socket, memoryNumber is not null, 0, Stopwatch.GetTimestamp());
            _pacing.Connected();
            (again, _welcomed) = (_welcomed, true);
            if (released is not null)
                GotThrough();
        }

        frames.Recycle(released);
        if (again)
        {
            context.Counters.Reconnects.Add(1);
            context.Report(TransportEventKind.Reconnected, endpoint, "is connected again; nothing was lost");
        }

        context.Threads.Start($"tensor receipts of {endpoint}", () => ReadReceipts(socket));
        return true;
    }

    // ---- Writing

    private void WriteFrames(bool asSender)
    {
        while (true)
        {
            OutgoingFrame frame;
            Socket socket;
            bool byAddress;
            lock (_gate)
            {
                if (_socket is null || _queue.Next is null || (asSender && _queue.Next.LengthOnWire(_byAddress) > SmallFrame))
                    break;
                (socket, byAddress, frame) = (_socket, _byAddress, _queue.Next);
            }

            int taken = Write(frame, socket, byAddress, out var error);
            if (error is SocketError.Success && taken > 0)
                Took(frame, taken, frame.LengthOnWire(byAddress));
            else if (error is not SocketError.WouldBlock)
                Broken(socket, error.ToString());
            else if (asSender)
                break;
            else
                WaitToWrite(socket);
        }

        StopWriting();
    }

    private int Write(OutgoingFrame frame, Socket socket, bool byAddress, out SocketError error)
    {
        try
        {
            return frame.WriteTo(socket, byAddress, _offset, _piece, out error);
        }
        catch (ObjectDisposedException) when (Volatile.Read(ref _socket) != socket)
        {
            error = SocketError.OperationAborted;   // it broke on another thread
            return 0;
        }
    }

    private static void WaitToWrite(Socket socket)
    {
        const int Second = 1_000_000;
        try
        {
            socket.Poll(Second, SelectMode.SelectWrite);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // It broke; the next write says so.
        }
    }

    private void Took(OutgoingFrame frame, int bytes, long length)
    {
        context.Counters.BytesSent.Add(bytes);
        _offset += bytes;
        OutgoingFrame? released = null;
        lock (_gate)
        {
            _lastMove = Stopwatch.GetTimestamp();
            if (_offset == length)
            {
                _offset = 0;
                released = _queue.Written();
                context.Counters.FramesSent.Add(1);
            }
        }

        frames.Recycle(released);
    }

    /// <summary>Ceases to be the writer. Others who have something left to do are told.</summary>
    private void StopWriting()
    {
        OutgoingFrame? dropped = null;
        bool idle, more;
        lock (_gate)
        {
            _writing = false;
            if (_isEnded)
                dropped = _queue.TakeAll();
            idle = !_isEnded && _socket is null && _queue.IsEmpty;
            if (idle)
                _isEnded = true;   // under this lock, so that what is sent from now on begins another link; there is nothing to drop
            more = _isEnded || (_socket is null ? !_queue.IsEmpty : _queue.Next is not null);
        }

        frames.Drop(dropped);
        if (idle)
            ended(this);
        if (idle || more)
            _parker.Unpark();
    }

    // ---- Receipts, and the connection's end

    private void ReadReceipts(Socket socket)
    {
        try
        {
            Broken(socket, new ReceiptReader(socket, number => Acknowledged(socket, number)).Run());
        }
        catch (MalformedException e)
        {
            context.Malformed(endpoint, e);
            Broken(socket, $"the peer {e.Message}");
        }
    }

    private void Acknowledged(Socket socket, long number)
    {
        OutgoingFrame? released;
        lock (_gate)
        {
            if (_socket != socket)
                return;
            if (!_queue.TryAcknowledge(number, out released))
                throw new MalformedException($"acknowledged frame {number}, which is not among those that were sent");
            GotThrough();
        }

        frames.Recycle(released);
    }

    private void GotThrough()
    {
        _lastMove = Stopwatch.GetTimestamp();
        _pacing.GotThrough();
    }

    /// <summary>A connection does not work any more. Called by whoever notices, any number of times.</summary>
    private void Broken(Socket socket, string why)
    {
        int waiting;
        lock (_gate)
        {
            if (_socket != socket)
                return;
            _socket = null;
            waiting = _queue.Count;
            if (waiting > 0)
                _pacing.Lost(Stopwatch.GetTimestamp());
            else if (!_writing)
                _isEnded = true;   // and quietly so, for there is nothing to drop; a writer does the same when it stops
        }

        // Said before those who wait on the socket wake and go on.
        if (waiting > 0)
            context.Report(TransportEventKind.ConnectionLost, endpoint, $"is no longer connected ({why}); {waiting} frames wait");
        Close(socket);
        if (_isEnded)
            ended(this);
        _parker.Unpark();
    }

    private void End(TransportEventKind? kind, string why, bool asWriter = false)
    {
        OutgoingFrame? dropped = null;
        Socket? socket;
        int count;
        lock (_gate)
        {
            if (_isEnded)
                return;
            _isEnded = true;
            if (kind is TransportEventKind.PeerRefused)
                _refusedUntil = Stopwatch.GetTimestamp() + (long)(context.Options.PeerTimeout.TotalSeconds * Stopwatch.Frequency);
            (socket, _socket) = (_socket, null);
            count = _queue.Count;
            _memory?.Withdraw();
            if (asWriter || !_writing)
                dropped = _queue.TakeAll();
        }

        _ended.Cancel();
        if (socket is not null)
            Close(socket);
        frames.Drop(dropped);
        if (_refusedUntil is null)
            ended(this);
        if (kind is { } said)
            context.Report(said, endpoint, count == 0 ? why : $"{why}; {count} frames dropped");
        _parker.Unpark();
    }

    private static void Close(Socket socket)
    {
        SocketEnd.Break(socket);
        socket.Dispose();
    }
}
