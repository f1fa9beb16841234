using ConvNet.Core.Benchmarking;

namespace ConvNet.Core.Tests.Benchmarking;

public sealed class PeakMeterTests
{
    [Fact]
    public void Peaks_are_believable()
    {
        double gigaflops = PeakMeter.MultiplyAddPeak(), gigabytes = PeakMeter.CopyBandwidth();

        Assert.InRange(gigaflops, 1, 2000);
        Assert.InRange(gigabytes, 0.2, 2000);
    }
}
