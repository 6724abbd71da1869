//! Functions of arrays: activations, links, losses, norms, initial weights.

use numpy::PyUntypedArrayMethods;
use numpy::ndarray::ArrayView2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wxb::{Activation, Initializer, Layer, Loss, Network};

use crate::array::{Float, array, at_precision, numbers, shape2};
use crate::error::exception;
use crate::settings::parse;
use crate::work::work;

/// g(z), or with `slope` g'(z), for every number of an array.
#[pyfunction]
pub fn activate<'py>(
    py: Python<'py>,
    activation: &str,
    z: &Bound<'py, PyAny>,
    slope: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let g: Activation = parse("activation", activation)?;
    g.check().map_err(|error| exception(&error))?;
    at_precision!("z", z => activate_as(py, g, z, slope))
}

fn activate_as<'py, T: Float>(
    py: Python<'py>,
    g: Activation,
    z: &Bound<'py, PyAny>,
    slope: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let z = numbers::<T>("z", z)?;
    let numbers = z.as_slice()?;
    let result = work(py, || {
        let mut a = numbers.to_vec();
        if !slope {
            g.apply_all(&mut a);
            return a;
        }
        let mut slope = vec![T::ZERO; a.len()];
        g.apply_with_slope(numbers, &mut a, &mut slope);
        slope
    })?;
    array(py, result, z.shape())
}

/// What is done to each row of a matrix.
fn by_rows<'py, T: Float>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    of_row: impl Fn(&mut [T]) + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let x = numbers::<T>("the array", x)?;
    let [_, n] = shape2("the array", &x)?;
    let numbers = x.as_slice()?;
    let rows = work(py, || {
        let mut rows = numbers.to_vec();
        // Rows of no numbers are none.
        rows.chunks_exact_mut(n.max(1)).for_each(of_row);
        rows
    })?;
    array(py, rows, x.shape())
}

/// The predictions of logits (m, n): the loss's link, row by row.
#[pyfunction]
pub fn link<'py>(py: Python<'py>, loss: &str, z: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let loss: Loss = parse("loss", loss)?;
    at_precision!("z", z => link_as(py, &loss, z))
}

fn link_as<'py, T: Float>(
    py: Python<'py>,
    loss: &Loss,
    z: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    by_rows::<T>(py, z, |z| loss.apply_link(z))
}

/// ln softmax(z) of each row of z (m, n).
#[pyfunction]
pub fn log_softmax<'py>(py: Python<'py>, z: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    at_precision!("z", z => log_softmax_as(py, z))
}

/// ln softmax(z)_j = (z_j − max z) − ℓ, ℓ = ln Σ e^(z_k − max z) the cross-entropy of the class with the largest z.
fn log_softmax_as<'py, T: Float>(py: Python<'py>, z: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    by_rows::<T>(py, z, |z| {
        let top = (0..z.len()).fold(0, |top, j| if z[j] > z[top] { j } else { top });
        let largest = z[top];
        let l = Loss::SOFTMAX.row(z, &[T::of(top as f64)], &mut vec![T::ZERO; z.len()]);
        z.iter_mut().for_each(|z| *z = *z - largest - l);
    })
}

/// ℓ (m) and ∂ℓ/∂z (m, n) of logits z (m, n) and targets y (m, n_targets).
#[pyfunction]
pub fn loss_rows<'py>(
    py: Python<'py>,
    loss: &str,
    z: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let loss: Loss = parse("loss", loss)?;
    at_precision!("the logits", z => loss_rows_as(py, &loss, z, y))
}

fn loss_rows_as<'py, T: Float>(
    py: Python<'py>,
    loss: &Loss,
    z: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (z, y) = (numbers::<T>("the logits", z)?, numbers::<T>("the targets", y)?);
    let [m, n] = shape2("the logits", &z)?;
    loss.check(n).map_err(|error| exception(&error))?;
    if n == 0 || shape2("the targets", &y)? != [m, loss.n_targets(n)] {
        let expected = (m, loss.n_targets(n));
        let shapes = format!("logits {:?} and targets {:?}", z.shape(), y.shape());
        return Err(PyValueError::new_err(format!("{shapes}: the targets have to be {expected:?}")));
    }
    let (z, y) = (z.as_slice()?, y.as_slice()?);
    check_targets(loss, n, y)?;
    let (row_loss, dz) = work(py, || {
        let (mut row_loss, mut dz) = (vec![T::ZERO; m], vec![T::ZERO; m * n]);
        loss.rows(n, z, y, &mut dz, &mut row_loss);
        (row_loss, dz)
    })?;
    Ok((array(py, row_loss, &[m])?, array(py, dz, &[m, n])?))
}

/// Whether the loss of n outputs is defined for every target; y (m, n_targets).
///
/// # Errors
/// `ValueError` with the first target that it is not defined for.
pub fn check_targets<T: Float>(loss: &Loss, n: usize, y: &[T]) -> PyResult<()> {
    match y.iter().position(|&y| !loss.accepts(y, n)) {
        None => Ok(()),
        Some(i) => {
            let wanted = match loss {
                Loss::BinaryCrossEntropy { .. } => "numbers from 0 to 1".to_owned(),
                Loss::CrossEntropy { .. } => format!("class indices from 0 to {}", n - 1),
                Loss::Poisson => "numbers from 0 on".to_owned(),
                _ => "finite numbers".to_owned(),
            };
            let (name, row) = (loss.name(), i / loss.n_targets(n));
            Err(PyValueError::new_err(format!(
                "{name} takes {wanted}; the target of example {row} is {}",
                y[i]
            )))
        }
    }
}

/// Each row of x (m, n) divided by its Euclidean length; a row of zeros stays.
#[pyfunction]
pub fn normalize_rows<'py>(py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    at_precision!("x", x => normalize_rows_as(py, x))
}

fn normalize_rows_as<'py, T: Float>(py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let x = numbers::<T>("x", x)?;
    let view = matrix(&x)?;
    let normal = work(py, || wxb::array::normalize_rows(&view))?;
    array(py, normal.into_iter().collect(), x.shape())
}

/// The Euclidean length of each row of x (m, n).
#[pyfunction]
pub fn row_norms<'py>(py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    at_precision!("x", x => row_norms_as(py, x))
}

fn row_norms_as<'py, T: Float>(py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let x = numbers::<T>("x", x)?;
    let view = matrix(&x)?;
    let norms = work(py, || wxb::array::norm(&view, 1))?.map_err(|error| exception(&error))?;
    let m = norms.len();
    array(py, norms.into_iter().collect(), &[m])
}

fn matrix<'a, T: Float>(x: &'a numpy::PyReadonlyArrayDyn<'_, T>) -> PyResult<ArrayView2<'a, T>> {
    let [rows, columns] = shape2("x", x)?;
    ArrayView2::from_shape((rows, columns), x.as_slice()?)
        .map_err(|error| PyValueError::new_err(format!("x: {error}")))
}

/// W (n_in, n_out) as the first layer of a network gets it from its seed, before an activation.
#[pyfunction]
#[pyo3(signature = (initializer, activation, shape, seed, double))]
pub fn initial_weights<'py>(
    py: Python<'py>,
    initializer: &str,
    activation: &str,
    shape: [usize; 2],
    seed: u64,
    double: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (initializer, activation) = (parse("initializer", initializer)?, parse("activation", activation)?);
    if double {
        initial_weights_as::<f64>(py, (initializer, activation), shape, seed)
    } else {
        initial_weights_as::<f32>(py, (initializer, activation), shape, seed)
    }
}

fn initial_weights_as<'py, T: Float>(
    py: Python<'py>,
    (initializer, activation): (Initializer, Activation),
    [n_in, n_out]: [usize; 2],
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    // The output layer of a network has no activation, so W is that of a hidden layer.
    let layers = vec![
        Layer::Dense { n_in, n_out, activation },
        Layer::Dense { n_in: n_out, n_out: 1, activation: Activation::Identity },
    ];
    let network = work(py, || Network::<T>::with_layers(layers, Loss::SquaredError, initializer, seed))?
        .map_err(|error| exception(&error))?;
    array(py, network.params.dense(0).0.to_vec(), &[n_in, n_out])
}
