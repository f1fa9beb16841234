using BenchmarkDotNet.Running;
using ConvNet.Benchmarks;
using ConvNet.Benchmarks.Scaling;

// `table` prints the quick table in seconds, `transport` the throughput of the tensor transport, `scaling` what a second worker gives; all else goes to BenchmarkDotNet:
// --filter '*Gemm*'.
if (args is ["table", ..])
{
    QuickTable.Print(args.Length > 1 ? args[1] : "");
    return 0;
}

if (args is ["transport"])
{
    TransportTable.Print();
    return 0;
}

if (args is ["scaling", ..])
{
    await ScalingTable.PrintAsync(args[1..]);
    return 0;
}

if (args is ["scaling-node", var seed])
{
    await ScalingNode.RunAsync(seed);
    return 0;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
