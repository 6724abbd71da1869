//! `fit`: the trainer's loop over NumPy arrays, with its events to Python and Ctrl-C from it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use numpy::PyReadonlyArrayDyn;
use numpy::ndarray::ArrayView2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;
use wxb::Loss;
use wxb::data::{Dataset, Inputs};
use wxb::metrics::Metric;
use wxb::model_file::Checkpoint;
use wxb::trainer::{EpochRecord, Event, Run, Stop, TrainConfig, fit};
use wxb_train::settings;

use crate::array::{Float, at_precision, numbers, numbers_mut};
use crate::error::exception;
use crate::network::{Engine, checked_weights, inputs_shape};
use crate::pool;
use crate::work::caught;

/// X (m, n₀), Y (m, n_targets), weights (m).
type Batch<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);
/// Epoch, step, training loss, validation loss and metric, learning rate, whether it is the best.
type Record = (u64, u64, f64, Option<f64>, Option<f64>, f64, bool);
/// The epochs, why it ended as JSON, where it stands.
type Trained = (Vec<Record>, String, State);

/// Where a training stands: weights, moments, what its rules count.
#[pyclass(module = "wxb._wxb", frozen)]
pub struct State(Standing);

enum Standing {
    Single(Run<f32>),
    Double(Run<f64>),
}

#[pymethods]
impl State {
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(
            py,
            &match &self.0 {
                Standing::Single(run) => Checkpoint::to_bytes(run, &Value::Null),
                Standing::Double(run) => Checkpoint::to_bytes(run, &Value::Null),
            },
        )
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        let single = Checkpoint::<f32>::from_bytes(bytes).map(|read| Standing::Single(read.run));
        let any =
            single.or_else(|_| Checkpoint::<f64>::from_bytes(bytes).map(|read| Standing::Double(read.run)));
        any.map(Self).map_err(|error| exception(&error))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("from_bytes")?, (slf.get().to_bytes(slf.py()),)))
    }
}

/// A precision's part of a state.
trait Stands: Float {
    fn run(state: &State) -> Option<&Run<Self>>;
    fn state(run: Run<Self>) -> State;
}

impl Stands for f32 {
    fn run(state: &State) -> Option<&Run<f32>> {
        if let Standing::Single(run) = &state.0 { Some(run) } else { None }
    }

    fn state(run: Run<f32>) -> State {
        State(Standing::Single(run))
    }
}

impl Stands for f64 {
    fn run(state: &State) -> Option<&Run<f64>> {
        if let Standing::Double(run) = &state.0 { Some(run) } else { None }
    }

    fn state(run: Run<f64>) -> State {
        State(Standing::Double(run))
    }
}

/// Trains parameters in place, or goes on from a state. The configuration holds what differs from the trainer's defaults; `on_epoch`
/// gets the record of each epoch, whose parameters it finds in `flat`, and ends the training with `True`.
///
/// # Errors
/// Whatever `on_epoch` raises, and `KeyboardInterrupt`; the parameters are then the best so far.
#[pyfunction]
pub fn train<'py>(
    py: Python<'py>,
    engine: &Bound<'py, Engine>,
    flat: &Bound<'py, PyAny>,
    config: &str,
    data: (Batch<'py>, Option<Batch<'py>>),
    on_epoch: Option<Py<PyAny>>,
    start: (usize, Option<Bound<'py, State>>),
) -> PyResult<Trained> {
    let (config, (train, valid), (threads, from)) = (config_of(config)?, data, start);
    let engine = engine.get();
    at_precision!("the parameters", flat => train_as(py, engine, flat, &config, (&train, valid.as_ref()), (on_epoch, threads, from)))
}

/// The defaults with other values for some keys.
fn config_of(json: &str) -> PyResult<TrainConfig> {
    let refuse = |error: serde_json::Error| PyValueError::new_err(format!("settings: {error} in {json}"));
    let mut config = serde_json::to_value(TrainConfig::default()).map_err(refuse)?;
    let given: serde_json::Map<String, Value> = serde_json::from_str(json).map_err(refuse)?;
    given.into_iter().for_each(|(key, value)| config[key] = value);
    let config: TrainConfig = serde_json::from_value(config).map_err(refuse)?;
    config.check().map_err(|error| exception(&error))?;
    Ok(config)
}

/// Whether a metric can be told of such outputs: of several numbers, and of several labels, only the loss is.
fn check_metric(metric: Option<Metric>, loss: &Loss, n_out: usize) -> PyResult<()> {
    let Some(metric) = metric else { return Ok(()) };
    settings::metric(metric.name(), loss).map_err(|error| exception(&error))?;
    match loss {
        Loss::CrossEntropy { .. } | Loss::Quantile { .. } => Ok(()),
        _ if n_out == 1 => Ok(()),
        _ => Err(PyValueError::new_err(format!(
            "metric={:?}: of {n_out} outputs with this loss no metric is known, only the loss; leave metric out",
            metric.name()
        ))),
    }
}

/// The arrays of a batch, which stay as long as a data set looks at them.
struct Held<'py, T: Float> {
    x: PyReadonlyArrayDyn<'py, T>,
    y: PyReadonlyArrayDyn<'py, T>,
    weights: Option<PyReadonlyArrayDyn<'py, T>>,
}

impl<'py, T: Float> Held<'py, T> {
    fn new((x, y, weights): &Batch<'py>) -> PyResult<Self> {
        let weights = weights.as_ref().map(|weights| numbers("sample_weight", weights)).transpose()?;
        Ok(Self { x: numbers("X", x)?, y: numbers("Y", y)?, weights })
    }

    fn data(&self, [m, n_in]: [usize; 2], n_targets: usize) -> PyResult<Dataset<'_, T>> {
        let x = ArrayView2::from_shape((m, n_in), self.x.as_slice()?)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let data = Dataset::new(Inputs::Dense(x), self.y.as_slice()?, n_targets);
        let data = data.map_err(|error| exception(&error))?;
        match &self.weights {
            None => Ok(data),
            Some(weights) => {
                let weights = checked_weights(m, weights.as_slice()?)?;
                data.with_weights(weights).map_err(|error| exception(&error))
            }
        }
    }
}

fn train_as<'py, T: Stands>(
    py: Python<'py>,
    engine: &Engine,
    flat: &Bound<'py, PyAny>,
    config: &TrainConfig,
    (train, valid): (&Batch<'py>, Option<&Batch<'py>>),
    (on_epoch, threads, from): (Option<Py<PyAny>>, usize, Option<Bound<'py, State>>),
) -> PyResult<Trained> {
    let network = engine.network::<T>(flat)?;
    check_metric(config.metric, network.loss(), network.n_out())?;
    let n_targets = network.n_targets();
    let train = Held::<T>::new(train)?;
    let valid = valid.map(Held::<T>::new).transpose()?;
    let shape = inputs_shape(&network, &train.x)?;
    let valid_shape = valid.as_ref().map_or(Ok(shape), |valid| inputs_shape(&network, &valid.x))?;
    let data = train.data(shape, n_targets)?;
    let valid = valid.as_ref().map(|valid| valid.data(valid_shape, n_targets)).transpose()?;
    let mut run = match &from {
        None => Run::new(network, config).map_err(|error| exception(&error))?,
        Some(from) => T::run(from.get())
            .filter(|run| run.network.layers() == network.layers() && run.network.loss() == network.loss())
            .cloned()
            .ok_or_else(|| PyValueError::new_err("the training to go on with is one of another network"))?,
    };
    let (pool, signalled) = (pool::of(threads)?, AtomicBool::new(false));
    let mut listener =
        Listener { on_epoch, flat: flat.clone().unbind(), signalled: &signalled, raised: None };
    let (stop, signal) = pool::work(py, &pool, &signalled, || {
        caught(|| fit(&mut run, &data, valid.as_ref(), config, &mut |event| listener.hear(&event)))
    });
    let stop = stop?.map_err(|error| exception(&error))?;
    numbers_mut::<T>("the parameters", flat)?.as_slice_mut()?.copy_from_slice(&run.best.flat);
    if let Some(raised) = signal.or(listener.raised) {
        return Err(raised);
    }
    let stop = serde_json::to_string(&stop).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((run.history.iter().map(of_python).collect(), stop, T::state(run)))
}

fn of_python(record: &EpochRecord) -> Record {
    let EpochRecord { epoch, step, train_loss, valid_loss, valid_metric, lr, best } = *record;
    (epoch, step, train_loss, valid_loss, valid_metric, lr, best)
}

/// What hears the events of a training, without the interpreter.
struct Listener<'a> {
    on_epoch: Option<Py<PyAny>>,
    flat: Py<PyAny>,
    /// Whether the thread that waits has heard Ctrl-C.
    signalled: &'a AtomicBool,
    raised: Option<PyErr>,
}

impl Listener<'_> {
    fn hear<T: Float>(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        // Of the last step of an epoch the trainer hears nothing: its epoch is finished first.
        if self.raised.is_some() || self.signalled.load(Ordering::Relaxed) {
            return ControlFlow::Break(Stop::Interrupted);
        }
        let goes_on = match event {
            Event::Epoch { record, run } => self.tell(record, &run.network.params.flat),
            _ => Ok(true),
        };
        match goes_on {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(Stop::Interrupted),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(Stop::Interrupted)
            }
        }
    }

    /// Whether the training goes on.
    fn tell<T: Float>(&self, record: &EpochRecord, parameters: &[T]) -> PyResult<bool> {
        let Some(on_epoch) = &self.on_epoch else { return Ok(true) };
        Python::attach(|py| {
            numbers_mut::<T>("the parameters", self.flat.bind(py))?
                .as_slice_mut()?
                .copy_from_slice(parameters);
            let answer = on_epoch.bind(py).call1((of_python(record),))?;
            Ok(!answer.extract::<bool>().unwrap_or(false))
        })
    }
}
