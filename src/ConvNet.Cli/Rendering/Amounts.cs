using System.Globalization;

namespace ConvNet.Cli.Rendering;

/// <summary>Large numbers for people: four digits at most, and a unit in steps of 1000.</summary>
internal static class Amounts
{
    /// <summary>A count: <c>950</c>, <c>117.6 K</c>, <c>4.09 G</c>.</summary>
    public static string Count(long count) => Scaled(count, ["", "K", "M", "G", "T"]);

    /// <summary>A size: <c>950 B</c>, <c>12.85 MB</c>.</summary>
    public static string Bytes(long bytes) => Scaled(bytes, ["B", "KB", "MB", "GB", "TB"]);

    private static string Scaled(double value, string[] units)
    {
        int unit = 0;
        for (; value >= 999.95 && unit < units.Length - 1; unit++)
            value /= 1000;
        string digits = value.ToString(unit == 0 ? "0" : value < 99.995 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
        return $"{digits} {units[unit]}".TrimEnd();
    }
}
