using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using Akka.Hosting.Logging;
using Microsoft.Extensions.Logging;
using AkkaLevel = Akka.Event.LogLevel;
using Level = Microsoft.Extensions.Logging.LogLevel;

namespace ConvNet.Cluster.Telemetry;

/// <summary>Takes what actors log to the host's logs, each under the class that logged: so that ours can be shown and the actor system's own chatter left out.</summary>
internal sealed class AkkaLog : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private readonly Dictionary<Type, ILogger> _loggers = [];

    public AkkaLog()
    {
        var factory = Context.System.Settings.Setup.Get<LoggerFactorySetup>().Value.LoggerFactory;
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e => Write(factory, e));
    }

    private void Write(ILoggerFactory factory, LogEvent e)
    {
        if (!_loggers.TryGetValue(e.LogClass, out var logger))
            _loggers.Add(e.LogClass, logger = factory.CreateLogger(e.LogClass.FullName ?? e.LogClass.Name));
        var level = e.LogLevel() switch
        {
            AkkaLevel.ErrorLevel => Level.Error,
            AkkaLevel.WarningLevel => Level.Warning,
            AkkaLevel.InfoLevel => Level.Information,
            _ => Level.Debug,
        };
        if (logger.IsEnabled(level))
            logger.Log(level, e.Cause, "{Message}", e.Message.ToString());
    }
}
