using System.Collections.Concurrent;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

/// <summary>Two nodes with a proxy between them, and a receiver on the second that writes down what it hears. Floats go through the proxy, unless they are to be read from memory.</summary>
internal sealed class TcpPair : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TcpTransportOptions _toOptions;

    public TcpPair(TcpTransportOptions? from = null, TcpTransportOptions? to = null, Func<int, CuttingProxy.Budget>? budget = null, bool sharesMemory = false)
    {
        Proxy = new(budget);
        _toOptions = (to ?? new()) with { AnnouncedHost = "127.0.0.1", AnnouncedPort = Proxy.Port, Observer = ToEvents.Add };
        From = new((from ?? new()) with { SharesMemory = sharesMemory, Observer = FromEvents.Add });
        To = new(_toOptions);
        Proxy.Upstream = To.Port;
        Target = new(To.Endpoint, "job", "part");
        To.Open(Target, Receiver);
    }

    public CuttingProxy Proxy { get; }

    public TcpTransport From { get; }

    public TcpTransport To { get; private set; }

    public TensorTarget Target { get; }

    public Recorder Receiver { get; } = new();

    public EventLog FromEvents { get; } = new();

    public EventLog ToEvents { get; } = new();

    /// <summary>Another process takes the second node's place.</summary>
    public void RestartReceiver()
    {
        To.Dispose();
        To = new(_toOptions);
        Proxy.Upstream = To.Port;
        To.Open(Target, Receiver);
    }

    /// <summary>Sends a frame of so many floats, each of them the step.</summary>
    public void Send(long step, int floats)
    {
        var values = Receiver.Mine(floats).Rent();
        values.Span.Fill(step);
        From.Send(Target, new ContributionHeader(step, 0, 0), values);
    }

    /// <summary>Waits for a frame, which must be this one and intact.</summary>
    public void Expect(long step) => Assert.Equal(step, Next());

    /// <summary>Waits for a frame. Frames before it that were on their way when they were given up may arrive too, in their order.</summary>
    public void ExpectAtLast(long step)
    {
        long last = -1;
        for (long next = Next(); next != step; next = Next())
        {
            Assert.InRange(next, last + 1, step);
            last = next;
        }
    }

    private long Next()
    {
        Assert.True(Receiver.Arrivals.TryTake(out var next, Patience), "No frame arrived.");
        using var values = next.Values;
        long step = Assert.IsType<ContributionHeader>(next.Header).Step;
        Assert.Equal(values.Length, values.Span.Count((float)step));
        return step;
    }

    public static void Await(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));

    public void Dispose()
    {
        From.Dispose();
        To.Dispose();
        Proxy.Dispose();
        Receiver.AssertNothingIsOut();
    }

    internal sealed class EventLog
    {
        private readonly BlockingCollection<TransportEvent> _events = [];

        public void Add(TransportEvent happened) => _events.Add(happened);

        public int Count(TransportEventKind kind) => _events.Count(e => e.Kind == kind);

        /// <summary>Waits for the next event of a kind, and lets those before it go.</summary>
        public TransportEvent Await(TransportEventKind kind)
        {
            var others = new List<TransportEvent>();
            while (true)
            {
                Assert.True(_events.TryTake(out var next, Patience), $"{kind} was not reported, only: {string.Join("; ", others)}");
                others.Add(next);
                if (next.Kind == kind)
                    return next;
            }
        }
    }

    /// <summary>Keeps every frame in a buffer of its length; both sides' pools are here.</summary>
    internal sealed class Recorder : ITensorReceiver
    {
        private readonly ConcurrentDictionary<int, TensorPool> _mine = new(), _theirs = new();
        private int _accepted, _abandoned;

        public BlockingCollection<(ITensorHeader Header, TensorLease Values)> Arrivals { get; } = [];

        public int Accepted => Volatile.Read(ref _accepted);

        public int Abandonments => Volatile.Read(ref _abandoned);

        /// <summary>Called before a frame is written down.</summary>
        public Action<ITensorHeader> Before { get; set; } = _ => { };

        public TensorPool Mine(int length) => _mine.GetOrAdd(length, l => new(l));

        public TensorPool Theirs(int length) => _theirs.GetOrAdd(length, l => new(l));

        public TensorDestination Accept(ITensorHeader header, int length)
        {
            Interlocked.Increment(ref _accepted);
            return TensorDestination.Keep(Theirs(length));
        }

        public void Arrived(ITensorHeader header, TensorLease values)
        {
            Before(header);
            Arrivals.Add((header, values));
        }

        public void Abandoned(ITensorHeader header) => Interlocked.Increment(ref _abandoned);

        public void AssertNothingIsOut()
        {
            while (Arrivals.TryTake(out var left))
                left.Values.Dispose();
            Assert.All(_mine.Concat(_theirs), pool => Assert.Equal(0, pool.Value.Rented));
        }
    }
}
