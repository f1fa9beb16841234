using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ConvNet.Cluster.Transport.Tcp;

/// <summary>Endpoints as they are announced: <c>host:4054</c>, <c>10.0.0.7:4054</c>, <c>[::1]:4054</c>.</summary>
internal static class EndpointText
{
    /// <summary>Of a host's name or address, and a port.</summary>
    public static string Of(string host, int port) =>
        IPAddress.TryParse(host, out var address) && address.AddressFamily is AddressFamily.InterNetworkV6 ? $"[{host}]:{port}" : $"{host}:{port}";

    /// <summary>Host and port.</summary>
    public static bool TryParse(string endpoint, out string host, out int port)
    {
        int colon = endpoint.LastIndexOf(':');
        host = colon > 0 ? endpoint[..colon].Trim('[', ']') : "";
        port = 0;
        return host.Length > 0 && int.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue;
    }
}
