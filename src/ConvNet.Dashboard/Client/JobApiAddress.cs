namespace ConvNet.Dashboard.Client;

/// <summary>Where a coordinator is asked, as people write it.</summary>
public static class JobApiAddress
{
    /// <summary>Reads an address: <c>http://coordinator:8080</c>, or <c>coordinator:8080</c> for the same. Ends in a slash.</summary>
    /// <exception cref="JobApiException">It is none.</exception>
    public static Uri Parse(string text)
    {
        string url = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}";
        return Uri.TryCreate(url.TrimEnd('/') + "/", UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" && address.Query.Length == 0 && address.UserInfo.Length == 0
            ? address
            : throw new JobApiException($"'{text}' is no address of a coordinator; expected one such as {HttpOptions.DefaultUrl}.", status: 400);
    }
}
