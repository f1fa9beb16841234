using ConvNet.Cli.Rendering;

namespace ConvNet.Dashboard.Tests.Rendering;

public sealed class TextTableTests
{
    [Theory]
    [InlineData(24, "NAME KIND SIZE NOTE")]     // 4 columns of 4 characters and 2 between
    [InlineData(23, "NAME KIND SIZE")]
    [InlineData(18, "NAME KIND SIZE")]
    [InlineData(17, "NAME SIZE")]
    [InlineData(5, "NAME SIZE")]                // what may not be left out stays, however narrow
    public void A_narrow_terminal_gets_the_columns_that_matter(int width, string expected)
    {
        (IReadOnlyList<string> head, IReadOnlyList<string[]> rows) = TextTable.Fitted(["NAME", "KIND", "SIZE", "NOTE"], [["a", "bb", "ccc", "dddd"]], width, [3, 1]);

        Assert.Equal(expected, string.Join(' ', head));
        Assert.Equal(head.Select(name => name switch { "NAME" => "a", "KIND" => "bb", "SIZE" => "ccc", _ => "dddd" }), rows[0]);
    }
}
