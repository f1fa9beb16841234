using System.Globalization;

namespace ConvNet.Cluster.Management;

/// <summary>Names of jobs: <c>j1</c>, <c>j2</c>, … in the order of submission.</summary>
public static class JobId
{
    /// <summary>The name of the job that was submitted as the <paramref name="number"/>th, from 1.</summary>
    public static string Of(int number) => string.Create(CultureInfo.InvariantCulture, $"j{number}");

    /// <summary>The number in a job's name; null where the text is none, such as <c>j01</c> or <c>7</c>.</summary>
    public static int? NumberOf(string id) =>
        id.Length > 1 && id[0] == 'j' && id[1] != '0'
        && int.TryParse(id.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
}
