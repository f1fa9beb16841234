using System.Globalization;
using ConvNet.Core.Training;

namespace ConvNet.Cli.Rendering;

/// <summary>Who was taken for whom: as a table for people where the classes are few, as the most frequent mistakes where they are many; in full for scripts.</summary>
internal static class ConfusionText
{
    private const int MostColumns = 20, MostMistakes = 20;

    /// <summary>A row for each class: its name, samples, how many were right; then the matrix or the most frequent mistakes.</summary>
    public static void Write(TextWriter output, ConfusionMatrix confusion, IReadOnlyList<string> names)
    {
        int classes = confusion.Classes;
        bool matrix = classes <= MostColumns;
        if (matrix)
            output.WriteLine("rows: what they are; columns: what they were taken for");
        TextTable.Write(
            output,
            ["class", "images", "accuracy", .. matrix ? names : []],
            Enumerable.Range(0, classes).Select(label => (string[])
            [
                names[label], Number(confusion.Samples(label)), Percent(confusion, label),
                .. matrix ? Enumerable.Range(0, classes).Select(predicted => confusion[label, predicted] == 0 ? "." : Number(confusion[label, predicted])) : [],
            ]));
        if (matrix)
            return;
        output.WriteLine("most frequent mistakes");
        foreach ((int label, int predicted, int count) in confusion.Confusions.Take(MostMistakes))
            output.WriteLine($"{Number(count)} of {names[label]} taken for {names[predicted]}");
    }

    /// <summary>For scripts: what there is to know of each class.</summary>
    public static object[] Classes(ConfusionMatrix confusion, IReadOnlyList<string> names) =>
    [
        .. Enumerable.Range(0, confusion.Classes).Select(label => new
        {
            name = names[label],
            samples = confusion.Samples(label),
            correct = confusion.Correct(label),
            accuracy = confusion.Samples(label) > 0 ? confusion.Accuracy(label) : (double?)null,
        }),
    ];

    /// <summary>For scripts: the rows, one for each class that samples are of.</summary>
    public static int[][] Rows(ConfusionMatrix confusion) =>
        [.. Enumerable.Range(0, confusion.Classes).Select(label => Enumerable.Range(0, confusion.Classes).Select(predicted => confusion[label, predicted]).ToArray())];

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);

    private static string Percent(ConfusionMatrix confusion, int label) =>
        confusion.Samples(label) > 0 ? string.Create(CultureInfo.InvariantCulture, $"{100 * confusion.Accuracy(label):F2} %") : "";
}
