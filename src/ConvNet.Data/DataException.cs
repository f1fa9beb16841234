namespace ConvNet.Data;

/// <summary>Data that is missing, damaged or of another kind. The message says where, what was expected, what was found and what to do.</summary>
public sealed class DataException : Exception
{
    /// <summary>With a message for the user.</summary>
    public DataException(string message)
        : base(message)
    {
    }

    /// <summary>With a message for the user and its cause.</summary>
    public DataException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
