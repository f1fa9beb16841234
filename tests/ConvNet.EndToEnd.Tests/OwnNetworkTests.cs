using ConvNet.Cluster.Management;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary>A network of one's own: from the program in the README, from a job file that a cluster gets, and from the same file on one machine.</summary>
public sealed class OwnNetworkTests : IAsyncLifetime
{
    /// <summary>The program's network and its fields, as a job file.</summary>
    private const string Job =
        """
        data: small
        epochs: 2
        lr: 0.01
        layers:
          - conv2d: {name: stem, out-channels: 16, kernel: 5, stride: 2, padding: 2}
          - relu: {name: act}
          - conv2d: {name: path, out-channels: 16, kernel: 3, padding: 1}
          - batch-norm: {name: norm}
          - add: {name: sum, inputs: [norm, act]}
          - relu
          - max-pool: {kernel: 2}
          - fully-connected: {outputs: 10}
        """;

    private readonly ProcessCluster _cluster = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact(Timeout = 240_000)]
    public async Task A_program_a_job_file_and_one_machine_come_to_the_same_weights()
    {
        string file = Path.Combine(_cluster.Folder, "two-paths.yaml");
        File.WriteAllText(file, Job);
        await _cluster.StartAllAsync(servers: 1, workers: 2);

        Finished program = await Convnet.RunProgramAsync("ConvNet.Samples.dll", _cluster.Folder, _cluster.Coordinator.Jobs!, "small");
        JobRecord submitted = await _cluster.DoneAsync(await _cluster.SubmitAsync(file));
        string here = await _cluster.TrainedHereAsync(file);

        Assert.True(program.ExitCode == 0, program.Error);
        Assert.Equal("two-paths on small", submitted.Name);
        Assert.Equal(here, submitted.WeightsSha256);
        Assert.Contains(here, program.Output, StringComparison.Ordinal);
        Finished fetched = await Convnet.RunAsync(_cluster.Folder, "evaluate", "two-paths", "--data", "data/small", "--json");
        Assert.Equal(here, fetched.WeightsSha256);
    }

    [Fact]
    public void The_readme_shows_the_program()
    {
        string? root = AppContext.BaseDirectory;
        while (root != null && !File.Exists(Path.Combine(root, "ConvNet.Cluster.sln")))
            root = Path.GetDirectoryName(root);
        string[] program = File.ReadAllLines(Path.Combine(root!, "tests", "ConvNet.Samples", "Program.cs"));

        Assert.InRange(program.Length, 1, 29);
        Assert.Contains(string.Join('\n', program), File.ReadAllText(Path.Combine(root!, "README.md")).ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
