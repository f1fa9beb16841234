using ConvNet.Core.Models;
using ConvNet.Core.Networks;
using ConvNet.Core.Tensors;

namespace ConvNet.Cluster.Jobs;

/// <summary>The network that a job trains: one of the model zoo, or the job file's own.</summary>
public static class JobNetwork
{
    /// <summary>Builds it for the images and classes of the job's data.</summary>
    /// <exception cref="ShapeException">It cannot be built for such images or classes.</exception>
    public static Network Build(JobSpec spec, Shape input, int classes)
    {
        if (spec.Network is { } own)
            return own.Build(spec.Model, input, classes);
        Model model = ModelZoo.Find(spec.Model) ?? throw new ArgumentException($"'{spec.Model}' is no model.", nameof(spec));
        return model.Build(input, classes);
    }
}
