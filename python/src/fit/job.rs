//! One call of `fit`: arrays held, checked and handed to the training in a pool; what came of it, for Python.

use std::sync::atomic::AtomicBool;

use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::examples::{Examples, HeldRows, Number};
use super::learning::{Course, End, Learning, Listener, Task};
use super::order::Twister;
use super::plan::Plan;
use crate::error::exception;
use crate::pool;
use crate::work::caught;

/// (losses, scores, why it ended, in words, the generator's key and position)
pub type Outcome = (Vec<f64>, Vec<f64>, &'static str, String, Option<(Vec<u32>, usize)>);

/// X, Y (m, n_targets) and weights (m), as Python gives them.
pub type Part<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

/// What `fit` is asked for, in either precision.
pub struct Job {
    pub plan: Plan,
    pub twister: Option<Twister>,
    pub threads: usize,
    pub listener: Option<Listener>,
}

/// A part in arrays of one precision.
struct Held<'py, T: Number> {
    x: HeldRows<'py, T>,
    y: PyReadonlyArray2<'py, T>,
    weights: Option<PyReadonlyArray1<'py, T>>,
}

impl<'py, T: Number> Held<'py, T> {
    fn new((x, y, weights): &Part<'py>) -> PyResult<Self> {
        let weights = weights.as_ref().map(|weights| weights.extract()).transpose()?;
        Ok(Self { x: HeldRows::new(x)?, y: y.extract()?, weights })
    }

    fn examples(&self) -> PyResult<Examples<'_, T>> {
        let weights = self.weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
        let n_targets = self.y.shape()[1];
        Ok(Examples { x: self.x.rows()?, y: self.y.as_slice()?, n_targets, weights })
    }
}

/// Trains on the first part; the second, or some rows of the first, judge the epochs.
pub fn train_on<T: Number>(
    py: Python<'_>,
    learning: &mut Learning<T>,
    parts: [Option<Part<'_>>; 2],
    rows: (Option<PyReadonlyArray1<'_, u32>>, Option<PyReadonlyArray1<'_, u32>>),
    job: Job,
) -> PyResult<Outcome> {
    let [train, valid] = parts.map(|part| part.as_ref().map(Held::<T>::new).transpose());
    let (train, valid) = (train?.expect("there is always a training part"), valid?);
    let network = &learning.run.network;
    let shape = (network.n_in(), network.n_targets());
    let examples = train.examples()?.checked(shape)?;
    let places = |rows: &Option<PyReadonlyArray1<'_, u32>>| match rows {
        Some(rows) => rows.as_slice().map(|rows| Some(rows.to_vec())),
        None => Ok(None),
    };
    let (train_rows, valid_rows) = (places(&rows.0)?, places(&rows.1)?);
    let rows = examples.counting(train_rows.as_deref());
    if rows.is_empty() {
        return Err(PyValueError::new_err("there is no row of a weight above 0 to train on"));
    }
    let valid = match &valid {
        Some(valid) => Some(valid.examples()?.checked(shape)?),
        None => valid_rows.is_some().then_some(examples),
    };
    let valid = valid.map(|valid| (valid, valid.counting(valid_rows.as_deref())));
    let stop = AtomicBool::new(false);
    let Job { plan, twister, threads, listener } = job;
    let mut task = Task { examples, rows, valid, twister, plan, stop: &stop, listener: listener.as_ref() };
    let pool = pool::of(threads)?;
    let (course, signal) = pool::work(py, &pool, &stop, || caught(|| learning.fit(&mut task)));
    let course = course?.map_err(|error| exception(&error))?;
    outcome(course, signal, task.twister.as_ref().map(Twister::state))
}

fn outcome(course: Course, signal: Option<PyErr>, twister: Option<(Vec<u32>, usize)>) -> PyResult<Outcome> {
    let Course { losses, scores, end } = course;
    let (end, words) = match (end, signal) {
        (_, Some(signal)) => {
            let interrupted =
                Python::attach(|py| signal.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py));
            if !interrupted {
                return Err(signal);
            }
            ("interrupted", String::new())
        }
        (End::Raised(error), None) => return Err(error),
        (End::Epochs, None) => ("epochs", String::new()),
        (End::Tolerance, None) => ("tolerance", String::new()),
        (End::Evaluations, None) => ("evaluations", String::new()),
        (End::Interrupted, None) => ("interrupted", String::new()),
        (End::Callback, None) => ("callback", String::new()),
        (End::Diverged(divergence), None) => (
            "diverged",
            format!("{} in batch {} of epoch {}", divergence.tensor, divergence.batch, divergence.epoch),
        ),
    };
    Ok((losses, scores, end, words, twister))
}
