using ConvNet.Core.Randomness;

namespace ConvNet.Core.Initializers;

/// <summary>How a parameter's first values are drawn.</summary>
/// <remarks>
/// Variances: He 2 / fan-in (He, Zhang, Ren, Sun 2015, "Delving deep into rectifiers"), Xavier 2 / (fan-in + fan-out) (Glorot and Bengio
/// 2010), LeCun 1 / fan-in (LeCun, Bottou, Orr, Müller 1998, "Efficient BackProp"). The uniform forms draw from ±√(3·variance).
/// Element i of parameter p is a function of (seed, p, i) alone.
/// </remarks>
/// <param name="Name">As in a job file.</param>
public sealed record Initializer(string Name)
{
    private enum Fan
    {
        None,
        In,
        Mean,
    }

    /// <summary>All zeros.</summary>
    public static Initializer Zeros { get; } = new("zeros");

    /// <summary>All ones: for the scale of a normalisation.</summary>
    public static Initializer Ones { get; } = new("ones") { Constant = 1 };

    /// <summary>Normal, variance 2 / fan-in: for layers before a ReLU.</summary>
    public static Initializer HeNormal { get; } = new("he-normal") { Scale = 2, By = Fan.In, Normal = true };

    /// <summary>Uniform, variance 2 / fan-in.</summary>
    public static Initializer HeUniform { get; } = new("he-uniform") { Scale = 2, By = Fan.In };

    /// <summary>Normal, variance 2 / (fan-in + fan-out): for layers before a tanh.</summary>
    public static Initializer XavierNormal { get; } = new("xavier-normal") { Scale = 1, By = Fan.Mean, Normal = true };

    /// <summary>Uniform, variance 2 / (fan-in + fan-out).</summary>
    public static Initializer XavierUniform { get; } = new("xavier-uniform") { Scale = 1, By = Fan.Mean };

    /// <summary>Normal, variance 1 / fan-in.</summary>
    public static Initializer LeCunNormal { get; } = new("lecun-normal") { Scale = 1, By = Fan.In, Normal = true };

    /// <summary>Uniform, variance 1 / fan-in.</summary>
    public static Initializer LeCunUniform { get; } = new("lecun-uniform") { Scale = 1, By = Fan.In };

    /// <summary>Uniform, variance 1 / (3·fan-in), that is from ±1 / √fan-in: what PyTorch gives layers of its own accord. Scores begin near 0, so deep networks without normalisation bear a large first step.</summary>
    public static Initializer NarrowUniform { get; } = new("narrow-uniform") { Scale = 1 / 3.0, By = Fan.In };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Initializer> All { get; } =
        [Zeros, Ones, HeNormal, HeUniform, XavierNormal, XavierUniform, LeCunNormal, LeCunUniform, NarrowUniform];

    private float Constant { get; init; }

    private double Scale { get; init; }

    private Fan By { get; init; }

    private bool Normal { get; init; }

    /// <summary>Fills a parameter, or a range of one.</summary>
    /// <param name="values">The parameter, or the range.</param>
    /// <param name="fanIn">Inputs that one output sums over.</param>
    /// <param name="fanOut">Outputs that one input goes into.</param>
    /// <param name="seed">The job's seed.</param>
    /// <param name="parameter">The parameter's number in its network.</param>
    /// <param name="first">Which element of the parameter the first value is.</param>
    public void Fill(Span<float> values, int fanIn, int fanOut, ulong seed, int parameter, int first = 0)
    {
        if (By == Fan.None)
        {
            values.Fill(Constant);
            return;
        }

        var random = new Philox(seed, Purpose.InitialWeights);
        double deviation = Math.Sqrt(Scale / (By == Fan.In ? fanIn : (fanIn + fanOut) / 2.0));
        double bound = deviation * Math.Sqrt(3);
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = random.Block((uint)parameter, (ulong)(first + i)).A;
            double unit = (bits + 0.5) / 4294967296.0;      // never 0, never 1
            values[i] = (float)(Normal ? deviation * NormalQuantile.Of(unit) : bound * ((2 * unit) - 1));
        }
    }
}
