//! `Learner`: a network that trains on NumPy's arrays in scikit-learn's manner, behind the estimators.

mod bytes;
pub mod examples;
mod full_batch;
mod job;
mod learning;
mod order;
mod plan;
mod score;

use std::sync::{Arc, Mutex, PoisonError};

use numpy::ndarray::ArrayView2;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use wxb::optimizer::Optimizer;
use wxb::step::{Cache, Keep};
use wxb::{Initializer, Layer, Loss, Network, Real};

use crate::error::exception;
use crate::pool;
use crate::settings::parse;
use examples::{HeldRows, Number, Rows};
use job::{Job, Outcome, Part, train_on};
use learning::{Learning, Listener};
use order::Twister;
use score::{Output, outputs};
pub use score::{are_finite, class_of};

/// Multiplications of a prediction that is made where it is asked for, without other threads: some microseconds.
const SMALL: usize = 1 << 19;
/// Rows of such a prediction.
const FEW_ROWS: usize = 16;

#[derive(Clone)]
enum State {
    Single(Learning<f32>),
    Double(Learning<f64>),
}

/// `$body` with `$learning` the network in its precision.
macro_rules! either {
    ($state:expr, $learning:ident => $body:expr) => {
        match $state {
            State::Single($learning) => $body,
            State::Double($learning) => $body,
        }
    };
}

/// Buffers for predictions of a few rows.
#[derive(Default)]
struct Scratch {
    single: Option<Cache<f32>>,
    double: Option<Cache<f64>>,
}

/// A precision's part of what is kept for both.
trait Precision: Number {
    fn scratch(scratch: &mut Scratch) -> &mut Option<Cache<Self>>;
}

impl Precision for f32 {
    fn scratch(scratch: &mut Scratch) -> &mut Option<Cache<f32>> {
        &mut scratch.single
    }
}

impl Precision for f64 {
    fn scratch(scratch: &mut Scratch) -> &mut Option<Cache<f64>> {
        &mut scratch.double
    }
}

/// A network, its moments, and what scikit-learn's rules count.
#[pyclass(module = "wxb._wxb", frozen)]
pub struct Learner {
    /// Away while it is trained. Locked for a moment only, never while somebody waits for the interpreter: whoever reads holds a share.
    state: Mutex<Option<Arc<State>>>,
    scratch: Mutex<Scratch>,
}

#[pymethods]
impl Learner {
    /// A network of layers and a loss, in `"f32"` or `"f64"`; its parameters are `flat`, or drawn.
    #[new]
    #[pyo3(signature = (precision, layers, loss, optimizer, lr, flat=None, initializer="\"auto\"", seed=0))]
    #[expect(clippy::too_many_arguments, reason = "each is named where it is called")]
    fn new(
        precision: &str,
        layers: &str,
        loss: &str,
        optimizer: &str,
        lr: f64,
        flat: Option<PyReadonlyArray1<'_, f64>>,
        initializer: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let (layers, loss): (Vec<Layer>, Loss) = (parse("layers", layers)?, parse("loss", loss)?);
        let (optimizer, initializer) = (parse("optimizer", optimizer)?, parse("initializer", initializer)?);
        let rule = (initializer, seed);
        let flat = flat.as_ref().map(|flat| flat.as_slice()).transpose()?;
        Ok(Self::of(match precision {
            "f32" => State::Single(begin(layers, loss, (optimizer, lr), flat, rule)?),
            _ => State::Double(begin(layers, loss, (optimizer, lr), flat, rule)?),
        }))
    }

    /// Trains on (x, y, weights). `valid`: other rows that judge the epochs; `rows`: which rows of x train, and which judge.
    /// `listener`: what is called after each epoch, and whether it looks at the weights.
    #[pyo3(signature = (plan, train, valid=None, rows=(None, None), twister=None, threads=0, listener=None))]
    #[expect(clippy::too_many_arguments, reason = "each is named where it is called")]
    fn fit<'py>(
        &self,
        py: Python<'py>,
        plan: &str,
        train: Part<'py>,
        valid: Option<Part<'py>>,
        rows: (Option<PyReadonlyArray1<'py, u32>>, Option<PyReadonlyArray1<'py, u32>>),
        twister: Option<(PyReadonlyArray1<'py, u32>, usize)>,
        threads: usize,
        listener: Option<(Py<PyAny>, bool)>,
    ) -> PyResult<Outcome> {
        let plan = parse("plan", plan)?;
        let twister = match twister {
            Some((key, position)) => Some(
                Twister::from_state(key.as_slice()?, position)
                    .ok_or_else(|| PyValueError::new_err("no state of a Mersenne twister"))?,
            ),
            None => None,
        };
        let mut state = self.take()?;
        let listener = listener.map(|(on_epoch, wants_weights)| Listener { on_epoch, wants_weights });
        let job = Job { plan, twister, threads, listener };
        let outcome =
            either!(&mut state, learning => train_on(py, learning, [Some(train), valid], rows, job));
        self.put(state);
        outcome
    }

    /// Outputs (m, n_L): probabilities, rates or values. `None` unless x is an array (m, n₀) of the network's precision, or a matrix in
    /// compressed rows, that has rows and whose numbers are all finite.
    #[pyo3(signature = (x, logits=false, threads=0))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        logits: bool,
        threads: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let output = if logits { Output::Logits } else { Output::Linked };
        self.with(|state| {
            either!(state, learning => {
                let Some((values, n)) = self.outputs(py, learning, x, output, threads)? else { return Ok(None) };
                let rows = values.len() / n;
                Ok(Some(PyArray1::from_vec(py, values).reshape([rows, n])?.into_any()))
            })
        })
    }

    /// The place of the class (m) of each row, in the same way.
    #[pyo3(signature = (x, threads=0))]
    fn classes<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Option<Bound<'py, PyArray1<isize>>>> {
        self.with(|state| {
            either!(state, learning => {
                let Some((z, n)) = self.outputs(py, learning, x, Output::Logits, threads)? else { return Ok(None) };
                let classes = z.chunks_exact(n).map(|z| class_of(z) as isize).collect();
                Ok(Some(PyArray1::from_vec(py, classes)))
            })
        })
    }

    /// All parameters: W₁, b₁, W₂, ….
    fn flat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.with(|state| {
            Ok(either!(state, learning => {
                PyArray1::from_slice(py, &learning.run.network.params.flat).into_any()
            }))
        })
    }

    /// Takes all parameters, at the precision of the network.
    fn set_flat(&self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut state = self.take()?;
        let done = either!(&mut state, learning => copy_flat(values, &mut learning.run.network.params.flat));
        self.put(state);
        done
    }

    /// `"f32"` or `"f64"`.
    #[getter]
    fn precision(&self) -> PyResult<&'static str> {
        self.with(|state| {
            Ok(match state {
                State::Single(_) => f32::NAME,
                State::Double(_) => f64::NAME,
            })
        })
    }

    /// Whether all parameters are finite.
    #[getter]
    fn is_finite(&self) -> PyResult<bool> {
        self.with(|state| {
            Ok(either!(state, learning => learning.run.network.params.first_non_finite().is_none()))
        })
    }

    /// α.
    #[getter]
    fn learning_rate(&self) -> PyResult<f64> {
        self.with(|state| Ok(either!(state, learning => learning.lr)))
    }

    /// Examples seen.
    #[getter]
    fn seen(&self) -> PyResult<u64> {
        self.with(|state| Ok(either!(state, learning => learning.seen)))
    }

    /// Epochs without an improvement.
    #[getter]
    fn stale(&self) -> PyResult<u64> {
        self.with(|state| Ok(either!(state, learning => learning.stale)))
    }

    /// The lowest loss and the highest score of an epoch.
    #[getter]
    fn best(&self) -> PyResult<(f64, f64)> {
        self.with(|state| Ok(either!(state, learning => (learning.best_loss, learning.best_score))))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = slf.get().with(|state| either!(state, learning => learning.to_bytes()))?;
        Ok((slf.get_type().getattr("from_bytes")?, (PyBytes::new(slf.py(), &bytes),)))
    }

    /// What `__reduce__` gave.
    #[classmethod]
    fn from_bytes(_class: &Bound<'_, PyType>, bytes: &[u8]) -> PyResult<Self> {
        Ok(Self::of(match &bytes::precision(bytes)?[..] {
            "f32" => State::Single(Learning::from_bytes(bytes)?),
            _ => State::Double(Learning::from_bytes(bytes)?),
        }))
    }
}

impl Learner {
    fn of(state: State) -> Self {
        Self { state: Mutex::new(Some(Arc::new(state))), scratch: Mutex::default() }
    }

    fn with<R>(&self, read: impl FnOnce(&State) -> PyResult<R>) -> PyResult<R> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        read(&*state.ok_or_else(in_training)?)
    }

    /// For a change: a copy, where somebody reads it at this moment.
    fn take(&self) -> PyResult<State> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Arc::unwrap_or_clone(state.ok_or_else(in_training)?))
    }

    fn put(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(state));
    }

    /// Outputs of all rows, and how many a row has.
    fn outputs<T: Precision>(
        &self,
        py: Python<'_>,
        learning: &Learning<T>,
        x: &Bound<'_, PyAny>,
        output: Output,
        threads: usize,
    ) -> PyResult<Option<(Vec<T>, usize)>> {
        let network = &learning.run.network;
        let held = match x.cast::<PyArray2<T>>() {
            Ok(x) if x.shape()[1] != network.n_in() => return Ok(None),
            Err(_) if x.getattr("dtype").is_ok() => return Ok(None),
            _ => HeldRows::new(x)?,
        };
        let rows = held.rows()?;
        if rows.width() != network.n_in() || rows.count() == 0 {
            return Ok(None);
        }
        let multiplications = rows.count() * network.params.flat.len();
        let values = if rows.count() <= FEW_ROWS && multiplications < SMALL {
            self.outputs_at_once(network, &rows, output)
        } else {
            let pool = pool::of(threads)?;
            py.detach(|| {
                pool.install(|| {
                    let mut cache = wxb::evaluate::cache_for(network, rows.count());
                    outputs(network, &rows, output, &mut cache)
                })
            })
        };
        Ok(values.map(|values| (values, network.n_out())))
    }

    /// Outputs of a few rows, in buffers that are kept.
    fn outputs_at_once<T: Precision>(
        &self,
        network: &Network<T>,
        rows: &Rows<'_, T>,
        output: Output,
    ) -> Option<Vec<T>> {
        let Ok(mut scratch) = self.scratch.try_lock() else {
            return outputs(network, rows, output, &mut Cache::new(network, FEW_ROWS, Keep::Needed));
        };
        let cache = T::scratch(&mut scratch);
        let cache = cache.get_or_insert_with(|| Cache::new(network, FEW_ROWS, Keep::Needed));
        outputs(network, rows, output, cache)
    }
}

fn begin<T: Number>(
    layers: Vec<Layer>,
    loss: Loss,
    (optimizer, lr): (Optimizer, f64),
    flat: Option<&[f64]>,
    (initializer, seed): (Initializer, u64),
) -> PyResult<Learning<T>> {
    let network = match flat {
        Some(flat) => Network::from_flat(layers, loss, flat.iter().map(|&w| T::of(w)).collect()),
        None => Network::with_layers(layers, loss, initializer, seed),
    };
    let learning = network.and_then(|network| Learning::new(network, optimizer, lr));
    learning.map_err(|error| exception(&error))
}

fn copy_flat<T: Number>(values: &Bound<'_, PyAny>, flat: &mut [T]) -> PyResult<()> {
    let values = values.extract::<PyReadonlyArray1<'_, T>>()?;
    let values = values.as_slice()?;
    if flat.len() != values.len() {
        let message = format!("{} parameters for a network of {}", values.len(), flat.len());
        return Err(PyValueError::new_err(message));
    }
    flat.copy_from_slice(values);
    Ok(())
}

fn in_training() -> PyErr {
    PyRuntimeError::new_err("the network is being trained")
}

/// Whether no number of an array is infinite or NaN; nothing is written to find out.
#[pyfunction]
pub fn all_finite(py: Python<'_>, x: &Bound<'_, PyAny>) -> PyResult<bool> {
    fn finite<T: Number>(py: Python<'_>, x: ArrayView2<'_, T>) -> bool {
        py.detach(|| match x.as_slice_memory_order() {
            Some(x) => x.chunks(1 << 14).all(are_finite),
            None => x.iter().all(|x| x.is_finite()),
        })
    }
    if let Ok(x) = x.cast::<PyArray2<f32>>() {
        return Ok(finite(py, x.try_readonly()?.as_array()));
    }
    let x = x.cast::<PyArray2<f64>>().map_err(|_| PyTypeError::new_err("not a matrix of numbers"))?;
    Ok(finite(py, x.try_readonly()?.as_array()))
}
