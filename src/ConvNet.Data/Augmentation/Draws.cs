using ConvNet.Core.Randomness;

namespace ConvNet.Data.Augmentation;

/// <summary>The random numbers of one sample in one epoch, one after the other: a function of (seed, epoch, sample) and of nothing else.</summary>
/// <param name="seed">The job's seed.</param>
/// <param name="epoch">The epoch, from 0.</param>
/// <param name="sample">The sample's number in the training set.</param>
internal ref struct Draws(ulong seed, int epoch, int sample)
{
    private readonly Philox _philox = new(seed, Purpose.Augmentation);
    private uint _drawn;

    /// <summary>A number in [0, 1).</summary>
    public float Unit() => _philox.Uniform((uint)epoch, ((ulong)(uint)sample << 32) | _drawn++);

    /// <summary>A number in [least, most).</summary>
    public float Between(float least, float most) => least + ((most - least) * Unit());

    /// <summary>A whole number in [least, most].</summary>
    public int Whole(int least, int most) => least + (int)_philox.Below((uint)(most - least + 1), (uint)epoch, ((ulong)(uint)sample << 32) | _drawn++);
}
