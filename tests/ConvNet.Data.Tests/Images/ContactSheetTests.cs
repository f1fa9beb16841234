using ConvNet.Core.Tensors;
using ConvNet.Data.Images;
using ConvNet.Data.Tests.Support;
using StbImageSharp;

namespace ConvNet.Data.Tests.Images;

public sealed class ContactSheetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sheet_has_a_row_for_each_class_with_its_first_images_in_their_colours()
    {
        byte[] red = [200, 200, 200, 200, 10, 10, 10, 10, 10, 10, 10, 10], blue = [10, 10, 10, 10, 10, 10, 10, 10, 200, 200, 200, 200];
        var data = new DataSet("x", new Shape(3, 2, 2), [.. red, .. blue, .. blue, .. blue], [0, 1, 1, 1], ["red", "blue"]);
        string path = _folder.File("sheet.png");

        ContactSheet.Write(path, data, columns: 2);

        ImageResult sheet = ImageResult.FromMemory(File.ReadAllBytes(path), ColorComponents.RedGreenBlue);
        (int Red, int Blue, int Black)[] rows = [.. new[] { 0, 1 }.Select(half => Count(sheet, half * sheet.Height / 2, (half + 1) * sheet.Height / 2))];
        Assert.Equal([(48 * 48, 0), (0, 2 * 48 * 48)], rows.Select(r => (r.Red, r.Blue)));
        Assert.All(rows, r => Assert.True(r.Black > 50));      // the names
        Assert.Equal(["sheet.png"], Directory.GetFiles(_folder.Path).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void Grey_and_large_images_and_long_and_foreign_names_are_drawn_too()
    {
        var data = new DataSet("x", new Shape(1, 200, 100), new byte[20_000], [0], ["ein sehr langer Name für eine Klasse"]);

        (int width, int height, byte[] rgb) = ContactSheet.Draw(data, columns: 3);

        Assert.Equal(3 * width * height, rgb.Length);
        Assert.InRange(height, 96, 120);
        Assert.True(rgb.Count(b => b == 0) > 3 * 96 * 48);
    }

    private static (int Red, int Blue, int Black) Count(ImageResult sheet, int top, int bottom)
    {
        (int red, int blue, int black) = (0, 0, 0);
        for (int i = top * sheet.Width; i < bottom * sheet.Width; i++)
        {
            ReadOnlySpan<byte> pixel = sheet.Data.AsSpan(3 * i, 3);
            red += pixel.SequenceEqual<byte>([200, 10, 10]) ? 1 : 0;
            blue += pixel.SequenceEqual<byte>([10, 10, 200]) ? 1 : 0;
            black += pixel.SequenceEqual<byte>([0, 0, 0]) ? 1 : 0;
        }

        return (red, blue, black);
    }
}
