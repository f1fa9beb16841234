namespace ConvNet.Dashboard.Client;

/// <summary>Why a coordinator did not do what was asked. The message says why and what to do, and can be shown as it is.</summary>
/// <param name="message">The message.</param>
/// <param name="status">The HTTP status; null where no coordinator answered.</param>
/// <param name="problems">Every problem, where there are several.</param>
/// <param name="cause">What happened beneath.</param>
public sealed class JobApiException(string message, int? status = null, IReadOnlyList<string>? problems = null, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The HTTP status; null where no coordinator answered.</summary>
    public int? Status => status;

    /// <summary>What is wrong, a line each.</summary>
    public IReadOnlyList<string> Problems => problems is { Count: > 0 } ? problems : [Message];

    /// <summary>Whether the coordinator itself failed, rather than what it was asked for or the way to it.</summary>
    public bool IsFault => status == 500;

    /// <summary>Whether the same request may succeed later: nobody answered, or not now.</summary>
    public bool IsPassing => status is null or 502 or 503 or 504;
}
