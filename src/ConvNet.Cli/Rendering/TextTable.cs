using Spectre.Console;

namespace ConvNet.Cli.Rendering;

/// <summary>A table for people: fitted to the terminal, or in full width and without colours where none is.</summary>
internal static class TextTable
{
    private const int NoLimit = 10_000;

    /// <summary>Writes a table.</summary>
    public static void Write(TextWriter output, IReadOnlyList<string> head, IEnumerable<string[]> rows)
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
        var table = new Table { Border = TableBorder.None };
        foreach (string column in head)
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = !terminal, Padding = new Padding(0, 0, 2, 0) });
        foreach (string[] row in rows)
            table.AddRow([.. row.Select(cell => new Text(cell))]);
        console.Write(table);
        // Columns are filled up with spaces to the right edge; a reader of the text has no use for them.
        foreach (string line in terminal ? [] : plain.ToString().TrimEnd().Split('\n'))
            output.WriteLine(line.TrimEnd());
    }
}
