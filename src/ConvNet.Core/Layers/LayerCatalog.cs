using System.Globalization;
using ConvNet.Core.Initializers;
using ConvNet.Core.Tensors;
using ConvNet.Core.Text;

namespace ConvNet.Core.Layers;

/// <summary>All kinds of layers, by the names that files use. A closed list: a file can name these and nothing else.</summary>
public static class LayerCatalog
{
    private const int LargestNumber = 1 << 20, LargestExtent = 4096;

    private static readonly Kind[] Kinds =
    [
        new("conv2d", typeof(Conv2D),
            s => new Conv2D(s.Number("out-channels"), s.Size("kernel"))
            {
                Stride = s.Size("stride", 1),
                Padding = s.Padding(),
                Dilation = s.Size("dilation", 1),
                Groups = s.Number("groups", 1),
                Bias = s.Flag("bias", true),
                Initializer = s.Initializer(),
            },
            (layer, w) =>
            {
                var conv = (Conv2D)layer;
                w.Add("out-channels", conv.OutChannels);
                w.Add("kernel", conv.Kernel);
                w.Add("stride", conv.Stride, new Size(1, 1));
                w.Add("padding", conv.Padding, Padding.Valid);
                w.Add("dilation", conv.Dilation, new Size(1, 1));
                w.Add("groups", conv.Groups, 1);
                w.Add("bias", conv.Bias, true);
                w.Add("initializer", conv.Initializer.Name, Initializer.HeUniform.Name);
            }),
        new("transposed-conv2d", typeof(TransposedConv2D),
            s => new TransposedConv2D(s.Number("out-channels"), s.Size("kernel"))
            {
                Stride = s.Size("stride", 1),
                Padding = s.Padding(),
                OutputPadding = s.Size("output-padding", 0),
                Dilation = s.Size("dilation", 1),
                Groups = s.Number("groups", 1),
                Bias = s.Flag("bias", true),
                Initializer = s.Initializer(),
            },
            (layer, w) =>
            {
                var conv = (TransposedConv2D)layer;
                w.Add("out-channels", conv.OutChannels);
                w.Add("kernel", conv.Kernel);
                w.Add("stride", conv.Stride, new Size(1, 1));
                w.Add("padding", conv.Padding, Padding.Valid);
                w.Add("output-padding", conv.OutputPadding, new Size(0, 0));
                w.Add("dilation", conv.Dilation, new Size(1, 1));
                w.Add("groups", conv.Groups, 1);
                w.Add("bias", conv.Bias, true);
                w.Add("initializer", conv.Initializer.Name, Initializer.HeUniform.Name);
            }),
        new("fully-connected", typeof(FullyConnected),
            s => new FullyConnected(s.Number("outputs")) { Bias = s.Flag("bias", true), Initializer = s.Initializer() },
            (layer, w) =>
            {
                var full = (FullyConnected)layer;
                w.Add("outputs", full.Outputs);
                w.Add("bias", full.Bias, true);
                w.Add("initializer", full.Initializer.Name, Initializer.HeUniform.Name);
            }),
        new("max-pool", typeof(MaxPool2D),
            s => new MaxPool2D(s.Size("kernel")) { Stride = s.Size("stride", s.Size("kernel")), Padding = s.Padding(), CeilMode = s.Flag("ceil-mode", false) },
            (layer, w) =>
            {
                var pool = (MaxPool2D)layer;
                w.Add("kernel", pool.Kernel);
                w.Add("stride", pool.Stride, pool.Kernel);
                w.Add("padding", pool.Padding, Padding.Valid);
                w.Add("ceil-mode", pool.CeilMode, false);
            }),
        new("average-pool", typeof(AveragePool2D),
            s => new AveragePool2D(s.Size("kernel"))
            {
                Stride = s.Size("stride", s.Size("kernel")),
                Padding = s.Padding(),
                CountPadding = s.Flag("count-padding", false),
                CeilMode = s.Flag("ceil-mode", false),
            },
            (layer, w) =>
            {
                var pool = (AveragePool2D)layer;
                w.Add("kernel", pool.Kernel);
                w.Add("stride", pool.Stride, pool.Kernel);
                w.Add("padding", pool.Padding, Padding.Valid);
                w.Add("count-padding", pool.CountPadding, false);
                w.Add("ceil-mode", pool.CeilMode, false);
            }),
        new("batch-norm", typeof(BatchNorm2D),
            s => new BatchNorm2D { Epsilon = s.Real("epsilon", 1e-5f), Momentum = s.Real("momentum", 0.1f) },
            (layer, w) =>
            {
                var norm = (BatchNorm2D)layer;
                w.Add("epsilon", norm.Epsilon, 1e-5f);
                w.Add("momentum", norm.Momentum, 0.1f);
            }),
        new("dropout", typeof(Dropout), s => new Dropout(s.Real("probability", 0.5f)), (layer, w) => w.Add("probability", ((Dropout)layer).Probability, 0.5f)),
        new("local-response-norm", typeof(LocalResponseNormalisation),
            s => new LocalResponseNormalisation(s.Number("size", 5)) { Alpha = s.Real("alpha", 1e-4f), Beta = s.Real("beta", 0.75f), K = s.Real("k", 1) },
            (layer, w) =>
            {
                var norm = (LocalResponseNormalisation)layer;
                w.Add("size", norm.Size, 5);
                w.Add("alpha", norm.Alpha, 1e-4f);
                w.Add("beta", norm.Beta, 0.75f);
                w.Add("k", norm.K, 1f);
            }),
        new("relu", typeof(Relu), _ => new Relu(), (_, _) => { }),
        new("tanh", typeof(Tanh), _ => new Tanh(), (_, _) => { }),
        new("sigmoid", typeof(Sigmoid), _ => new Sigmoid(), (_, _) => { }),
        new("flatten", typeof(Flatten), _ => new Flatten(), (_, _) => { }),
        new("leaky-relu", typeof(LeakyRelu), s => new LeakyRelu(s.Real("slope", 0.01f)), (layer, w) => w.Add("slope", ((LeakyRelu)layer).Slope, 0.01f)),
        new("elu", typeof(Elu), s => new Elu(s.Real("alpha", 1)), (layer, w) => w.Add("alpha", ((Elu)layer).Alpha, 1f)),
        new("gelu", typeof(Gelu), _ => new Gelu(), (_, _) => { }),
        new("softmax", typeof(Softmax), _ => new Softmax(), (_, _) => { }),
        new("concat", typeof(Concat), _ => new Concat(), (_, _) => { }),
        new("global-average-pool", typeof(GlobalAveragePool2D), _ => new GlobalAveragePool2D(), (_, _) => { }),
        new("identity-shortcut", typeof(IdentityShortcut),
            s => new IdentityShortcut(s.Number("out-channels")) { Stride = s.Size("stride", 1) },
            (layer, w) =>
            {
                var shortcut = (IdentityShortcut)layer;
                w.Add("out-channels", shortcut.OutChannels);
                w.Add("stride", shortcut.Stride, new Size(1, 1));
            }),
        new("add", typeof(Add), _ => new Add(), (_, _) => { }),
    ];

    /// <summary>The names of all kinds.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. Kinds.Select(k => k.Name)];

    /// <summary>A layer's kind and those of its settings that are not at their defaults.</summary>
    public static (string Type, IReadOnlyDictionary<string, string> Settings) Describe(Layer layer)
    {
        Kind kind = Kinds.First(k => k.Layer == layer.GetType());
        var writer = new SettingsWriter();
        kind.Write(layer, writer);
        return (kind.Name, writer.Settings);
    }

    /// <summary>The names of a kind's settings, in the order in which they are read; null where there is no such kind.</summary>
    public static IReadOnlyList<string>? SettingsOf(string type)
    {
        if (Array.Find(Kinds, k => k.Name == type) is not { } kind)
            return null;
        var reader = new SettingsReader("", new Dictionary<string, string>(), asks: true);
        kind.Read(reader);
        return [.. reader.Known];
    }

    /// <summary>Makes a layer from its kind and settings.</summary>
    /// <exception cref="ShapeException">The kind or a setting is unknown, missing or wrong; the message names layer and setting.</exception>
    public static Layer Create(string name, string type, IReadOnlyDictionary<string, string> settings)
    {
        Kind kind = Array.Find(Kinds, k => k.Name == type) ?? throw new ShapeException($"{name}: {UnknownType(type)}");
        string? unknown = settings.Keys.FirstOrDefault(k => !SettingsOf(type)!.Contains(k));
        if (unknown != null)
            throw new ShapeException($"{name}: {UnknownSetting(type, unknown)}");
        return kind.Read(new SettingsReader(name, settings, asks: false));
    }

    /// <summary>What is said of a kind that there is not.</summary>
    public static string UnknownType(string type) =>
        $"unknown kind of layer '{type}'.{Hint(type, Types)} There are: {string.Join(", ", Types)}.";

    /// <summary>What is said of a setting that a kind does not have.</summary>
    public static string UnknownSetting(string type, string setting)
    {
        IReadOnlyList<string> known = SettingsOf(type)!;
        return $"{type} has no setting '{setting}'.{Hint(setting, known)} {(known.Count == 0 ? "It has none." : $"It has: {string.Join(", ", known)}.")}";
    }

    private static string Hint(string word, IEnumerable<string> words) =>
        NearestWord.Of(word.ToLowerInvariant().Replace('_', '-'), words) is { } near ? $" Did you mean '{near}'?" : "";

    private sealed record Kind(string Name, Type Layer, Func<SettingsReader, Layer> Read, Action<Layer, SettingsWriter> Write);

    private sealed class SettingsWriter
    {
        public Dictionary<string, string> Settings { get; } = [];

        public void Add<T>(string name, T value)
            where T : notnull => Settings.Add(name, value is bool flag ? (flag ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture)!);

        public void Add<T>(string name, T value, T unlessIt)
            where T : notnull
        {
            if (!value.Equals(unlessIt))
                Add(name, value);
        }
    }

    /// <summary>Reads settings. One that only asks for their names takes what it is not given for 1.</summary>
    private sealed class SettingsReader(string layer, IReadOnlyDictionary<string, string> settings, bool asks)
    {
        private readonly List<string> _known = [];

        public IEnumerable<string> Known => _known.Distinct();

        public int Number(string name) => Parse(name, Needed(name), LargestNumber);

        public int Number(string name, int otherwise) => Text(name) is { } text ? Parse(name, text, LargestNumber) : otherwise;

        public float Real(string name, float otherwise) => Text(name) switch
        {
            null => otherwise,
            { } text when float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) => value,
            { } text => throw Wrong(name, text, "a number"),
        };

        public Size Size(string name) => ParseSize(name, Needed(name));

        public Size Size(string name, Size otherwise) => Text(name) is { } text ? ParseSize(name, text) : otherwise;

        public bool Flag(string name, bool otherwise) => Text(name) switch
        {
            null => otherwise,
            "true" => true,
            "false" => false,
            { } text => throw Wrong(name, text, "true or false"),
        };

        public Padding Padding()
        {
            string text = Text("padding") ?? "valid";
            if (text is "same" or "valid")
                return text == "same" ? Tensors.Padding.Same : Tensors.Padding.Valid;
            int[] sides = [.. text.Split(',').Select(side => int.TryParse(side, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n <= LargestExtent ? n : -1)];
            return (sides.Length is 1 or 4) && sides.Min() >= 0
                ? sides.Length == 1 ? sides[0] : new Padding(false, sides[0], sides[1], sides[2], sides[3])
                : throw Wrong("padding", text, "same, valid, one number of pixels, or top,left,bottom,right");
        }

        public Initializer Initializer()
        {
            string text = Text("initializer") ?? Initializers.Initializer.HeUniform.Name;
            return Initializers.Initializer.All.FirstOrDefault(i => i.Name == text)
                ?? throw Wrong("initializer", text, string.Join(", ", Initializers.Initializer.All.Select(i => i.Name)));
        }

        private string? Text(string name)
        {
            _known.Add(name);
            return settings.GetValueOrDefault(name);
        }

        private string Needed(string name) => Text(name) ?? (asks ? "1" : throw new ShapeException($"{layer}: the setting '{name}' is missing.") { Setting = name });

        private int Parse(string name, string text, int most) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= most
                ? value
                : throw Wrong(name, text, $"a whole number up to {most}");

        private Size ParseSize(string name, string text)
        {
            string[] parts = text.Split('x');
            return parts.Length switch
            {
                1 => Parse(name, text, LargestExtent),
                2 => new Size(Parse(name, parts[0], LargestExtent), Parse(name, parts[1], LargestExtent)),
                _ => throw Wrong(name, text, "one number, or height x width such as 3x5"),
            };
        }

        private ShapeException Wrong(string name, string got, string expected) => new($"{layer}: {name} takes {expected}; got '{got}'.") { Setting = name };
    }
}
