using System.Diagnostics;
using ConvNet.Cluster.Transport.Tcp;

namespace ConvNet.Cluster.Tests.Transport.Tcp;

public sealed class CallPacingTests
{
    private readonly CallPacing _pacing = new(TimeSpan.FromSeconds(10));

    [Fact]
    public void A_peer_is_called_at_once_and_then_at_growing_intervals_up_to_a_second()
    {
        double[] pauses = [.. Enumerable.Range(0, 10).Select(_ => _pacing.NextPause().TotalMilliseconds)];

        Assert.Equal([0, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000], pauses);
        _pacing.GotThrough();
        Assert.Equal(TimeSpan.Zero, _pacing.NextPause());
    }

    [Fact]
    public void A_peer_is_given_up_when_it_has_been_out_of_reach_for_its_time_out()
    {
        _pacing.Lost(At(seconds: 5));
        _pacing.Lost(At(seconds: 9));

        Assert.Null(_pacing.GiveUp(At(seconds: 14), "", out var patience));
        Assert.Equal(TimeSpan.FromSeconds(1), patience);
        Assert.Equal("could not be reached for 10 s: nobody there", _pacing.GiveUp(At(seconds: 15), "nobody there", out _));
        _pacing.Connected();
        _pacing.Lost(At(seconds: 16));
        Assert.Null(_pacing.GiveUp(At(seconds: 17), "", out _));
    }

    [Fact]
    public void A_peer_whose_connections_all_break_before_anything_gets_through_is_given_up()
    {
        for (int i = 0; i < 20; i++)
            _pacing.Connected();
        Assert.Null(_pacing.GiveUp(0, "", out _));

        _pacing.Connected();

        Assert.Equal("was connected 21 times, and nothing got through", _pacing.GiveUp(0, "", out _));
        _pacing.GotThrough();
        Assert.Null(_pacing.GiveUp(0, "", out _));
    }

    private static long At(int seconds) => seconds * Stopwatch.Frequency;
}
