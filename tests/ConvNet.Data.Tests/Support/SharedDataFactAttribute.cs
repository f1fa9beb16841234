namespace ConvNet.Data.Tests.Support;

/// <summary>A test that needs the real data sets in a folder <c>shared/data</c> beside the repository; elsewhere it is skipped, and says so.</summary>
public sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string dataSet)
    {
        if (SharedData.Folder(dataSet) == null)
            Skip = $"The data set '{dataSet}' is not in a folder shared/data beside the repository.";
    }
}

/// <summary>Finds the real data sets.</summary>
public static class SharedData
{
    /// <summary>The folder of a data set, or null.</summary>
    public static string? Folder(string dataSet)
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at != null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "shared", "data", dataSet);
            if (Directory.Exists(folder))
                return folder;
        }

        return null;
    }
}
