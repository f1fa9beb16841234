namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>A peer did not keep to the protocol; the connection is to be closed. The message goes after the peer's name.</summary>
internal sealed class MalformedException(string message) : Exception(message);

/// <summary>A connection has ended.</summary>
internal sealed class ConnectionEndedException(string message) : Exception(message);
