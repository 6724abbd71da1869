//! A rectangle of numbers, kept in the width it came in.

use crate::error::{Code, Error, Result};

/// (rows, columns) numbers, row-major. Images stay bytes: a batch is widened when it is gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Values,
}

/// The numbers of a [`Matrix`] in their own width.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Bytes, as images have them.
    U8(Vec<u8>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Values {
    /// How many numbers.
    pub fn len(&self) -> usize {
        match self {
            Values::U8(v) => v.len(),
            Values::F32(v) => v.len(),
            Values::F64(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number `i` at double width.
    pub fn get(&self, i: usize) -> f64 {
        match self {
            Values::U8(v) => v[i].into(),
            Values::F32(v) => v[i].into(),
            Values::F64(v) => v[i],
        }
    }
}

impl Matrix {
    /// A matrix of `rows · columns` values, row-major.
    ///
    /// # Errors
    /// [`Code::ShapeMismatch`] if the length is another.
    pub fn new(values: Values, rows: usize, columns: usize) -> Result<Self> {
        if rows.checked_mul(columns) != Some(values.len()) {
            let message = format!("{} values are no ({rows}, {columns}) matrix", values.len());
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        Ok(Self { rows, columns, values })
    }

    /// The number of rows (examples).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values, row-major.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The value in a row and column.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.values.get(row * self.columns + column)
    }
}
