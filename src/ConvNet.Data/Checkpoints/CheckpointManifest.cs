using System.Text.Json;
using System.Text.Json.Serialization;

namespace ConvNet.Data.Checkpoints;

/// <summary>A file of a checkpoint, as its manifest has it.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Sha256">Their SHA-256, in lower-case hexadecimal.</param>
public sealed record CheckpointFile(string Name, long Length, string Sha256);

/// <summary>The sums of an epoch up to a checkpoint.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Samples">Training samples used.</param>
/// <param name="LossSum">Sum of their losses.</param>
/// <param name="Correct">How many were right.</param>
/// <param name="TestLoss">Mean test loss, if the epoch was evaluated.</param>
/// <param name="TestAccuracy">Share of right answers on the test set, if the epoch was evaluated.</param>
/// <param name="TestTop5">Share of samples whose class was among the five most probable, if that was counted.</param>
public sealed record CheckpointEpoch(
    int Epoch, long Samples, double LossSum, double Correct, double? TestLoss, double? TestAccuracy, double? TestTop5 = null);

/// <summary>What a checkpoint is of, and what belongs to it. Written last: a folder without it is no checkpoint.</summary>
/// <param name="Format">The version of the format.</param>
/// <param name="Job">The fingerprint of the job: only the same job may go on with it.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="Files">Everything else in the folder.</param>
/// <param name="Epochs">The metrics so far.</param>
public sealed record CheckpointManifest(string Format, string Job, long Step, IReadOnlyList<CheckpointFile> Files, IReadOnlyList<CheckpointEpoch> Epochs)
{
    /// <summary>The only version of the format there is.</summary>
    public const string CurrentFormat = "convnet-checkpoint/1";

    /// <summary>Its name in the folder.</summary>
    public const string FileName = "manifest.json";

    internal static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };
}
