using ConvNet.Core.Models;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job being put together from a file and options. Keeps every problem, so that all are reported in one go.</summary>
/// <remarks>Later settings override earlier ones: the defaults, then the file, then the options.</remarks>
public sealed class JobDraft
{
    private readonly List<string> _problems = [];
    private readonly Dictionary<string, string> _places = [];
    private (string Field, string Place)? _chosen;
    private JobSpec _spec = new();

    /// <summary>What was wrong so far: <c>place: field: what was wrong, what is allowed</c>.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The names of all fields, as the file and the command line use them.</summary>
    public static IReadOnlyList<string> FieldNames { get; } = [.. JobFields.All.Select(f => f.Name)];

    /// <summary>Sets a field from the command line.</summary>
    /// <param name="name">The field, such as <c>lr</c>; the option is <c>--lr</c>.</param>
    /// <param name="text">The value, as given.</param>
    public JobDraft SetOption(string name, string text)
    {
        _chosen = null;     // an option goes before whatever the file says
        Set(name, text, $"--{name}", $"--{name}");
        return this;
    }

    /// <summary>Sets fields from the text of a job file.</summary>
    public JobDraft ReadYaml(string text, string fileName)
    {
        _chosen = null;
        JobFile.Read(this, text, fileName);
        return this;
    }

    /// <summary>Sets fields that came from elsewhere, such as an object of JSON.</summary>
    /// <param name="fields">Names and values as a job file has them; null for a value that is no single one, such as a list.</param>
    /// <param name="place">What errors call the place.</param>
    public JobDraft ReadFields(IEnumerable<KeyValuePair<string, string?>> fields, string place)
    {
        _chosen = null;
        var seen = new HashSet<string>();
        foreach ((string name, string? text) in fields)
        {
            if (!seen.Add(name))
                Problem($"{place}: {name}: given twice.");
            else if (text != null || JobFields.Find(name) == null)
                Set(name, text ?? "", $"{place}: {name}", place);
            else
                Problem($"{place}: {name}: expected {JobFields.Find(name)!.Allowed}, got no single value.");
        }

        return this;
    }

    /// <summary>The job.</summary>
    /// <exception cref="JobFileException">Something was wrong; the message has a line for each problem.</exception>
    public JobSpec ToSpec()
    {
        var problems = new List<string>(_problems);
        JobSpec spec = RecipeFields.WithUsualValues(_spec, _places.ContainsKey);
        if (problems.Count == 0)
            problems.AddRange(RecipeFields.Problems(spec, _places));
        if (problems.Count == 0 && _spec.Batch % _spec.MicroBatch != 0)
        {
            string place = _places.GetValueOrDefault("micro-batch") ?? _places.GetValueOrDefault("batch") ?? "micro-batch";
            int below = Math.Max(1, _spec.Batch / _spec.MicroBatch) * _spec.MicroBatch;
            problems.Add($"{place}: a batch of {_spec.Batch} is not a whole number of micro-batches of {_spec.MicroBatch}; choose a multiple, such as {below}.");
        }

        return problems.Count == 0 ? spec : throw new JobFileException(problems);
    }

    /// <summary>Sets a field. <paramref name="place"/> names the place and the field, as errors begin; <paramref name="where"/> the place alone.</summary>
    internal void Set(string name, string text, string place, string where)
    {
        if (JobFields.Find(name) is not { } field)
        {
            string hint = JobFields.Nearest(name) is { } nearest
                ? $"did you mean {nearest}?"
                : $"the fields are {string.Join(", ", FieldNames)}.";
            Problem($"{where}: unknown field \"{name}\"; {hint}");
            return;
        }

        if (name == "model")
            Choose(name, place);
        _places[name] = place;
        if (field.Set(_spec, text) is { } next)
            _spec = next;
        else
            Problem($"{place}: expected {field.Allowed}, got \"{field.Wrong(text)}\".{(field.Hint(text) is { } hint ? $" Did you mean {hint}?" : "")}");
    }

    /// <summary>Gives the job a network of its own, named after its file.</summary>
    internal void SetNetwork(OwnNetwork network, string place, string file)
    {
        Choose(JobFields.Layers, place);
        string name = new([.. Path.GetFileNameWithoutExtension(file).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-').Take(60)]);
        _spec = _spec with { Model = name.Length == 0 || ModelZoo.Find(name) != null ? "own" : name, Network = network };
    }

    /// <summary>A network of the zoo and one of its own are told apart within one file; an option or another file may choose anew.</summary>
    private void Choose(string field, string place)
    {
        if (_chosen is { } other && other.Field != field)
            Problem($"{place}: a job has one network, and {other.Place} names one too. Leave one of the two out.");
        _chosen = (field, place);
    }

    internal void Problem(string problem) => _problems.Add(problem);
}

/// <summary>A job file, or an option that overrides it, is wrong.</summary>
public sealed class JobFileException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>Every problem, a line each.</summary>
    public IReadOnlyList<string> Problems => problems;
}
