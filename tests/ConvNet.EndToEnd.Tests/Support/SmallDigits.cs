using ConvNet.Data.Digits;
using ConvNet.Data.Tests.Support;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>A folder with a few of the built-in digits as IDX files, so that an epoch takes a moment.</summary>
public sealed class SmallDigits : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SmallDigits()
    {
        // 1 500 is no multiple of the batch, and 420 none of the micro-batch.
        Write("train", DigitSplit.Training, 1500);
        Write("t10k", DigitSplit.Test, 420);
    }

    public string Path => _folder.Path;

    public string File(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();

    private void Write(string name, DigitSplit split, int count)
    {
        (byte[] pixels, byte[] labels) = DigitSet.Draw(split, count, 2);
        System.IO.File.WriteAllBytes(File($"{name}-images-idx3-ubyte"), [0, 0, 8, 3, .. Big(count), .. Big(28), .. Big(28), .. pixels]);
        System.IO.File.WriteAllBytes(File($"{name}-labels-idx1-ubyte"), [0, 0, 8, 1, .. Big(count), .. labels]);
    }

    private static byte[] Big(int n) => [(byte)(n >> 24), (byte)(n >> 16), (byte)(n >> 8), (byte)n];
}
