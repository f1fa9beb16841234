using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ConvNet.Core.Benchmarking;

namespace ConvNet.Benchmarks.Scaling;

/// <summary>A <see cref="ScalingNode"/> seen from the process that started it.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;

    public NodeProcess(string seed)
    {
        string program = Environment.ProcessPath!;
        string[] before = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(NodeProcess).Assembly.Location] : [];
        _process = Process.Start(new ProcessStartInfo(program, [.. before, "scaling-node", seed]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }

    /// <summary>Processor time of the process so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public Task BeginAsync() => AskAsync<bool>("begin");

    public Task<WorkerReading> ReadAsync() => AskAsync<WorkerReading>("read");

    /// <summary>Measures steps without any cluster.</summary>
    public Task<StepMeasurement> MeasureAloneAsync(string name, TimeSpan duration) =>
        AskAsync<StepMeasurement>(string.Create(CultureInfo.InvariantCulture, $"alone {name} {duration.TotalSeconds}"));

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task<T> AskAsync<T>(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        string answer = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"A node's process has ended when it was told '{line}'.");
        return JsonSerializer.Deserialize<T>(answer)!;
    }
}
