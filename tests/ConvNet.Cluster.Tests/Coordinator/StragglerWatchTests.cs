using ConvNet.Cluster.Coordinator;
using ConvNet.Core.Training;

namespace ConvNet.Cluster.Tests.Coordinator;

public sealed class StragglerWatchTests
{
    private static readonly StepPlan Plan = new(TrainingSamples: 1000, TestSamples: 400, Batch: 10, MicroBatch: 1, Epochs: 3);
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly StragglerWatch _watch = new(Plan, StragglerWatch.LeastPatience);
    private readonly HashSet<int> _ready = [0, 1, 2];
    private TimeSpan _now;
    private long _version;

    [Fact]
    public void Nobody_is_asked_while_steps_go_on()
    {
        for (int i = 0; i < 50; i++)
        {
            Step(milliseconds: 100);
            Assert.Empty(_watch.Tick(_now, _ready).Ask);
        }
    }

    [Fact]
    public void When_a_step_takes_four_times_as_long_as_usual_all_are_asked_and_who_is_not_idle_is_behind()
    {
        Steps(20, milliseconds: 100);

        Assert.Empty(After(milliseconds: 399).Ask);
        Assert.Equal([0, 1, 2], After(milliseconds: 2).Ask);
        Answer(0, idle: true);
        Answer(1, idle: false);
        Assert.Empty(After(milliseconds: 10).Behind);
        Answer(2, idle: true);
        Assert.Equal([1], After(milliseconds: 1).Behind);
    }

    [Fact]
    public void Who_does_not_answer_within_the_grace_is_behind()
    {
        StepsThenOverdue();
        Answer(0, idle: true);
        Answer(2, idle: true);

        Assert.Empty(After(StragglerWatch.Grace - TimeSpan.FromMilliseconds(1)).Behind);
        Assert.Equal([1], After(milliseconds: 1).Behind);
    }

    [Fact]
    public void Who_is_idle_at_an_older_version_is_behind()
    {
        StepsThenOverdue();
        Answer(0, idle: true);
        Answer(1, idle: true, version: _version - 1);
        Answer(2, idle: true);

        Assert.Equal([1], After(milliseconds: 1).Behind);
    }

    [Fact]
    public void Where_nobody_is_idle_all_are_slow_and_patience_doubles()
    {
        StepsThenOverdue();
        var patience = _watch.Patience;
        AnswerAll(idle: false);

        Assert.Empty(After(milliseconds: 1).Behind);
        Assert.Equal(patience * 2, _watch.Patience);
        Assert.Empty(After(milliseconds: 1).Ask);

        Step(milliseconds: 0);
        Assert.InRange(_watch.Patience, patience * 0.5, patience * 1.7);
    }

    [Fact]
    public void Where_all_are_idle_it_is_not_the_workers()
    {
        StepsThenOverdue();
        AnswerAll(idle: true);

        Assert.Empty(After(milliseconds: 1).Behind);
    }

    [Fact]
    public void Progress_ends_the_question()
    {
        StepsThenOverdue();
        Answer(0, idle: true);
        Step(milliseconds: 10);

        Assert.Equal([], After(StragglerWatch.Grace).Behind);
    }

    [Fact]
    public void A_frozen_worker_costs_one_delay_and_is_asked_now_and_then()
    {
        FreezeWorkerOne();
        var asked = new List<TimeSpan>();
        for (int i = 0; i < 100; i++)
        {
            Step(milliseconds: 100);
            var (ask, behind) = _watch.Tick(_now, _ready);
            Assert.Empty(behind);
            asked.AddRange(ask.Select(w => w == 1 ? _now : Long));
        }

        Assert.InRange(asked.Count, 4, 6);   // in 10 s
        Assert.DoesNotContain(Long, asked);
    }

    [Fact]
    public void It_has_caught_up_when_it_is_idle_at_the_version_that_was_the_newest_when_it_was_asked()
    {
        FreezeWorkerOne();
        Assert.Equal([1], After(milliseconds: 100).Ask);
        long asked = _version;
        Step(milliseconds: 100);

        Assert.False(Answer(1, idle: false, version: asked));
        Assert.Equal([1], After(milliseconds: 1).Ask);
        Assert.False(Answer(1, idle: true, version: asked));
        Assert.Equal([1], After(milliseconds: 1).Ask);
        Assert.True(Answer(1, idle: true, version: asked + 1));
        Assert.Empty(After(milliseconds: 1).Ask);
    }

    [Fact]
    public void An_answer_to_no_question_does_not_count()
    {
        FreezeWorkerOne();

        Assert.False(Answer(1, idle: true, version: _version + 5));
    }

    [Fact]
    public void A_worker_that_falls_behind_again_and_again_is_out_for_longer_each_time()
    {
        var outFor = new List<TimeSpan>();
        for (int i = 0; i < 4; i++)
        {
            FreezeWorkerOne();
            var began = _now;
            while (true)
            {
                if (After(milliseconds: 10).Ask.Contains(1) && Answer(1, idle: true))
                    break;
                Step(milliseconds: 10);
            }

            outFor.Add(_now - began);
        }

        Assert.True(outFor[0] < TimeSpan.FromMilliseconds(100));
        Assert.All([1, 2, 3], i => Assert.True(outFor[i] >= StragglerWatch.FirstProbation * (1 << (i - 1))));
    }

    [Fact]
    public void One_worker_alone_is_never_behind()
    {
        _ready.RemoveWhere(w => w > 0);
        Steps(20, milliseconds: 10);

        Assert.Empty(After(Long).Ask);
    }

    [Fact]
    public void A_worker_that_is_gone_is_neither_asked_nor_waited_for()
    {
        StepsThenOverdue();
        _ready.Remove(1);
        _watch.Forget(1);
        Answer(0, idle: true);
        Answer(2, idle: false);

        Assert.Equal([2], After(milliseconds: 1).Behind);
    }

    [Fact]
    public void An_evaluation_may_take_as_long_as_its_micro_batches_in_steps()
    {
        Steps(Plan.StepsPerEpoch, milliseconds: 100);   // 400 micro-batches of the test set are 40 steps

        Assert.Empty(After(milliseconds: 400 * 41 - 10).Ask);
        _watch.OnEvaluated(_now, _version);
        Assert.Empty(After(milliseconds: 390).Ask);
        Assert.Equal([0, 1, 2], After(milliseconds: 20).Ask);
    }

    [Fact]
    public void Workers_found_at_an_evaluation_of_which_nothing_was_heard_yet_have_time_for_it()
    {
        Steps(Plan.StepsPerEpoch - 2, milliseconds: 100);
        Assert.NotEmpty(After(milliseconds: 410).Ask);
        _version += 2;
        Answer(0, idle: true);
        Answer(1, idle: false);
        Answer(2, idle: true);

        Assert.Empty(After(milliseconds: 1).Behind);
        Assert.Empty(After(milliseconds: 1000).Ask);
    }

    [Fact]
    public void When_the_work_has_been_shared_anew_there_is_more_time()
    {
        Steps(20, milliseconds: 100);
        _watch.OnShared(_now);

        Assert.Empty(After(milliseconds: 1590).Ask);
        Assert.NotEmpty(After(milliseconds: 20).Ask);
    }

    private void FreezeWorkerOne()
    {
        StepsThenOverdue();
        Answer(0, idle: true);
        Answer(2, idle: true);
        Assert.Equal([1], After(StragglerWatch.Grace).Behind);
        _watch.OnShared(_now);
    }

    private void StepsThenOverdue()
    {
        Steps(20, milliseconds: 10);
        Assert.Equal([0, 1, 2], After(_watch.Patience + TimeSpan.FromMilliseconds(1)).Ask);
    }

    private void Steps(int count, double milliseconds)
    {
        for (int i = 0; i < count; i++)
            Step(milliseconds);
    }

    private void Step(double milliseconds)
    {
        _now += TimeSpan.FromMilliseconds(milliseconds);
        _watch.OnSteps(_now, 1, ++_version);
    }

    private (IReadOnlyList<int> Ask, IReadOnlyList<int> Behind) After(double milliseconds) => After(TimeSpan.FromMilliseconds(milliseconds));

    private (IReadOnlyList<int> Ask, IReadOnlyList<int> Behind) After(TimeSpan time)
    {
        _now += time;
        return _watch.Tick(_now, _ready);
    }

    private bool Answer(int worker, bool idle, long? version = null) => _watch.OnAnswer(_now, worker, version ?? _version, idle);

    private void AnswerAll(bool idle)
    {
        foreach (int worker in _ready)
            Answer(worker, idle);
    }
}
