using ConvNet.Core.Simd;
using ConvNet.Core.Tensors;

namespace ConvNet.Core.Layers;

/// <summary>How an activation lies in memory.</summary>
internal enum Layout
{
    /// <summary><c>[N/16][C][H][W][16]</c>: 16 samples side by side, whatever the number of channels.</summary>
    Samples,

    /// <summary><c>[N][C/16][H][W][16]</c>: 16 channels side by side, whatever the number of samples. Channels that fill up the last 16 are zeros.</summary>
    Channels,

    /// <summary><c>[N][H][W][C]</c>, with the padding of the one convolution that reads it around it: the network's input, where it has few channels.</summary>
    Pixels,
}

/// <summary>An activation's shape and layout. Element-wise layers and pooling see planes of 16 lanes and need not know which lanes those are.</summary>
internal readonly record struct Extent(Shape Shape, Layout Layout)
{
    /// <summary>Groups of 16 channels.</summary>
    public static int Groups(int channels) => (channels + Stripes.Count - 1) / Stripes.Count;

    /// <summary>Planes of H×W pixels of 16 lanes in a unit, which is a block of 16 samples or one sample.</summary>
    public int UnitPlanes => Layout == Layout.Channels ? Groups(Shape.Channels) : Shape.Channels;

    /// <summary>Floats of a unit.</summary>
    public int UnitFloats => Layout == Layout.Pixels ? Shape.Elements : checked(UnitPlanes * Shape.Pixels * Stripes.Count);

    /// <summary>Units of a number of samples.</summary>
    public int Units(int samples) => Layout == Layout.Samples ? Groups(samples) : samples;

    /// <summary>Units of a pass.</summary>
    public int Units(in Frame f) => Layout == Layout.Samples ? f.Blocks : f.Pass.Samples;

    /// <summary>Planes of a pass.</summary>
    public int Planes(in Frame f) => Units(in f) * UnitPlanes;

    /// <summary>Floats of a pass.</summary>
    public int Floats(in Frame f) => Units(in f) * UnitFloats;
}
