using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ConvNet.EndToEnd.Tests.Support;

/// <summary>Builds what the image holds as an engine would, in folders: follows the Dockerfile's instructions, and knows only the files that they copy.</summary>
public sealed class DockerBuild : IAsyncLifetime, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convnet-image-").FullName;
    private readonly Regex[] _ignored = [.. DockerFolder.Text(".dockerignore").Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(Pattern)];

    /// <summary>What is <c>/app</c> in the image.</summary>
    public string App => Folder("/app");

    /// <summary>What is a folder of the image, or of a stage of the build.</summary>
    private string Folder(string path) => Path.Combine(_folder, path.TrimStart('/'));

    /// <summary>Whether .dockerignore keeps a path of the repository from the build.</summary>
    public bool Ignores(string path) => _ignored.Any(pattern => pattern.IsMatch(path));

    public async Task InitializeAsync()
    {
        string here = _folder;
        foreach (var instruction in DockerFolder.Instructions)
        {
            switch (instruction.Name)
            {
                case "WORKDIR":
                    here = Directory.CreateDirectory(Folder(instruction.Arguments)).FullName;
                    break;
                case "COPY" when instruction.Words[0] == "--from=build":
                    Copy(Folder(instruction.Words[1]), Path.Combine(here, instruction.Words[2]), _ => true);
                    break;
                case "COPY":
                    foreach (string source in instruction.Words[..^1])
                        CopyFromRepository(source, Path.Combine(here, instruction.Words[^1]));
                    break;
                case "RUN" when instruction.Words[0] == "dotnet":
                    await RunAsync(here, [.. instruction.Words[1..].Select(w => w.StartsWith('/') ? Folder(w) : w)]);
                    break;
            }
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A path or a name with ** for any folders; nothing else stands in our file.</summary>
    private static Regex Pattern(string line) =>
        new($"^{Regex.Escape(line.TrimEnd('/')).Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal)}(/|$)", RegexOptions.CultureInvariant);

    private void CopyFromRepository(string source, string destination)
    {
        string path = Path.Combine(DockerFolder.Root, source);
        Assert.True(Path.Exists(path), $"The Dockerfile copies {source}, which is not in the repository.");
        Assert.False(Ignores(source), $"The Dockerfile copies {source}, which .dockerignore leaves out.");
        if (Directory.Exists(path))
            Copy(path, destination, file => !Ignores(Path.GetRelativePath(DockerFolder.Root, file)));
        else
            File.Copy(path, Path.Combine(Directory.CreateDirectory(destination).FullName, Path.GetFileName(path)));
    }

    private static void Copy(string from, string to, Func<string, bool> wanted)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(wanted))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    private static async Task RunAsync(string folder, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";   // a node that stays would hold the output open, and the folder
        using var process = Process.Start(start)!;
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {said}");
    }
}
