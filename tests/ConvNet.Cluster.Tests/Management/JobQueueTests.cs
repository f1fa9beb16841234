using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;

namespace ConvNet.Cluster.Tests.Management;

public sealed class JobQueueTests
{
    private static readonly DateTimeOffset Two = new(2026, 3, 1, 14, 2, 0, TimeSpan.Zero);

    private readonly JobQueue _queue = new();

    [Fact]
    public void Jobs_are_named_in_the_order_of_submission()
    {
        JobChange first = Submit(), second = Submit(name: "  my job ");

        Assert.Equal(("j1", "lenet5 on digits", JobState.Queued), (first.Job.Id, first.Job.Name, first.Job.State));
        Assert.Equal(("j2", "my job"), (second.Job.Id, second.Job.Name));
        Assert.Equal((1L, "submitted", first.Job), (first.Entry.Sequence, first.Entry.Kind, first.Entry.Record));
        Assert.Equal(["j2", "j1"], _queue.All.Select(job => job.Id));
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890")]
    public void A_name_is_a_line_that_fits_a_table(string name)
    {
        var refused = Assert.Throws<JobServiceException>(() => Submit(name: name));

        Assert.Equal(JobServiceProblem.Invalid, refused.Problem);
        Assert.Empty(_queue.All);
        Assert.Equal("j1", Submit().Job.Id);
    }

    [Fact]
    public void The_highest_priority_goes_first_then_the_longest_in_the_queue()
    {
        Submit(priority: 0);
        Submit(priority: 5);
        Submit(priority: 0);
        Submit(priority: 5);
        Submit(priority: -1);

        Assert.Equal(["j2", "j4", "j1", "j3", "j5"], _queue.Queued.Select(job => job.Id));
        Assert.Equal("j2", _queue.Next?.Id);
    }

    [Fact]
    public void One_job_runs_at_a_time_even_while_it_waits_for_workers()
    {
        Submit();
        Submit(priority: 9);
        Start("j2");

        Assert.Null(_queue.Next);
        Assert.Null(_queue.Start("j1", null, Two));
        _queue.Wait("j2", 1, "no worker is there", Two);
        Assert.Null(_queue.Next);
        Assert.Null(_queue.Start("j1", null, Two));
        _queue.Done("j2", 1, 10, "ab", Two);
        Assert.Equal("j1", _queue.Next?.Id);
    }

    [Fact]
    public void A_job_goes_from_the_queue_to_its_end_and_the_record_tells_it()
    {
        Submit();

        JobChange started = Start("j1");
        JobChange progress = _queue.Progress("j1", 1, 7, 100, 0.5, 1234.4, Two)!;
        JobChange epoch = _queue.EpochEnded("j1", 1, 0, 0.375, 0.25, 0.9876, Two)!;
        JobChange done = _queue.Done("j1", 1, 100, "ab12", Two.AddMinutes(1))!;

        Assert.Equal((JobState.Running, 1, (DateTimeOffset?)Two), (started.Job.State, started.Job.Attempt, started.Job.Started));
        Assert.Equal((0L, "progress", "step 7 of 100, loss 0.5000, 1,234 images/s"), (progress.Entry.Sequence, progress.Entry.Kind, progress.Entry.Text));
        Assert.Equal("epoch 1/5   loss 0.3750   test loss 0.2500   accuracy 98.76 %   1,234 images/s", epoch.Entry.Text);
        Assert.Equal((3L, "epoch"), (epoch.Entry.Sequence, epoch.Entry.Kind));
        Assert.Equal((JobState.Done, 100L, 100L, "ab12", (DateTimeOffset?)Two.AddMinutes(1)), (done.Job.State, done.Job.Step, done.Job.TotalSteps, done.Job.WeightsSha256, done.Job.Ended));
        Assert.Equal(4, done.Job.LogLines);
    }

    [Fact]
    public void A_job_without_workers_waits_and_goes_on_in_the_same_attempt()
    {
        Submit();
        JobChange waiting = _queue.Wait("j1", 0, "no worker is there", Two)!;

        Assert.Equal((JobState.WaitingForWorkers, "waiting", "waiting: no worker is there"), (waiting.Job.State, waiting.Entry.Kind, waiting.Entry.Text));
        Assert.Null(_queue.GoOn("j1", 0, Two));        // nothing has begun that could go on
        Assert.Equal(1, Start("j1").Job.Attempt);
        _queue.Wait("j1", 1, "the last worker is lost", Two);
        Assert.Equal((JobState.Running, 1), _queue.GoOn("j1", 1, Two) is { } on ? (on.Job.State, on.Job.Attempt) : default);
    }

    [Fact]
    public void A_lost_server_begins_the_next_attempt_at_the_checkpoint_or_at_step_0()
    {
        Submit();
        Start("j1");
        _queue.Progress("j1", 1, 30, 100, 1, null, Two);

        JobChange first = _queue.FallBack("j1", 1, "server-2 is lost", Two)!;
        _queue.Progress("j1", 2, 50, 100, 1, null, Two);
        _queue.Checkpointed("j1", 2, 40, Two);
        JobChange second = _queue.FallBack("j1", 2, "server-1 is lost", Two)!;

        Assert.Equal((2, 0L, "server-2 is lost; attempt 2 begins at step 0, as there is no checkpoint"), (first.Job.Attempt, first.Job.Step, first.Entry.Text));
        Assert.Equal((3, 40L, "fallback"), (second.Job.Attempt, second.Job.Step, second.Entry.Kind));
        Assert.Null(second.Job.Loss);      // it was that of steps that are not taken now
        Assert.Contains("the checkpoint of step 40", second.Entry.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void News_of_an_attempt_that_is_over_changes_nothing()
    {
        Submit();
        Start("j1");
        _queue.FallBack("j1", 1, "server-2 is lost", Two);
        JobRecord before = _queue.Find("j1");

        Assert.Null(_queue.Progress("j1", 1, 9, 10, 0, null, Two));
        Assert.Null(_queue.EpochEnded("j1", 1, 0, 0.375, 0, 1, Two));
        Assert.Null(_queue.Checkpointed("j1", 1, 9, Two));
        Assert.Null(_queue.CheckpointLost("j1", 1, null, "torn", Two));
        Assert.Null(_queue.Note("j1", 1, "warning", "late", Two));
        Assert.Null(_queue.Wait("j1", 1, "late", Two));
        Assert.Null(_queue.FallBack("j1", 1, "late", Two));
        Assert.Null(_queue.Done("j1", 1, 10, "ab", Two));
        Assert.Null(_queue.Fail("j1", 1, "late", Two));
        Assert.Null(_queue.Done("j77", 1, 10, "ab", Two));
        Assert.Equal(before, _queue.Find("j1"));
    }

    [Fact]
    public void A_checkpoint_that_arrives_after_the_cancel_is_where_a_resume_goes_on()
    {
        Submit();
        Start("j1");
        _queue.Progress("j1", 1, 33, 100, 1, null, Two);
        _queue.Cancel("j1", Two);
        _queue.Checkpointed("j1", 1, 33, Two);

        JobChange resumed = _queue.Resume("j1", Two);

        Assert.Equal((JobState.Queued, 33L, (DateTimeOffset?)null, "resumed"), (resumed.Job.State, resumed.Job.Step, resumed.Job.Ended, resumed.Entry.Kind));
        Assert.Equal((2, 33L), Start("j1") is { } again ? (again.Job.Attempt, again.Job.Step) : default);
    }

    [Fact]
    public void An_older_checkpoint_does_not_hide_a_newer_one_but_a_damaged_one_gives_way()
    {
        Submit();
        Start("j1");
        _queue.Checkpointed("j1", 1, 40, Two);

        Assert.Null(_queue.Checkpointed("j1", 1, 20, Two));
        JobChange lost = _queue.CheckpointLost("j1", 1, 20, "checkpoint of step 40 is damaged", Two)!;

        Assert.Equal((20L, 20L, "warning"), (lost.Job.CheckpointStep, lost.Job.Step, lost.Entry.Kind));
    }

    [Fact]
    public void A_failed_job_is_resumed_at_its_old_place()
    {
        Submit();
        Submit();
        Start("j1");
        JobChange failed = _queue.Fail("j1", 1, "the loss is no number", Two)!;
        Assert.Equal(("the loss is no number", JobState.Failed), (failed.Job.Failure, failed.Job.State));

        JobChange resumed = _queue.Resume("j1", Two);

        Assert.Null(resumed.Job.Failure);
        Assert.Equal("j1", _queue.Next?.Id);
    }

    [Fact]
    public void After_a_restart_of_the_coordinator_the_job_whose_turn_it_was_goes_on_from_its_checkpoint()
    {
        Submit(priority: 1);
        Submit(priority: 1);
        Start("j1");
        _queue.Progress("j1", 1, 80, 100, 1, 10, Two);
        _queue.Checkpointed("j1", 1, 60, Two);

        var restarted = new JobQueue(_queue.All, lastNumber: 7);
        JobChange change = Assert.Single(restarted.CoordinatorRestarted(Two));

        Assert.Equal((JobState.Queued, 60L, 4L), (change.Job.State, change.Job.Step, change.Entry.Sequence));
        Assert.Equal("j1", restarted.Next?.Id);
        Assert.Equal("j8", restarted.Submit(new(new JobSpec()), Two).Job.Id);
        Assert.Empty(restarted.CoordinatorRestarted(Two));
    }

    [Fact]
    public void What_cannot_be_done_is_told_with_where_the_job_stands()
    {
        Assert.Equal("there is no job 'j1': none has been submitted yet.", Assert.Throws<JobServiceException>(() => _queue.Find("j1")).Message);
        Submit();
        Assert.Equal("there is no job 'j2'; the newest is j1. 'convnet jobs' lists them all.", Assert.Throws<JobServiceException>(() => _queue.Cancel("j2", Two)).Message);
        Assert.Equal("j1 is queued; only failed and cancelled jobs can be resumed.", Assert.Throws<JobServiceException>(() => _queue.Resume("j1", Two)).Message);
        Start("j1");
        Assert.Equal("j1 is running; only failed and cancelled jobs can be resumed.", Assert.Throws<JobServiceException>(() => _queue.Resume("j1", Two)).Message);
        _queue.Done("j1", 1, 10, "ab", Two);
        Assert.Equal("j1 is done since 14:02 UTC; only failed and cancelled jobs can be resumed.", Assert.Throws<JobServiceException>(() => _queue.Resume("j1", Two)).Message);
        JobServiceException late = Assert.Throws<JobServiceException>(() => _queue.Cancel("j1", Two.AddDays(1)));
        Assert.Equal((JobServiceProblem.Conflict, "j1 is done since 2026-03-01 14:02 UTC; only jobs that have not ended can be cancelled."), (late.Problem, late.Message));
    }

    private JobChange Submit(int priority = 0, string? name = null) => _queue.Submit(new JobSubmission(new JobSpec(), priority, name), Two);

    private JobChange Start(string id) => _queue.Start(id, null, Two) ?? throw new InvalidOperationException($"{id} was not started");
}
