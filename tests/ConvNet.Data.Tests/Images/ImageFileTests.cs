using ConvNet.Core.Tensors;
using ConvNet.Data.Images;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.Images;

public sealed class ImageFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("picture.png");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_colour_picture_of_the_right_size_is_taken_as_it_is()
    {
        File.WriteAllBytes(Path, TestPng.Rgb(2, 2, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]));

        Assert.Equal([255, 0, 0, 255, /**/ 0, 255, 0, 255, /**/ 0, 0, 255, 255], ImageFile.Read(Path, new Shape(3, 2, 2)));
    }

    [Fact]
    public void Grey_is_a_weighed_sum_of_the_colours()
    {
        File.WriteAllBytes(Path, TestPng.Rgb(2, 2, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]));

        Assert.Equal([76, 149, 28, 255], ImageFile.Read(Path, new Shape(1, 2, 2)));
    }

    [Fact]
    public void A_larger_picture_is_averaged_and_a_smaller_one_spread()
    {
        File.WriteAllBytes(Path, TestPng.Rgb(2, 2, [0, 0, 0, 100, 100, 100, 200, 200, 200, 40, 40, 40]));

        Assert.Equal([85], ImageFile.Read(Path, new Shape(1, 1, 1)));
        Assert.Equal([0, 0, 100, 100, 0, 0, 100, 100, 200, 200, 40, 40, 200, 200, 40, 40], ImageFile.Read(Path, new Shape(1, 4, 4)));
    }

    [Fact]
    public void Dark_on_light_is_turned_round_and_light_on_dark_left()
    {
        byte[] light = [250, 250, 250, 250, 10, 250, 250, 250, 250], dark = [5, 5, 5, 5, 245, 5, 5, 5, 5];

        ImageFile.LightOnDark(light, 3, 3);
        Assert.Equal(dark, light);
        ImageFile.LightOnDark(light, 3, 3);
        Assert.Equal(dark, light);
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is no picture")]
    public void What_is_no_picture_is_told_by_its_name(string content)
    {
        File.WriteAllText(Path, content);

        Assert.Contains($"{Path}: is no picture that can be read", Assert.Throws<DataException>(() => ImageFile.Read(Path, new Shape(1, 2, 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cut_off_picture_is_an_error()
    {
        byte[] whole = TestPng.Rgb(2, 2, new byte[12]);
        File.WriteAllBytes(Path, whole[..40]);

        Assert.Throws<DataException>(() => ImageFile.Read(Path, new Shape(1, 2, 2)));
    }

    [SharedDataFact("images-sign-digits")]
    public void A_photograph_that_ends_within_its_pixels_is_damaged_and_not_made_up()
    {
        byte[] whole = File.ReadAllBytes(Directory.GetFiles(SharedData.Folder("images-sign-digits")!, "*.JPG", new EnumerationOptions { RecurseSubdirectories = true, MatchCasing = MatchCasing.CaseInsensitive }).Order(StringComparer.Ordinal).First());
        foreach (int length in new[] { 3, whole.Length / 4, whole.Length / 2, whole.Length - 100, whole.Length - 1 })
        {
            File.WriteAllBytes(Path, whole[..length]);
            Assert.Contains($"{Path}: is no picture that can be read, or is damaged", Assert.Throws<DataException>(() => ImageFile.Read(Path, new Shape(3, 8, 8))).Message, StringComparison.Ordinal);
        }

        File.WriteAllBytes(Path, [.. whole, 1, 2, 3]);
        Assert.True(ImageFile.IsPicture(Path));
    }

    [Fact]
    public void A_picture_that_says_it_is_of_a_size_that_none_is_takes_no_memory_for_it()
    {
        byte[] png = TestPng.Rgb(2, 2, new byte[12]);
        (png[16], png[20]) = (0x10, 0x10);
        File.WriteAllBytes(Path, png);

        Assert.False(ImageFile.IsPicture(Path));
    }

    [Fact]
    public void A_missing_picture_is_told_by_its_name() =>
        Assert.Contains($"{Path}: cannot be read", Assert.Throws<DataException>(() => ImageFile.Read(Path, new Shape(1, 2, 2))).Message, StringComparison.Ordinal);
}
