//! A matrix: one input per column, whatever it holds, so that weights keep the shape people expect.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::number::{Scaling, affine, log_tails};
use super::stats::{Moments, quantile, too_large};
use super::{PreprocessConfig, Scale};
use crate::data::{Matrix, Values};
use crate::error::Result;

/// The inputs of a matrix: its columns, then one input for each column that is missing somewhere in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatrixInput {
    /// The number of columns.
    pub columns: u32,
    /// How they are scaled.
    pub scaling: MatrixScaling,
    /// What stands in for a missing number, before scaling, per column: the median. Empty if training has no
    /// missing number; one that turns up later becomes the input 0.
    pub fill: Vec<f64>,
    /// The columns with missing numbers in training, ascending.
    pub missing: Vec<u32>,
}

/// How the columns of a matrix are scaled. A column that is constant in training becomes the input 0 where each
/// column is scaled on its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatrixScaling {
    /// (x − shift) / unit, the same for all columns.
    Common {
        /// The x that becomes 0.
        shift: f64,
        /// The length that becomes 1.
        unit: f64,
    },
    /// (x − shift) / unit for each column, with logarithmic tails beyond ±`knee` if there is one.
    Columns {
        /// Per column.
        shift: Vec<f64>,
        /// Per column; 0 for a constant one.
        unit: Vec<f64>,
        /// As in [`Scaling::LogTails`].
        knee: Option<f64>,
    },
    /// A scaling for each column that bends; `None` for a constant one.
    #[serde(rename = "quantiles")] // as in files of before
    Each(Vec<Option<Scaling>>),
}

/// The scaling of one column, its stand-in for missing numbers, and whether there are any.
struct FittedColumn {
    scaling: Option<Scaling>,
    fill: f64,
    is_missing: bool,
}

impl MatrixInput {
    pub(super) fn fit(matrix: &Matrix, rows: &[u32], config: &PreprocessConfig) -> Result<Self> {
        check_sizes(matrix, rows.iter().map(|&r| r as usize))?;
        let columns = matrix.columns() as u32;
        let common = common_scaling(matrix, rows, config);
        if let Some((shift, unit)) = common
            && !has_missing(matrix, rows)
        {
            let scaling = MatrixScaling::Common { shift, unit };
            return Ok(Self { columns, scaling, fill: vec![], missing: vec![] });
        }
        let fitted = fit_columns(matrix, rows, config, common.is_some());
        let missing: Vec<u32> = (0..columns).filter(|&j| fitted[j as usize].is_missing).collect();
        let fill = if missing.is_empty() { vec![] } else { fitted.iter().map(|c| c.fill).collect() };
        let scaling = match common {
            Some((shift, unit)) => MatrixScaling::Common { shift, unit },
            None => MatrixScaling::of(fitted, config),
        };
        Ok(Self { columns, scaling, fill, missing })
    }

    /// The number of inputs.
    pub fn width(&self) -> usize {
        self.columns as usize + self.missing.len()
    }

    pub(super) fn is_sound(&self) -> bool {
        let columns = self.columns as usize;
        let fits = match &self.scaling {
            MatrixScaling::Common { shift, unit } => shift.is_finite() && unit.is_finite() && *unit != 0.0,
            MatrixScaling::Columns { shift, unit, knee } => {
                shift.len() == columns
                    && unit.len() == columns
                    && shift.iter().chain(unit).all(|v| v.is_finite())
                    && knee.is_none_or(|l| l.is_finite() && l > 0.0)
            }
            MatrixScaling::Each(scalings) => {
                scalings.len() == columns && scalings.iter().flatten().all(Scaling::is_sound)
            }
        };
        fits && (self.fill.is_empty() && self.missing.is_empty()
            || self.fill.len() == columns && self.fill.iter().all(|v| v.is_finite()))
            && self.missing.is_sorted_by(|a, b| a < b)
            && self.missing.iter().all(|&j| j < self.columns)
    }
}

/// (shift, unit) where all columns share them.
fn common_scaling(matrix: &Matrix, rows: &[u32], config: &PreprocessConfig) -> Option<(f64, f64)> {
    match (config.divide_by, config.scale, matrix.values()) {
        (Some(divisor), ..) => Some((0.0, divisor)),
        (None, Scale::None, _) => Some((0.0, 1.0)),
        (None, Scale::Auto, Values::U8(bytes)) => Some((0.0, largest_byte(bytes, matrix.columns(), rows))),
        _ => None,
    }
}

/// The largest byte of the rows: divided by it, pixels are 0 to 1. MNIST, 512-512, test accuracy after 10 epochs at a
/// rate of 0.001: 0.979, against 0.976 when standardised by one mean and deviation.
fn largest_byte(bytes: &[u8], columns: usize, rows: &[u32]) -> f64 {
    let row_largest = |&row: &u32| bytes[row as usize * columns..][..columns].iter().max().copied();
    rows.iter().filter_map(row_largest).max().map_or(1.0, |largest| f64::from(largest.max(1)))
}

fn has_missing(matrix: &Matrix, rows: &[u32]) -> bool {
    let n = matrix.columns();
    rows.iter().any(|&row| match matrix.values() {
        Values::U8(_) => false,
        Values::F32(v) => v[row as usize * n..][..n].iter().any(|x| x.is_nan()),
        Values::F64(v) => v[row as usize * n..][..n].iter().any(|x| x.is_nan()),
    })
}

/// Columns are read 8 at a time: they share cache lines, and reading a matrix down one column costs a line per cell.
fn fit_columns(
    matrix: &Matrix,
    rows: &[u32],
    config: &PreprocessConfig,
    is_common: bool,
) -> Vec<FittedColumn> {
    const BLOCK: usize = 8;
    let fit_block = |values: &mut [Vec<f64>; BLOCK], block: usize| -> Vec<FittedColumn> {
        let columns = block * BLOCK..((block + 1) * BLOCK).min(matrix.columns());
        values.iter_mut().for_each(Vec::clear);
        for &row in rows {
            let cells = columns.clone().map(|column| matrix.get(row as usize, column));
            values.iter_mut().zip(cells).for_each(|(values, cell)| values.push(cell));
        }
        values.iter_mut().zip(columns).map(|(values, _)| fit_column(values, config, is_common)).collect()
    };
    let blocks = (0..matrix.columns().div_ceil(BLOCK)).into_par_iter();
    blocks.map_init(<[Vec<f64>; BLOCK]>::default, fit_block).flatten_iter().collect()
}

fn fit_column(values: &mut Vec<f64>, config: &PreprocessConfig, is_common: bool) -> FittedColumn {
    let moments = Moments::of(values.iter().copied());
    let is_missing = moments.present < values.len();
    let wants_order =
        is_missing || matches!(config.scale, Scale::Robust | Scale::Quantile | Scale::Smooth | Scale::Normal);
    if wants_order {
        values.retain(|v| !v.is_nan());
        values.sort_unstable_by(f64::total_cmp);
    }
    let fill = if is_missing && !values.is_empty() { quantile(values, 0.5) } else { moments.mean };
    let scaling = (!is_common && !moments.is_constant()).then(|| Scaling::fit(config, &moments, values));
    FittedColumn { scaling, fill, is_missing }
}

impl MatrixScaling {
    fn of(columns: Vec<FittedColumn>, config: &PreprocessConfig) -> Self {
        if matches!(config.scale, Scale::Quantile | Scale::Smooth | Scale::Normal) {
            return MatrixScaling::Each(columns.into_iter().map(|c| c.scaling).collect());
        }
        let mut common_knee = None;
        let (shift, unit) = columns
            .iter()
            .map(|column| match column.scaling {
                Some(Scaling::Affine { shift, unit }) => (shift, unit),
                Some(Scaling::LogTails { shift, unit, knee }) => {
                    common_knee = Some(knee);
                    (shift, unit)
                }
                Some(Scaling::Quantile { .. } | Scaling::Smooth { .. } | Scaling::Normal { .. }) | None => {
                    (column.fill, 0.0)
                }
            })
            .unzip();
        MatrixScaling::Columns { shift, unit, knee: common_knee }
    }

    /// z of x in a column; NaN stays NaN.
    pub fn apply(&self, column: usize, x: f64) -> f64 {
        match self {
            MatrixScaling::Common { shift, unit } => affine(x, *shift, *unit),
            MatrixScaling::Columns { unit, .. } if unit[column] == 0.0 => 0.0,
            MatrixScaling::Columns { shift, unit, knee: None } => affine(x, shift[column], unit[column]),
            MatrixScaling::Columns { shift, unit, knee: Some(knee) } => {
                log_tails(x, shift[column], unit[column], *knee)
            }
            MatrixScaling::Each(scalings) => scalings[column].as_ref().map_or(0.0, |s| s.apply(x)),
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            MatrixScaling::Common { shift, unit } => {
                Scaling::Affine { shift: *shift, unit: *unit }.describe() + ", all columns alike"
            }
            MatrixScaling::Columns { knee: None, .. } => "each column shifted and scaled".into(),
            MatrixScaling::Columns { knee: Some(knee), .. } => {
                format!("each column standardised, logarithmic beyond ±{knee}")
            }
            MatrixScaling::Each(scalings) => match scalings.iter().flatten().next() {
                Some(Scaling::Smooth { .. }) => "each column bent to stay within ±3".into(),
                _ => "each column to normal scores".into(),
            },
        }
    }
}

/// Refuses infinite and absurdly large numbers in the given rows.
pub(super) fn check_sizes(matrix: &Matrix, mut rows: impl Iterator<Item = usize>) -> Result<()> {
    let n = matrix.columns();
    let position = |row: usize| match matrix.values() {
        Values::U8(_) => None,
        Values::F32(v) => v[row * n..][..n].iter().position(|x| x.is_infinite()),
        Values::F64(v) => v[row * n..][..n].iter().position(|x| x.abs() > 1e100),
    };
    match rows.find_map(|row| position(row).map(|j| (row, j))) {
        Some((row, j)) => Err(too_large(&format!("column x{j}"), matrix.get(row, j), row)),
        None => Ok(()),
    }
}
