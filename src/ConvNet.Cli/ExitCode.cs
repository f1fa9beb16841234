namespace ConvNet.Cli;

/// <summary>What the process says to the shell when it ends.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Asked rightly, but it failed: the job, the disk, the machine.</summary>
    public const int Failed = 1;

    /// <summary>Asked wrongly: an option, a job file, a data file, a model file.</summary>
    public const int WrongUsage = 2;

    /// <summary>Stopped by the user, cleanly.</summary>
    public const int Interrupted = 130;
}
