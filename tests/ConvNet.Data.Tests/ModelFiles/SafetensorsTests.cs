using System.Text;
using ConvNet.Data.ModelFiles;
using ConvNet.Data.Tests.Support;

namespace ConvNet.Data.Tests.ModelFiles;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("model.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read_again()
    {
        NamedTensor[] tensors = [new("a.weight", [2, 3], 0), new("a.bias", [2], 6), new("nothing", [0, 5], 8), new("b", [], 8)];
        float[] values = [1, -2, 3.5f, float.NaN, float.Epsilon, -0f, 7, 8, float.MaxValue];

        Safetensors.Write(Path, tensors, values, new Dictionary<string, string> { ["model"] = "x" });
        (IReadOnlyList<NamedTensor> read, float[] readValues) = Safetensors.Read(Path);

        Assert.Equal(tensors.Select(t => (t.Name, string.Join(",", t.Shape), t.Offset)), read.Select(t => (t.Name, string.Join(",", t.Shape), t.Offset)));
        Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), readValues.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void The_bytes_are_those_that_the_format_prescribes()
    {
        Safetensors.Write(Path, [new("w", [2], 0)], new float[] { 1, 2 }, new Dictionary<string, string>());

        byte[] file = File.ReadAllBytes(Path);
        const string Header = """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
        Assert.Equal(0, (file[0] + 8) % 8);
        Assert.Equal(Header, Encoding.UTF8.GetString(file, 8, file[0]).TrimEnd(' '));
        Assert.Equal([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40], file[^8..]);
    }

    [Fact]
    public void No_temporary_file_is_left_behind()
    {
        Safetensors.Write(Path, [new("w", [1], 0)], new float[] { 1 }, new Dictionary<string, string>());

        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("""{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", 8, "w is of type F16; only F32 is read")]
    [InlineData("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "w [3] takes 12 bytes, its offsets give 8")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "w starts at value 1, expected 0")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "its header tells of 8 bytes of values, found 4")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, "two tensors have the name w")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "w has a shape or offsets that cannot be")]
    [InlineData("""{"w":{"dtype":"F32","shape":[99999,99999],"data_offsets":[0,8]}}""", 8, "is not that of a safetensors file")]
    [InlineData("""{"w":{"shape":[2]}}""", 8, "is not that of a safetensors file")]
    [InlineData("not json at all", 8, "is not that of a safetensors file")]
    public void A_file_that_cannot_be_is_told_by_its_name_and_what_is_wrong(string header, int valueBytes, string expected)
    {
        File.WriteAllBytes(Path, [.. BitConverter.GetBytes((ulong)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[valueBytes]]);

        var error = Assert.Throws<DataException>(() => Safetensors.Read(Path));

        Assert.StartsWith(Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_length_beyond_the_file_is_refused()
    {
        File.WriteAllBytes(Path, [255, 255, 255, 255, 255, 255, 255, 127, 0]);

        Assert.Contains("its header claims", Assert.Throws<DataException>(() => Safetensors.Read(Path)).Message, StringComparison.Ordinal);
    }
}
