using System.CommandLine;

namespace ConvNet.Cli.Commands;

/// <summary>The options for the training recipe beyond rate, momentum, decay and schedule; each stands for the field of a job file of the same name.</summary>
internal static class RecipeOptions
{
    public static Option<string>[] Create() =>
    [
        JobOptions.JobOption("--optimizer", "sgd, adam, adamw, rmsprop, adagrad or lars; --lr and --weight-decay then have other defaults", "NAME", "sgd"),
        JobOptions.JobOption("--beta1", "Adam: how slowly the mean gradient forgets", "X", 0.9),
        JobOptions.JobOption("--beta2", "Adam: how slowly the mean square forgets", "X", 0.999),
        JobOptions.JobOption("--alpha", "RMSProp: how slowly the mean square forgets", "X", 0.99),
        JobOptions.JobOption("--epsilon", "What keeps an optimizer from dividing by 0", "X", "1e-8, Adagrad 1e-10"),
        JobOptions.JobOption("--trust-coefficient", "LARS: length of a step as a share of the weights' length", "X", 0.001),
        JobOptions.JobOption("--decay-exclude", "Parameters that do not decay: none, bias-and-norm, or names such as \"*.bias\"", "LIST", "none"),
        JobOptions.JobOption("--warm-up", "Rise to the full rate, such as \"5 epochs\" or \"500 steps\"", "LENGTH", "none"),
        JobOptions.JobOption("--step-size", "Schedule step: epochs between two cuts of the rate", "N", "has to be given"),
        JobOptions.JobOption("--milestones", "Schedule multi-step: epochs at which the rate is cut, such as \"82, 123\"", "LIST", "has to be given"),
        JobOptions.JobOption("--gamma", "What the rate is multiplied with at a cut", "X", 0.1),
        JobOptions.JobOption("--min-lr", "Schedules cosine and polynomial: the rate at the end", "X", 0),
        JobOptions.JobOption("--power", "Schedule polynomial: the power", "X", 1),
        JobOptions.JobOption("--pct-start", "Schedule one-cycle: share of the steps in which the rate rises", "X", 0.3),
        JobOptions.JobOption("--div-factor", "Schedule one-cycle: the rate begins at lr / X", "X", 25),
        JobOptions.JobOption("--final-div-factor", "Schedule one-cycle: the rate ends at its beginning / X", "X", 10000),
        JobOptions.JobOption("--clip-value", "Cut elements of the gradient to ±X", "X", "not at all"),
        JobOptions.JobOption("--clip-norm", "Shorten gradients whose norm over all parameters is above X", "X", "not at all"),
        JobOptions.JobOption("--label-smoothing", "Share of a label's weight that is spread over all classes", "X", 0),
        JobOptions.JobOption("--early-stop", "End after N epochs without a better test accuracy", "N", "never"),
        JobOptions.JobOption("--keep", "Weights of the last step, or of the best epoch: last or best", "WHICH", "last"),
    ];
}
