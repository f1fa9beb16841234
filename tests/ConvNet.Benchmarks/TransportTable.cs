using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ConvNet.Cluster.Protocol;
using ConvNet.Cluster.Transport;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Benchmarks;

/// <summary>MB/s of the tensor transport, through sockets and from the sender's memory, beside a plain blocking socket that moves the same floats, and the round trip of a small frame.</summary>
/// <remarks>
/// Sender and receiver are threads of one process, over loopback. They take turns, so that neighbours on the same cores disturb all; of each round of
/// turns come ratios to the plain socket, and the median of them is printed. All send from one buffer and receive into another one, slice after slice.
/// </remarks>
internal static class TransportTable
{
    private const int Turns = 9;
    private const long TotalBytes = 512L << 20;

    public static void Print()
    {
        Console.WriteLine("slice        transport MB/s   from memory MB/s   plain socket MB/s   transport / plain   from memory / plain");
        foreach (int kilobytes in (int[])[64, 1024, 4096, 16384, 65536])
            Throughput(kilobytes);
        RoundTrip();
    }

    private static void Throughput(int kilobytes)
    {
        int floats = kilobytes * 256, slices = (int)(TotalBytes / (kilobytes * 1024L));
        using var from = TensorLease.Allocate(floats);
        using var to = TensorLease.Allocate(floats);
        from.Span.Fill(1);
        using var transport = new TransportPair(to, sharesMemory: false);
        using var memory = new TransportPair(to, sharesMemory: true);
        using var plain = new PlainPair();
        transport.Move(from, Math.Max(2, slices / 8));
        memory.Move(from, Math.Max(2, slices / 8));
        plain.Move(from, to, Math.Max(2, slices / 8));

        double[] ours = new double[Turns], copied = new double[Turns], theirs = new double[Turns];
        for (int turn = 0; turn < Turns; turn++)
        {
            ours[turn] = MegabytesPerSecond(() => transport.Move(from, slices), floats, slices);
            copied[turn] = MegabytesPerSecond(() => memory.Move(from, slices), floats, slices);
            theirs[turn] = MegabytesPerSecond(() => plain.Move(from, to, slices), floats, slices);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Size(kilobytes),-10} {Median(ours),14:N0} {Median(copied),18:N0} {Median(theirs),19:N0} {Median(ours.Zip(theirs, (o, t) => o / t)),18:P0} {Median(copied.Zip(theirs, (o, t) => o / t)),20:P0}"));
    }

    private static void RoundTrip()
    {
        const int Trips = 3000;
        using var none = TensorLease.Allocate(0);
        using var transport = new TransportPair(none, sharesMemory: false);
        using var plain = new PlainPair();
        double[] ours = new double[Turns], theirs = new double[Turns];
        transport.PingPong(Trips);
        plain.PingPong(Trips);
        for (int turn = 0; turn < Turns; turn++)
        {
            ours[turn] = Seconds(() => transport.PingPong(Trips)) / Trips * 1e6;
            theirs[turn] = Seconds(() => plain.PingPong(Trips)) / Trips * 1e6;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"round trip of a frame without floats: {Median(ours):F0} µs, of 100 bytes over a plain socket: {Median(theirs):F0} µs"));
    }

    private static string Size(int kilobytes) => kilobytes < 1024 ? $"{kilobytes} KB" : $"{kilobytes / 1024} MB";

    private static double MegabytesPerSecond(Action move, int floats, int slices) => floats * 4.0 * slices / 1e6 / Seconds(move);

    private static double Seconds(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Turns / 2);

    private sealed class TransportPair : IDisposable
    {
        private readonly TcpTransport _from, _to;
        private readonly TensorTarget _there, _back;
        private readonly Counter _arrived, _returned = new();

        public TransportPair(TensorLease place, bool sharesMemory)
        {
            (_from, _to) = (new(new() { SharesMemory = sharesMemory }), new(new() { SharesMemory = sharesMemory }));
            (_there, _back) = (new(_to.Endpoint, "bench", "there"), new(_from.Endpoint, "bench", "back"));
            _arrived = new() { Place = place };
            _to.Open(_there, _arrived);
            _from.Open(_back, _returned);
        }

        public void Move(TensorLease slice, int slices)
        {
            _arrived.Expect(slices);
            for (int i = 0; i < slices; i++)
                _from.Send(_there, new ContributionHeader(i, 0, 0), slice.Share());
            _arrived.Wait();
        }

        public void PingPong(int trips)
        {
            int left = trips;
            _arrived.Then = () => _to.Send(_back, new WeightsRequest(0, _back), TensorLease.Empty);
            _returned.Then = () =>
            {
                if (--left > 0)
                    _from.Send(_there, new WeightsRequest(0, _back), TensorLease.Empty);
            };
            _arrived.Expect(trips);
            _returned.Expect(trips);
            _from.Send(_there, new WeightsRequest(0, _back), TensorLease.Empty);
            _returned.Wait();
        }

        public void Dispose()
        {
            _from.Dispose();
            _to.Dispose();
        }
    }

    private sealed class Counter : ITensorReceiver
    {
        private readonly ManualResetEventSlim _all = new();
        private int _left;

        public TensorLease Place { get; init; } = TensorLease.Empty;

        public Action Then { get; set; } = () => { };

        public void Expect(int frames)
        {
            _all.Reset();
            _left = frames;
        }

        public void Wait() => _all.Wait();

        public TensorDestination Accept(ITensorHeader header, int length) => length == 0 ? TensorDestination.HeaderOnly : TensorDestination.Into(Place.Share());

        public void Arrived(ITensorHeader header, TensorLease values)
        {
            values.Dispose();
            Then();
            if (--_left == 0)
                _all.Set();
        }

        public void Abandoned(ITensorHeader header) => throw new InvalidOperationException("The connection broke.");
    }

    private sealed class PlainPair : IDisposable
    {
        private readonly Socket _from = new(SocketType.Stream, ProtocolType.Tcp), _to;

        public PlainPair()
        {
            using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            _from.Connect((IPEndPoint)listener.LocalEndPoint!);
            _to = listener.Accept();
            (_from.NoDelay, _to.NoDelay) = (true, true);
        }

        public void Move(TensorLease from, TensorLease to, int slices)
        {
            var sender = new Thread(() =>
            {
                for (int i = 0; i < slices; i++)
                    Send(_from, MemoryMarshal.AsBytes(from.Span));
            });
            sender.Start();
            for (int i = 0; i < slices; i++)
                Receive(_to, MemoryMarshal.AsBytes(to.Span));
            sender.Join();
        }

        public void PingPong(int trips)
        {
            var echo = new Thread(() =>
            {
                byte[] bytes = new byte[100];
                for (int i = 0; i < trips; i++)
                {
                    Receive(_to, bytes);
                    Send(_to, bytes);
                }
            });
            echo.Start();
            byte[] mine = new byte[100];
            for (int i = 0; i < trips; i++)
            {
                Send(_from, mine);
                Receive(_from, mine);
            }

            echo.Join();
        }

        public void Dispose()
        {
            _from.Dispose();
            _to.Dispose();
        }

        private static void Send(Socket socket, ReadOnlySpan<byte> bytes)
        {
            while (bytes.Length > 0)
                bytes = bytes[socket.Send(bytes)..];
        }

        private static void Receive(Socket socket, Span<byte> bytes)
        {
            while (bytes.Length > 0)
                bytes = bytes[socket.Receive(bytes)..];
        }
    }
}
