//! Gives the engine the textbook's cases and brings its results into the textbook's form.

pub mod draw;

use std::ops::ControlFlow;

use wxb::data::{Dataset, Inputs};
use wxb::layer::Role;
use wxb::ndarray::ArrayView2;
use wxb::network::dense_layers;
use wxb::step::{Cache, Keep, Mode, backward, forward, loss};
use wxb::trainer::{BatchSize, Run, Stop, TrainConfig, fit};
use wxb::{Activation, Initializer, Layer, Loss, Network, Params, Real};

use crate::textbook::{Batch, Matrix, Textbook, Vector};

/// The textbook's network in the engine's form, with dropout after each hidden layer if `dropout` is not 0.
pub fn network<T: Real>(book: &Textbook, dropout: f64) -> Network<T> {
    let sizes: Vec<usize> = book.w.iter().map(|w| w.len()).chain([book.b[book.b.len() - 1].len()]).collect();
    let layers = dense_layers(&sizes, &book.g[..book.g.len() - 1], dropout).expect("layers that fit");
    let mut network =
        Network::with_layers(layers, book.loss.clone(), Initializer::Zeros, 0).expect("a network");
    let numbers = book.w.iter().zip(&book.b).flat_map(|(w, b)| w.iter().flatten().chain(b));
    network.params.flat.iter_mut().zip(numbers).for_each(|(theta, &number)| *theta = T::of(number));
    network
}

/// A cache that holds the batch; `weighted`: with its weights, else with none.
pub fn cache<T: Real>(network: &Network<T>, batch: &Batch, weighted: bool) -> Cache<T> {
    let mut cache = Cache::new(network, batch.x.len(), Keep::AllZ);
    let numbers = |rows: &Matrix| rows.iter().flatten().map(|&v| T::of(v)).collect();
    (cache.x, cache.y) = (numbers(&batch.x), numbers(&batch.y));
    if weighted {
        cache.weights = batch.weights.iter().map(|&w| T::of(w)).collect();
    }
    cache
}

/// What one step computes, in the textbook's form.
pub struct Computed {
    pub z: Vec<Matrix>,
    pub a: Vec<Matrix>,
    pub loss: f64,
    pub dw: Vec<Matrix>,
    pub db: Vec<Vector>,
}

/// Forward, loss and backward of a network without dropout.
pub fn compute<T: Real>(book: &Textbook, batch: &Batch, weighted: bool) -> Computed {
    let (network, m) = (network::<T>(book, 0.0), batch.x.len());
    let mut cache = cache(&network, batch, weighted);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    forward(&network, &mut cache, m, Mode::Predicting);
    let (loss, total) = loss(&network, &mut cache, m);
    assert_eq!(total, if weighted { batch.weights.iter().sum() } else { m as f64 });
    backward(&network, &mut cache, m, &mut grads);
    let widths: Vec<usize> = network.sizes()[1..].to_vec();
    let z: Vec<Matrix> = widths.iter().enumerate().map(|(l, &n)| rows(cache.z(l), n)).collect();
    let logits = cache.logits_mut();
    logits.chunks_exact_mut(widths[widths.len() - 1]).for_each(|row| network.loss().apply_link(row));
    let a = widths.iter().enumerate().map(|(l, &n)| rows(cache.a(l), n)).collect();
    let (dw, db) = split(&grads);
    Computed { z, a, loss, dw, db }
}

/// W (or dW) and b (or db) of every dense layer.
pub fn split<T: Real>(params: &Params<T>) -> (Vec<Matrix>, Vec<Vector>) {
    let of_role = |role: Role| params.slots().iter().filter(move |slot| slot.role == role);
    let w = of_role(Role::Weight).map(|slot| rows(params.of(slot), slot.columns)).collect();
    let b = of_role(Role::Bias).map(|slot| params.of(slot).iter().map(|b| b.f64()).collect()).collect();
    (w, b)
}

pub fn rows<T: Real>(numbers: &[T], columns: usize) -> Matrix {
    numbers.chunks_exact(columns).map(|row| row.iter().map(|v| v.f64()).collect()).collect()
}

/// How far the nearest Z is from a kink of its activation or loss, after [`forward`]: a gradient is compared only
/// where rounding cannot choose its side.
pub fn distance_to_kinks<T: Real>(network: &Network<T>, cache: &Cache<T>) -> f64 {
    use Activation::{Elu, LeakyRelu, Relu, Selu};
    let mut nearest = f64::INFINITY;
    for (l, layer) in network.layers().iter().enumerate() {
        if let Layer::Dense { activation: Relu | LeakyRelu { .. } | Elu { .. } | Selu, .. } = layer {
            nearest = cache.z(l).iter().fold(nearest, |nearest, z| nearest.min(z.f64().abs()));
        }
    }
    let n = network.n_out();
    for (z, y) in cache.logits().chunks_exact(n).zip(cache.y.chunks_exact(network.n_targets())) {
        for (j, z) in z.iter().enumerate() {
            let r = |y: T| (z.f64() - y.f64()).abs();
            nearest = nearest.min(match network.loss() {
                Loss::AbsoluteError => r(y[j]),
                Loss::Huber { delta } => (r(y[j]) - delta).abs(),
                Loss::Quantile { .. } => r(y[0]),
                _ => f64::INFINITY,
            });
        }
    }
    nearest
}

/// What a few updates on the full batch make of the textbook's network, by the trainer; its penalties are the
/// textbook's.
pub fn train<T: Real>(
    book: &Textbook,
    batch: &Batch,
    weighted: bool,
    config: &TrainConfig,
) -> (Vec<Matrix>, Vec<Vector>) {
    let network = network::<T>(book, 0.0);
    let Cache { x, y, weights, .. } = cache(&network, batch, weighted);
    let x = ArrayView2::from_shape((batch.x.len(), network.n_in()), &x).expect("rows of n_in numbers");
    let mut data = Dataset::new(Inputs::Dense(x), &y, network.n_targets()).expect("a target for each row");
    if weighted {
        data = data.with_weights(&weights).expect("a weight for each row");
    }
    let config = TrainConfig { batch_size: BatchSize::Full, l2: book.l2, l1: book.l1, ..config.clone() };
    let mut run = Run::new(network, &config).expect("settings in range");
    let stop =
        fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(())).expect("data that fits");
    assert_eq!(stop, Stop::Epochs);
    split(&run.network.params)
}

/// Every number within `tolerance` · (1 + |expected|).
pub fn check_close(what: &str, found: &[Vector], expected: &[Vector], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: rows");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}: columns");
        for (j, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!((f - e).abs() <= tolerance * (1.0 + e.abs()), "{what}[{i}][{j}]: {f}, expected {e}");
        }
    }
}
