using System.Threading.Channels;
using ConvNet.Cluster.Jobs;
using ConvNet.Data.TensorBoard;

namespace ConvNet.Cli.Reports;

/// <summary>Writes how a job goes as TensorBoard's curves, while it goes: loss and learning rate about a hundred times an epoch, everything else after each.</summary>
/// <remarks>The job only leaves its numbers here; a task of its own writes them. If that fails, training goes on, and the end of the job tells.</remarks>
internal sealed class TensorBoardLog : IJobObserver, IAsyncDisposable
{
    private const int PointsPerEpoch = 100;

    private readonly record struct Entry(DateTimeOffset Time, long Step, Scalar[] Scalars);

    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<int, EpochTally> _epochs = [];
    private readonly NetworkJob _job;
    private readonly string _measured;
    private readonly TextWriter _error;
    private readonly TimeProvider _clock;
    private readonly Task _writing;
    private long _stepsOfMean = 1, _steps;
    private double _loss;

    /// <summary>Begins to log.</summary>
    /// <param name="file">The file; disposed with the log.</param>
    /// <param name="job">The job.</param>
    /// <param name="measured">What epochs are measured on: <c>test</c> or <c>validation</c>.</param>
    /// <param name="error">Is told what could not be written.</param>
    /// <param name="clock">The clock.</param>
    public TensorBoardLog(EventFile file, NetworkJob job, string measured, TextWriter error, TimeProvider clock)
    {
        (_job, _measured, _error, _clock) = (job, measured, error, clock);
        _writing = WriteAsync(file);
    }

    /// <inheritdoc/>
    public void On(JobEvent happened)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        switch (happened)
        {
            case JobEvent.Began began:
                _stepsOfMean = Math.Max(1, began.StepsPerEpoch / PointsPerEpoch);
                break;
            case JobEvent.Stepped stepped:
                if (!_epochs.TryGetValue(stepped.Epoch, out EpochTally? tally))
                    _epochs.Add(stepped.Epoch, tally = new());
                tally.Add(stepped, now);
                _loss += stepped.Loss;
                if (++_steps < _stepsOfMean)
                    break;
                Log(now, stepped.Step + 1, new("loss/step", _loss / _steps), new("learning_rate", _job.LearningRateOf(stepped.Step)));
                (_loss, _steps) = (0, 0);
                break;
            case JobEvent.Evaluated evaluated:
                List<Scalar> scalars = [new("loss/train", evaluated.TrainLoss), new($"loss/{_measured}", evaluated.Loss), new($"accuracy/{_measured}", evaluated.Accuracy)];
                if (evaluated.Top5 is { } top5)
                    scalars.Add(new($"accuracy/{_measured}_top5", top5));
                if (_epochs.Remove(evaluated.Epoch, out EpochTally? epoch))
                {
                    scalars.Add(new("accuracy/train", epoch.Accuracy));
                    if (epoch.ImagesPerSecond is { } speed)
                        scalars.Add(new("images_per_second", speed));
                }

                Log(now, evaluated.Version, [.. scalars]);
                break;
        }
    }

    /// <summary>Writes what is left, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _writing;
    }

    private void Log(DateTimeOffset now, long step, params Scalar[] scalars) => _entries.Writer.TryWrite(new(now, step, scalars));

    private async Task WriteAsync(EventFile file)
    {
        try
        {
            using (file)
            {
                while (await _entries.Reader.WaitToReadAsync().ConfigureAwait(false))
                {
                    while (_entries.Reader.TryRead(out Entry entry))
                        file.Add(entry.Time, entry.Step, entry.Scalars);
                    file.Flush();
                }
            }
        }
        catch (Exception failure)
        {
            // Whatever it is: it must not come out where the job's result is waited for.
            _entries.Writer.TryComplete();
            await _error.WriteLineAsync($"warning: {file.Path} could not be written to its end ({failure.Message.TrimEnd('.')}). Training is not affected.");
        }
    }
}
