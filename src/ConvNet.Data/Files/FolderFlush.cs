using System.Runtime.InteropServices;

namespace ConvNet.Data.Files;

/// <summary>Sees to it that new and renamed entries of a folder are on the disk: a rename alone may be lost with the power.</summary>
public static class FolderFlush
{
    private const int ReadOnly = 0;

    /// <summary>Flushes a folder's entries. On Windows, where a folder cannot be flushed and its journal does the same, nothing.</summary>
    /// <exception cref="IOException">The disk did not take it.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int handle = Open(folder, ReadOnly);
        if (handle < 0)
            throw Failure(folder);
        try
        {
            if (Synchronize(handle) != 0)
                throw Failure(folder);
        }
        finally
        {
            _ = Close(handle);
        }
    }

    private static IOException Failure(string folder) => new($"{folder}: cannot be flushed to the disk ({Marshal.GetLastPInvokeErrorMessage()}).");

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Synchronize(int handle);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int handle);
}
