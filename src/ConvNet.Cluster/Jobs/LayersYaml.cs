using System.Globalization;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Core.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ConvNet.Cluster.Jobs;

/// <summary>Reads a job file's <c>layers</c>: a list whose items are a kind of layer, alone or with its settings.</summary>
/// <remarks>
/// <code>
/// layers:
///   - conv2d: {out-channels: 16, kernel: 3, padding: same}
///   - relu
///   - conv2d: {name: down, out-channels: 32, kernel: 3, stride: 2, inputs: relu1}
/// </code>
/// Beside the settings of <see cref="LayerCatalog"/> each layer takes <c>name</c> (else kind and number: <c>relu1</c>), <c>inputs</c> (else the layer before) and
/// <c>auxiliary</c>, the weight of a further output that counts in training only. Here everything is checked that does not depend on the images;
/// shapes are when the data are known, see <see cref="OwnNetwork.Build"/>.
/// </remarks>
internal sealed class LayersYaml(JobDraft draft, IParser yaml, string file)
{
    private const int LongestText = 100;

    /// <summary>A layer as it was read: its lines, for messages.</summary>
    private sealed class Entry(string kind, long line)
    {
        private readonly Dictionary<string, long> _lines = [];

        public string Kind => kind;

        public long Line => line;

        public string Name { get; set; } = "";

        public string[] Inputs { get; set; } = [];

        public float Auxiliary { get; set; }

        /// <summary>Whether a part of it could not be read, which has been told: what is missing then may be that part.</summary>
        public bool IsBroken { get; set; }

        public Dictionary<string, string> Settings { get; } = [];

        /// <summary>Whether a key is the first of its name.</summary>
        public bool TryBegin(string key, long at) => _lines.TryAdd(key, at);

        public long LineOf(string? key) => key != null && _lines.TryGetValue(key, out long at) ? at : line;
    }

    private readonly List<OwnLayer> _layers = [];
    private readonly Dictionary<string, long> _names = [];
    private readonly Dictionary<string, int> _kinds = [];

    /// <summary>Reads the list that begins here; its problems are told to the draft.</summary>
    /// <param name="line">The line of the field's name.</param>
    /// <returns>The network; null where there were problems.</returns>
    public OwnNetwork? Read(long line)
    {
        int before = draft.Problems.Count;
        yaml.Consume<SequenceStart>();
        while (!yaml.TryConsume<SequenceEnd>(out _))
        {
            if (_layers.Count == NetworkLimits.Layers)
            {
                Problem(Line, $"layers: at most {NetworkLimits.Layers} of them are allowed.");
                while (!yaml.TryConsume<SequenceEnd>(out _))
                    yaml.SkipThisAndNestedEvents();
                break;
            }

            if (ReadEntry() is { } entry)
                Take(entry);
        }

        if (draft.Problems.Count == before && _layers.Count == 0)
            Problem(line, "layers: the list is empty; a network takes at least one layer.");
        if (draft.Problems.Count > before)
            return null;
        var network = new OwnNetwork(Shortened(file), [.. _layers]);
        if (network.Bytes <= OwnNetwork.MostBytes)
            return network;
        Problem(line, $"layers: they take {network.Bytes} bytes in a message; at most {OwnNetwork.MostBytes} are allowed. Use fewer layers, or shorter names.");
        return null;
    }

    /// <summary>One item of the list; null where it is none, which has been told.</summary>
    private Entry? ReadEntry()
    {
        long line = Line;
        int before = draft.Problems.Count;
        if (yaml.TryConsume<Scalar>(out var alone))
            return new Entry(alone.Value, line);
        if (!yaml.TryConsume<MappingStart>(out _))
        {
            Problem(line, $"layers: expected a layer, such as \"relu\" or \"conv2d: {{out-channels: 16, kernel: 3}}\", got {What()}.");
            yaml.SkipThisAndNestedEvents();
            return null;
        }

        Entry? entry = null;
        while (!yaml.TryConsume<MappingEnd>(out _))
        {
            if (!yaml.TryConsume<Scalar>(out var key))
            {
                Problem(Line, "layers: expected a kind of layer.");
                yaml.SkipThisAndNestedEvents();
                yaml.SkipThisAndNestedEvents();
            }
            else if (entry != null)
            {
                Problem(key.Start.Line, $"layers: '{key.Value}' stands beside {entry.Kind}, not under it. Indent a setting further than its layer, or write {entry.Kind}: {{{key.Value}: …}}; begin each layer with a dash.");
                yaml.SkipThisAndNestedEvents();
            }
            else
            {
                entry = new Entry(key.Value, key.Start.Line);
                ReadSettings(entry);
            }
        }

        if (entry != null)
            entry.IsBroken = draft.Problems.Count > before;
        return entry;
    }

    private void ReadSettings(Entry entry)
    {
        if (yaml.Accept<Scalar>(out var nothing) && nothing.Value.Length == 0)
        {
            yaml.Consume<Scalar>();
            return;
        }

        if (!yaml.TryConsume<MappingStart>(out _))
        {
            Problem(Line, $"{entry.Kind}: expected settings, such as {{name: a}}, got {What()}.");
            yaml.SkipThisAndNestedEvents();
            return;
        }

        while (!yaml.TryConsume<MappingEnd>(out _))
        {
            if (!yaml.TryConsume<Scalar>(out var key))
            {
                Problem(Line, $"{entry.Kind}: expected the name of a setting.");
                yaml.SkipThisAndNestedEvents();
                yaml.SkipThisAndNestedEvents();
                continue;
            }

            string[]? values = ReadValues();
            if (!entry.TryBegin(key.Value, key.Start.Line))
                Problem(key.Start.Line, $"{entry.Kind}: {key.Value}: given before, on line {entry.LineOf(key.Value)}.");
            else if (values == null)
                Problem(key.Start.Line, $"{entry.Kind}: {key.Value}: expected a single value or a list of them.");
            else
                Set(entry, key.Value, values, key.Start.Line);
        }
    }

    private void Set(Entry entry, string key, string[] values, long line)
    {
        string text = string.Join(',', values);
        switch (key)
        {
            case "inputs":
                entry.Inputs = values;
                break;
            case "name":
                entry.Name = text;
                break;
            case "auxiliary" when float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float weight) && weight > 0 && float.IsFinite(weight):
                entry.Auxiliary = weight;
                break;
            case "auxiliary":
                Problem(line, $"{entry.Kind}: auxiliary: expected the weight of its loss, a number above 0, got \"{text}\".");
                break;
            case var _ when text.Length > LongestText:
                Problem(line, $"{entry.Kind}: {key}: is longer than {LongestText} characters; that is no setting.");
                break;
            default:
                entry.Settings[key] = text;
                break;
        }
    }

    /// <summary>A single value, or the values of a list; null for anything else.</summary>
    private string[]? ReadValues()
    {
        if (yaml.TryConsume<Scalar>(out var value))
            return [value.Value];
        if (!yaml.TryConsume<SequenceStart>(out _))
        {
            yaml.SkipThisAndNestedEvents();
            return null;
        }

        var values = new List<string>();
        bool single = true;
        while (!yaml.TryConsume<SequenceEnd>(out _))
        {
            if (yaml.TryConsume<Scalar>(out var item))
            {
                values.Add(item.Value);
                continue;
            }

            single = false;
            yaml.SkipThisAndNestedEvents();
        }

        return single ? [.. values] : null;
    }

    /// <summary>Checks a layer against those before it, and adds it; where it is wrong too, so that what follows is still understood.</summary>
    private void Take(Entry entry)
    {
        int number = _kinds[entry.Kind] = _kinds.GetValueOrDefault(entry.Kind) + 1;
        string name = entry.Name.Length > 0 ? entry.Name : $"{entry.Kind}{number}";
        if (CheckKind(entry, name) is { } layer)
            CheckInputs(entry, name, layer);
        if (!NetworkBuilder.CanName(name) || name.Length > LongestText)
            Problem(entry.LineOf("name"), $"'{Shortened(name)}' cannot name a layer: letters, digits, '_', '-' and '.' can, up to {LongestText} of them, and 'input' is the sample itself.");
        else if (!_names.TryAdd(name, entry.Line))
            Problem(entry.LineOf("name"), $"{name}: there are two layers of this name, the other on line {_names[name]}; every layer takes its own.");
        _layers.Add(new OwnLayer(name, entry.Kind, entry.Inputs, entry.Settings, entry.Auxiliary, (int)entry.Line));
    }

    /// <summary>The layer; null where its kind or a setting is wrong, which has been told.</summary>
    private Layer? CheckKind(Entry entry, string name)
    {
        if (LayerCatalog.SettingsOf(entry.Kind) is not { } known)
        {
            Problem(entry.Line, LayerCatalog.UnknownType(Shortened(entry.Kind)));
            return null;
        }

        string[] unknown = [.. entry.Settings.Keys.Where(key => !known.Contains(key))];
        foreach (string key in unknown)
            Problem(entry.LineOf(key), $"{name}: {LayerCatalog.UnknownSetting(entry.Kind, key)}");
        if (unknown.Length > 0 || entry.IsBroken)
            return null;
        try
        {
            return LayerCatalog.Create(name, entry.Kind, entry.Settings);
        }
        catch (ShapeException wrong)
        {
            Problem(entry.LineOf(wrong.Setting), wrong.Message);
            return null;
        }
    }

    private void CheckInputs(Entry entry, string name, Layer layer)
    {
        long line = entry.LineOf("inputs");
        foreach (string input in entry.Inputs.Where(input => input != "input" && !_names.ContainsKey(input)))
        {
            string hint = NearestWord.Of(input, _names.Keys) is { } near ? $" Did you mean '{near}'?" : "";
            Problem(line, $"{name}: its input '{Shortened(input)}' is not a layer before it.{hint}");
        }

        int count = Math.Max(1, entry.Inputs.Length);
        if (count < layer.LeastInputs || count > layer.MostInputs)
        {
            string wanted = layer.MostInputs == layer.LeastInputs ? $"{layer.LeastInputs}" : $"{layer.LeastInputs} or more";
            Problem(line, $"{name}: {entry.Kind} takes {wanted} input{(layer.MostInputs == 1 ? "" : "s")}, got {count}. Name them with inputs: [{(layer.LeastInputs == 1 ? "a" : "a, b")}].");
        }
    }

    private string What() => yaml.Current switch
    {
        Scalar scalar => $"\"{Shortened(scalar.Value)}\"",
        SequenceStart => "a list",
        MappingStart => "a mapping",
        _ => "a reference",
    };

    private long Line => yaml.Current?.Start.Line ?? 1;

    private void Problem(long line, string problem) => draft.Problem($"{file}:{line}: {problem}");

    private static string Shortened(string text) => text.Length <= LongestText ? text : $"{text[..LongestText]}…";
}
