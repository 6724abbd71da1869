//! Columns become the network's inputs: fitted on training rows only, kept in the model, applied while a batch
//! is gathered, so that a table is never expanded in memory.
//!
//! | column | inputs |
//! |---|---|
//! | numbers | the number, scaled, the median where it is missing; a second input that is 1 where it is missing, if it is in training |
//! | text, 2 levels | one input, −1 and +1; 0 for an unseen level |
//! | text | one input per level (1 or 0), one for missing if it is in training, one for rare and unseen levels |
//! | text that is dates | year, month, day, weekday, time of day, days since 1970: see [`DatePart`] |
//! | constant, empty, identifier-like | none; if cells are missing, one input that says so |
//! | matrix | one input per column |
//!
//! A level is found as it is written; where all levels are true or false, in any case (`true`, `True`, `TRUE`).
//!
//! A level counts as rare if it has one row, or if it is not among the `max_levels` most frequent ones. The input
//! of unseen levels exists even if no level is rare; then no row trains it ([`Preprocessor::untrained_inputs`]),
//! and its first weights are best set to zero, so that an unseen level says nothing.

mod bind;
mod category;
mod date;
mod fit;
mod level;
mod matrix;
mod normal;
mod number;
mod plan;
mod stats;

use serde::{Deserialize, Serialize};

pub use bind::Encoded;
pub use category::CategoryInput;
pub use date::{DateFormat, DateInput, DatePart};
pub use level::LevelInput;
pub use matrix::{MatrixInput, MatrixScaling};
pub use number::{NumberInput, Scaling};
pub use plan::{ColumnPlan, Encoding, Groups, Preprocessor, Unused};
pub(crate) use stats::quantile;
pub use stats::{Moments, check_sizes};

/// How numbers are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A column of numbers: standardised, with logarithmic tails, so that no outlier reaches the network as a huge
    /// number ([`Scaling::LogTails`]). A matrix of bytes: divided by its largest
    /// byte, since its columns share one unit.
    #[default]
    Auto,
    /// As they are.
    None,
    /// (x − mean) / standard deviation.
    Standard,
    /// (x − median) / interquartile range.
    Robust,
    /// (x − min) / (max − min), in 0 … 1 for the training rows.
    #[serde(rename = "minmax")]
    MinMax,
    /// To a standard normal distribution, through at most 1000 quantiles.
    Quantile,
    /// (x − median) / interquartile range, then bent so that it stays within ±3 ([`Scaling::Smooth`]).
    Smooth,
    /// To a standard normal distribution as networks for tables in the literature do it ([`Scaling::Normal`]).
    Normal,
}

impl Scale {
    /// Every scale.
    pub const ALL: [Scale; 8] = [
        Scale::Auto,
        Scale::None,
        Scale::Standard,
        Scale::Robust,
        Scale::MinMax,
        Scale::Quantile,
        Scale::Smooth,
        Scale::Normal,
    ];

    /// The name it has on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Auto => "auto",
            Scale::None => "none",
            Scale::Standard => "standard",
            Scale::Robust => "robust",
            Scale::MinMax => "minmax",
            Scale::Quantile => "quantile",
            Scale::Smooth => "smooth",
            Scale::Normal => "normal",
        }
    }

    /// The scale of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scale| scale.name() == name)
    }
}

/// What becomes of the levels of a text column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Categories {
    /// An input each, rare ones share one ([`CategoryInput`]).
    #[default]
    Inputs,
    /// The same, for an embedding of numbers: the inputs are the numbers of all columns, then the others.
    Apart,
    /// For a category embedding ([`Layer::Embed`](crate::Layer::Embed)): numbers of rows of its table, for columns of
    /// more than so many levels; the others have an input a level, scaled as numbers are ([`LevelInput`]). The inputs are
    /// the numbers of all columns, then the others, then those row numbers.
    Embedded {
        /// The most levels that have inputs.
        above: usize,
    },
}

/// What [`Preprocessor::fit`] may be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessConfig {
    /// How numbers are scaled.
    pub scale: Scale,
    /// Scales each number of a table in a second way too, as another input; numbers of two values have one.
    pub second_scale: Option<Scale>,
    /// Divides every number by this instead of scaling it (255 for images); excludes every `scale` but
    /// [`Scale::Auto`] and [`Scale::None`].
    pub divide_by: Option<f64>,
    /// A text column has at most this many levels; the rarer ones share an input.
    pub max_levels: usize,
    /// Uses identifier-like text columns instead of dropping them.
    pub keep: bool,
    /// What becomes of the levels of a text column.
    pub categories: Categories,
}

impl Default for PreprocessConfig {
    fn default() -> Self {
        Self {
            scale: Scale::Auto,
            second_scale: None,
            divide_by: None,
            max_levels: 128,
            keep: false,
            categories: Categories::Inputs,
        }
    }
}

/// What the fitting noticed about a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The column's name.
    pub column: String,
    /// What was noticed and done, in words, without the column's name: `"constant, dropped"`.
    pub text: String,
    /// Whether a person should look at it: a column was dropped or cut that may have held something.
    pub is_warning: bool,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.column, self.text)
    }
}

/// Whether a column holds numbers or text; a reader must be told at prediction what it was in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers.
    Number,
    /// Text.
    Text,
}
