//! Examples in NumPy's memory: dense or sparse rows, targets, weights. A batch is gathered from them; X is never copied.

use numpy::ndarray::ArrayView2;
use numpy::{Element, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wxb::Real;
use wxb::step::Cache;

/// f32 or f64, in an array.
pub trait Number: Real + Element {}
impl Number for f32 {}
impl Number for f64 {}

/// X, kept alive: an array, or (row pointers, columns, values, width) of a matrix in compressed rows.
pub enum HeldRows<'py, T: Number> {
    Dense(PyReadonlyArray2<'py, T>),
    Sparse(PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, i32>, PyReadonlyArray1<'py, T>, usize),
}

impl<'py, T: Number> HeldRows<'py, T> {
    pub fn new(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(dense) = x.cast::<PyArray2<T>>() {
            return Ok(Self::Dense(dense.try_readonly()?));
        }
        let (pointers, columns, values, width) = x.extract()?;
        Ok(Self::Sparse(pointers, columns, values, width))
    }

    pub fn rows(&self) -> PyResult<Rows<'_, T>> {
        Ok(match self {
            Self::Dense(x) => Rows::Dense(x.as_array()),
            Self::Sparse(pointers, columns, values, width) => {
                Rows::Sparse(Csr::new(pointers.as_slice()?, columns.as_slice()?, values.as_slice()?, *width)?)
            }
        })
    }
}

/// X (m, n₀).
#[derive(Clone, Copy)]
pub enum Rows<'a, T> {
    Dense(ArrayView2<'a, T>),
    Sparse(Csr<'a, T>),
}

/// A matrix in compressed rows: the values of row i and their columns are at pointers[i]..pointers[i + 1].
#[derive(Clone, Copy)]
pub struct Csr<'a, T> {
    pointers: &'a [i64],
    columns: &'a [i32],
    values: &'a [T],
    width: usize,
}

impl<'a, T: Real> Csr<'a, T> {
    fn new(pointers: &'a [i64], columns: &'a [i32], values: &'a [T], width: usize) -> PyResult<Self> {
        let ascending = pointers.first() == Some(&0) && pointers.is_sorted();
        let ends =
            pointers.last().is_some_and(|&end| end as usize <= values.len() && values.len() == columns.len());
        let inside = columns.iter().all(|&column| column >= 0 && (column as usize) < width);
        match ascending && ends && inside {
            true => Ok(Self { pointers, columns, values, width }),
            false => Err(PyValueError::new_err("the sparse matrix points outside of itself")),
        }
    }

    pub fn count(&self) -> usize {
        self.pointers.len() - 1
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// (column, value) of a row.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, T)> + '_ {
        let places = self.pointers[i] as usize..self.pointers[i + 1] as usize;
        let columns = self.columns[places.clone()].iter();
        columns.zip(&self.values[places]).map(|(&column, &value)| (column as usize, value))
    }
}

impl<T: Real> Rows<'_, T> {
    pub fn count(&self) -> usize {
        match self {
            Rows::Dense(x) => x.nrows(),
            Rows::Sparse(x) => x.count(),
        }
    }

    pub fn width(&self) -> usize {
        match self {
            Rows::Dense(x) => x.ncols(),
            Rows::Sparse(x) => x.width,
        }
    }

    /// X of some rows → out (rows, n₀).
    pub fn gather(&self, rows: impl Iterator<Item = usize>, out: &mut [T]) {
        for (row, out) in rows.zip(out.chunks_exact_mut(self.width())) {
            match self {
                Rows::Dense(x) => {
                    let x = x.row(row);
                    match x.as_slice() {
                        Some(x) => out.copy_from_slice(x),
                        None => out.iter_mut().zip(x).for_each(|(out, x)| *out = *x),
                    }
                }
                Rows::Sparse(x) => {
                    out.fill(T::ZERO);
                    // Entries of one place add up, as SciPy says.
                    x.row(row).for_each(|(column, value)| out[column] += value);
                }
            }
        }
    }
}

/// X (m, n₀), Y (m, n_targets), weights (m).
#[derive(Clone, Copy)]
pub struct Examples<'a, T> {
    pub x: Rows<'a, T>,
    pub y: &'a [T],
    pub n_targets: usize,
    pub weights: Option<&'a [T]>,
}

impl<T: Real> Examples<'_, T> {
    /// Some rows as the batch in a cache.
    pub fn load(&self, rows: &[u32], cache: &mut Cache<T>) {
        let (m, width) = (rows.len(), self.x.width());
        self.x.gather(rows.iter().map(|&row| row as usize), &mut cache.x[..m * width]);
        for (&row, y) in rows.iter().zip(cache.y.chunks_exact_mut(self.n_targets)) {
            y.copy_from_slice(&self.y[row as usize * self.n_targets..][..self.n_targets]);
        }
        // Those of the batch before may be of other examples.
        cache.weights.clear();
        if let Some(weights) = self.weights {
            cache.weights.extend(rows.iter().map(|&row| weights[row as usize]));
        }
    }

    /// Σ w of some rows.
    pub fn weight(&self, rows: &[u32]) -> f64 {
        match self.weights {
            None => rows.len() as f64,
            Some(weights) => rows.iter().map(|&row| weights[row as usize].f64()).sum(),
        }
    }

    /// The rows of a weight above 0 among some, or among all.
    pub fn counting(&self, rows: Option<&[u32]>) -> Vec<u32> {
        let counts = |row: &u32| self.weights.is_none_or(|weights| weights[*row as usize] > T::ZERO);
        match rows {
            Some(rows) => rows.iter().copied().filter(counts).collect(),
            None => (0..self.x.count() as u32).filter(counts).collect(),
        }
    }

    /// Lengths that fit each other, and a network of n₀ inputs and so many targets.
    pub fn checked(self, (n_in, n_targets): (usize, usize)) -> PyResult<Self> {
        let rows = self.x.count();
        let fits = self.x.width() == n_in
            && self.n_targets == n_targets
            && self.y.len() == rows * n_targets
            && self.weights.is_none_or(|weights| weights.len() == rows)
            && u32::try_from(rows).is_ok();
        match fits {
            true => Ok(self),
            false => Err(PyValueError::new_err(format!(
                "{rows} rows of {} inputs with {} targets do not fit a network of {n_in} inputs and {n_targets} targets",
                self.x.width(),
                self.y.len(),
            ))),
        }
    }
}
