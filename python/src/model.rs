//! Networks as model files and back.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wxb::Loss;
use wxb::calibration::Calibration;
use wxb::data::target::{Label, Target};
use wxb::model_file::{AnyNetwork, Model, Part, Reading};

use crate::array::{Float, array, is_double};
use crate::error::exception;
use crate::network::Engine;

/// The bytes of a model file of one network that takes its inputs as they are; `record` is JSON.
#[pyfunction]
pub fn model_bytes<'py>(
    py: Python<'py>,
    engine: &Bound<'py, Engine>,
    flat: &Bound<'py, PyAny>,
    record: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let engine = engine.get();
    let network = if is_double("the parameters", flat)? {
        AnyNetwork::F64(engine.network(flat)?)
    } else {
        AnyNetwork::F32(engine.network(flat)?)
    };
    let (target, baseline) = target_of(&engine.loss, network.n_out())?;
    let record = serde_json::from_str(record).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let model = Model {
        parts: vec![Part { name: "network".into(), weight: 1.0, network, preprocess: None }],
        calibration: Calibration::None,
        residuals: None,
        target,
        target_name: None,
        baseline,
        reading: Reading::default(),
        record,
    };
    model.check().map_err(|error| exception(&error))?;
    Ok(PyBytes::new(py, &model.to_bytes()))
}

/// What the outputs stand for, and what is predicted without a look at the inputs, of which nothing is known here: each class
/// alike, and 0.
fn target_of(loss: &Loss, n_out: usize) -> PyResult<(Target, Vec<f64>)> {
    let classes = |count: usize| {
        let labels = (0..count).map(|class| Label::Number(class as f64)).collect();
        (Target::Classes { labels }, vec![1.0 / count as f64; count])
    };
    match loss {
        Loss::BinaryCrossEntropy { .. } if n_out == 1 => Ok(classes(2)),
        Loss::CrossEntropy { .. } => Ok(classes(n_out)),
        Loss::Quantile { levels } => Ok((Target::unscaled(), vec![0.0; levels.len()])),
        Loss::BinaryCrossEntropy { .. } => Err(several(n_out)),
        _ if n_out != 1 => Err(several(n_out)),
        _ => Ok((Target::unscaled(), vec![0.0])),
    }
}

fn several(n_out: usize) -> PyErr {
    PyValueError::new_err(format!(
        "a model file holds one target, and this network has {n_out}; pickle keeps networks of any kind"
    ))
}

/// A network of a model file: layers and loss, the parameters, whether it takes its inputs as they are, the record.
#[pyfunction]
pub fn network_of_model<'py>(
    py: Python<'py>,
    bytes: &[u8],
    part: Option<&str>,
) -> PyResult<(Engine, Bound<'py, PyAny>, bool, String)> {
    let model = Model::from_bytes(bytes).map_err(|error| exception(&error))?;
    let names: Vec<&str> = model.parts.iter().map(|part| part.name.as_str()).collect();
    let found = match (part, &model.parts[..]) {
        (None, [one]) => Some(one),
        (None, _) => None,
        (Some(name), parts) => parts.iter().find(|part| part.name == name),
    };
    let Some(found) = found else {
        let message = format!("the model has the networks {names:?}: name one of them as `part`");
        return Err(PyValueError::new_err(message));
    };
    let engine = Engine::of(found.network.layers().to_vec(), found.network.loss().clone())?;
    let flat = match &found.network {
        AnyNetwork::F32(network) => flat(py, &network.params.flat)?,
        AnyNetwork::F64(network) => flat(py, &network.params.flat)?,
    };
    Ok((engine, flat, found.preprocess.is_none(), model.record.to_string()))
}

fn flat<'py, T: Float>(py: Python<'py>, numbers: &[T]) -> PyResult<Bound<'py, PyAny>> {
    array(py, numbers.to_vec(), &[numbers.len()])
}
