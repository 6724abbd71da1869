//! What can be said about a training.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::asked;
use super::choice::{
    CalibrationChoice, InitChoice, LossChoice, MomentumForm, NumbersChoice, OptimizerChoice, PrecisionChoice,
    PresetChoice, ScaleChoice, ScheduleChoice, TaskChoice,
};
use super::reading::ReadingArgs;
use super::value::{self, Activations, BatchSize, ClassWeight, Hidden, Quantiles, Valid};

/// All that can be said about a training.
///
/// [`TrainArgs::from_flags`] makes it of flags, as the command does; `TrainArgs::default()` says nothing, and every field
/// may be set afterwards. Where the data comes from and where the model goes is no part of it.
#[derive(Args, Serialize, Debug, Clone)]
pub struct TrainArgs {
    /// What the columns are.
    #[command(flatten)]
    #[serde(flatten)]
    pub columns: ColumnArgs,
    /// How files are read; of what is in memory the model keeps it, to read like files alike.
    #[command(flatten)]
    #[serde(skip)]
    pub reading: ReadingArgs,
    /// The network.
    #[command(flatten)]
    #[serde(flatten)]
    pub network: NetworkArgs,
    /// Optimizer and epochs.
    #[command(flatten)]
    #[serde(flatten)]
    pub training: TrainingArgs,
    /// Against overfitting.
    #[command(flatten)]
    #[serde(flatten)]
    pub regularisation: RegularisationArgs,
    /// What is measured while training, and on which rows.
    #[command(flatten)]
    #[serde(flatten)]
    pub validation: ValidationArgs,
}

/// What the columns are.
#[derive(Args, Serialize, Debug, Clone)]
#[command(next_help_heading = "Columns")]
pub struct ColumnArgs {
    /// The column to predict
    #[arg(long, short = 't', value_name = "COLUMN", alias = "label", alias = "y-column")]
    #[serde(skip)]
    pub target: Option<String>,

    /// What is predicted
    #[arg(long, value_name = "TASK", default_value = "auto", hide_possible_values = true)]
    #[arg(help = "auto, classification, binary, multiclass or regression")]
    pub task: TaskChoice,

    /// Columns to leave out
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', num_args = 1)]
    pub drop: Vec<String>,

    /// Columns of numbers that are codes of categories
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', num_args = 1, alias = "cat")]
    pub categorical: Vec<String>,

    /// Use text columns that look like identifiers (a different text in nearly every row), too
    #[arg(long)]
    pub keep: bool,

    /// A column with a weight per row; weight 0 is as if the row were not there
    #[arg(long, value_name = "COLUMN", alias = "sample-weight")]
    pub weight: Option<String>,

    /// How numbers are scaled: auto, none, standard, robust, minmax, quantile, smooth or normal
    #[arg(long, value_name = "SCALE", default_value = "auto", hide_possible_values = true)]
    pub scale: ScaleChoice,

    /// Divide all features by this number, before any scaling (255 for images)
    #[arg(long, value_name = "X", value_parser = value::positive, allow_negative_numbers = true)]
    pub divide_by: Option<f64>,

    /// The most frequent levels of a category that get an input of their own; the others share one
    #[arg(long, value_name = "N", value_parser = value::levels)]
    pub max_levels: Option<usize>,
}

/// The network.
#[derive(Args, Serialize, Debug, Clone)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// auto (linear, mlp and deep, averaged as validation says), linear (no hidden layer), mlp (small), deep, realmlp,
    /// realmlp-s, tabm or tabm-mini [default: auto; mlp where another flag says something about network or training]
    #[arg(long, value_name = "PRESET", hide_possible_values = true)]
    pub preset: Option<PresetChoice>,

    /// Networks side by side in deep, tabm and tabm-mini [default: deep by the number of rows, else 32]
    #[arg(long, value_name = "N", value_parser = value::members)]
    pub members: Option<usize>,

    /// Units of the hidden layers, such as 64,32; none for no hidden layer [default: 64,32]
    #[arg(long, value_name = "UNITS", alias = "layers")]
    pub hidden: Option<Hidden>,

    /// One for all hidden layers or one per layer, such as relu,tanh [default: relu]
    #[arg(long, visible_alias = "act", value_name = "NAMES")]
    pub activation: Option<Activations>,

    /// Normalise what each hidden layer sums up over the rows of the batch, before its activation (mlp)
    #[arg(long, alias = "batchnorm", alias = "batch-normalization")]
    pub batch_norm: bool,

    /// Add to the output of each hidden layer that of the one before, where both are of one width (mlp)
    #[arg(long, alias = "skip-connections")]
    pub residual: bool,

    /// How numbers enter the network (mlp, linear): plain, ple (48 bins), piecewise (learned bends), plr or pbld (learned waves)
    #[arg(long, value_name = "FORM", default_value = "plain", hide_possible_values = true)]
    pub numbers: NumbersChoice,

    /// auto, cross-entropy, squared-error, absolute-error, huber, poisson or quantile
    #[arg(long, value_name = "LOSS", default_value = "auto", hide_possible_values = true)]
    pub loss: LossChoice,

    /// The levels of --loss quantile [default: 0.5]
    #[arg(long, value_name = "LEVELS")]
    pub quantiles: Option<Quantiles>,

    /// Where --loss huber passes from square to line, in standard deviations of the target [default: 1]
    #[arg(long, value_name = "X", value_parser = value::positive, allow_negative_numbers = true)]
    pub huber_delta: Option<f64>,

    /// auto, zeros, normal, xavier, xavier-uniform, he, he-uniform, lecun, lecun-uniform or orthogonal
    #[arg(long, value_name = "INIT", default_value = "auto", hide_possible_values = true)]
    pub init: InitChoice,

    /// The standard deviation of --init normal [default: 0.01]
    #[arg(long, value_name = "X", value_parser = value::positive, allow_negative_numbers = true)]
    pub init_scale: Option<f64>,

    /// Initial weights from an NPZ file with members W1, b1, W2, … in shapes (units, inputs) and (units, 1)
    #[arg(long, value_name = "FILE", conflicts_with = "init_scale")]
    #[serde(serialize_with = "asked::file")]
    pub init_weights: Option<String>,

    /// f32, or f64 for study and exact agreement
    #[arg(long, value_name = "PRECISION", default_value = "f32", hide_possible_values = true)]
    pub precision: PrecisionChoice,
}

/// Optimizer and epochs.
#[derive(Args, Serialize, Debug, Clone)]
#[command(next_help_heading = "Training")]
pub struct TrainingArgs {
    /// sgd, momentum, nesterov, rmsprop, adam, adamw or lbfgs [default: adam]
    #[arg(long, value_name = "OPTIMIZER", alias = "solver", hide_possible_values = true)]
    pub optimizer: Option<OptimizerChoice>,

    /// The learning rate [default: by the optimizer]
    #[arg(
        long,
        value_name = "X",
        alias = "learning-rate",
        alias = "learning_rate",
        allow_negative_numbers = true
    )]
    #[arg(value_parser = value::positive)]
    pub lr: Option<f64>,

    /// constant, step, exponential, cosine, one-cycle or plateau [default: plateau for adam without --lr, else constant]
    #[arg(long, value_name = "SCHEDULE", hide_possible_values = true)]
    pub schedule: Option<ScheduleChoice>,

    /// The share of the run in which the rate rises: cosine [default: 0] and one-cycle [default: 0.3]
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_negative_numbers = true)]
    pub warmup: Option<f64>,

    /// The factor of the schedules step [default: 0.1], exponential [0.95] and plateau [0.5]
    #[arg(long, value_name = "X", value_parser = value::decay, allow_negative_numbers = true)]
    pub decay: Option<f64>,

    /// Epochs between two drops (step) [default: 30], or without a better one (plateau) [default: 3]
    #[arg(long, value_name = "EPOCHS", value_parser = value::at_least_one)]
    pub decay_every: Option<usize>,

    /// beta of momentum and nesterov [default: 0.9]
    #[arg(long, value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub momentum: Option<f64>,

    /// classic or averaged
    #[arg(long, value_name = "FORM", default_value = "classic", hide_possible_values = true)]
    pub momentum_form: MomentumForm,

    /// Decay of the mean gradient of adam and adamw [default: 0.9]
    #[arg(long, value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub beta1: Option<f64>,

    /// Decay of the mean squared gradient of adam, adamw and rmsprop
    #[arg(long, value_name = "X", value_parser = value::share, allow_negative_numbers = true)]
    pub beta2: Option<f64>,

    /// Keeps the division of adam, adamw and rmsprop finite
    #[arg(long, value_name = "X", value_parser = value::positive, allow_negative_numbers = true)]
    pub epsilon: Option<f64>,

    /// Passes over the training rows at most [default: 200]
    #[arg(long, value_name = "N", value_parser = value::at_least_one)]
    pub epochs: Option<usize>,

    /// How long training may take, such as 60s or 5m: auto and deep fill it, others stop at its end
    #[arg(long, value_name = "TIME", value_parser = value::duration, alias = "time-limit")]
    #[serde(serialize_with = "asked::seconds")]
    pub time_budget: Option<Duration>,

    /// Rows per step, or full [default: by the number of rows]
    #[arg(long, visible_alias = "batch", value_name = "N", alias = "batch_size")]
    pub batch_size: Option<BatchSize>,

    /// Where all randomness comes from: split, initial weights, order, dropout
    #[arg(long, value_name = "N", default_value = "0", alias = "random-state", value_parser = value::seed)]
    #[arg(allow_negative_numbers = true)]
    #[serde(skip)]
    pub seed: u64,
}

/// Against overfitting.
#[derive(Args, Serialize, Debug, Clone)]
#[command(next_help_heading = "Regularisation")]
pub struct RegularisationArgs {
    /// lambda of lambda/(2m) * sum of squared weights, added to the mean loss (scikit-learn's alpha)
    #[arg(long, value_name = "X", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub l2: Option<f64>,

    /// lambda of lambda/m * sum of absolute weights, added to the mean loss
    #[arg(long, value_name = "X", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub l1: Option<f64>,

    /// Decoupled decay of the weights, as in AdamW
    #[arg(long, value_name = "X", value_parser = value::not_negative, allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,

    /// The share of each hidden layer's units that a step leaves out
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_negative_numbers = true)]
    pub dropout: Option<f64>,

    /// The largest norm of the whole gradient
    #[arg(long, value_name = "X", value_parser = value::positive, allow_negative_numbers = true)]
    pub clip_norm: Option<f64>,

    /// The share of a label that is spread over all classes
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_negative_numbers = true)]
    pub label_smoothing: Option<f64>,

    /// balanced, or a weight per class such as yes=3,no=1
    #[arg(long, value_name = "WEIGHTS")]
    pub class_weight: Option<ClassWeight>,
}

/// What is measured while training, and on which rows.
#[derive(Args, Serialize, Debug, Clone)]
#[command(next_help_heading = "Validation")]
pub struct ValidationArgs {
    /// A fraction held out, a file, or none [default: 0.2, at most 10000]
    #[arg(
        long,
        value_name = "FRACTION|FILE|none",
        alias = "validation-split",
        allow_negative_numbers = true
    )]
    pub valid: Option<Valid>,

    /// The labels of an IDX or NPY file that --valid names
    #[arg(long, value_name = "FILE")]
    #[serde(serialize_with = "asked::file")]
    pub valid_labels: Option<String>,

    /// Train on K folds and print a table of their results
    #[arg(long, value_name = "K", value_parser = value::folds, conflicts_with = "valid")]
    pub cv: Option<usize>,

    /// Train K networks side by side, each without one of K folds of the rows that it is validated on; all of them predict
    #[arg(long, value_name = "K", value_parser = value::folds)]
    #[arg(conflicts_with_all = ["valid", "valid_labels", "cv", "members"])]
    pub bag: Option<usize>,

    /// Epochs without a better validation after which training stops [default: 20]
    #[arg(long, value_name = "N", value_parser = value::at_least_one)]
    pub patience: Option<usize>,

    /// Run all epochs; the best weights are kept all the same
    #[arg(long, conflicts_with = "patience")]
    pub no_early_stopping: bool,

    /// The metric that decides which epoch is best [default: the loss]
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,

    /// How probabilities are corrected on the validation rows: none, temperature or isotonic [default: temperature with auto, else none]
    #[arg(long, value_name = "METHOD", default_value = "auto", hide_possible_values = true)]
    pub calibration: CalibrationChoice,
}
