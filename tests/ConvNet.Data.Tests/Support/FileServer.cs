using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ConvNet.Data.Tests.Support;

/// <summary>A small HTTP server of files on this machine that can misbehave: it speaks to sockets itself, so that it may break off in the middle.</summary>
public sealed class FileServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly List<string> _requests = [];

    public FileServer()
    {
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        Serving = Task.Run(ServeAsync);
    }

    /// <summary>Where the files are.</summary>
    public Uri Address { get; }

    /// <summary>Bytes of a file after which each answer breaks off.</summary>
    public int BreaksOffAfter { get; set; } = int.MaxValue;

    /// <summary>Whether a request for a part gets the whole file, as from a simple server.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>Whether answers say how long they are.</summary>
    public bool TellsLength { get; set; } = true;

    /// <summary>What was asked for: the file, and from which byte.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    private Task Serving { get; }

    /// <summary>Serves a file.</summary>
    public void Add(string name, byte[] content) => _files[name] = content;

    public void Dispose()
    {
        _listener.Stop();
        Serving.Wait();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync();
                try
                {
                    await AnswerAsync(client.GetStream());
                }
                catch (IOException)
                {
                    // Whoever asked has gone away.
                }
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed.
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        string[] words = (await reader.ReadLineAsync() ?? "").Split(' ');
        int from = 0;
        while (await reader.ReadLineAsync() is { Length: > 0 } header)
        {
            if (header.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase) && !IgnoresRanges)
                from = int.Parse(header["Range: bytes=".Length..].TrimEnd('-'), System.Globalization.CultureInfo.InvariantCulture);
        }

        string name = words.Length > 1 ? words[1].TrimStart('/') : "";
        lock (_requests)
            _requests.Add($"{name} from {from}");
        if (!_files.TryGetValue(name, out byte[]? content))
        {
            await WriteAsync(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }

        if (from >= content.Length && from > 0)
        {
            await WriteAsync(stream, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }

        string status = from > 0 ? $"206 Partial Content\r\nContent-Range: bytes {from}-{content.Length - 1}/{content.Length}" : "200 OK";
        await WriteAsync(stream, $"HTTP/1.1 {status}\r\n{(TellsLength ? $"Content-Length: {content.Length - from}\r\n" : "")}Connection: close\r\n\r\n");
        await stream.WriteAsync(content.AsMemory(from, Math.Min(content.Length - from, BreaksOffAfter)));
    }

    private static async Task WriteAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
}
