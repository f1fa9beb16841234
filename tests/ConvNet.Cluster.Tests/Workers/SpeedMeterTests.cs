using ConvNet.Cluster.Workers;

namespace ConvNet.Cluster.Tests.Workers;

public sealed class SpeedMeterTests
{
    private TimeSpan _now;

    [Fact]
    public void The_speed_of_all_lanes_is_told_after_a_second_and_not_again_while_it_stays()
    {
        var meter = new SpeedMeter(lanes: 2);

        var told = Compute(meter, milliseconds: 100, count: 100);

        Assert.Equal(20, Assert.Single(told), 6);
    }

    [Fact]
    public void Waiting_between_micro_batches_does_not_count()
    {
        var meter = new SpeedMeter(lanes: 1);

        var told = Compute(meter, milliseconds: 100, count: 100, wait: 900);

        Assert.Equal(10, Assert.Single(told), 6);
    }

    [Fact]
    public void A_changed_speed_is_told_at_most_once_a_second()
    {
        var meter = new SpeedMeter(lanes: 1);
        Compute(meter, milliseconds: 10, count: 500);
        var began = _now;

        var told = Compute(meter, milliseconds: 40, count: 300);

        Assert.InRange(told.Count, 2, (int)(_now - began).TotalSeconds + 1);
        Assert.Equal(25, told[^1], 3.0);
    }

    [Fact]
    public void The_first_micro_batch_of_each_lane_does_not_count()
    {
        var meter = new SpeedMeter(lanes: 2);

        Compute(meter, milliseconds: 5000, count: 2);
        var told = Compute(meter, milliseconds: 100, count: 50);

        Assert.Equal(20, Assert.Single(told), 6);
    }

    [Fact]
    public void A_single_micro_batch_that_took_very_long_is_soon_forgotten()
    {
        var meter = new SpeedMeter(lanes: 1);
        Compute(meter, milliseconds: 100, count: 50);

        var told = Compute(meter, milliseconds: 60_000, count: 1);
        told.AddRange(Compute(meter, milliseconds: 100, count: 100));

        Assert.All(told, speed => Assert.InRange(speed, 7, 10.5));
    }

    private List<double> Compute(SpeedMeter meter, double milliseconds, int count, double wait = 0)
    {
        var told = new List<double>();
        for (int i = 0; i < count; i++)
        {
            _now += TimeSpan.FromMilliseconds(milliseconds + wait);
            if (meter.Computed(TimeSpan.FromMilliseconds(milliseconds), _now) is { } speed)
                told.Add(speed);
        }

        return told;
    }
}
