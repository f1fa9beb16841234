using System.Globalization;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>What the servers of a cluster wrote down of each step: the proof that every sample of every epoch was applied exactly once.</summary>
public static class Audit
{
    private sealed record Line(int Attempt, int Shard, long Step, int MicroBatches, (int Start, int End)[] Runs);

    /// <summary>Every step of the job is there once, in the newest attempt that took it, in all of that attempt's shards, and each was made of every micro-batch exactly once.</summary>
    public static void AssertEverySampleOnce(string folder, string job, long totalSteps)
    {
        var lines = Directory.GetFiles(Path.Combine(folder, "audit")).SelectMany(File.ReadAllLines).Select(l => Read(l, job)).OfType<Line>().ToArray();
        var shardsOf = lines.GroupBy(l => l.Attempt).ToDictionary(a => a.Key, a => a.Select(l => l.Shard).Distinct().Count());
        var byStep = lines.ToLookup(l => l.Step);
        for (long step = 0; step < totalSteps; step++)
        {
            Assert.True(byStep.Contains(step), $"Nobody applied step {step} of {job}.");
            int newest = byStep[step].Max(l => l.Attempt);
            var applied = byStep[step].Where(l => l.Attempt == newest).ToArray();
            Assert.Equal(Enumerable.Range(0, shardsOf[newest]), applied.Select(l => l.Shard).Order());
            foreach (var line in applied)
                Assert.Equal(Enumerable.Range(0, line.MicroBatches), line.Runs.SelectMany(r => Enumerable.Range(r.Start, r.End - r.Start)).Order());
        }
    }

    private static Line? Read(string text, string job)
    {
        string[] words = text.Split(' ');
        if (!words[0].StartsWith(job + ".", StringComparison.Ordinal))
            return null;
        int[] numbers = [.. words[1..4].Prepend(words[0][(job.Length + 1)..]).Select(w => int.Parse(w, CultureInfo.InvariantCulture))];
        return new(numbers[0], numbers[1], numbers[2], numbers[3], [.. words[4..].Select(Run)]);
    }

    private static (int Start, int End) Run(string text)
    {
        string[] ends = text.Split('-');
        return (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[1], CultureInfo.InvariantCulture));
    }
}
