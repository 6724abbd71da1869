//! `wxb bench`.

use clap::Args;

use super::choice::{LossChoice, OptimizerChoice, PrecisionChoice, WorkloadName};
use super::value::{self, Activations, Sizes};

const EXAMPLES: &str = "\
Examples:
  wxb bench
  wxb bench --workload W2,W3 --threads 1
  wxb bench --sizes 100,256,256,256,10 --batch-size 256 --optimizer adam --threads 1
  wxb bench --sizes 20,64,64,1 --predict --json";

/// How fast training steps and predictions are on this machine
///
/// Trains networks on made-up data that lies in memory and prints the time of a step beside what the
/// processor can do. Without --sizes or --workload: six standard workloads, and predictions for one row.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    /// Inputs, units of the hidden layers, outputs, such as 100,256,256,10
    #[arg(long, value_name = "SIZES", conflicts_with = "workload")]
    pub sizes: Option<Sizes>,

    /// Standard workloads: some of W1, W2, W3, W4, W5 and W6
    #[arg(long, value_name = "NAMES", value_delimiter = ',', num_args = 1, ignore_case = true)]
    #[arg(hide_possible_values = true)]
    pub workload: Vec<WorkloadName>,

    /// Rows per step [default: 256]
    #[arg(long, value_name = "N", alias = "batch", requires = "sizes", value_parser = value::bench_rows)]
    pub batch_size: Option<usize>,

    /// sgd, momentum, nesterov, rmsprop, adam or adamw [default: adam]
    #[arg(long, value_name = "OPTIMIZER", alias = "solver", requires = "sizes", hide_possible_values = true)]
    pub optimizer: Option<OptimizerChoice>,

    /// The learning rate [default: by the optimizer]
    #[arg(
        long,
        value_name = "X",
        alias = "learning-rate",
        requires = "sizes",
        allow_negative_numbers = true
    )]
    #[arg(value_parser = value::positive)]
    pub lr: Option<f64>,

    /// One for all hidden layers or one per layer, such as relu,tanh [default: relu]
    #[arg(long, visible_alias = "act", value_name = "NAMES", requires = "sizes")]
    pub activation: Option<Activations>,

    /// auto, cross-entropy, squared-error, absolute-error, huber, poisson or quantile [default: auto]
    #[arg(long, value_name = "LOSS", requires = "sizes", hide_possible_values = true)]
    pub loss: Option<LossChoice>,

    /// f32 or f64
    #[arg(long, value_name = "PRECISION", default_value = "f32", hide_possible_values = true)]
    pub precision: PrecisionChoice,

    /// How long each row of the table is measured
    #[arg(long, value_name = "S", default_value = "1", value_parser = value::bench_seconds)]
    #[arg(allow_negative_numbers = true)]
    pub seconds: f64,

    /// Predictions for one row instead of training steps
    #[arg(long, conflicts_with_all = ["batch_size", "optimizer", "lr", "steps"])]
    pub predict: bool,

    /// Exactly so many steps and no clock, for tools that count instructions
    #[arg(long, value_name = "N", hide = true, conflicts_with = "seconds", value_parser = value::at_least_one)]
    pub steps: Option<usize>,
}
