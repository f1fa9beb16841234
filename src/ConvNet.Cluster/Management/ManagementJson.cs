using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ConvNet.Cluster.Management;

/// <summary>How jobs and nodes look as JSON: in the store, over HTTP, and as <c>--json</c> prints them.</summary>
/// <remarks>Camel case, enums as kebab-case words, NaN and infinities as text. Fields that are not known are passed over; those that are missing have their defaults.</remarks>
public static class ManagementJson
{
    /// <summary>The options.</summary>
    public static JsonSerializerOptions Options { get; } = Frozen();

    /// <summary>Gives <paramref name="options"/> the same looks.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
    }

    private static JsonSerializerOptions Frozen()
    {
        var options = new JsonSerializerOptions();
        Apply(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
