using System.Globalization;
using ConvNet.Core.Text;

namespace ConvNet.Cluster.Jobs;

/// <summary>A setting as it was written.</summary>
/// <param name="Text">Its value.</param>
/// <param name="Where"><c>file:line</c>, or null for an option.</param>
/// <param name="Name">Its name as the user wrote it: <c>batch</c> or <c>--batch</c>.</param>
internal sealed record JobSetting(string Text, string? Where, string Name)
{
    /// <summary>How a message begins that is about it.</summary>
    public string Place => Where == null ? Name : $"{Where}: {Name}";
}

/// <summary>Turns written settings into values, and gathers what is wrong with them.</summary>
internal sealed class JobSettings(IReadOnlyDictionary<string, JobSetting> settings, List<string> problems)
{
    private readonly HashSet<string> _known = [], _wrong = [];

    /// <summary>Whether a setting that was read was wrong.</summary>
    public bool IsWrong(string name) => _wrong.Contains(name);

    /// <summary>A word, of which some are allowed.</summary>
    public string Text(string name, string standard, bool allowed, IReadOnlyList<string> choices)
    {
        if (Find(name) is not { } setting)
            return standard;
        if (allowed)
            return setting.Text;
        string? near = NearestWord.Of(setting.Text, choices);
        return Wrong(name, setting, $"one of {string.Join(", ", choices)}", standard, near == null ? "" : $" Did you mean '{near}'?");
    }

    /// <summary>A whole number in a range, ends included.</summary>
    public int Whole(string name, int standard, int least, int most)
    {
        if (Find(name) is not { } setting)
            return standard;
        return int.TryParse(setting.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : Wrong(name, setting, $"a whole number from {least} to {most}", standard);
    }

    /// <summary>Any whole number of 64 bits.</summary>
    public ulong Seed(string name, ulong standard)
    {
        if (Find(name) is not { } setting)
            return standard;
        return ulong.TryParse(setting.Text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : Wrong(name, setting, "a whole number from 0 to 18446744073709551615", standard);
    }

    /// <summary>A number in a range, with or without its ends.</summary>
    public float Number(string name, float standard, float least, bool moreThanLeast, float most, bool lessThanMost)
    {
        if (Find(name) is not { } setting)
            return standard;
        bool read = float.TryParse(setting.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value);
        bool fits = moreThanLeast ? value > least : value >= least;
        fits &= lessThanMost ? value < most : value <= most;
        string from = moreThanLeast ? $"more than {least}" : $"{least}", to = lessThanMost ? $"less than {most}" : $"at most {most}";
        return read && fits ? value : Wrong(name, setting, string.Create(CultureInfo.InvariantCulture, $"a number, {from} and {to}"), standard);
    }

    /// <summary>true or false.</summary>
    public bool Flag(string name, bool standard)
    {
        if (Find(name) is not { } setting)
            return standard;
        return bool.TryParse(setting.Text, out bool value) ? value : Wrong(name, setting, "true or false", standard);
    }

    /// <summary>Reports settings that nothing has asked for.</summary>
    public void ReportUnknown()
    {
        foreach ((string name, JobSetting setting) in settings.Where(s => !_known.Contains(s.Key)))
        {
            string? near = NearestWord.Of(name, _known);
            problems.Add($"{setting.Place}: is no setting of a job.{(near == null ? $" There are: {string.Join(", ", _known)}." : $" Did you mean '{near}'?")}");
        }
    }

    private JobSetting? Find(string name)
    {
        _known.Add(name);
        return settings.GetValueOrDefault(name);
    }

    private T Wrong<T>(string name, JobSetting setting, string allowed, T standard, string hint = "")
    {
        _wrong.Add(name);
        problems.Add($"{setting.Place}: takes {allowed}; got '{setting.Text}'.{hint}");
        return standard;
    }
}
