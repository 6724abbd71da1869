//! Every number of a forward and backward pass on a few rows, to be looked at.

use ndarray::{Array1, Array2};

use crate::activation::Activation;
use crate::error::{Code, Error, Result};
use crate::layer::Layer;
use crate::network::Network;
use crate::real::Real;
use crate::step::{Cache, Keep, Mode, backward, forward, loss};

/// A pass over m rows, rows are examples. Dropout is off, as when predicting.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// X (m, n₀).
    pub x: Array2<f64>,
    /// Y (m, n_targets), if targets were given.
    pub y: Option<Array2<f64>>,
    /// J on the rows, if targets were given.
    pub loss: Option<f64>,
    /// One per dense layer, first to last.
    pub layers: Vec<LayerTrace>,
}

/// One dense layer of a [`Trace`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTrace {
    /// From 1.
    pub number: usize,
    /// g; `None` for the last layer, where the loss's link stands in its place.
    pub activation: Option<Activation>,
    /// W (n_in, n_out).
    pub w: Array2<f64>,
    /// b (n_out).
    pub b: Array1<f64>,
    /// Z (m, n_out).
    pub z: Array2<f64>,
    /// A (m, n_out); for the last layer the predictions.
    pub a: Array2<f64>,
    /// The gradients, if targets were given.
    pub backward: Option<Gradients>,
}

/// ∂J/∂ of each quantity of a layer, J the mean over the m rows (so that dZ and dA hold the factor 1/m).
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// dA (m, n_out); `None` for the last layer, where dZ comes straight from the loss.
    pub da: Option<Array2<f64>>,
    /// dZ (m, n_out).
    pub dz: Array2<f64>,
    /// dW (n_in, n_out).
    pub dw: Array2<f64>,
    /// db (n_out).
    pub db: Array1<f64>,
}

/// Whether [`trace`] shows a network of such layers: dense ones, and dropout.
pub fn is_traceable(layers: &[Layer]) -> bool {
    layers.iter().all(|layer| matches!(layer, Layer::Dense { .. } | Layer::Dropout { .. }))
}

/// Runs some rows through a network and keeps everything. x (m, n₀), y (m, n_targets).
///
/// # Errors
/// [`Code::ShapeMismatch`] if x or y have another width, or other rows, than the network wants;
/// [`Code::InvalidSetting`] for a network with other layers than dense ones and dropout.
pub fn trace<T: Real>(network: &Network<T>, x: &Array2<T>, y: Option<&Array2<T>>) -> Result<Trace> {
    let (m, width) = x.dim();
    let y_fits = y.is_none_or(|y| y.dim() == (m, network.n_targets()));
    if width != network.n_in() || m == 0 || !y_fits {
        let message = format!("({m}, {width}) inputs for a network of {} inputs", network.n_in());
        return Err(Error::new(Code::ShapeMismatch, message));
    }
    if !is_traceable(network.layers()) {
        let message = "only networks of dense layers are shown step by step, and this one has others, too";
        return Err(Error::new(Code::InvalidSetting, message)
            .hint("train with --preset mlp, without --batch-norm, --residual and --numbers, to see one"));
    }
    let mut cache = Cache::new(network, m, Keep::AllZ);
    cache.x.iter_mut().zip(x).for_each(|(to, from)| *to = *from);
    forward(network, &mut cache, m, Mode::Predicting);
    let mut trace = Trace { x: x.mapv(T::f64), y: y.map(|y| y.mapv(T::f64)), loss: None, layers: vec![] };
    trace.layers = forward_layers(network, &cache, m);
    if let Some(y) = y {
        cache.y.iter_mut().zip(y).for_each(|(to, from)| *to = *from);
        trace.loss = Some(loss(network, &mut cache, m).0);
        add_gradients(network, &mut cache, m, &mut trace);
    }
    Ok(trace)
}

fn forward_layers<T: Real>(network: &Network<T>, cache: &Cache<T>, m: usize) -> Vec<LayerTrace> {
    let last = network.layers().len() - 1;
    let mut layers = Vec::new();
    for (l, layer) in network.layers().iter().enumerate() {
        let Layer::Dense { n_in, n_out, activation } = *layer else { continue };
        let (w, b) = network.params.dense(l);
        let mut a = cache.a(l)[..m * n_out].to_vec();
        if l == last {
            a.chunks_exact_mut(n_out).for_each(|z| network.loss().apply_link(z));
        }
        layers.push(LayerTrace {
            number: layers.len() + 1,
            activation: (l != last).then_some(activation),
            w: matrix(w, n_in, n_out),
            b: Array1::from_iter(b.iter().map(|b| b.f64())),
            z: matrix(cache.z(l), m, n_out),
            a: matrix(&a, m, n_out),
            backward: None,
        });
    }
    layers
}

/// dW and db are those of training; dZ and dA, which training overwrites, are formed again from them.
fn add_gradients<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, trace: &mut Trace) {
    let mut dz = matrix(cache.dz_last(), m, network.n_out());
    let mut grads = network.params.clone();
    backward(network, cache, m, &mut grads);
    let dense = network.layers().iter().enumerate().filter(|(_, l)| matches!(l, Layer::Dense { .. }));
    let indices: Vec<usize> = dense.map(|(l, _)| l).collect();
    let mut da = None;
    for i in (0..trace.layers.len()).rev() {
        let layer = &trace.layers[i];
        if let (Some(g), Some(da)) = (layer.activation, &da) {
            let slope = ndarray::Zip::from(&layer.z).and(&layer.a).map_collect(|&z, &a| g.derivative(z, a));
            dz = da * &slope;
        }
        let (dw, db) = grads.dense(indices[i]);
        let (n_in, n_out) = layer.w.dim();
        let da_in = dz.dot(&layer.w.t());
        trace.layers[i].backward = Some(Gradients {
            da: da.replace(da_in),
            dz: dz.clone(),
            dw: matrix(dw, n_in, n_out),
            db: Array1::from_iter(db.iter().map(|db| db.f64())),
        });
    }
}

fn matrix<T: Real>(values: &[T], rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| values[i * columns + j].f64())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::loss::Loss;
    use crate::network::dense_layers;

    /// XOR with fixed weights; the expected numbers were worked out by hand with six decimals in the course's
    /// orientation, (units, examples), where dZ lacks the factor 1/m.
    #[test]
    fn the_golden_example() {
        let layers = dense_layers(&[2, 2, 1], &[Activation::Tanh], 0.0).unwrap();
        let flat = vec![0.5, 0.3, -0.5, 0.8, 0.1, -0.2, 0.7, -0.4, 0.05];
        let network = Network::<f64>::from_flat(layers, Loss::BINARY, flat).unwrap();
        let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let y = array![[0.0], [1.0], [1.0], [0.0]];
        let trace = trace(&network, &x, Some(&y)).unwrap();
        let close = |found: &Array2<f64>, expected: Array2<f64>, scale: f64| {
            let off = (found.t().to_owned() * scale - &expected).mapv(f64::abs);
            assert!(off.iter().all(|off| *off < 6e-7), "{found:?} is not {expected:?}");
        };
        assert!((trace.loss.unwrap() - 0.715_216_495).abs() < 6e-10);
        let [first, second] = &trace.layers[..] else { panic!("two layers") };
        let (g1, g2) = (first.backward.as_ref().unwrap(), second.backward.as_ref().unwrap());
        close(&first.z, array![[0.1, -0.4, 0.6, 0.1], [-0.2, 0.6, 0.1, 0.9]], 1.0);
        close(
            &first.a,
            array![[0.099668, -0.379949, 0.537050, 0.099668], [-0.197375, 0.537050, 0.099668, 0.716298]],
            1.0,
        );
        close(&second.z, array![[0.198718, -0.430784, 0.386067, -0.166752]], 1.0);
        close(&second.a, array![[0.549517, 0.393939, 0.595336, 0.458408]], 1.0);
        close(&g2.dz, array![[0.549517, -0.606061, -0.404664, 0.458408]], 4.0);
        close(&g2.dw, array![[0.028351, -0.036480]], 1.0);
        close(
            g1.da.as_ref().unwrap(),
            array![[0.384662, -0.424243, -0.283265, 0.320886], [-0.219807, 0.242424, 0.161866, -0.183363]],
            4.0,
        );
        close(
            &g1.dz,
            array![[0.380840, -0.362998, -0.201565, 0.317698], [-0.211244, 0.172504, 0.160258, -0.089283]],
            4.0,
        );
        close(&g1.dw, array![[0.029033, -0.011325], [0.017744, 0.020805]], 1.0);
        assert!((g1.db[0] - 0.033494).abs() < 6e-7 && (g1.db[1] - 0.008059).abs() < 6e-7);
        assert!((g2.db[0] + 0.000700).abs() < 6e-7 && g2.da.is_none());
    }
}
