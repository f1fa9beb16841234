using Spectre.Console;

namespace ConvNet.Cli.Rendering;

/// <summary>A table for people: fitted to the terminal, or in full width and without colours where none is.</summary>
internal static class TextTable
{
    private const int NoLimit = 10_000, Gap = 2;

    /// <summary>Writes a table.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="head">The columns' names.</param>
    /// <param name="rows">The cells.</param>
    /// <param name="expendable">Columns that are left out where the terminal is too narrow for all, the first of these first.</param>
    public static void Write(TextWriter output, IReadOnlyList<string> head, IEnumerable<string[]> rows, params int[] expendable)
    {
        bool terminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        using var plain = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal ? output : plain),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!terminal)
            console.Profile.Width = NoLimit;
        if (terminal && expendable.Length > 0)
            (head, rows) = Fitted(head, [.. rows], console.Profile.Width, expendable);
        var table = new Table { Border = TableBorder.None };
        foreach (string column in head)
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = !terminal, Padding = new Padding(0, 0, Gap, 0) });
        foreach (string[] row in rows)
            table.AddRow([.. row.Select(cell => new Text(cell))]);
        console.Write(table);
        // Columns are filled up with spaces to the right edge; a reader of the text has no use for them.
        foreach (string line in terminal ? [] : plain.ToString().TrimEnd().Split('\n'))
            output.WriteLine(line.TrimEnd());
    }

    /// <summary>As many columns as go into a width, if it takes no more than to leave out those that may be.</summary>
    internal static (IReadOnlyList<string> Head, IReadOnlyList<string[]> Rows) Fitted(
        IReadOnlyList<string> head, IReadOnlyList<string[]> rows, int width, IEnumerable<int> expendable)
    {
        int[] widths = [.. head.Select((name, column) => Gap + rows.Select(row => row[column].Length).Append(name.Length).Max())];
        List<int> kept = [.. Enumerable.Range(0, head.Count)];
        foreach (int column in expendable.TakeWhile(_ => kept.Sum(c => widths[c]) > width))
            kept.Remove(column);
        return ([.. kept.Select(column => head[column])], [.. rows.Select(row => kept.Select(column => row[column]).ToArray())]);
    }
}
