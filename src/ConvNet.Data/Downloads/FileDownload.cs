using System.Net;
using System.Net.Http.Headers;
using ConvNet.Data.Manifests;

namespace ConvNet.Data.Downloads;

/// <summary>Gets one file over HTTP: goes on where an earlier try ended, checks length and SHA-256, and tries one address after the other.</summary>
/// <param name="file">What it has to be.</param>
/// <param name="part">Where it is put. What is there already is taken for its beginning; if that was wrong, it is begun anew.</param>
/// <param name="client">For the requests.</param>
/// <param name="progress">Is told how far it has come.</param>
internal sealed class FileDownload(PublishedFile file, string part, HttpClient client, IProgress<DownloadProgress>? progress)
{
    /// <summary>An address that broke off so often without giving anything more is given up.</summary>
    private const int MostVainTries = 2;

    /// <summary>A server that sends nothing for so long is not waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>An address did not give the file, for a reason in words.</summary>
    private sealed class AddressException(string reason) : Exception(reason);

    /// <summary>Gets it from the first address that gives it as it should be.</summary>
    /// <exception cref="DownloadException">None does; the message has a line for each.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task<Uri> FromAnyAsync(IReadOnlyList<Uri> addresses, CancellationToken stop)
    {
        var failures = new List<string>();
        foreach (Uri address in addresses)
        {
            Uri from = At(address);
            try
            {
                await FromAsync(from, stop).ConfigureAwait(false);
                return from;
            }
            catch (AddressException refused)
            {
                failures.Add($"  {from}: {refused.Message}");
            }
        }

        string kept = "";
        if (new FileInfo(part) is { Exists: true, Length: var come })
        {
            if (come == 0)
                File.Delete(part);
            else
                kept = $" The {come} bytes that came are kept in {part}; the next try goes on from there.";
        }

        throw new DownloadException($"{file.Name}: could not be fetched.{kept} --mirror URL names another address.{Environment.NewLine}{string.Join(Environment.NewLine, failures)}");
    }

    private Uri At(Uri address) => new($"{address.AbsoluteUri.TrimEnd('/')}/{file.Name}");

    /// <summary>Gets it whole. What was there before may have been another file's: then all of it is fetched, once.</summary>
    private async Task FromAsync(Uri from, CancellationToken stop)
    {
        bool begun = await CompleteAsync(from, stop).ConfigureAwait(false);
        if (begun && FileHashes.Hash(part, stop) != file.Sha256)
        {
            File.Delete(part);
            await CompleteAsync(from, stop).ConfigureAwait(false);
        }

        string hash = FileHashes.Hash(part, stop);
        if (hash == file.Sha256)
            return;
        File.Delete(part);
        throw new AddressException($"its SHA-256 is {hash}, expected {file.Sha256}; it was thrown away");
    }

    /// <summary>Fetches until the length is right, going on after interruptions.</summary>
    /// <returns>Whether a part of it was there before.</returns>
    private async Task<bool> CompleteAsync(Uri from, CancellationToken stop)
    {
        using var target = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1 << 16);
        if (target.Length > file.Length)
            target.SetLength(0);
        bool begun = target.Length > 0;
        for (int vain = 0; target.Length < file.Length;)
        {
            long before = target.Length;
            string? broken = await GoOnAsync(from, target, stop).ConfigureAwait(false);
            vain = target.Length > before ? 0 : vain + 1;
            if (vain >= MostVainTries)
                throw new AddressException(broken ?? $"ended after {target.Length} of {file.Length} bytes");
        }

        target.Flush(flushToDisk: true);
        return begun;
    }

    /// <summary>One request for what is missing.</summary>
    /// <returns>Why it broke off; null if the server came to its end.</returns>
    private async Task<string?> GoOnAsync(Uri from, FileStream target, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, from);
            // Packing on the way would make other bytes, and other lengths, of it.
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            if (target.Length > 0)
                request.Headers.Range = new RangeHeaderValue(target.Length, null);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
            Begin(response, target);
            using Stream source = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
            var buffer = new byte[1 << 16];
            while (true)
            {
                patience.CancelAfter(Patience);
                int read = await source.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
                if (read == 0)
                    return null;
                if (target.Length + read > file.Length)
                    throw new AddressException($"sends more than the {file.Length} bytes that the file has");
                Write(target, buffer.AsSpan(0, read));
                progress?.Report(new DownloadProgress(file.Name, target.Length, file.Length));
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return $"sent nothing for {Patience.TotalSeconds:0} s";
        }
        catch (Exception broken) when (broken is HttpRequestException || (broken is IOException && broken is not WriteException))
        {
            return Reason(broken);
        }
    }

    /// <summary>Sets the target to where the answer's bytes belong.</summary>
    private void Begin(HttpResponseMessage response, FileStream target)
    {
        long? sent = response.Content.Headers.ContentLength;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange is { From: { } first } range:
                if (first != target.Length || (range.Length ?? file.Length) != file.Length)
                    throw new AddressException($"gives bytes {range.From}-{range.To} of {range.Length}, not those from {target.Length} of {file.Length}");
                target.Position = target.Length;
                return;
            case HttpStatusCode.OK:
                // A server that cannot go on begins anew, which is the whole file.
                if (sent is { } length && length != file.Length)
                    throw new AddressException($"the file there has {length} bytes, expected {file.Length}");
                target.SetLength(0);
                return;
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                target.SetLength(0);
                throw new IOException("the file there is shorter than what is here already");
            default:
                throw new AddressException($"answers {(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd());
        }
    }

    private static void Write(FileStream target, ReadOnlySpan<byte> bytes)
    {
        try
        {
            target.Write(bytes);
        }
        catch (IOException full)
        {
            throw new WriteException(full.Message, full);
        }
    }

    private static string Reason(Exception broken) => (broken.InnerException ?? broken).Message.TrimEnd('.');

    /// <summary>The disk, not the network.</summary>
    private sealed class WriteException(string message, Exception inner) : IOException(message, inner);
}
