//! Settings as JSON, in the form that model files hold them in: `{"adam": {"beta1": 0.9, …}}`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::de::DeserializeOwned;
use wxb::{Activation, Initializer, Optimizer, Schedule};

use crate::error::exception;

/// A setting; `what` names it in the error.
///
/// # Errors
/// `ValueError` for JSON of another form.
pub fn parse<S: DeserializeOwned>(what: &str, json: &str) -> PyResult<S> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(format!("{what}: {error} in {json}")))
}

/// Raises `ValueError` unless the JSON is a setting of a kind whose constants are in their ranges.
#[pyfunction]
pub fn check_setting(kind: &str, json: &str) -> PyResult<()> {
    match kind {
        "activation" => parse::<Activation>(kind, json)?.check(),
        "initializer" => parse::<Initializer>(kind, json)?.check(),
        "optimizer" => parse::<Optimizer>(kind, json)?.check(),
        "schedule" => parse::<Schedule>(kind, json)?.check(),
        _ => return Err(PyValueError::new_err(format!("no kind of setting: {kind}"))),
    }
    .map_err(|error| exception(&error))
}
