using ConvNet.Data.Tests.Support;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>A folder with a few of the built-in digits as IDX files, so that an epoch takes a moment.</summary>
public sealed class SmallDigits : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // 1 500 is no multiple of the batch, and 420 none of the micro-batch.
    public SmallDigits() => SmallSet.Write(_folder.Path, training: 1500, test: 420);

    public string Path => _folder.Path;

    public string File(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();
}
