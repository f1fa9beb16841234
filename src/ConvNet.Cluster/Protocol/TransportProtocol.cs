using MessagePack;

namespace ConvNet.Cluster.Protocol;

/// <summary>Caller → called: whose frames these are, and which. Answer: <see cref="HelloAnswer"/>.</summary>
[MessagePackObject]
public sealed record Hello(
    [property: Key(0)] string Cluster,
    [property: Key(1)] string Endpoint,   // where the caller itself listens
    [property: Key(2)] Guid Sender,       // the caller's process, or rather its transport
    [property: Key(3)] long Session,      // rises with each session from this sender to anyone
    [property: Key(4)] bool Resumes,      // the called has welcomed this session before
    [property: Key(5)] MemoryOffer? Memory = null);   // null: floats are to go through the socket

/// <summary>Where a caller's floats may be read by a process of the same machine: it finds this number at the word, and afterwards the one that it has answered.</summary>
[MessagePackObject]
public sealed record MemoryOffer(
    [property: Key(0)] int Process,       // as the system counts them
    [property: Key(1)] long Word,         // an address
    [property: Key(2)] long Number);

/// <summary>What is said to a <see cref="Hello"/>.</summary>
public enum HelloVerdict
{
    /// <summary>Not said, or by a newer release.</summary>
    None = 0,

    /// <summary>Go on after the frames that have come.</summary>
    Welcome = 1,

    /// <summary>No such session here: what it had is lost. Begin another.</summary>
    UnknownSession = 2,

    /// <summary>Not at the moment: an older connection of the session has not ended yet. Come again.</summary>
    Busy = 3,

    /// <summary>We have no business with each other; the text says why.</summary>
    Refused = 4,
}

/// <summary>Called → caller.</summary>
[MessagePackObject]
public sealed record HelloAnswer(
    [property: Key(0)] HelloVerdict Verdict,
    [property: Key(1)] long Received,     // the last frame of the session that has come whole; 0 where none has
    [property: Key(2)] string Text,
    [property: Key(3)] long? MemoryNumber = null);   // the offer is taken: long frames have an address in place of their floats, and the word this number
