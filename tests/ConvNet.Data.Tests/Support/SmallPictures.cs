namespace ConvNet.Data.Tests.Support;

/// <summary>Writes a few small pictures of two classes, dark and light, as a folder of pictures by class.</summary>
public static class SmallPictures
{
    /// <summary>Writes them.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="training">Training pictures of a class.</param>
    /// <param name="test">Test pictures of a class.</param>
    public static string Write(string folder, int training, int test)
    {
        foreach ((string split, int count) in new[] { ("train", training), ("test", test) })
        {
            for (int label = 0; label < 2; label++)
            {
                string place = Path.Combine(folder, split, label == 0 ? "dark" : "light");
                Directory.CreateDirectory(place);
                for (int i = 0; i < count; i++)
                {
                    (int width, int height) = (9 + (i % 4), 8 + (i % 3));
                    byte[] pixels = [.. Enumerable.Range(0, 3 * width * height).Select(p => (byte)((label * 120) + ((p * (i + 3)) % 130)))];
                    File.WriteAllBytes(Path.Combine(place, $"{i}.png"), TestPng.Rgb(width, height, pixels));
                }
            }
        }

        return folder;
    }
}
