//! A forward pass that is kept: every Z, A and mask, and the gradients that go back through it.

use numpy::PyUntypedArrayMethods;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wxb::step::{Cache, Mode, backward, forward, loss, track};
use wxb::{Layer, Network};

use crate::array::{Float, array, numbers, numbers_mut};
use crate::work::work_on_threads;

/// The network as it was in the pass, and the cache of it.
#[derive(Debug)]
pub struct Kept<T> {
    pub(crate) network: Network<T>,
    pub(crate) cache: Cache<T>,
    pub(crate) m: usize,
    /// What it and its gradients are calculated on.
    pub(crate) threads: usize,
}

/// A pass of either precision.
#[pyclass(module = "wxb._wxb")]
#[derive(Debug)]
pub struct Pass(Precision);

#[derive(Debug)]
enum Precision {
    Single(Kept<f32>),
    Double(Kept<f64>),
}

impl From<Kept<f32>> for Pass {
    fn from(kept: Kept<f32>) -> Self {
        Pass(Precision::Single(kept))
    }
}

impl From<Kept<f64>> for Pass {
    fn from(kept: Kept<f64>) -> Self {
        Pass(Precision::Double(kept))
    }
}

macro_rules! of_precision {
    ($pass:expr, $kept:ident => $body:expr) => {
        match $pass {
            Precision::Single($kept) => $body,
            Precision::Double($kept) => $body,
        }
    };
}

/// J, the gradients flat, and where it is asked for dX (rows, n₀).
type Gradients<'py> = (f64, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

#[pymethods]
impl Pass {
    /// A (rows, n_out) of a layer; of the last one the logits.
    fn a<'py>(&self, py: Python<'py>, layer: usize) -> PyResult<Bound<'py, PyAny>> {
        of_precision!(&self.0, kept => {
            let width = kept.width(layer)?;
            rows(py, kept.cache.a(layer), width)
        })
    }

    /// Z (rows, n_out) of a layer with an activation, else none.
    fn z<'py>(&self, py: Python<'py>, layer: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        of_precision!(&self.0, kept => {
            let width = kept.width(layer)?;
            match kept.network.layers()[layer] {
                Layer::Dense { .. } | Layer::BatchNorm { .. } => rows(py, kept.cache.z(layer), width).map(Some),
                _ => Ok(None),
            }
        })
    }

    /// The factors (rows, n_out) of a dropout layer, else none.
    fn mask<'py>(&self, py: Python<'py>, layer: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        of_precision!(&self.0, kept => {
            let width = kept.width(layer)?;
            match kept.network.layers()[layer] {
                Layer::Dropout { .. } => rows(py, kept.cache.mask(layer), width).map(Some),
                _ => Ok(None),
            }
        })
    }

    /// The predictions (rows, n_L): the loss's link applied to the logits.
    fn predictions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        of_precision!(&self.0, kept => {
            let mut p = kept.cache.logits().to_vec();
            p.chunks_exact_mut(kept.network.n_out()).for_each(|p| kept.network.loss().apply_link(p));
            rows(py, &p, kept.network.n_out())
        })
    }

    /// The parameters of the pass.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        of_precision!(&self.0, kept => {
            let flat = kept.network.params.flat.to_vec();
            let length = flat.len();
            array(py, flat, &[length])
        })
    }

    /// J of targets (m, n_targets) and weights (m).
    fn loss<'py>(
        &mut self,
        py: Python<'py>,
        y: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<f64> {
        of_precision!(&mut self.0, kept => {
            kept.load(y, weights)?;
            work_on_threads(py, kept.threads, || loss(&kept.network, &mut kept.cache, kept.m).0)
        })
    }

    /// The gradients of J.
    fn backward<'py>(
        &mut self,
        py: Python<'py>,
        y: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        with_dx: bool,
    ) -> PyResult<Gradients<'py>> {
        of_precision!(&mut self.0, kept => {
            kept.load(y, weights)?;
            kept.backward(py, with_dx, |kept| loss(&kept.network, &mut kept.cache, kept.m).0)
        })
    }

    /// The gradients of what has the gradient dZ_L (rows, n_L) in the logits.
    fn backward_from<'py>(
        &mut self,
        py: Python<'py>,
        dz: &Bound<'py, PyAny>,
        with_dx: bool,
    ) -> PyResult<Gradients<'py>> {
        of_precision!(&mut self.0, kept => kept.backward_from(py, dz, with_dx))
    }

    /// The running statistics of batch normalisation after training step t, into the parameters.
    fn track(&self, flat: &Bound<'_, PyAny>, t: u64) -> PyResult<()> {
        of_precision!(&self.0, kept => kept.track(flat, t))
    }
}

fn rows<'py, T: Float>(py: Python<'py>, numbers: &[T], width: usize) -> PyResult<Bound<'py, PyAny>> {
    array(py, numbers.to_vec(), &[numbers.len() / width, width])
}

impl<T: Float> Kept<T> {
    /// Outputs of a layer.
    fn width(&self, layer: usize) -> PyResult<usize> {
        let layers = self.network.layers();
        if layer >= layers.len() {
            return Err(PyValueError::new_err(format!("there are {} layers", layers.len())));
        }
        Ok(layers[..=layer].iter().fold(self.network.n_in(), |width, layer| layer.n_out(width)))
    }

    pub(crate) fn set_mask(&mut self, layer: usize, mask: &Bound<'_, PyAny>) -> PyResult<()> {
        let mask = numbers::<T>("a mask", mask)?;
        let to = self.cache.mask_mut(layer);
        if to.len() != mask.len() {
            let message = format!("a mask has {} numbers, not {}", mask.len(), to.len());
            return Err(PyValueError::new_err(message));
        }
        to.copy_from_slice(mask.as_slice()?);
        Ok(())
    }

    pub(crate) fn forward(&mut self, mode: Mode) {
        forward(&self.network, &mut self.cache, self.m, mode);
    }

    /// The gradients of what `cost` has left in dZ_L.
    fn backward<'py>(
        &mut self,
        py: Python<'py>,
        with_dx: bool,
        cost: impl Fn(&mut Self) -> f64 + Sync,
    ) -> PyResult<Gradients<'py>> {
        let (j, flat) = work_on_threads(py, self.threads, || {
            let j = cost(self);
            let mut grads = self.network.params.clone();
            self.cache.with_dx = with_dx;
            backward(&self.network, &mut self.cache, self.m, &mut grads);
            (j, grads.flat)
        })?;
        let length = flat.len();
        let dx = with_dx.then(|| rows(py, self.cache.dx(self.m), self.network.n_in())).transpose()?;
        Ok((j, array(py, flat.into(), &[length])?, dx))
    }

    fn backward_from<'py>(
        &mut self,
        py: Python<'py>,
        dz: &Bound<'py, PyAny>,
        with_dx: bool,
    ) -> PyResult<Gradients<'py>> {
        let dz = numbers::<T>("dZ", dz)?;
        let expected = [self.cache.logits().len() / self.network.n_out(), self.network.n_out()];
        if dz.shape() != expected {
            let message = format!("dZ has the shape {:?}, not {expected:?}", dz.shape());
            return Err(PyValueError::new_err(message));
        }
        let dz = dz.as_slice()?;
        self.cache.dz_last_mut()[..dz.len()].copy_from_slice(dz);
        self.backward(py, with_dx, |_| f64::NAN)
    }

    fn track(&self, flat: &Bound<'_, PyAny>, t: u64) -> PyResult<()> {
        let mut flat = numbers_mut::<T>("the parameters", flat)?;
        let flat = flat.as_slice_mut()?;
        let mut network = self.network.clone();
        if flat.len() != network.params.flat.len() {
            return Err(PyValueError::new_err("the pass is one of another network"));
        }
        network.params.flat.copy_from_slice(flat);
        track(&mut network, &self.cache, t);
        flat.copy_from_slice(&network.params.flat);
        Ok(())
    }
}
