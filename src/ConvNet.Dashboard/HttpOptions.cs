using System.Net;
using Microsoft.AspNetCore.Http;

namespace ConvNet.Dashboard;

/// <summary>Where the job API listens, and who may use it.</summary>
public sealed record HttpOptions
{
    /// <summary>Where it listens unless told otherwise: for programs on this machine only.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>The fewest characters of a token: shorter ones can be guessed.</summary>
    public const int ShortestToken = 16;

    /// <summary>Where to listen, such as <c>http://127.0.0.1:8080</c>, <c>http://0.0.0.0:8080</c> (all interfaces) or <c>http://127.0.0.1:0</c> (a free port).</summary>
    public string Url { get; init; } = DefaultUrl;

    /// <summary>What a request must bring as <c>Authorization: Bearer …</c>. Required unless <see cref="Url"/> is loopback; null asks for none.</summary>
    public string? Token { get; init; }

    /// <summary>The largest body of a request in bytes. A job file is a few hundred.</summary>
    public int MaxBodyBytes { get; init; } = 256 * 1024;

    /// <summary>How often a stream of events says that it is alive when nothing happens. Clients take three times this for a broken connection.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Live progress goes out at most this often to each follower; what comes faster is passed over.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether it can be reached from this machine only.</summary>
    public bool IsLoopback => Where().IsLoopback;

    /// <summary>Where a program on this machine reaches it; ends in a slash.</summary>
    /// <exception cref="HttpOptionsException">The URL is none, or its port is 0, any free one.</exception>
    public Uri LocalUrl
    {
        get
        {
            (IPAddress? address, int port, _, _) = Where();
            if (port == 0)
                throw new HttpOptionsException($"--http {Url}: port 0 is any free one, so only the coordinator knows it. Give a port.");
            bool all = address == null || address.Equals(IPAddress.Any);
            return new UriBuilder("http", $"{(all ? IPAddress.Loopback : address!.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address)}", port).Uri;
        }
    }

    /// <summary>Sees to it that the options make sense, before anything starts.</summary>
    /// <exception cref="HttpOptionsException">They do not; the message says what to change.</exception>
    public void Validate()
    {
        bool loopback = Where().IsLoopback;
        if (Token == null && !loopback)
            throw new HttpOptionsException($"--http {Url}: can be reached from other machines, and so requires a token. Give one with --token or CONVNET_TOKEN (at least {ShortestToken} characters, such as 'openssl rand -hex 32' prints), or listen at {DefaultUrl}.");
        if (Token is { } token && (token.Length < ShortestToken || token.Any(c => c is <= ' ' or > '~')))
            throw new HttpOptionsException($"--token: expected at least {ShortestToken} ASCII characters without spaces, such as 'openssl rand -hex 32' prints, got {token.Length}{(token.Length < ShortestToken ? "" : " with others among them")}.");
    }

    /// <summary>The address to bind: an IP address, or null for all interfaces, and the port.</summary>
    internal (IPAddress? Address, int Port, bool IsLocalhost, bool IsLoopback) Where()
    {
        BindingAddress url;
        try
        {
            url = BindingAddress.Parse(Url);
        }
        catch (FormatException)
        {
            throw Wrong();
        }

        if (!url.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase) || url.PathBase.Length > 0 || url.IsUnixPipe || url.IsNamedPipe || url.Port is < 0 or > IPEndPoint.MaxPort)
            throw Wrong();
        bool localhost = url.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        IPAddress? address = IPAddress.TryParse(url.Host, out IPAddress? parsed) ? parsed : null;
        return (address, url.Port, localhost, localhost || (address != null && IPAddress.IsLoopback(address)));
    }

    private HttpOptionsException Wrong() => new($"--http {Url}: expected a URL such as {DefaultUrl} or http://0.0.0.0:8080.");
}

/// <summary>The options of the job API do not make sense. The message says which, and what to change.</summary>
public sealed class HttpOptionsException(string message) : Exception(message);
