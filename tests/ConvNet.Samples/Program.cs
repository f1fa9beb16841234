// Trains a network of its own on a running cluster and brings it here: dotnet run -- http://127.0.0.1:8080 digits
using ConvNet.Cluster.Management;
using ConvNet.Core.Layers;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;
using ConvNet.Dashboard;
using ConvNet.Dashboard.Client;

Network network = new NetworkBuilder("two-paths", new Shape(1, 28, 28))
    .Add("stem", new Conv2D(16, 5) { Stride = 2, Padding = 2 }).Add("act", new Relu())
    .Add("path", new Conv2D(16, 3) { Padding = 1 }).Add("norm", new BatchNorm2D())
    .Add("sum", new Add(), "norm", "act").Add(new Relu())
    .Add(new MaxPool2D(2))
    .Add(new FullyConnected(10))
    .Build();

var fields = new Dictionary<string, string> { ["data"] = args[1], ["epochs"] = "2", ["lr"] = "0.01" };
using var cluster = new JobApiClient(new Uri(args[0]), token: null);
JobRecord job = await cluster.SubmitAsync(SubmitRequest.For(network, fields), default);
await foreach (JobLogEntry line in new JobFollower(cluster, TimeProvider.System).FollowAsync(job.Id, after: 0, default))
{
    job = line.Record;
    if (line.Sequence > 0)
        Console.WriteLine(line.Text);
}

Console.WriteLine(await cluster.FetchModelAsync(job, network.Name, default));
