using System.Diagnostics;
using System.Globalization;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>Images a second with one and with two worker processes of one lane each, the efficiency, and bytes on the wire: weak scaling, the batch is each worker's.</summary>
/// <remarks>
/// In each round four turns follow each other: a process alone without any cluster, a cluster of one worker, two processes alone at the same time, a cluster of two workers.
/// Neighbours on the same cores then disturb all of them, and ratios are taken within a round. What two processes alone lose to each other (memory, cache, cores that are not
/// really two) no cluster can win back.
/// </remarks>
internal static class ScalingTable
{
    /// <param name="Seconds">The median step.</param>
    /// <param name="BytesPerStep">On the wire, from all processes.</param>
    /// <param name="Computing">Share of the time in which lanes computed.</param>
    /// <param name="Between">Share of the time from the end of a step's last micro-batch to the next step's first.</param>
    /// <param name="Used">Cores that these processes kept busy.</param>
    /// <param name="Others">Cores that all others kept busy, which were missing here.</param>
    private sealed record Turn(double Seconds, double BytesPerStep, double Computing, double Between, double Used = 0, double Others = 0);

    private sealed record Round(Turn Alone, Turn One, Turn TwoAlone, Turn Two);

    private const double LargeNetwork = 12e6;

    public static async Task PrintAsync(string[] arguments)
    {
        (var names, int rounds, var duration) = Read(arguments);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rounds} rounds, {duration.TotalSeconds} s a turn; {Environment.ProcessorCount} cores, load before: {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
        await using var one = await ScalingCluster.StartAsync(1);
        await using var two = await ScalingCluster.StartAsync(2);
        foreach (string name in names)
        {
            // A step of a large network takes seconds, and a turn needs a few of them.
            var turn = duration * Math.Clamp(ScalingNetworks.Find(name).Network.ParameterCount / LargeNetwork, 1, 5);
            var all = new Round[rounds];
            for (int round = 0; round < rounds; round++)
            {
                all[round] = new(
                    await TurnAsync(one, c => AloneAsync(c, name, turn)),
                    await TurnAsync(one, c => TrainAsync(c, name, turn)),
                    await TurnAsync(two, c => AloneAsync(c, name, turn)),
                    await TurnAsync(two, c => TrainAsync(c, name, turn)));
            }

            Print(ScalingNetworks.Find(name), all);
        }
    }

    private static (string[] Names, int Rounds, TimeSpan Duration) Read(string[] arguments)
    {
        var names = new List<string>();
        int rounds = 3;
        double seconds = 2.5;
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--rounds")
                rounds = int.Parse(arguments[++i], CultureInfo.InvariantCulture);
            else if (arguments[i] == "--seconds")
                seconds = double.Parse(arguments[++i], CultureInfo.InvariantCulture);
            else
                names.Add(ScalingNetworks.Find(arguments[i]).Network.Name);
        }

        return (names.Count == 0 ? [.. ScalingNetworks.Names] : [.. names], rounds, TimeSpan.FromSeconds(seconds));
    }

    private static async Task<Turn> TurnAsync(ScalingCluster cluster, Func<ScalingCluster, Task<Turn>> measure)
    {
        double busy = MachineLoad.BusySeconds(), own = OwnSeconds(cluster);
        long start = Stopwatch.GetTimestamp();
        var turn = await measure(cluster);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        own = OwnSeconds(cluster) - own;
        busy = MachineLoad.BusySeconds() - busy;
        return turn with { Used = own / seconds, Others = Math.Max(0, busy - own) / seconds };
    }

    private static async Task<Turn> AloneAsync(ScalingCluster cluster, string name, TimeSpan duration)
    {
        var scaled = ScalingNetworks.Find(name);
        var measured = await Task.WhenAll(cluster.Nodes.Select(n => n.MeasureAloneAsync(name, duration)));
        return new(measured.Average(m => scaled.Batch / m.ImagesPerSecond), BytesPerStep: 0, Computing: 1, Between: 0);
    }

    private static async Task<Turn> TrainAsync(ScalingCluster cluster, string name, TimeSpan duration)
    {
        var readings = await cluster.TrainAsync(name, duration);
        if (readings.Any(r => r.Steps == 0))
            throw new InvalidOperationException($"{name}: there were not enough steps in {duration.TotalSeconds} s; give more by --seconds.");
        return new(
            readings.Average(r => r.MedianSeconds), readings.Sum(r => r.BytesSentPerStep), readings.Average(r => r.ComputingShare), readings.Average(r => r.BetweenShare));
    }

    private static double OwnSeconds(ScalingCluster cluster) => Environment.CpuUsage.TotalTime.TotalSeconds + cluster.Nodes.Sum(n => n.CpuTime.TotalSeconds);

    private static void Print(ScalingCase scaled, Round[] rounds)
    {
        double batch = scaled.Batch;
        double lowerBound = 2.0 * sizeof(float) * scaled.Network.ParameterCount;
        Write($"");
        Write($"{scaled.Network.Name}: {scaled.Network.ParameterCount:N0} parameters, batch {scaled.Batch} a worker, micro-batch {scaled.MicroBatch}");
        Line("one process alone", r => r.Alone, 1);
        Line("cluster, 1 worker", r => r.One, 1);
        Line("two processes alone", r => r.TwoAlone, 2);
        Line("cluster, 2 workers", r => r.Two, 2);
        Write($"  efficiency  2 workers / 2 × 1 worker             {Median(r => r.One.Seconds / r.Two.Seconds),6:P0}   {Each(rounds, r => r.One.Seconds / r.Two.Seconds)}");
        Write($"              2 workers / 2 × alone                {Median(r => r.Alone.Seconds / r.Two.Seconds),6:P0}   {Each(rounds, r => r.Alone.Seconds / r.Two.Seconds)}");
        Write($"              2 workers / two alone                {Median(r => r.TwoAlone.Seconds / r.Two.Seconds),6:P0}   {Each(rounds, r => r.TwoAlone.Seconds / r.Two.Seconds)}");
        Write($"  bytes on the wire a step, 2 workers     {Median(r => r.Two.BytesPerStep),14:N0}   {Median(r => r.Two.BytesPerStep) / lowerBound:F3} × the least, {lowerBound:N0}");

        double Median(Func<Round, double> of)
        {
            double[] values = [.. rounds.Select(of).Order()];
            return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
        }

        void Line(string what, Func<Round, Turn> of, int workers)
        {
            double milliseconds = Median(r => of(r).Seconds) * 1e3;
            Write($"  {what,-20} {workers * batch / milliseconds * 1e3,10:N1} images/s {milliseconds,10:N2} ms a step   computing {Median(r => of(r).Computing),4:P0}, between steps {Median(r => of(r).Between),4:P0}   {Median(r => of(r).Used):F2} cores used, {Median(r => of(r).Others):F2} by others");
        }
    }

    private static string Each(Round[] rounds, Func<Round, double> of) => string.Join(", ", rounds.Select(r => of(r).ToString("P0", CultureInfo.InvariantCulture)));

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
