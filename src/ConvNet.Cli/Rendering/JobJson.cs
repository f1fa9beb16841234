using System.Text.Json;
using System.Text.Json.Nodes;
using ConvNet.Cluster.Management;

namespace ConvNet.Cli.Rendering;

/// <summary>Jobs and nodes for scripts, with the names that the HTTP API has for them: one object on one line.</summary>
internal static class JobJson
{
    /// <summary>A job: the command's name, then the job's fields.</summary>
    public static void Write(TextWriter output, string command, JobRecord job)
    {
        var line = new JsonObject { ["command"] = command };
        foreach ((string name, JsonNode? value) in JsonSerializer.SerializeToNode(job, ManagementJson.Options)!.AsObject())
            line[name] = value?.DeepClone();
        WriteLine(output, line);
    }

    /// <summary>A list.</summary>
    public static void Write<T>(TextWriter output, string command, string name, IReadOnlyList<T> items) =>
        WriteLine(output, new JsonObject { ["command"] = command, [name] = JsonSerializer.SerializeToNode(items, ManagementJson.Options) });

    /// <summary>Anything else.</summary>
    public static void WriteLine<T>(TextWriter output, T value) => output.WriteLine(JsonSerializer.Serialize(value, ManagementJson.Options));
}
