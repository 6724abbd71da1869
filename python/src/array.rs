//! NumPy arrays as slices, in either precision.

use numpy::ndarray::NdFloat;
use numpy::{Element, PyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use wxb::Real;

/// `f32` or `f64`, as the engine, NumPy and `ndarray` know them.
pub trait Float: Real + Element + NdFloat {
    /// Whether it is finite and not negative.
    fn is_weight(self) -> bool {
        Real::is_finite(self) && self >= Self::ZERO
    }
}
impl Float for f32 {}
impl Float for f64 {}

/// Whether an array is one of `float64`; the alternative is `float32`.
///
/// # Errors
/// `TypeError` for anything else.
pub fn is_double(what: &str, array: &Bound<'_, PyAny>) -> PyResult<bool> {
    match (array.cast::<PyArrayDyn<f64>>().is_ok(), array.cast::<PyArrayDyn<f32>>().is_ok()) {
        (false, false) => Err(PyTypeError::new_err(format!("{what} is no array of float32 or float64"))),
        (double, _) => Ok(double),
    }
}

/// `$f::<T>(…)`, T the precision of `$array`.
macro_rules! at_precision {
    ($what:literal, $array:expr => $f:ident($($argument:expr),* $(,)?)) => {
        if $crate::array::is_double($what, $array)? {
            $f::<f64>($($argument),*)
        } else {
            $f::<f32>($($argument),*)
        }
    };
}
pub(crate) use at_precision;

/// An array to be read, in row-major order, so that `as_slice` has its numbers.
///
/// # Errors
/// `TypeError` for another precision, `ValueError` for another order or an array that is being written to.
pub fn numbers<'py, T: Float>(what: &str, array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let Ok(array) = array.cast::<PyArrayDyn<T>>() else {
        return Err(PyTypeError::new_err(format!("{what} is no array of {}", T::NAME)));
    };
    if !array.is_c_contiguous() {
        return Err(PyValueError::new_err(format!("{what} is not in row-major order")));
    }
    array.try_readonly().map_err(|error| PyValueError::new_err(format!("{what}: {error}")))
}

/// An array to be written, in row-major order.
///
/// # Errors
/// As [`numbers`]; `ValueError` for one that may not be written, or shares memory with another of the call.
pub fn numbers_mut<'py, T: Float>(
    what: &str,
    array: &Bound<'py, PyAny>,
) -> PyResult<numpy::PyReadwriteArrayDyn<'py, T>> {
    let Ok(array) = array.cast::<PyArrayDyn<T>>() else {
        return Err(PyTypeError::new_err(format!("{what} is no array of {}", T::NAME)));
    };
    if !array.is_c_contiguous() {
        return Err(PyValueError::new_err(format!("{what} is not in row-major order")));
    }
    array.try_readwrite().map_err(|error| PyValueError::new_err(format!("{what}: {error}")))
}

/// (rows, columns) of an array of two axes.
///
/// # Errors
/// `ValueError` for another number of axes.
pub fn shape2<T: Float>(what: &str, array: &PyReadonlyArrayDyn<'_, T>) -> PyResult<[usize; 2]> {
    match array.shape() {
        &[rows, columns] => Ok([rows, columns]),
        shape => Err(PyValueError::new_err(format!("{what} has the shape {shape:?}, not two axes"))),
    }
}

/// A new array of some shape.
///
/// # Errors
/// `ValueError` if the numbers are not as many as the shape says.
pub fn array<'py, T: Float>(
    py: Python<'py>,
    numbers: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let array = PyArray::from_vec(py, numbers).reshape(shape.to_vec())?;
    Ok(array.into_any())
}
