//! The commands that take a model file.

use clap::Args;
use wxb_train::args::reading::ReadingArgs;

use super::choice::{ConventionChoice, MethodChoice};
use super::value::{self, Gate, RowRange};

/// Metrics of a model on any file, beside a baseline
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb evaluate titanic.wxb test.csv
  wxb evaluate titanic.wxb test.csv --json
  wxb evaluate titanic.wxb test.csv --fail-if 'auc<0.8'     exit code 1 if it is")]
pub struct EvaluateArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// A file with the same columns, the target included; - reads CSV from stdin
    #[arg(value_name = "DATA")]
    pub data: String,

    /// Only these metrics
    #[arg(long, value_name = "METRICS", value_delimiter = ',', num_args = 1)]
    pub metric: Vec<String>,

    /// End with exit code 1 if this holds; may be given several times
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Vec<Gate>,

    /// The share of new rows that the intervals of a number promise to hold [default: 0.9]
    #[arg(long, value_name = "SHARE", value_parser = value::inner_share)]
    #[arg(allow_negative_numbers = true)]
    pub interval: Option<f64>,

    /// A column with a weight per row
    #[arg(long, value_name = "COLUMN", alias = "sample-weight")]
    pub weight: Option<String>,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Predictions for the rows of a file
///
/// Classes: the column `prediction`, then one probability per class, named after the class. Quantities: the
/// column `prediction` in the target's own unit; quantiles: one column per level.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb predict titanic.wxb new.csv > scored.csv
  wxb predict titanic.wxb new.csv --proba --keep passenger -o scored.parquet
  wxb predict titanic.wxb new.csv --spread
  cat new.csv | wxb predict titanic.wxb -")]
pub struct PredictArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// A file with the same columns, the target may be missing; - reads CSV from stdin
    #[arg(value_name = "DATA", default_value = "-")]
    pub data: String,

    /// Only the probabilities, one column per class
    #[arg(long, conflicts_with_all = ["label", "logits"])]
    pub proba: bool,

    /// Only the predicted class
    #[arg(long, conflicts_with = "logits")]
    pub label: bool,

    /// What the last layer gives, before sigmoid or softmax
    #[arg(long)]
    pub logits: bool,

    /// Of a number the interval, too, that holds this share of new rows: columns `lower` and `upper`
    #[arg(long, value_name = "SHARE", value_parser = value::inner_share, conflicts_with = "logits")]
    #[arg(allow_negative_numbers = true)]
    pub interval: Option<f64>,

    /// How far the networks and members of the model are apart, too: column `spread`, the standard deviation of their predictions
    ///
    /// Of a number in its unit, of classes that of the probability of the predicted one. A large one says that the training data
    /// left the answer open for rows like this.
    #[arg(long, conflicts_with = "logits")]
    pub spread: bool,

    /// Columns of the data to repeat in front of the predictions
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', num_args = 1)]
    pub keep: Vec<String>,

    /// Write to this file instead of stdout: .csv, .tsv, .json or .jsonl (each also .gz or .zst), or .parquet
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<String>,

    /// Overwrite the file of -o
    #[arg(long, short = 'f', alias = "overwrite")]
    pub force: bool,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What a model file holds: how it came about and why, which columns it needs, layers, preprocessing
///
/// The importance of the columns is that of `wxb importance` on some validation rows, measured at the end of the training.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb inspect titanic.wxb
  wxb inspect titanic.wxb --tensors
  wxb inspect titanic.wxb --json")]
pub struct InspectArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// Statistics of every weight and bias
    #[arg(long)]
    pub tensors: bool,
}

/// Which columns a model needs: how much worse it gets without each
///
/// The cells of a column change places among the rows, so that it says nothing any more, and the metric is taken again. Rows that
/// the training has not seen tell what counts for new ones.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb importance titanic.wxb test.csv
  wxb importance titanic.wxb test.csv --metric log_loss --repeats 20 --json")]
pub struct ImportanceArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// A file with the same columns, the target included
    #[arg(value_name = "DATA")]
    pub data: String,

    /// What gets worse [default: the first one that training prints]
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,

    /// How often each column is shuffled; the column +- is the standard deviation over these
    #[arg(long, value_name = "N", default_value = "5", value_parser = value::at_least_one)]
    pub repeats: usize,

    /// Rows to look at, at the most, drawn from the data
    #[arg(long, value_name = "N", default_value = "2000", value_parser = value::at_least_one)]
    pub rows: usize,

    /// Where the random orders come from
    #[arg(long, value_name = "N", default_value = "0", value_parser = value::seed)]
    pub seed: u64,

    /// A column with a weight per row
    #[arg(long, value_name = "COLUMN", alias = "sample-weight")]
    pub weight: Option<String>,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// How the prediction depends on each column: partial dependence, as a picture, numbers or a table
///
/// The rows are predicted with one column set to each of some values: the mean over the rows, and each row by itself. Columns that go
/// together in the data are set apart from each other here, so that some of the rows looked at may be ones that do not occur.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb partial titanic.wxb titanic.csv -o titanic.svg    the columns that count most
  wxb partial titanic.wxb titanic.csv --column age
  wxb partial titanic.wxb titanic.csv --column age,sex --json")]
pub struct PartialArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// A file with the same columns; the target may be missing
    #[arg(value_name = "DATA")]
    pub data: String,

    /// Columns to look at [default: the most important ones]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', num_args = 1, alias = "feature")]
    pub column: Vec<String>,

    /// How many columns, where none is named
    #[arg(long, value_name = "N", default_value = "6", value_parser = value::at_least_one)]
    pub top: usize,

    /// The class whose probability is predicted [default: the second of two, the most frequent of more]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,

    /// Of a model of quantiles the level that is predicted [default: the one nearest to 0.5]
    #[arg(long, value_name = "LEVEL", value_parser = value::inner_share, allow_negative_numbers = true)]
    pub level: Option<f64>,

    /// Values of each column, at the most
    #[arg(long, value_name = "N", default_value = "20", value_parser = value::at_least_one)]
    pub points: usize,

    /// Rows to look at, at the most, drawn from the data
    #[arg(long, value_name = "N", default_value = "300", value_parser = value::at_least_one)]
    pub rows: usize,

    /// Where the draws come from
    #[arg(long, value_name = "N", default_value = "0", value_parser = value::seed)]
    pub seed: u64,

    /// Write a picture to this .svg file instead of a table to stdout
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<String>,

    /// Overwrite the file of -o
    #[arg(long, short = 'f', alias = "overwrite")]
    pub force: bool,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Every Z and A (and dZ, dW, db) of rows, and what each column adds to a prediction
///
/// Without flags about the pass there is below it, of one row, what the columns add to its prediction.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb explain titanic.wxb new.csv --row 3
  wxb explain titanic.wxb new.csv --row 3 --contributions
  wxb explain titanic.wxb new.csv --row 3 --contributions --method integrated-gradients
  wxb explain titanic.wxb new.csv --row 3 --backward
  wxb explain titanic.wxb new.csv --row 0-3 --layer 2 --convention rows")]
pub struct ExplainArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// A file with the same columns; the target is needed for --backward
    #[arg(value_name = "DATA")]
    pub data: String,

    /// The rows, the first is 0: 3 or 0-4; may be given several times
    #[arg(
        long,
        value_name = "ROWS",
        default_value = "0",
        value_delimiter = ',',
        num_args = 1,
        alias = "rows"
    )]
    pub row: Vec<RowRange>,

    /// Instead of the pass: how much each column adds to the prediction, beside the other rows of the data
    #[arg(long, conflicts_with_all = ["backward", "layer", "full", "part"])]
    pub contributions: bool,

    /// How --contributions are found
    #[arg(long, value_name = "METHOD", default_value = "shapley")]
    pub method: MethodChoice,

    /// Rows that --method shapley compares with, drawn from the data
    #[arg(long, value_name = "N", default_value = "200", value_parser = value::at_least_one)]
    pub samples: usize,

    /// Where the draws of --method shapley come from
    #[arg(long, value_name = "N", default_value = "0", value_parser = value::seed)]
    pub seed: u64,

    /// Of a model of quantiles the level that --contributions explain [default: the one nearest to 0.5]
    #[arg(long, value_name = "LEVEL", value_parser = value::inner_share, allow_negative_numbers = true)]
    pub level: Option<f64>,

    /// The backward pass too: dZ, dW, db, dA, and one step of gradient descent
    #[arg(long)]
    pub backward: bool,

    /// Of a model of several networks the one to explain [default: of those with dense layers alone the one that counts most]
    #[arg(long, value_name = "NAME")]
    pub part: Option<String>,

    /// Only this layer, the first is 1
    #[arg(long, value_name = "L", value_parser = value::at_least_one)]
    pub layer: Option<usize>,

    /// course: columns are examples; rows: rows are examples
    #[arg(long, value_name = "CONVENTION", default_value = "course", hide_possible_values = true)]
    pub convention: ConventionChoice,

    /// Every number of large matrices
    #[arg(long)]
    pub full: bool,

    /// The learning rate of the step that --backward shows
    #[arg(long, value_name = "X", default_value = "0.5", value_parser = value::positive)]
    #[arg(allow_negative_numbers = true)]
    pub lr: f64,

    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl ExplainArgs {
    /// Whether some flag is about the pass, so that it is all that is shown.
    pub fn asks_for_pass(&self) -> bool {
        let chosen = self.part.is_some() || self.layer.is_some();
        self.backward || self.full || chosen || self.convention != ConventionChoice::Course
    }
}

/// Compare the analytic gradient with finite differences
///
/// In double precision, on a few rows, per weight matrix and bias. Ends with exit code 1 over the tolerance.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb gradcheck titanic.wxb titanic.csv
  wxb gradcheck titanic.wxb titanic.csv --rows 64 --tolerance 1e-6")]
pub struct GradcheckArgs {
    /// A model that `wxb train` has written
    #[arg(value_name = "MODEL")]
    pub model: String,

    /// A file with the same columns, the target included
    #[arg(value_name = "DATA")]
    pub data: String,

    /// Of a model of several networks the one to check [default: the one that counts most]
    #[arg(long, value_name = "NAME")]
    pub part: Option<String>,

    /// Rows to check on
    #[arg(long, value_name = "N", default_value = "16", value_parser = value::at_least_one)]
    pub rows: usize,

    /// The largest relative error that passes
    #[arg(long, value_name = "X", default_value = "1e-6", value_parser = value::positive)]
    #[arg(allow_negative_numbers = true)]
    pub tolerance: f64,

    #[command(flatten)]
    pub reading: ReadingArgs,
}
