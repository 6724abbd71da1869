//! `wxb train`: the settings of a training, and what belongs to the command alone.

use clap::Args;
use wxb_train::TrainArgs;

use super::value;

const EXAMPLES: &str = "\
Examples:
  wxb train titanic.csv --target survived
  wxb train sales.csv.gz --target price --time-budget 5m
  wxb train sales.csv.gz --target price --drop id,note --hidden 128,64 --seed 7 -o sales.wxb
  wxb train digits.npz --x X --y y --hidden 64,32
  wxb train train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --hidden 512,512
  wxb train iris.csv --target species --cv 5
  wxb train small.csv --target y --hidden none --optimizer lbfgs --valid none";

/// Train a network on a table and save it
///
/// Reads the data, chooses the task by the target, holds out a part for validation, prepares the columns on
/// the training part only, trains with early stopping, and saves the best weights with everything that
/// predictions need.
#[derive(Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct TrainCommand {
    /// CSV or TSV (also .gz, .zst), Parquet, NPZ, NPY or IDX; - reads CSV from stdin
    #[arg(value_name = "DATA")]
    pub data: String,
    #[command(flatten)]
    pub settings: TrainArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is written.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The model file [default: named after the data, titanic.csv gives titanic.wxb]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<String>,

    /// Overwrite the file of -o
    #[arg(long, short = 'f', alias = "overwrite")]
    pub force: bool,

    /// Save the whole state of the training every N epochs, beside the model
    #[arg(long, value_name = "N", value_parser = value::at_least_one, conflicts_with = "cv")]
    pub checkpoint_every: Option<usize>,

    /// Go on from the checkpoint of an interrupted training, bit for bit
    #[arg(long, conflicts_with = "cv")]
    pub resume: bool,

    /// Show data, split, network and memory, and stop there
    #[arg(long, conflicts_with = "cv")]
    pub dry_run: bool,
}
