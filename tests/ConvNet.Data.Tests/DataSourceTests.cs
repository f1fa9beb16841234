namespace ConvNet.Data.Tests;

public sealed class DataSourceTests
{
    [Theory]
    [InlineData("mnist", "give the folder with its files too")]
    [InlineData("fashion-mnist:", "give the folder with its files too")]
    [InlineData("no-such-thing", "there is no such folder, and no data set of that name. It takes digits, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, cifar10-validation:DIR, cifar100:DIR, images:SIZE:DIR, DIR.")]
    [InlineData("mnist:no-such-folder", "no-such-folder: there is no such folder")]
    public void A_name_that_leads_nowhere_is_told_with_what_it_could_be(string name, string expected)
    {
        var error = Assert.Throws<DataException>(() => DataSource.Load(name));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
