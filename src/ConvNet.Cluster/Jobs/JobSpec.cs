using System.Text.Json.Serialization;
using ConvNet.Data.Augmentation;
using MessagePack;

namespace ConvNet.Cluster.Jobs;

/// <summary>A job: with the data it names, everything that its result depends on. What machines compute it is no part of it.</summary>
/// <param name="Model">Name of the network, such as <c>lenet5</c>; that of a network of its own is for people.</param>
/// <param name="Data">The data set: <c>digits</c>, <c>mnist:DIR</c> or a path.</param>
/// <param name="Epochs">Passes over the training set.</param>
/// <param name="Batch">Samples of a step; a multiple of <paramref name="MicroBatch"/>.</param>
/// <param name="MicroBatch">Samples that one lane computes at a time. Part of the job because it decides the order of the sums.</param>
/// <param name="Seed">Decides initial weights, order of the samples, dropout and augmentation.</param>
/// <param name="LearningRate">The learning rate at the start.</param>
/// <param name="Momentum">Share of the last step that is kept, from 0 to below 1.</param>
/// <param name="Nesterov">Whether the momentum looks ahead.</param>
/// <param name="WeightDecay">Share of each weight that is added to its gradient.</param>
/// <param name="Schedule">How the learning rate changes.</param>
/// <param name="Augment">How training images are changed by chance; see <see cref="ImageAugmentation"/>. Empty for not at all.</param>
/// <param name="Validation">Share of the training set that is held out and measured on in place of the test set; see <see cref="ConvNet.Data.Sampling.ValidationSplit"/>. 0 for none.</param>
/// <param name="SkipCorrupt">Whether damaged pictures are left out; otherwise one is an error.</param>
/// <param name="Network">The job's own network; null for the one of the model zoo that <paramref name="Model"/> names.</param>
/// <param name="Init">The safetensors file, or folder of a model, whose tensors the weights begin with; null to begin with what the seed gives.</param>
/// <param name="InitSha256">The SHA-256 of that file, once it has been read: what the job began with, whatever becomes of the file.</param>
/// <param name="Freeze">Which tensors stay as they are; see <see cref="FrozenTensors"/>. Null for none.</param>
[MessagePackObject]
public sealed partial record JobSpec(
    [property: Key(0)] string Model = "lenet5",
    [property: Key(1)] string Data = "digits",
    [property: Key(2)] int Epochs = 5,
    [property: Key(3)] int Batch = 128,
    [property: Key(4)] int MicroBatch = 32,
    [property: Key(5)] ulong Seed = 1,
    [property: Key(6)] float LearningRate = 0.02f,
    [property: Key(7)] float Momentum = 0.9f,
    [property: Key(8)] bool Nesterov = false,
    [property: Key(9)] float WeightDecay = 0.0005f,
    [property: Key(10)] LearningRateSchedule Schedule = LearningRateSchedule.Cosine,
    [property: Key(30)] string Augment = "",
    [property: Key(31), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] float Validation = 0,
    [property: Key(32), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool SkipCorrupt = false,
    [property: Key(70), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OwnNetwork? Network = null,
    [property: Key(80), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Init = null,
    [property: Key(81), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? InitSha256 = null,
    [property: Key(82), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Freeze = null);
