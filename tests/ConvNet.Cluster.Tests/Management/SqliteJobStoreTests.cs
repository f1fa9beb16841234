using ConvNet.Cluster.Jobs;
using ConvNet.Cluster.Management;
using Microsoft.Data.Sqlite;

namespace ConvNet.Cluster.Tests.Management;

public sealed class SqliteJobStoreTests : IDisposable
{
    private static readonly DateTimeOffset Two = new(2026, 3, 1, 14, 2, 0, 123, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("convnet-test-").FullName;

    private string Database => Path.Combine(_folder, SqliteJobStore.FileName);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_was_saved_is_there_after_a_restart_to_the_last_field()
    {
        var spec = new JobSpec("lenet5-classic", "mnist:a \"b\"", 7, 96, 24, ulong.MaxValue, 0.1f, 0.5f, true, 1e-7f, LearningRateSchedule.Constant);
        var job = new JobRecord(
            "j1", "Jürgens Netz", spec, -3, JobState.Failed, Two, Two.AddTicks(1), Two.AddHours(1), 4, 12, 345, double.NaN, 0.1 + 0.2, 0.98765, 1234.5, 10, null, "the loss is no number", 1);
        var entry = new JobLogEntry(1, Two, "failed", "failed: the loss is no number", job);

        await using (SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder))
            await store.SaveAsync(job, entry);
        await using SqliteJobStore again = await SqliteJobStore.OpenAsync(_folder);
        (IReadOnlyList<JobRecord> jobs, int last) = await again.LoadAsync();

        Assert.Equal([job], jobs);
        Assert.Equal(1, last);
        Assert.Equal([entry], await again.LogAsync("j1", 0));
    }

    [Fact]
    public async Task A_new_store_is_empty_and_makes_its_folder()
    {
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(Path.Combine(_folder, "a", "b"));

        (IReadOnlyList<JobRecord> jobs, int last) = await store.LoadAsync();

        Assert.Empty(jobs);
        Assert.Equal(0, last);
        Assert.Empty(await store.LogAsync("j1", 0));
    }

    [Fact]
    public async Task Calls_take_effect_in_their_order_without_waiting_for_each_other()
    {
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);
        JobRecord job = Job(1);

        var saves = new List<Task>();
        for (int i = 1; i <= 50; i++)
            saves.Add(store.SaveAsync(job with { Step = i, LogLines = i }, Entry(job, i)));
        (IReadOnlyList<JobRecord> jobs, _) = await store.LoadAsync();
        await Task.WhenAll(saves);

        Assert.Equal(50, Assert.Single(jobs).Step);
        Assert.Equal([49L, 50L], (await store.LogAsync("j1", 48)).Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task The_job_and_its_line_are_kept_together_or_not_at_all()
    {
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);
        await store.SaveAsync(Job(1), Entry(Job(1), 1));

        // The line has a number that is taken: neither it nor the job's new state may be kept.
        await Assert.ThrowsAsync<JobStoreException>(() => store.SaveAsync(Job(1) with { State = JobState.Running }, Entry(Job(1), 1)));

        Assert.Equal(JobState.Queued, Assert.Single((await store.LoadAsync()).Jobs).State);
        await store.SaveAsync(Job(1) with { State = JobState.Done }, Entry(Job(1), 2));        // the store goes on
        Assert.Equal(JobState.Done, Assert.Single((await store.LoadAsync()).Jobs).State);
    }

    [Fact]
    public async Task A_live_line_is_not_kept_but_its_job_is()
    {
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);

        await store.SaveAsync(Job(1) with { Step = 5 }, Entry(Job(1), 0));

        Assert.Equal(5, Assert.Single((await store.LoadAsync()).Jobs).Step);
        Assert.Empty(await store.LogAsync("j1", -1));
    }

    [Fact]
    public async Task The_files_as_they_are_while_it_is_open_hold_all_that_was_saved()
    {
        // What a process that is killed leaves: the files at that moment, never closed.
        string copy = Directory.CreateDirectory(Path.Combine(_folder, "copy")).FullName;
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);
        for (int i = 1; i <= 20; i++)
            await store.SaveAsync(Job(i), Entry(Job(i), 1));
        foreach (string file in Directory.GetFiles(_folder, "jobs.db*"))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));

        await using SqliteJobStore after = await SqliteJobStore.OpenAsync(copy);
        (IReadOnlyList<JobRecord> jobs, int last) = await after.LoadAsync();

        Assert.Equal(20, jobs.Count);
        Assert.Equal(20, last);
        Assert.Single(await after.LogAsync("j20", 0));
    }

    [Fact]
    public async Task A_torn_write_at_the_end_loses_that_write_alone()
    {
        string copy = Directory.CreateDirectory(Path.Combine(_folder, "copy")).FullName;
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);
        await store.SaveAsync(Job(1), Entry(Job(1), 1));
        await store.SaveAsync(Job(2), Entry(Job(2), 1));
        foreach (string file in Directory.GetFiles(_folder, "jobs.db*"))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        using (FileStream journal = File.OpenWrite(Path.Combine(copy, "jobs.db-wal")))
            journal.SetLength(journal.Length - 100);

        await using SqliteJobStore after = await SqliteJobStore.OpenAsync(copy);

        Assert.Equal(["j1"], (await after.LoadAsync()).Jobs.Select(job => job.Id));
        Assert.Empty(await after.LogAsync("j2", 0));
        await after.SaveAsync(Job(2), Entry(Job(2), 1));
    }

    [Fact]
    public async Task A_second_coordinator_on_the_same_folder_is_told_so()
    {
        await using SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);

        var refused = await Assert.ThrowsAsync<JobStoreException>(() => SqliteJobStore.OpenAsync(Database, TimeSpan.FromSeconds(1), JobStoreSchema.Migrations));

        Assert.Equal($"{Database}: another coordinator uses this file. Stop it, or choose another --work-dir.", refused.Message);
        await store.SaveAsync(Job(1), null);
    }

    [Fact]
    public async Task A_file_that_is_no_job_store_is_told_so_and_left_alone()
    {
        string text = string.Concat(Enumerable.Repeat("this is a text. ", 1000));
        File.WriteAllText(Database, text);

        var refused = await Assert.ThrowsAsync<JobStoreException>(() => SqliteJobStore.OpenAsync(_folder));

        Assert.StartsWith($"{Database}: is not a SQLite database.", refused.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(Database));
    }

    [Fact]
    public async Task A_database_of_another_program_is_told_so_and_left_alone()
    {
        Run("CREATE TABLE birds (name TEXT)");

        var refused = await Assert.ThrowsAsync<JobStoreException>(() => SqliteJobStore.OpenAsync(_folder));

        Assert.StartsWith($"{Database}: is a SQLite database of another program.", refused.Message, StringComparison.Ordinal);
        Run("INSERT INTO birds VALUES ('wren')");
    }

    [Fact]
    public async Task A_folder_in_the_place_of_the_file_is_told_so()
    {
        Directory.CreateDirectory(Database);

        var refused = await Assert.ThrowsAsync<JobStoreException>(() => SqliteJobStore.OpenAsync(_folder));

        Assert.StartsWith($"{Database}: cannot be opened for writing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_file_is_brought_to_the_newest_version_and_keeps_its_jobs()
    {
        await using (SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder))
            await store.SaveAsync(Job(1), Entry(Job(1), 1));

        string[] more = [.. JobStoreSchema.Migrations, "ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT 'nobody'"];
        await using (SqliteJobStore newer = await SqliteJobStore.OpenAsync(Database, TimeSpan.FromSeconds(1), more))
            Assert.Equal([Job(1)], (await newer.LoadAsync()).Jobs);

        Run("SELECT owner FROM jobs");
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_the_file_as_it_was()
    {
        await using (SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder))
            await store.SaveAsync(Job(1), null);

        string[] bad = [.. JobStoreSchema.Migrations, "ALTER TABLE jobs ADD COLUMN owner TEXT", "DROP TABLE nothing"];
        await Assert.ThrowsAsync<JobStoreException>(() => SqliteJobStore.OpenAsync(Database, TimeSpan.FromSeconds(1), bad));

        await using SqliteJobStore again = await SqliteJobStore.OpenAsync(_folder);
        Assert.Equal([Job(1)], (await again.LoadAsync()).Jobs);
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_refused()
    {
        await (await SqliteJobStore.OpenAsync(_folder)).DisposeAsync();
        Run($"PRAGMA user_version = {JobStoreSchema.Migrations.Count + 1}");

        var refused = await Assert.ThrowsAsync<JobStoreException>(() => SqliteJobStore.OpenAsync(_folder));

        Assert.Contains($"is of version {JobStoreSchema.Migrations.Count + 1}; this program knows versions up to {JobStoreSchema.Migrations.Count}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_of_a_later_release_are_passed_over_and_missing_ones_have_their_defaults()
    {
        await using (SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder))
            await store.SaveAsync(Job(1), null);
        Run("""
            UPDATE jobs SET job = '{"id":"j1","name":"n","spec":{"model":"lenet5","epochs":3,"precision":"bf16"},"priority":0,"state":"waiting-for-workers","submitted":"2026-03-01T14:02:00+00:00","mood":"good"}'
            """);

        await using SqliteJobStore again = await SqliteJobStore.OpenAsync(_folder);
        JobRecord job = Assert.Single((await again.LoadAsync()).Jobs);

        Assert.Equal(JobState.WaitingForWorkers, job.State);
        Assert.Equal(new JobSpec { Epochs = 3 }, job.Spec);
    }

    [Fact]
    public async Task A_job_in_a_state_that_is_not_known_is_refused_by_name()
    {
        await using (SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder))
            await store.SaveAsync(Job(1), null);
        Run("UPDATE jobs SET job = replace(job, 'queued', 'pondering')");

        await using SqliteJobStore again = await SqliteJobStore.OpenAsync(_folder);
        var refused = await Assert.ThrowsAsync<JobStoreException>(again.LoadAsync);

        Assert.Contains("j1 cannot be read", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_is_not_used_twice_even_if_somebody_deletes_the_newest_job()
    {
        await using (SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder))
        {
            await store.SaveAsync(Job(1), null);
            await store.SaveAsync(Job(2), null);
        }

        Run("DELETE FROM jobs WHERE number = 2");

        await using SqliteJobStore again = await SqliteJobStore.OpenAsync(_folder);
        Assert.Equal(2, (await again.LoadAsync()).LastNumber);
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        SqliteJobStore store = await SqliteJobStore.OpenAsync(_folder);
        Task saved = store.SaveAsync(Job(1), null);
        await store.DisposeAsync();
        await store.DisposeAsync();

        await saved;        // what was asked before is done
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.SaveAsync(Job(2), null));
    }

    private static JobRecord Job(int number) => new(JobId.Of(number), "lenet5 on digits", new JobSpec(), 0, JobState.Queued, Two);

    private static JobLogEntry Entry(JobRecord job, long sequence) => new(sequence, Two, "submitted", "submitted", job);

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        JobStoreSchema.Execute(connection, sql);
    }
}
