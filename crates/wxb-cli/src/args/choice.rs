//! Closed sets of values that only the command line has, by the names that people type.

use clap::ValueEnum;

pub use wxb_train::args::choice::*;

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    Auto,
    Always,
    Never,
}

/// `--output-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Text,
    #[value(alias = "jsonl", alias = "ndjson")]
    Json,
    Csv,
    #[value(alias = "markdown")]
    Md,
}

/// `--progress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// Live on a terminal, plain elsewhere
    Auto,
    /// One line that is redrawn
    Live,
    /// Epochs 1, 2, 4, 8, … and every best
    Plain,
    /// Events as JSON Lines on stderr
    Json,
    /// Nothing
    #[value(alias = "none")]
    Off,
}

/// `--method` of `--contributions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodChoice {
    /// Shapley values by sampling: how the prediction changes as columns of other rows are replaced by those of the row
    Shapley,
    /// The gradient along the way from the usual row of the data (medians, most frequent texts) to the row
    #[value(alias = "ig")]
    IntegratedGradients,
}

/// `--convention` of explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConventionChoice {
    /// Columns are examples: Z = W A + b, as in the course
    #[value(alias = "columns")]
    Course,
    /// Rows are examples: Z = A W + b, as in the code
    Rows,
}

/// The data sets of `wxb demo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DemoData {
    /// Two classes in opposite quadrants: no straight line parts them
    Xor,
    /// Two half circles that interlock
    Moons,
    /// Two arms wound around each other
    Spiral,
    /// Three round clouds
    Blobs,
    /// A number that depends on two others linearly
    Linear,
}

/// The standard workloads of `wxb bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub enum WorkloadName {
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
}
