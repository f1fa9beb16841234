using System.Text.Json;
using ConvNet.Data.Tests.Support;
using ConvNet.EndToEnd.Tests.Support;

namespace ConvNet.EndToEnd.Tests;

/// <summary><c>convnet data fetch</c> and <c>convnet data show</c>, as a user types them.</summary>
public sealed class DataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SharedDataFact("fashion-mnist")]
    public async Task A_data_set_is_fetched_from_a_mirror_and_found_there_the_second_time()
    {
        using var server = new FileServer();
        foreach (string file in Directory.GetFiles(SharedData.Folder("fashion-mnist")!, "*.gz"))
            server.Add(Path.GetFileName(file), File.ReadAllBytes(file));

        Finished first = await Convnet.RunAsync(_folder.Path, "data", "fetch", "fashion-mnist", "--mirror", server.Address.AbsoluteUri);
        Finished second = await Convnet.RunAsync(_folder.Path, "data", "fetch", "fashion-mnist", "--mirror", server.Address.AbsoluteUri, "--json");

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Contains("train-images-idx3-ubyte.gz: 26,421,880 bytes from 127.0.0.1, checked", first.Output, StringComparison.Ordinal);
        Assert.Contains($"--data fashion-mnist:{Path.Combine("data", "fashion-mnist")}", first.Output, StringComparison.Ordinal);
        Assert.All(second.Json.GetProperty("files").EnumerateArray(), file => Assert.Equal(JsonValueKind.Null, file.GetProperty("from").ValueKind));
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task A_data_set_is_shown_with_its_classes_and_a_contact_sheet()
    {
        SmallSet.Write(_folder.File("small"), training: 30, test: 10);

        Finished people = await Convnet.RunAsync(_folder.Path, "data", "show", "mnist:small");
        Finished script = await Convnet.RunAsync(_folder.Path, "data", "show", "mnist:small", "--out", "other.png", "--json");

        Assert.Equal((0, 0), (people.ExitCode, script.ExitCode));
        Assert.Contains("mnist:small: images of 1x28x28, 10 classes", people.Output, StringComparison.Ordinal);
        Assert.Contains("training   30 images, mean ", people.Output, StringComparison.Ordinal);
        Assert.Equal(30, script.Json.GetProperty("classes").EnumerateArray().Sum(c => c.GetProperty("training").GetInt32()));
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(_folder.File("contact-sheet.png"))[..4]);
        Assert.True(File.Exists(_folder.File("other.png")));
    }

    [Theory]
    [InlineData("data fetch minst", "unknown data set 'minst'. Did you mean 'mnist'? It takes mnist, fashion-mnist, cifar10, cifar100.")]
    [InlineData("data fetch mnist --mirror ftp://x", "--mirror ftp://x: expected an address such as https://example.org/data/.")]
    [InlineData("data show nowhere", "data 'nowhere': there is no such folder")]
    [InlineData("data show digits --out no/such/sheet.png", "--out no/such/sheet.png: there is no such folder to write into.")]
    public async Task What_is_asked_wrongly_is_told(string arguments, string expected)
    {
        Finished run = await Convnet.RunAsync(_folder.Path, arguments.Split(' '));

        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }
}
