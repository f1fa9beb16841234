namespace ConvNet.Data.Downloads;

/// <summary>A data set could not be fetched, or not be kept. The message says which file, what each address answered and what to do.</summary>
public sealed class DownloadException : Exception
{
    /// <summary>With a message for the user.</summary>
    public DownloadException(string message)
        : base(message)
    {
    }

    /// <summary>With a message for the user and its cause.</summary>
    public DownloadException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
