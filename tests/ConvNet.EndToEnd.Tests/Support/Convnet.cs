using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>What a finished <c>convnet</c> process left.</summary>
public sealed record Finished(int ExitCode, string Output, string Error)
{
    /// <summary>The last line on standard output, as JSON.</summary>
    public JsonElement Json => JsonDocument.Parse(Output.TrimEnd().Split('\n')[^1]).RootElement;

    public string WeightsSha256 => Json.GetProperty("weightsSha256").GetString()!;
}

/// <summary>Starts real <c>convnet</c> processes.</summary>
public sealed class Convnet : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new(), _error = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

    private Convnet(string[] command, IReadOnlyDictionary<string, string> environment, string folder)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Take(_error, line.Data);
    }

    public int ProcessId => _process.Id;

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Finished> RunAsync(string folder, params string[] arguments)
    {
        using Convnet run = Start(folder, new Dictionary<string, string>(), arguments);
        return await run.EndAsync();
    }

    /// <summary>Runs a command with environment variables to its end.</summary>
    public static async Task<Finished> RunAsync(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using Convnet run = Start(folder, environment, arguments);
        return await run.EndAsync();
    }

    /// <summary>Runs another program beside the tests to its end.</summary>
    public static async Task<Finished> RunProgramAsync(string program, string folder, params string[] arguments)
    {
        using var run = new Convnet(["dotnet", Path.Combine(AppContext.BaseDirectory, program), .. arguments], new Dictionary<string, string>(), folder);
        run.Begin();
        return await run.EndAsync();
    }

    /// <summary>Starts a command.</summary>
    public static Convnet Start(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        StartBehind([], folder, environment, arguments);

    /// <summary>Starts a command that another command runs, such as <c>ip netns exec a</c>.</summary>
    public static Convnet StartBehind(string[] before, string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var run = new Convnet([.. before, "dotnet", Path.Combine(AppContext.BaseDirectory, "convnet.dll"), .. arguments], environment, folder);
        run.Begin();
        return run;
    }

    /// <summary>Starts a command of a program that was published into a folder.</summary>
    public static Convnet StartPublished(string app, string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var run = new Convnet(["dotnet", Path.Combine(app, "convnet.dll"), .. arguments], environment, folder);
        run.Begin();
        return run;
    }

    private void Begin()
    {
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Waits until a text has been written to standard output or error, or the process has ended.</summary>
    public async Task SaysAsync(string text)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_awaited)
        {
            if (_output.ToString().Contains(text, StringComparison.Ordinal) || _error.ToString().Contains(text, StringComparison.Ordinal))
                return;
            _awaited.Add((text, seen));
        }

        if (await Task.WhenAny(seen.Task, _process.WaitForExitAsync()) != seen.Task)
            throw new InvalidOperationException($"The process ended without saying '{text}'. It said: {_output}{_error}");
    }

    /// <summary>Waits for a line that begins with a word, and gives the rest of it.</summary>
    public async Task<string> LineAsync(string beginning)
    {
        await SaysAsync(beginning);
        lock (_awaited)
            return _output.ToString().Split('\n').First(line => line.StartsWith(beginning, StringComparison.Ordinal))[beginning.Length..].Trim();
    }

    /// <summary>Sends a signal, such as INT, to the process.</summary>
    public void Signal(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end.</summary>
    public async Task<Finished> EndAsync()
    {
        await _process.WaitForExitAsync();
        lock (_awaited)
            return new Finished(_process.ExitCode, _output.ToString(), _error.ToString());
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void Take(StringBuilder all, string? line)
    {
        if (line == null)
            return;
        lock (_awaited)
        {
            all.AppendLine(line);
            foreach ((string text, TaskCompletionSource seen) in _awaited)
            {
                if (line.Contains(text, StringComparison.Ordinal))
                    seen.TrySetResult();
            }
        }
    }
}
