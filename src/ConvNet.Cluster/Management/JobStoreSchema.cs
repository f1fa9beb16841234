using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ConvNet.Cluster.Management;

/// <summary>The tables of the job store, and how an older file becomes a newer one.</summary>
/// <remarks><c>user_version</c> counts the migrations that a file has seen. A migration that has been released is never changed: append another.</remarks>
internal static class JobStoreSchema
{
    /// <summary>Marks a SQLite file as ours: "CNJS".</summary>
    public const int ApplicationId = 0x434E4A53;

    /// <summary>From an empty file to the newest version, one by one.</summary>
    public static IReadOnlyList<string> Migrations { get; } =
    [
        // A job is a JSON document, so that a field more is no migration; what people look for in a file has columns of its own.
        // AUTOINCREMENT remembers the highest number even if rows are deleted: a job's name is never used twice.
        """
        CREATE TABLE jobs (
            number    INTEGER PRIMARY KEY AUTOINCREMENT,
            state     TEXT NOT NULL,
            submitted TEXT NOT NULL,
            job       TEXT NOT NULL
        ) STRICT;
        CREATE TABLE log (
            number    INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,
            sequence  INTEGER NOT NULL,
            time      TEXT NOT NULL,
            kind      TEXT NOT NULL,
            text      TEXT NOT NULL,
            job       TEXT NOT NULL,
            PRIMARY KEY (number, sequence)
        ) STRICT, WITHOUT ROWID;
        """,
    ];

    /// <summary>Takes the file to the newest version. All migrations or none.</summary>
    /// <exception cref="JobStoreException">The file is of a newer version, or of something else.</exception>
    public static void Upgrade(SqliteConnection connection, string path, IReadOnlyList<string> migrations)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();     // takes the write lock at once
        long version = Number(connection, "PRAGMA user_version"), application = Number(connection, "PRAGMA application_id");
        bool empty = Number(connection, "SELECT count(*) FROM sqlite_master") == 0;
        if (!empty && application != ApplicationId)
            throw new JobStoreException($"{path}: is a SQLite database of another program. Move it away, or choose another --work-dir.");
        if (version > migrations.Count)
            throw new JobStoreException($"{path}: is of version {version}; this program knows versions up to {migrations.Count}. Use the newer program that wrote it, or choose another --work-dir.");
        for (long at = version; at < migrations.Count; at++)
            Execute(connection, migrations[(int)at]);
        Execute(connection, $"PRAGMA application_id = {ApplicationId}");
        Execute(connection, $"PRAGMA user_version = {migrations.Count}");
        transaction.Commit();
    }

    /// <summary>Runs statements.</summary>
    public static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Number(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
