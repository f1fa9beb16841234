using System.Text.Json;
using System.Text.Json.Serialization;
using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;

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
                draft.ReadFields(Job.Value.EnumerateObject().Select(field => KeyValuePair.Create(field.Name, Text(field.Value))), place);
                break;
            default:
                throw new JobFileException([$"{place}: expected the text of a job file, or an object with its fields."]);
        }

        if (Options != null)
            draft.ReadFields(Options.Select(field => KeyValuePair.Create(field.Key, Text(field.Value))), "options");
        return new JobSubmission(draft.ToSpec(), Priority, Name);
    }

    /// <summary>A value as a job file would have it; null for a list or an object.</summary>
    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };
}
