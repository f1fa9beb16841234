using System.Globalization;
using System.Text;
using ConvNet.Cluster.Sums;

namespace ConvNet.Cluster.Shards;

/// <summary>Writes down what each step was made of, a line for each shard and step: so that it can be proved afterwards that every sample was applied exactly once.</summary>
/// <remarks>
/// <code>
/// j7.2 0 1200 6 0-4 4-6     job and attempt, shard, step, micro-batches of the step, the runs of micro-batches whose sums came from workers
/// </code>
/// Each line is given to the operating system at once: a node that is killed has written all that it applied. The steps of an attempt that follows take the place
/// of the same steps of the attempt before.
/// </remarks>
internal sealed class AuditFile : IAppliedLedger, IDisposable
{
    private readonly Lock _gate = new();
    private readonly FileStream _file;

    /// <summary>Appends to a file.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public AuditFile(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    /// <inheritdoc/>
    public void Applied(string job, int shard, long step, int microBatches, IReadOnlyList<TreeNode> nodes)
    {
        var runs = nodes.Select(n => n.Covers(microBatches)).OrderBy(r => r.Start).Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Start}-{r.End}"));
        byte[] line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{job} {shard} {step} {microBatches} {string.Join(' ', runs)}\n"));
        lock (_gate)
            _file.Write(line);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
