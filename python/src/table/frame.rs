//! Columns of a data frame as a table of the engine.

use std::sync::{Mutex, PoisonError};

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::FromPyArrow;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wxb::data::{Column, Features, MISSING, Table, TextColumn};
use wxb_io::{ReadOptions, as_file_cells, read_batches};
use wxb_train::Examples;

use super::stream::Stream;
use crate::error::exception;

/// What messages call the data.
const NAME: &str = "the data";

/// The cells of a column.
#[derive(FromPyObject)]
pub enum Cells<'py> {
    /// Numbers; NaN is missing.
    Numbers(PyReadonlyArray1<'py, f64>),
    /// The place of each cell's text in the list; 2³² − 1 is missing.
    Texts(PyReadonlyArray1<'py, u32>, Vec<String>),
}

impl Cells<'_> {
    /// The same as a column of the engine.
    pub fn column(self) -> PyResult<Column> {
        match self {
            Cells::Numbers(values) => Ok(Column::Number(values.as_array().to_vec())),
            Cells::Texts(codes, levels) => {
                let codes = codes.as_array().to_vec();
                match codes.iter().find(|&&code| code != MISSING && code as usize >= levels.len()) {
                    None => Ok(Column::Text(TextColumn { codes, levels })),
                    Some(code) => Err(PyValueError::new_err(format!(
                        "code {code} of a column of {} texts",
                        levels.len()
                    ))),
                }
            }
        }
    }
}

/// A table in memory, to be used once: a training or a prediction takes its columns.
#[pyclass(module = "wxb._wxb", frozen)]
pub struct Frame {
    table: Mutex<Option<Table>>,
    names: Vec<String>,
    rows: usize,
    warnings: Vec<String>,
}

impl Frame {
    fn new(table: Table, warnings: Vec<String>) -> Self {
        let (names, rows) = (table.names().to_vec(), table.rows());
        Self { table: Mutex::new(Some(table)), names, rows, warnings }
    }

    /// Its columns with a target and weights.
    pub fn take(&self, target: Option<Column>, weights: Option<Vec<f64>>) -> PyResult<Examples> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner).take();
        let table = table.ok_or_else(|| PyValueError::new_err("the frame was used before"))?;
        Examples::new(NAME, Features::Table(table), target, weights).map_err(|error| exception(&error))
    }
}

#[pymethods]
impl Frame {
    /// Of columns: a name and cells for each. Texts are read as those of a text file, so that a model of a frame is one of the file
    /// with its cells.
    #[staticmethod]
    fn from_columns(columns: Vec<(String, Cells<'_>)>) -> PyResult<Self> {
        let columns = columns.into_iter().map(|(name, cells)| {
            let column = as_file_cells(cells.column()?, &[]).map_err(|error| exception(&error))?;
            Ok((name, column))
        });
        let table = Table::new(columns.collect::<PyResult<_>>()?).map_err(|error| exception(&error))?;
        Ok(Self::new(table, vec![]))
    }

    /// Of anything with `__arrow_c_stream__`; the columns `unread` are missing in all rows, whatever they hold.
    #[staticmethod]
    fn from_arrow(py: Python<'_>, frame: &Bound<'_, PyAny>, unread: Vec<String>) -> PyResult<Self> {
        let stream = Stream::new(py, RecordBatchStreamReader::from_pyarrow_bound(frame)?, &unread)?;
        // The stream may be made by a library of Python's, which takes the interpreter itself.
        let read = py.detach(|| read_batches(NAME, stream, &ReadOptions::default()));
        let (table, warnings) = read.map_err(|error| exception(&error))?;
        Ok(Self::new(table, warnings))
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    #[getter]
    fn rows(&self) -> usize {
        self.rows
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// The same columns under other names; this frame is used then.
    fn renamed(&self, names: Vec<String>) -> PyResult<Self> {
        let Features::Table(table) = self.take(None, None)?.features else {
            unreachable!("a frame is a table")
        };
        let columns = names.into_iter().zip(table.iter()).map(|(name, (_, column))| (name, column.clone()));
        let table = Table::new(columns.collect()).map_err(|error| exception(&error))?;
        Ok(Self::new(table, self.warnings.clone()))
    }

    /// A column as (numbers, None) or (codes, texts).
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<(Bound<'py, PyAny>, Option<Vec<String>>)> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let table = table.as_ref().ok_or_else(|| PyValueError::new_err("the frame was used before"))?;
        Ok(match table.column(name).map_err(|error| exception(&error))? {
            Column::Number(values) => (PyArray1::from_slice(py, values).into_any(), None),
            Column::Text(text) => {
                (PyArray1::from_slice(py, &text.codes).into_any(), Some(text.levels.clone()))
            }
        })
    }
}
