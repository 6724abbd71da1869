//! A network without its parameters, which are NumPy's: layers and loss, and what is done with parameters that are handed in.

use std::sync::atomic::{AtomicBool, Ordering};

use numpy::PyUntypedArrayMethods;
use numpy::ndarray::ArrayView2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wxb::data::Inputs;
use wxb::evaluate::{Output, predict};
use wxb::gradcheck::gradcheck_until;
use wxb::layer::Slot;
use wxb::network::{Blocks, mlp};
use wxb::step::{Cache, Keep, Mode};
use wxb::{Activation, Initializer, Layer, Loss, Network, Params};

use crate::array::{Float, array, at_precision, numbers, shape2};
use crate::error::exception;
use crate::functional::check_targets;
use crate::pass::{Kept, Pass};
use crate::pool;
use crate::settings::parse;
use crate::work::{caught, work, work_on_threads};

/// Layers and loss.
#[pyclass(frozen, module = "wxb._wxb")]
#[derive(Debug)]
pub struct Engine {
    pub(crate) layers: Vec<Layer>,
    pub(crate) loss: Loss,
    slots: Vec<Slot>,
}

/// Name, role, layer, offset, rows, columns, whether it is learned.
type SlotOfPython = (String, String, usize, usize, usize, usize, bool);
/// Name, how many of how many were compared, ‖dW‖, relative error, the worst: index, analytic, numeric.
type CheckOfPython = (String, (usize, usize), f64, f64, (usize, f64, f64));

impl Engine {
    pub(crate) fn of(layers: Vec<Layer>, loss: Loss) -> PyResult<Self> {
        // A network of zeros is built once, for its checks.
        let network = Network::<f32>::with_layers(layers, loss, Initializer::Zeros, 0)
            .map_err(|error| exception(&error))?;
        let (layers, loss) = (network.layers().to_vec(), network.loss().clone());
        Ok(Self { layers, loss, slots: network.params.slots().to_vec() })
    }

    /// The network of some parameters.
    pub(crate) fn network<T: Float>(&self, flat: &Bound<'_, PyAny>) -> PyResult<Network<T>> {
        let flat = numbers::<T>("the parameters", flat)?.as_slice()?.to_vec();
        Network::from_flat(self.layers.clone(), self.loss.clone(), flat).map_err(|error| exception(&error))
    }
}

#[pymethods]
impl Engine {
    /// From the JSON of layers and loss.
    #[new]
    fn new(layers: &str, loss: &str) -> PyResult<Self> {
        Self::of(parse("layers", layers)?, parse("loss", loss)?)
    }

    /// Layers of sizes n₀, …, n_L, an activation for each hidden one; blocks are dropout, batch normalisation, residuals.
    #[staticmethod]
    fn mlp(sizes: Vec<usize>, hidden: Vec<String>, blocks: (f64, bool, bool), loss: &str) -> PyResult<Self> {
        let hidden = hidden.iter().map(|g| parse("activation", g)).collect::<PyResult<Vec<Activation>>>()?;
        let (dropout, batch_norm, residual) = blocks;
        let blocks = Blocks { dropout, batch_norm, residual };
        let layers = mlp(&sizes, &hidden, blocks).map_err(|error| exception(&error))?;
        Self::of(layers, parse("loss", loss)?)
    }

    /// The layers as JSON.
    #[getter]
    fn layers(&self) -> PyResult<String> {
        in_json(&self.layers)
    }

    /// The loss as JSON.
    #[getter]
    fn loss(&self) -> PyResult<String> {
        in_json(&self.loss)
    }

    /// Where each tensor lies in the parameters.
    #[getter]
    fn slots(&self) -> Vec<SlotOfPython> {
        let of_python = |slot: &Slot| {
            let role = format!("{:?}", slot.role).to_lowercase();
            let place = (slot.offset, slot.rows, slot.columns);
            (slot.name.clone(), role, slot.layer, place.0, place.1, place.2, slot.role.is_learned())
        };
        self.slots.iter().map(of_python).collect()
    }

    /// n₀, n₁, …, n_L.
    #[getter]
    fn sizes(&self) -> Vec<usize> {
        let units = self.layers.iter().filter_map(Layer::units);
        self.layers[0].n_in().into_iter().chain(units.map(|[_, n_out]| n_out)).collect()
    }

    /// How many outputs each layer has.
    #[getter]
    fn outputs(&self) -> Vec<usize> {
        let mut width = self.layers[0].n_in().unwrap_or(0);
        let after = |layer: &Layer| {
            width = layer.n_out(width);
            width
        };
        self.layers.iter().map(after).collect()
    }

    /// How many target columns an example has.
    #[getter]
    fn n_targets(&self) -> usize {
        self.loss.n_targets(self.sizes().last().copied().unwrap_or(0))
    }

    /// k, 1 where there are no members.
    #[getter]
    fn members(&self) -> usize {
        self.layers.iter().find_map(Layer::members).unwrap_or(1)
    }

    /// Initial parameters.
    fn initial<'py>(
        &self,
        py: Python<'py>,
        initializer: &str,
        seed: u64,
        double: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let initializer = parse("initializer", initializer)?;
        if double {
            initial_as::<f64>(py, self, initializer, seed)
        } else {
            initial_as::<f32>(py, self, initializer, seed)
        }
    }

    /// Predictions (m, n_L) of inputs (m, n₀), or with `linked` false their logits.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        flat: &Bound<'py, PyAny>,
        x: &Bound<'py, PyAny>,
        linked: bool,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let output = if linked { Output::Linked } else { Output::Logits };
        at_precision!("the parameters", flat => predict_as(py, self, flat, x, (output, threads)))
    }

    /// A pass over inputs (m, n₀). In training, masks are drawn from (seed, step), unless they are given: (layer, mask) pairs.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        flat: &Bound<'py, PyAny>,
        x: &Bound<'py, PyAny>,
        training: Option<(u64, u64)>,
        masks: Option<Vec<(usize, Bound<'py, PyAny>)>>,
        threads: usize,
    ) -> PyResult<Pass> {
        let mode = match (training, &masks) {
            (Some(_), Some(_)) => Mode::SameMasks,
            (Some((seed, step)), None) => Mode::Training { seed, step, dropout: 1.0 },
            (None, _) => Mode::Predicting,
        };
        let masks = masks.unwrap_or_default();
        at_precision!("the parameters", flat => forward_as(py, self, flat, x, (mode, &masks, threads)))
    }

    /// The gradient against central differences, in double precision, at the mode of the last argument: (seed, step) of a training
    /// pass, or none.
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn gradcheck<'py>(
        &self,
        py: Python<'py>,
        flat: &Bound<'py, PyAny>,
        batch: (Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>),
        per_tensor: usize,
        seed: u64,
        training: Option<(u64, u64)>,
        threads: usize,
    ) -> PyResult<Vec<CheckOfPython>> {
        let network = self.network::<f64>(flat)?;
        let (x, y, weights) = batch;
        let mut kept = Kept::new(network, &x, threads)?;
        kept.load(&y, weights.as_ref())?;
        let mode = match training {
            Some((seed, step)) => Mode::Training { seed, step, dropout: 1.0 },
            None => Mode::Predicting,
        };
        let (pool, stop) = (pool::of(threads)?, AtomicBool::new(false));
        let (checks, signal) = pool::work(py, &pool, &stop, || {
            let Kept { network, cache, m, .. } = &mut kept;
            let mut breaks_off = || stop.load(Ordering::Relaxed);
            caught(|| gradcheck_until(network, cache, *m, mode, (per_tensor, seed), &mut breaks_off))
        });
        let (None, Some(checks)) = (&signal, checks?) else {
            return Err(signal.expect("a signal broke it off"));
        };
        let of_python = |check: wxb::gradcheck::TensorCheck| {
            (check.name, check.compared, check.norm, check.relative_error, check.worst)
        };
        Ok(checks.into_iter().map(of_python).collect())
    }
}

fn in_json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn initial_as<'py, T: Float>(
    py: Python<'py>,
    engine: &Engine,
    initializer: Initializer,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let (layers, loss) = (engine.layers.clone(), engine.loss.clone());
    let network = work(py, || Network::<T>::with_layers(layers, loss, initializer, seed))?
        .map_err(|error| exception(&error))?;
    let Params { flat, .. } = network.params;
    let length = flat.len();
    array(py, flat.into(), &[length])
}

fn predict_as<'py, T: Float>(
    py: Python<'py>,
    engine: &Engine,
    flat: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    (output, threads): (Output, usize),
) -> PyResult<Bound<'py, PyAny>> {
    let (network, x) = (engine.network::<T>(flat)?, numbers::<T>("X", x)?);
    let [m, n_in] = inputs_shape(&network, &x)?;
    let count = u32::try_from(m).map_err(|_| PyValueError::new_err(format!("{m} examples are too many")))?;
    let view = ArrayView2::from_shape((m, n_in), x.as_slice()?)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let values = work_on_threads(py, threads, || {
        let rows: Vec<u32> = (0..count).collect();
        let values = predict(&network, &Inputs::Dense(view), &rows, output);
        values.into_iter().map(T::of).collect::<Vec<T>>()
    })?;
    array(py, values, &[m, network.n_out()])
}

/// (m, n₀) of inputs that fit the network.
///
/// # Errors
/// `ValueError` for another n₀.
pub fn inputs_shape<T: Float>(
    network: &Network<T>,
    x: &numpy::PyReadonlyArrayDyn<'_, T>,
) -> PyResult<[usize; 2]> {
    let [m, n_in] = shape2("X", x)?;
    if n_in != network.n_in() {
        let message = format!("X has {n_in} inputs for each example, the network takes {}", network.n_in());
        return Err(PyValueError::new_err(message));
    }
    Ok([m, n_in])
}

fn forward_as<'py, T: Float>(
    py: Python<'py>,
    engine: &Engine,
    flat: &Bound<'py, PyAny>,
    x: &Bound<'py, PyAny>,
    (mode, masks, threads): (Mode, &[(usize, Bound<'py, PyAny>)], usize),
) -> PyResult<Pass>
where
    Kept<T>: Into<Pass>,
{
    let mut kept = Kept::new(engine.network::<T>(flat)?, x, threads)?;
    for (layer, mask) in masks {
        kept.set_mask(*layer, mask)?;
    }
    work_on_threads(py, threads, || kept.forward(mode))?;
    Ok(kept.into())
}

impl<T: Float> Kept<T> {
    /// A cache for exactly these inputs (m, n₀), filled with them.
    pub(crate) fn new(network: Network<T>, x: &Bound<'_, PyAny>, threads: usize) -> PyResult<Self> {
        let x = numbers::<T>("X", x)?;
        let [m, _] = inputs_shape(&network, &x)?;
        if m == 0 {
            return Err(PyValueError::new_err("X has no example"));
        }
        let mut cache = Cache::new(&network, m, Keep::AllZ);
        let all = x.as_slice()?.len();
        cache.x[..all].copy_from_slice(x.as_slice()?);
        Ok(Self { network, cache, m, threads })
    }

    /// Targets (m, n_targets) and weights (m) into the cache.
    pub(crate) fn load(&mut self, y: &Bound<'_, PyAny>, weights: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let y = numbers::<T>("Y", y)?;
        let expected = [self.m, self.network.n_targets()];
        if y.shape() != expected {
            let message = format!("Y has the shape {:?}, not {expected:?}", y.shape());
            return Err(PyValueError::new_err(message));
        }
        let targets = y.as_slice()?;
        check_targets(self.network.loss(), self.network.n_out(), targets)?;
        self.cache.y[..targets.len()].copy_from_slice(targets);
        self.cache.weights.clear();
        if let Some(weights) = weights {
            let weights = numbers::<T>("sample_weight", weights)?;
            self.cache.weights.extend_from_slice(checked_weights(self.m, weights.as_slice()?)?);
        }
        Ok(())
    }
}

/// The weights themselves.
///
/// # Errors
/// `ValueError` unless there is one for each example, finite and from 0 on, and not all are 0.
pub fn checked_weights<T: Float>(m: usize, weights: &[T]) -> PyResult<&[T]> {
    let fits = |w: &T| Float::is_weight(*w);
    if weights.len() != m || !weights.iter().all(fits) || weights.iter().all(|w| *w == T::ZERO) {
        let message =
            format!("sample_weight has to be {m} numbers, one for each example, from 0 on and not all 0");
        return Err(PyValueError::new_err(message));
    }
    Ok(weights)
}
