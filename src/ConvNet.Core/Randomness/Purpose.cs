namespace ConvNet.Core.Randomness;

/// <summary>What a random number is for. Values are for ever: append, never renumber.</summary>
public enum Purpose : uint
{
    /// <summary>Initial weights.</summary>
    InitialWeights = 1,

    /// <summary>The order of the samples in an epoch.</summary>
    EpochOrder = 2,

    /// <summary>Dropout masks.</summary>
    Dropout = 3,

    /// <summary>Augmentation of samples.</summary>
    Augmentation = 4,

    /// <summary>The strokes of the built-in digits.</summary>
    Digits = 5,

    /// <summary>Made-up numbers in tests and benchmarks.</summary>
    Test = 6,

    /// <summary>Which training samples are held out for validation.</summary>
    ValidationSplit = 7,
}
