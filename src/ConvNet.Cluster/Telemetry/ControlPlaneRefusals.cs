using System.Diagnostics.Metrics;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Event;
using Akka.Remote.Transport;

namespace ConvNet.Cluster.Telemetry;

/// <summary>Counts what came to the port of the control plane and was refused: bytes that are no frame, and messages that are none of this cluster's.</summary>
/// <remarks>
/// The port is Akka's, and so is what it refuses; it says so on the event stream only, as log events. What they are is told by the class that logged and by
/// the exception, never by the text.
/// </remarks>
internal sealed class ControlPlaneRefusals : ReceiveActor
{
    private static readonly Counter<long> Refused = ClusterMeter.Instance.CreateCounter<long>(
        "convnet.control.refused", unit: "{item}", description: "Malformed frames and foreign messages that were refused at the port of the control plane");

    public ControlPlaneRefusals() => Receive<LogEvent>(Count);

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe<Error>(Self);
        Context.System.EventStream.Subscribe<Warning>(Self);
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private static void Count(LogEvent logged)
    {
        if (KindOf(logged) is { } kind)
            Refused.Add(1, new KeyValuePair<string, object?>("kind", kind));
    }

    private static string? KindOf(LogEvent logged) => logged.Cause switch
    {
        AkkaProtocolException => "frame",
        SerializationException when logged.LogClass.FullName == "Akka.Remote.EndpointReader" => "message",
        { } when logged.LogClass.Namespace == "Akka.Remote.Transport.DotNetty" => "frame",
        _ => null,
    };
}
