//! Data in memory: a [`Table`] of named columns or a [`Matrix`] of equal ones.

pub mod dataset;
mod folds;
mod matrix;
pub mod split;
mod table;
pub mod target;

pub use dataset::{Dataset, Inputs};
pub use folds::Folds;
pub use matrix::{Matrix, Values};
pub use table::unknown_column;
pub use table::{Column, MISSING, Table, TextColumn};

/// What a reader returns and the preprocessing takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Named columns of numbers or text (CSV, Parquet).
    Table(Table),
    /// A rectangle of numbers without names (NPY, NPZ, IDX).
    Matrix(Matrix),
}

impl Features {
    /// The number of rows (examples).
    pub fn rows(&self) -> usize {
        match self {
            Features::Table(table) => table.rows(),
            Features::Matrix(matrix) => matrix.rows(),
        }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Features::Table(table) => table.names().len(),
            Features::Matrix(matrix) => matrix.columns(),
        }
    }
}
