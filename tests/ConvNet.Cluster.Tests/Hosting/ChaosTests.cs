using ConvNet.Cluster.Faults;
using ConvNet.Cluster.Hosting;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Shards;
using ConvNet.Cluster.Tests.Fakes;

namespace ConvNet.Cluster.Tests.Hosting;

public sealed class ChaosTests
{
    [Fact]
    public async Task However_workers_die_and_join_the_weights_are_those_of_a_plain_loop()
    {
        string expected = WeightsHash.Of(new ToyRuntime().TrainPlainly());
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            int workers = random.Next(2, 6), servers = random.Next(1, 5), shardParameters = random.Next(2) == 0 ? 16 : 1000;
            var points = Enum.GetValues<FaultPoint>();
            var faults = Enumerable.Range(1, workers - 1)
                .Select(w => Fault.Kill(w, atStep: random.Next(0, 9), points[random.Next(points.Length)]));
            var ledger = new RecordingLedger();
            var runtime = new ToyRuntime();
            var options = new LocalClusterOptions
            {
                Workers = workers,
                Servers = servers,
                ShardParameters = shardParameters,
                Lanes = random.Next(1, 4),
                Ledger = ledger,
                Faults = Fault.All([.. faults]),
                Akka = SameBitsTests.SerializeAll,
            };

            // One more joins for each that is lost; it may come too late, or be lost as well.
            var started = new TaskCompletionSource<LocalRun>();
            var observed = new Observed(e =>
            {
                if (e is JobEvent.WorkerLost)
                    started.Task.Result.AddWorker();
            });
            var run = LocalCluster.Start(new JobSpec(), runtime, options, observed);
            started.SetResult(run);
            using var result = await run.Completion.WaitAsync(TimeSpan.FromSeconds(30));

            Assert.True(expected == result.WeightsSha256, $"seed {seed}");
            ledger.AssertExactlyOnce(runtime.Plan, ShardPlacement.Of(runtime.Layout, servers, shardParameters).Length);
            Assert.Equal(0, run.Threads.Running);
            Assert.Equal(0, runtime.LanesAlive);
        }
    }
}
