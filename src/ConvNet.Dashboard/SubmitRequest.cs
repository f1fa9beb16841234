using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using ConvNet.Core.Networks;

namespace ConvNet.Dashboard;

/// <summary>The body of <c>POST /api/jobs</c>.</summary>
/// <remarks>A job is declared, never programmed: what is read here is fields of a job file and nothing else.</remarks>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SubmitRequest
{
    /// <summary>The job: the text of a job file, or an object with the fields of one. Left out, a job of defaults.</summary>
    public JsonElement? Job { get; init; }

    /// <summary>Fields that override those of <see cref="Job"/>, by the names of the job file.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Options { get; init; }

    /// <summary>Higher goes first; equal ones in the order of submission.</summary>
    public int Priority { get; init; }

    /// <summary>A name for people; null for the model's and the data's.</summary>
    public string? Name { get; init; }

    /// <summary>What errors call the job file.</summary>
    public string? FileName { get; init; }

    /// <summary>Asks for the training of a network that was built in a program.</summary>
    /// <param name="network">The network. It is built anew for the images and classes of the job's data.</param>
    /// <param name="fields">The other fields of a job file, such as <c>data</c> and <c>epochs</c>.</param>
    public static SubmitRequest For(Network network, IReadOnlyDictionary<string, string> fields)
    {
        var layers = new JsonArray();
        foreach (OwnLayer layer in OwnNetwork.Of(network).Layers)
        {
            var settings = new JsonObject { ["name"] = layer.Name, ["inputs"] = new JsonArray([.. layer.Inputs.Select(input => JsonValue.Create(input))]) };
            foreach ((string setting, string value) in layer.Settings)
                settings[setting] = value;
            if (layer.Auxiliary > 0)
                settings["auxiliary"] = layer.Auxiliary;
            layers.Add(new JsonObject { [layer.Kind] = settings });
        }

        return new SubmitRequest
        {
            Job = JsonSerializer.SerializeToElement(new JsonObject { ["layers"] = layers }),
            FileName = network.Name,
            Options = fields.ToDictionary(field => field.Key, field => JsonSerializer.SerializeToElement(field.Value)),
        };
    }

    /// <summary>The job that is asked for.</summary>
    /// <exception cref="JobFileException">Something is wrong; it has every problem.</exception>
    public JobSubmission ToSubmission()
    {
        var draft = new JobDraft();
        string place = string.IsNullOrWhiteSpace(FileName) || FileName.Any(char.IsControl) ? "job" : FileName;
        switch (Job?.ValueKind)
        {
            case null or JsonValueKind.Undefined or JsonValueKind.Null:
                break;
            case JsonValueKind.String:
                draft.ReadYaml(Job.Value.GetString()!, place);
                break;
            case JsonValueKind.Object:
                ReadObject(draft, Job.Value, place);
                break;
            default:
                throw new JobFileException([$"{place}: expected the text of a job file, or an object with its fields."]);
        }

        if (Options != null)
            draft.ReadFields(Options.Select(field => KeyValuePair.Create(field.Key, Text(field.Value))), "options");
        return new JobSubmission(draft.ToSpec(), Priority, Name);
    }

    /// <summary>An object with the fields of a job file. Only its layers are nested, and as a job file's: JSON is YAML too.</summary>
    private static void ReadObject(JobDraft draft, JsonElement job, string place)
    {
        JsonProperty[] fields = [.. job.EnumerateObject()];
        JsonProperty[] layers = [.. fields.Where(field => field is { Name: "layers", Value.ValueKind: JsonValueKind.Array })];
        draft.ReadFields(fields.Except(layers).Select(field => KeyValuePair.Create(field.Name, Text(field.Value))), place);
        if (layers.Length > 1)
            throw new JobFileException([$"{place}: layers: given twice."]);
        if (layers.Length > 0 && fields.Any(field => field.Name == "model"))
            throw new JobFileException([$"{place}: layers: a job has one network, and model names one too. Leave one of the two out."]);
        foreach (JsonProperty field in layers)
            draft.ReadYaml($"layers: {JsonSerializer.Serialize(field.Value)}", place);
    }

    /// <summary>A value as a job file would have it; null for a list or an object.</summary>
    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };
}
