namespace ConvNet.Data.Manifests;

/// <summary>A data set that was found on this machine, and what it consists of.</summary>
/// <param name="Name">As the user named it.</param>
/// <param name="Manifest">Its content.</param>
/// <param name="Folder">Where its files are, as a whole path; empty for the built-in digits.</param>
/// <param name="Within">The same, relative to the data directory, with <c>/</c> between its parts: where another node looks for it first.</param>
public sealed record LocatedData(string Name, DataManifest Manifest, string Folder, string Within)
{
    /// <summary>The whole path of a file.</summary>
    public string PathOf(DataFile file) => Path.Combine(Folder, file.Name);

    /// <summary>Pictures that were left out of it because they are damaged, by name.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>Loads it. Takes seconds for large sets.</summary>
    /// <param name="known">Mean and deviation of its training images, where another machine has worked them out.</param>
    /// <exception cref="DataException">The files are missing or damaged.</exception>
    public DataSplits Load(Normalisation? known = null) => DataSource.Load(this, known);
}
