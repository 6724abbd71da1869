//! Logistic regression and the scores of linear models, behind `LogisticRegression`.

mod dense;
mod newton;
mod problem;

use std::sync::atomic::AtomicBool;

use numpy::ndarray::ArrayView1;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use wxb::{Loss, Real};

use crate::fit::are_finite;
use crate::fit::examples::{HeldRows, Number, Rows};
use crate::pool;
use crate::work::caught;
use newton::{End, minimise};
use problem::{Bias, Penalty, Problem, Source};

/// How much further than scikit-learn's tolerance the gradient goes down: the last steps of Newton's method cost little. Without a
/// penalty there may be no minimum (classes that a plane divides), and each step has its price.
const FURTHER: f64 = 1e-6;
const FURTHER_WITHOUT_PENALTY: f64 = 1e-2;

/// (θ, iterations, the largest component of the gradient, why it ended)
type Outcome<'py> = (Bound<'py, PyArray1<f64>>, usize, f64, &'static str);

/// Minimises Σ w ℓ + ½ λ₂ Σ W² + λ₁ Σ |W| over θ = (W (d, n), b (n)) from `theta` on. `bias`: whether there is b; `scaling`: the value
/// of its column, where it has the penalties of a weight. `on_iteration` gets θ after each iteration; true stops.
#[pyfunction]
#[pyo3(signature = (x, y, weights, theta, penalties, bias, scaling, limits, threads=0, on_iteration=None))]
#[expect(clippy::too_many_arguments, reason = "each is named where it is called")]
pub fn logistic<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: PyReadonlyArray1<'py, f64>,
    weights: PyReadonlyArray1<'py, f64>,
    theta: PyReadonlyArray1<'py, f64>,
    penalties: (f64, f64),
    bias: bool,
    scaling: Option<f64>,
    limits: (f64, usize),
    threads: usize,
    on_iteration: Option<Py<PyAny>>,
) -> PyResult<Outcome<'py>> {
    let bias = match (bias, scaling) {
        (false, _) => Bias::None,
        (true, None) => Bias::Free,
        (true, Some(value)) => Bias::Column(value),
    };
    let penalty = Penalty { l2: penalties.0, l1: penalties.1 };
    let (theta, (tolerance, max_iter)) = (theta.as_slice()?.to_vec(), limits);
    let further = if penalties == (0.0, 0.0) { FURTHER_WITHOUT_PENALTY } else { FURTHER };
    let stop = AtomicBool::new(false);
    let held = Held::new(x)?;
    let source = held.source()?;
    let n = theta.len() / (source.width() + 1);
    let mut problem = Problem::new(source, (y.as_slice()?, weights.as_slice()?), n, (bias, penalty), &stop);
    let pool = pool::of(threads)?;
    let mut raised = None;
    let mut tell = |theta: &[f64]| {
        let Some(on_iteration) = &on_iteration else { return false };
        let answer =
            Python::attach(|py| on_iteration.call1(py, (PyArray1::from_slice(py, theta),))?.is_truthy(py));
        answer.unwrap_or_else(|error| {
            raised = Some(error);
            true
        })
    };
    let limits = (tolerance * further, max_iter);
    let (solved, signal) =
        pool::work(py, &pool, &stop, || caught(|| minimise(&mut problem, theta, limits, &mut tell)));
    if let Some(error) = signal.or(raised) {
        return Err(error);
    }
    let (theta, iterations, largest, end) = solved?;
    let end = match end {
        End::Iterations if largest > tolerance => "iterations",
        End::Gradient | End::Precision | End::Iterations => "converged",
        End::Stopped => "stopped",
    };
    Ok((PyArray1::from_vec(py, theta), iterations, largest, end))
}

/// X in the width that it came in.
enum Held<'py> {
    Double(PyReadonlyArray2<'py, f64>),
    Single(PyReadonlyArray2<'py, f32>),
    Sparse(HeldRows<'py, f64>),
}

impl<'py> Held<'py> {
    fn new(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(x) = x.cast::<PyArray2<f64>>() {
            return Ok(Self::Double(x.try_readonly()?));
        }
        if let Ok(x) = x.cast::<PyArray2<f32>>() {
            return Ok(Self::Single(x.try_readonly()?));
        }
        Ok(Self::Sparse(HeldRows::new(x)?))
    }

    fn source(&self) -> PyResult<Source<'_>> {
        Ok(match self {
            Self::Double(x) => Source::double(x.as_array()),
            Self::Single(x) => Source::Single(x.as_array()),
            Self::Sparse(rows) => match rows.rows()? {
                Rows::Sparse(x) => Source::Sparse(x),
                Rows::Dense(x) => Source::double(x),
            },
        })
    }
}

/// What a row of scores is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Scores,
    /// The place of the class.
    Classes,
    /// The probability of each class, of both where there is one score.
    Probabilities,
}

/// X Wᵀ + b as an array (m, n), the places of the classes (m), or their probabilities: `None` unless all three are arrays of one precision,
/// X has few rows, and its numbers are finite.   W (n, d)  b (n)
#[pyfunction]
#[pyo3(signature = (x, coef, intercept, output="scores"))]
pub fn linear_scores<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    coef: &Bound<'py, PyAny>,
    intercept: &Bound<'py, PyAny>,
    output: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let output = match output {
        "classes" => Output::Classes,
        "probabilities" => Output::Probabilities,
        _ => Output::Scores,
    };
    match scores::<f64>(py, [x, coef, intercept], output)? {
        None => scores::<f32>(py, [x, coef, intercept], output),
        found => Ok(found),
    }
}

/// Rows of X that are multiplied here; NumPy is faster with more.
const FEW_ROWS: usize = 16;

fn scores<'py, T: Number>(
    py: Python<'py>,
    [x, coef, intercept]: [&Bound<'py, PyAny>; 3],
    output: Output,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let arrays = (x.cast::<PyArray2<T>>(), coef.cast::<PyArray2<T>>(), intercept.cast::<PyArray1<T>>());
    let (Ok(x), Ok(coef), Ok(intercept)) = arrays else { return Ok(None) };
    let fits = x.shape()[1] == coef.shape()[1] && coef.shape()[0] == intercept.shape()[0];
    if !fits || !(1..=FEW_ROWS).contains(&x.shape()[0]) {
        return Ok(None);
    }
    let (x, coef, intercept) = (x.try_readonly()?, coef.try_readonly()?, intercept.try_readonly()?);
    let (x, coef, intercept) = (x.as_array(), coef.as_array(), intercept.as_array());
    let (rows, n) = (x.nrows(), coef.nrows());
    let mut z = Vec::with_capacity(rows * n);
    for x in x.rows() {
        if !x.as_slice().map_or_else(|| x.iter().all(|x| x.is_finite()), are_finite) {
            return Ok(None);
        }
        let of_class = |w: ArrayView1<'_, T>| x.iter().zip(w).fold(T::ZERO, |sum, (&x, &w)| sum + x * w);
        z.extend(coef.rows().into_iter().zip(&intercept).map(|(w, b)| of_class(w) + *b));
    }
    let values = match output {
        Output::Classes => {
            let places = z.chunks_exact(n).map(|z| crate::fit::class_of(z) as isize).collect();
            return Ok(Some(PyArray1::from_vec(py, places).into_any()));
        }
        Output::Scores => z,
        Output::Probabilities => probabilities(z, n),
    };
    let columns = values.len() / rows;
    Ok(Some(PyArray1::from_vec(py, values).reshape([rows, columns])?.into_any()))
}

/// The probability of each class, of one score those of both.
fn probabilities<T: Real>(mut z: Vec<T>, n: usize) -> Vec<T> {
    if n > 1 {
        z.chunks_exact_mut(n).for_each(|z| Loss::SOFTMAX.apply_link(z));
        return z;
    }
    // σ(−z) keeps the digits that 1 − σ(z) loses.
    let mut both: Vec<T> = z.iter().flat_map(|&z| [-z, z]).collect();
    Loss::BINARY.apply_link(&mut both);
    both
}
