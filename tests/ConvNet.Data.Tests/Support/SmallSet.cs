using System.IO.Compression;
using ConvNet.Data.Digits;

namespace ConvNet.Data.Tests.Support;

/// <summary>Writes a few of the built-in digits as the four IDX files of a data set.</summary>
public static class SmallSet
{
    public static string Write(string folder, int training = 30, int test = 10, bool zipped = false)
    {
        Directory.CreateDirectory(folder);
        Write(folder, "train", DigitSplit.Training, training, zipped);
        Write(folder, "t10k", DigitSplit.Test, test, zipped);
        return folder;
    }

    private static void Write(string folder, string name, DigitSplit split, int count, bool zipped)
    {
        (byte[] pixels, byte[] labels) = DigitSet.Draw(split, count, 2);
        Write(Path.Combine(folder, $"{name}-images-idx3-ubyte"), [0, 0, 8, 3, .. Big(count), .. Big(28), .. Big(28), .. pixels], zipped);
        Write(Path.Combine(folder, $"{name}-labels-idx1-ubyte"), [0, 0, 8, 1, .. Big(count), .. labels], zipped);
    }

    private static void Write(string path, byte[] bytes, bool zipped)
    {
        using FileStream file = File.Create(zipped ? path + ".gz" : path);
        using Stream stream = zipped ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(bytes);
    }

    private static byte[] Big(int n) => [(byte)(n >> 24), (byte)(n >> 16), (byte)(n >> 8), (byte)n];
}
