using ConvNet.Cluster.Protocol;

namespace ConvNet.Cluster.Transport;

/// <summary>Moves floats between the parts of a job: gradients to the servers, weights to the workers. The data plane.</summary>
/// <remarks>
/// <para>A frame is a small header and floats, sent to a <see cref="TensorTarget"/>. Frames from one sender to one target arrive in
/// order, at most once each while both live. Frames to a target that is not there are dropped: who needs an answer asks again.</para>
/// <para>In one process the buffer itself changes hands. Over TCP the header is checked by the receiver, who then names the destination,
/// and the floats are received straight into it: a length read off the wire never decides an allocation.</para>
/// </remarks>
public interface ITensorTransport : IDisposable
{
    /// <summary>How this node's receivers are reached; announced in actor messages.</summary>
    string Endpoint { get; }

    /// <summary>Frames that could not be delivered: no such target, or refused by it.</summary>
    long Refused { get; }

    /// <summary>Opens a target on this node. Dispose the result to close it.</summary>
    IDisposable Open(TensorTarget target, ITensorReceiver receiver);

    /// <summary>Sends a frame and returns at once.</summary>
    /// <remarks>
    /// There is no limit on what waits to be sent but the protocol's own: a worker has one request a shard under way, and cannot be
    /// more than a step ahead of the slowest shard, so at most the frames of two steps wait for any peer.
    /// </remarks>
    /// <param name="target">Where to.</param>
    /// <param name="header">What it is.</param>
    /// <param name="values">The floats. The transport disposes this lease when it has done with it, which is how the sender gets its buffer back.</param>
    void Send(TensorTarget target, ITensorHeader header, TensorLease values);

    /// <summary>
    /// A node is known to be gone: what waits to be sent to it is dropped, and what has half come from it is abandoned. Should it
    /// live after all, it is a new peer.
    /// </summary>
    void Forget(string endpoint)
    {
        // Within one process nobody is ever gone.
    }
}

/// <summary>The receiving end of a target. Called on threads of the transport or of a sender: quick, and never throws.</summary>
public interface ITensorReceiver
{
    /// <summary>A header has come, its floats have not: says where they go. Unless it refuses, it hears once more of this frame: arrived or abandoned.</summary>
    /// <param name="header">As read off the wire; nothing in it is trusted yet.</param>
    /// <param name="length">Floats that follow.</param>
    TensorDestination Accept(ITensorHeader header, int length);

    /// <summary>The floats of an accepted frame are in place.</summary>
    /// <param name="header">The header that was accepted.</param>
    /// <param name="values">The destination that was named, or the buffer to keep. Now the receiver's to dispose.</param>
    void Arrived(ITensorHeader header, TensorLease values);

    /// <summary>The floats of an accepted frame will not come: its sender is gone. The destination's lease has been disposed.</summary>
    void Abandoned(ITensorHeader header);
}

/// <summary>What a receiver says to a header.</summary>
public readonly struct TensorDestination
{
    private TensorDestination(TensorLease? into, TensorPool? pool, string? refusal) => (Place, Pool, Refusal) = (into, pool, refusal);

    /// <summary>Where the floats are to be put, if the receiver named a place. As long as they are.</summary>
    public TensorLease? Place { get; }

    /// <summary>Where to rent a buffer from, if the receiver wants to keep one and the sender's cannot be handed over. Its buffers are as long as the floats are.</summary>
    public TensorPool? Pool { get; }

    /// <summary>Why the frame is refused, in words; null where it is not.</summary>
    public string? Refusal { get; }

    /// <summary>Put the floats here. The lease is the transport's until it hands it to <see cref="ITensorReceiver.Arrived"/>.</summary>
    public static TensorDestination Into(TensorLease place) => new(place, null, null);

    /// <summary>Give me a buffer with them: the sender's own, or one of this pool.</summary>
    public static TensorDestination Keep(TensorPool pool) => new(null, pool, null);

    /// <summary>There are no floats, the header is all.</summary>
    public static TensorDestination HeaderOnly => default;

    /// <summary>Not for me.</summary>
    public static TensorDestination Refuse(string why) => new(null, null, why);
}
