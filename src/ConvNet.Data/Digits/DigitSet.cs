namespace ConvNet.Data.Digits;
#pragma warning disable CS1591
public enum DigitSplit { Training, Test }
public static class DigitSet
{
    public const int Side = 28, TrainingCount = 60_000, TestCount = 10_000;
    public static (byte[] Pixels, byte[] Labels) Draw(DigitSplit split, int count, int maxThreads) => throw new NotImplementedException();
}
