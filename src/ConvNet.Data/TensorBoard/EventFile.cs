using System.Globalization;
using Google.Protobuf;

namespace ConvNet.Data.TensorBoard;

/// <summary>A number at a step, as TensorBoard draws it.</summary>
/// <param name="Tag">Its curve; those with the same beginning up to a slash are shown together: <c>loss/train</c>.</param>
/// <param name="Value">The number.</param>
public readonly record struct Scalar(string Tag, double Value);

/// <summary>An event file that TensorBoard reads, also while it grows. Used by one thread at a time.</summary>
public sealed class EventFile : IDisposable
{
    private const string FormatVersion = "brain.Event:2";

    private readonly FileStream _stream;

    private EventFile(string path, FileStream stream) => (Path, _stream) = (path, stream);

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Begins a file in a folder, which is made if need be. Each call begins a file of its own.</summary>
    /// <param name="folder">The folder that TensorBoard is pointed at, or one in it.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be written.</exception>
    public static EventFile Create(string folder, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        for (int n = 0; ; n++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{now.ToUnixTimeSeconds():D10}.{Environment.MachineName}.{Environment.ProcessId}.{n}");
            string path = System.IO.Path.Combine(folder, name);
            if (File.Exists(path))
                continue;
            var file = new EventFile(path, new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read));
            file.Write(new Event { WallTime = Seconds(now), FileVersion = FormatVersion });
            file.Flush();
            return file;
        }
    }

    /// <summary>Adds scalars.</summary>
    /// <param name="now">The time.</param>
    /// <param name="step">Where they are on the curves: steps taken.</param>
    /// <param name="scalars">The numbers.</param>
    public void Add(DateTimeOffset now, long step, IEnumerable<Scalar> scalars)
    {
        var summary = new Summary();
        summary.Value.Add(scalars.Select(s => new Summary.Types.Value { Tag = s.Tag, SimpleValue = (float)s.Value }));
        Write(new Event { WallTime = Seconds(now), Step = step, Summary = summary });
    }

    /// <summary>Lets readers see what was added.</summary>
    public void Flush() => _stream.Flush();

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private void Write(Event happened) => RecordFrame.Write(_stream, happened.ToByteArray());

    private static double Seconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalSeconds;
}
