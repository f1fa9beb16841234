using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace ConvNet.Cluster.Management;

/// <summary>Keeps jobs and their logs in a SQLite file.</summary>
/// <remarks>
/// One thread owns the connection and does what is asked in its order; callers only enqueue. The journal is a write-ahead log and every commit is
/// flushed to the disk before its task completes, so a process that is killed loses nothing it was told is kept. The file stays locked while it is open:
/// two coordinators on one work directory would give the same names to different jobs.
/// </remarks>
public sealed class SqliteJobStore : IJobStore
{
    /// <summary>The file's name in a work directory.</summary>
    public const string FileName = "jobs.db";

    private const int Busy = 5, Locked = 6, Corrupt = 11, CannotOpen = 14, Full = 13, NotADatabase = 26, ReadOnly = 8;

    private readonly Channel<Action<SqliteConnection>> _asked = Channel.CreateUnbounded<Action<SqliteConnection>>(new() { SingleReader = true });
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _path;
    private readonly TimeSpan _patience;
    private readonly IReadOnlyList<string> _migrations;

    private SqliteJobStore(string path, TimeSpan patience, IReadOnlyList<string> migrations)
    {
        (_path, _patience, _migrations) = (path, patience, migrations);
        new Thread(Run) { Name = "job store", IsBackground = true }.Start();
    }

    /// <summary>Opens the store of a work directory, which is made if need be.</summary>
    /// <exception cref="JobStoreException">The file belongs to a coordinator that runs, to a newer version, or is no job store.</exception>
    public static Task<SqliteJobStore> OpenAsync(string workDirectory) =>
        OpenAsync(Path.Combine(workDirectory, FileName), TimeSpan.FromSeconds(5), JobStoreSchema.Migrations);

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="patience">How long to wait for another process that is about to end to give the file free.</param>
    /// <param name="migrations">See <see cref="JobStoreSchema"/>.</param>
    internal static async Task<SqliteJobStore> OpenAsync(string path, TimeSpan patience, IReadOnlyList<string> migrations)
    {
        var store = new SqliteJobStore(path, patience, migrations);
        await store._opened.Task;
        return store;
    }

    /// <inheritdoc/>
    public Task<(IReadOnlyList<JobRecord> Jobs, int LastNumber)> LoadAsync() => Ask(connection =>
    {
        var jobs = new List<JobRecord>();
        using (SqliteCommand command = Command(connection, "SELECT number, job FROM jobs ORDER BY number"))
        using (SqliteDataReader rows = command.ExecuteReader())
        {
            while (rows.Read())
                jobs.Add(Read(rows.GetString(1), JobId.Of(rows.GetInt32(0))));
        }

        using SqliteCommand last = Command(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'");
        return ((IReadOnlyList<JobRecord>)jobs, Convert.ToInt32(last.ExecuteScalar(), CultureInfo.InvariantCulture));
    });

    /// <inheritdoc/>
    /// <remarks>A line with sequence number 0 is one that is only shown live: it is not kept, the job is.</remarks>
    public Task SaveAsync(JobRecord job, JobLogEntry? entry) => Ask(connection =>
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        using (SqliteCommand save = Command(
            connection,
            "INSERT INTO jobs (number, state, submitted, job) VALUES ($number, $state, $submitted, $job) ON CONFLICT (number) DO UPDATE SET state = $state, job = $job"))
        {
            Bind(save, ("$number", job.Number), ("$state", Word(job.State)), ("$submitted", Text(job.Submitted)), ("$job", Write(job)));
            save.ExecuteNonQuery();
        }

        if (entry is { Sequence: > 0 })
        {
            using SqliteCommand append = Command(connection, "INSERT INTO log (number, sequence, time, kind, text, job) VALUES ($number, $sequence, $time, $kind, $text, $job)");
            Bind(append, ("$number", job.Number), ("$sequence", entry.Sequence), ("$time", Text(entry.Time)), ("$kind", entry.Kind), ("$text", entry.Text), ("$job", Write(entry.Record)));
            append.ExecuteNonQuery();
        }

        transaction.Commit();
        return 0;
    });

    /// <inheritdoc/>
    public Task<IReadOnlyList<JobLogEntry>> LogAsync(string id, long after) => Ask(connection =>
    {
        var entries = new List<JobLogEntry>();
        using SqliteCommand command = Command(connection, "SELECT sequence, time, kind, text, job FROM log WHERE number = $number AND sequence > $after ORDER BY sequence");
        Bind(command, ("$number", JobId.NumberOf(id) ?? 0), ("$after", after));
        using SqliteDataReader rows = command.ExecuteReader();
        while (rows.Read())
            entries.Add(new(rows.GetInt64(0), Time(rows.GetString(1)), rows.GetString(2), rows.GetString(3), Read(rows.GetString(4), id)));
        return (IReadOnlyList<JobLogEntry>)entries;
    });

    /// <summary>Does what was asked for before, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _asked.Writer.TryComplete();
        await _closed.Task;
    }

    private async Task<T> Ask<T>(Func<SqliteConnection, T> work)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool taken = _asked.Writer.TryWrite(connection =>
        {
            try
            {
                answer.SetResult(work(connection));
            }
            catch (Exception failure)
            {
                answer.SetException(Explain(failure));      // the caller's; the store goes on
            }
        });
        return taken ? await answer.Task : throw new ObjectDisposedException(nameof(SqliteJobStore));
    }

    /// <summary>The thread that owns the connection.</summary>
    private void Run()
    {
        try
        {
            using SqliteConnection connection = Open();
            _opened.SetResult();
            foreach (Action<SqliteConnection> work in _asked.Reader.ReadAllAsync().ToBlockingEnumerable())
                work(connection);
        }
        catch (Exception failure)
        {
            // Where it was open, only closing can have failed; every commit is on the disk.
            _opened.TrySetException(Explain(failure));
        }
        finally
        {
            _asked.Writer.TryComplete();
            _closed.SetResult();
        }
    }

    private SqliteConnection Open()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = _path,
            Pooling = false,        // a pooled connection would hold the lock after we are gone
            DefaultTimeout = (int)Math.Ceiling(_patience.TotalSeconds),
        }.ToString());
        try
        {
            connection.Open();
            JobStoreSchema.Execute(connection, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
            JobStoreSchema.Upgrade(connection, _path, _migrations);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What a failure means to the person who runs the coordinator.</summary>
    private Exception Explain(Exception failure) => failure switch
    {
        SqliteException { SqliteErrorCode: Busy or Locked } => new JobStoreException($"{_path}: another coordinator uses this file. Stop it, or choose another --work-dir.", failure),
        SqliteException { SqliteErrorCode: NotADatabase } => new JobStoreException($"{_path}: is not a SQLite database. Move it away, or choose another --work-dir.", failure),
        SqliteException { SqliteErrorCode: Corrupt } => new JobStoreException($"{_path}: is damaged ({failure.Message.TrimEnd('.')}). Move it away to begin with an empty job history; checkpoints and models are files of their own.", failure),
        SqliteException { SqliteErrorCode: CannotOpen or ReadOnly } or UnauthorizedAccessException => new JobStoreException($"{_path}: cannot be opened for writing ({failure.Message.TrimEnd('.')}). Choose a --work-dir that this user may write.", failure),
        SqliteException { SqliteErrorCode: Full } => new JobStoreException($"{_path}: the disk is full. Nothing was changed; make room and ask again.", failure),
        SqliteException or IOException => new JobStoreException($"{_path}: {failure.Message.TrimEnd('.')}.", failure),
        _ => failure,
    };

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private static void Bind(SqliteCommand command, params ReadOnlySpan<(string Name, object Value)> values)
    {
        foreach ((string name, object value) in values)
            command.Parameters.AddWithValue(name, value);
    }

    private static string Write(JobRecord job) => JsonSerializer.Serialize(job, ManagementJson.Options);

    private JobRecord Read(string json, string id)
    {
        try
        {
            return JsonSerializer.Deserialize<JobRecord>(json, ManagementJson.Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException unknown)
        {
            throw new JobStoreException($"{_path}: {id} cannot be read ({unknown.Message.TrimEnd('.')}). A newer version of the program may have written it; use that one.", unknown);
        }
    }

    private static string Word(JobState state) => JsonSerializer.SerializeToElement(state, ManagementJson.Options).GetString()!;

    private static string Text(DateTimeOffset time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static DateTimeOffset Time(string text) => DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
