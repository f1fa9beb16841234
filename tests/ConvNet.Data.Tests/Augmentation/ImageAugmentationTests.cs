using ConvNet.Core.Tensors;
using ConvNet.Data.Augmentation;

namespace ConvNet.Data.Tests.Augmentation;

public sealed class ImageAugmentationTests
{
    private static readonly Shape Shape = new(3, 9, 11);

    /// <summary>No two pixels of a channel alike, none black.</summary>
    private static readonly byte[] Image = [.. Enumerable.Range(0, Shape.Elements).Select(i => (byte)(1 + (i * 37 % 251)))];

    [Theory]
    [InlineData("crop 4, flip", "crop 4, flip")]
    [InlineData(" crop  4 ,flip ", "crop 4, flip")]
    [InlineData("rotate 12.5, resized-crop 0.4, jitter 0.2, erase 0.5", "rotate 12.5, resized-crop 0.4, jitter 0.2, erase 0.5")]
    [InlineData("none", "")]
    [InlineData("", "")]
    public void A_list_of_steps_is_read_and_written_again(string text, string expected) => Assert.Equal(expected, ImageAugmentation.Parse(text)!.Text);

    [Theory]
    [InlineData("blur")]
    [InlineData("crop")]
    [InlineData("crop 0")]
    [InlineData("crop 1.5")]
    [InlineData("crop 4 5")]
    [InlineData("flip 1")]
    [InlineData("rotate 181")]
    [InlineData("erase NaN")]
    [InlineData("crop 4,, flip")]
    public void What_is_no_step_is_refused(string text) => Assert.Null(ImageAugmentation.Parse(text));

    [Theory]
    [InlineData("crop 2, flip, rotate 20, resized-crop 0.3, jitter 0.5, erase 1")]
    [InlineData("erase 0.5, flip")]
    public void The_same_sample_of_the_same_epoch_is_changed_in_the_same_way_and_no_other_is(string text)
    {
        byte[] once = Apply(text, 7, 3, 100);

        Assert.Equal(once, Apply(text, 7, 3, 100));
        Assert.NotEqual(once, Apply(text, 8, 3, 100));
        Assert.Contains(Enumerable.Range(4, 10), epoch => !once.SequenceEqual(Apply(text, 7, epoch, 100)));
        Assert.Contains(Enumerable.Range(101, 10), sample => !once.SequenceEqual(Apply(text, 7, 3, sample)));
    }

    [Theory]
    [InlineData("crop 28", "at most 27")]
    [InlineData("flip, crop 400", "at most 27")]
    [InlineData("crop 27, flip", null)]
    public void A_crop_that_could_leave_nothing_of_an_image_does_not_fit_it(string text, string? said)
    {
        string? misfit = ImageAugmentation.Parse(text)!.Misfit(new Shape(3, 28, 40));

        if (said is null)
            Assert.Null(misfit);
        else
            Assert.Contains(said, misfit, StringComparison.Ordinal);
    }

    [Fact]
    public void A_crop_is_the_image_moved_by_up_to_its_padding_with_black_around()
    {
        var seen = new HashSet<(int, int)>();
        for (int sample = 0; sample < 400; sample++)
        {
            byte[] moved = Apply("crop 2", 1, 0, sample);
            (int Down, int Right)[] moves = [.. from down in Enumerable.Range(-2, 5) from right in Enumerable.Range(-2, 5) where Moved(down, right).SequenceEqual(moved) select (down, right)];
            seen.Add(Assert.Single(moves));
        }

        Assert.Equal(25, seen.Count);
    }

    [Fact]
    public void A_crop_with_more_padding_than_image_may_leave_nothing_but_stays_inside() =>
        Assert.Contains(Enumerable.Range(0, 100), sample => Apply("crop 40", 1, 0, sample).All(b => b == 0));

    [Fact]
    public void About_half_of_the_images_are_mirrored_and_the_rest_left_alone()
    {
        byte[] mirrored = [.. Image.Chunk(Shape.Width).SelectMany(line => line.Reverse())];
        byte[][] results = [.. Enumerable.Range(0, 1000).Select(sample => Apply("flip", 1, 0, sample))];

        Assert.All(results, r => Assert.True(r.SequenceEqual(Image) || r.SequenceEqual(mirrored)));
        Assert.InRange(results.Count(r => r.SequenceEqual(mirrored)), 440, 560);
    }

    [Fact]
    public void Erasing_paints_one_rectangle_of_up_to_a_third_in_the_mean_colour()
    {
        byte[] means = [.. Image.Chunk(Shape.Pixels).Select(plane => (byte)Math.Round(plane.Average(b => (double)b)))];
        for (int sample = 0; sample < 200; sample++)
        {
            byte[] erased = Apply("erase 1", 1, 0, sample);
            int[] changed = [.. Enumerable.Range(0, Shape.Pixels).Where(p => erased[p] != Image[p])];

            Assert.InRange(changed.Length, 0, Shape.Pixels * 33 / 100);
            Assert.All(Enumerable.Range(0, Shape.Elements).Where(i => erased[i] != Image[i]), i => Assert.InRange(erased[i] - means[i / Shape.Pixels], -1, 1));
        }

        Assert.Equal(Image, Apply("erase 0", 1, 0, 0));
    }

    [Theory]
    [InlineData("rotate 0")]
    [InlineData("resized-crop 1", 3, 4)]
    [InlineData("jitter 0")]
    public void A_step_of_no_strength_changes_nothing(string text, int height = 9, int width = 11)
    {
        var shape = new Shape(1, height, width);
        byte[] image = Image[..shape.Elements];

        if (text.StartsWith("resized", StringComparison.Ordinal))
            Assert.All(Apply(text, 1, 0, 0, shape, image), b => Assert.InRange(b, 1, 251));   // sides may still be cut to ¾
        else
            Assert.Equal(image, Apply(text, 1, 0, 0, shape, image));
    }

    [Fact]
    public void A_part_that_is_made_larger_has_no_values_that_were_not_between_those_of_the_image()
    {
        byte[] flat = [.. Enumerable.Repeat((byte)200, Shape.Elements)];
        for (int sample = 0; sample < 100; sample++)
            Assert.Equal(flat, Apply("resized-crop 0.1", 1, 0, sample, Shape, flat));
    }

    [Fact]
    public void A_turned_image_keeps_its_middle_and_loses_its_corners()
    {
        byte[] flat = [.. Enumerable.Repeat((byte)200, Shape.Elements)];
        byte[][] turned = [.. Enumerable.Range(0, 50).Select(sample => Apply("rotate 45", 1, 0, sample, Shape, flat))];

        Assert.All(turned, t => Assert.InRange(t[(4 * 11) + 5], 199, 200));
        Assert.Contains(turned, t => t[0] == 0);
    }

    [Fact]
    public void The_bytes_are_these_on_every_machine() => Assert.Equal(
        "5D 8E C6 F1 00 15 3B 78",
        string.Join(' ', Apply("crop 2, flip, rotate 20, resized-crop 0.3, jitter 0.5, erase 1", 7, 3, 100).Skip(40).Take(8).Select(b => $"{b:X2}")));

    private static byte[] Moved(int down, int right)
    {
        var moved = new byte[Image.Length];
        for (int i = 0; i < moved.Length; i++)
        {
            int y = (i / Shape.Width % Shape.Height) + down, x = (i % Shape.Width) + right;
            if (y >= 0 && y < Shape.Height && x >= 0 && x < Shape.Width)
                moved[i] = Image[i + (down * Shape.Width) + right];
        }

        return moved;
    }

    private static byte[] Apply(string text, ulong seed, int epoch, int sample) => Apply(text, seed, epoch, sample, Shape, Image);

    private static byte[] Apply(string text, ulong seed, int epoch, int sample, Shape shape, byte[] image)
    {
        byte[] changed = [.. image], scratch = new byte[image.Length];
        ImageAugmentation.Parse(text)!.Apply(changed, scratch, shape, seed, epoch, sample);
        return changed;
    }
}
