using System.IO.Compression;

namespace ConvNet.Data.Files;

/// <summary>Reads a whole file that may be gzipped, which is told by its first bytes and not by its name.</summary>
internal static class PackedFile
{
    /// <summary>The unpacked bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">Bytes that it may hold: a small file can unpack to a very large one.</param>
    /// <exception cref="DataException">The file is missing, damaged or too long.</exception>
    public static byte[] Read(string path, int most)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            bool zipped = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
            file.Position = 0;
            using Stream stream = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
            var all = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                all.Write(buffer, 0, read);
                if (all.Length > most)
                    throw new DataException($"{path}: holds more than {most} bytes; no such file of images does.");
            }

            return all.ToArray();
        }
        catch (Exception broken) when (broken is InvalidDataException or EndOfStreamException)
        {
            throw new DataException($"{path}: its gzip compression is damaged ({broken.Message.TrimEnd('.')}). Get the file again.", broken);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read ({missing.Message.TrimEnd('.')}).", missing);
        }
    }
}
