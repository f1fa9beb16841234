namespace ConvNet.Cluster.Management;

/// <summary>Jobs cannot be kept or read. The message says which file, what is wrong, and what to do.</summary>
public sealed class JobStoreException(string message, Exception? cause = null) : Exception(message, cause);
