//! Gives the engine the textbook's cases and brings its results into the textbook's form.
#![allow(dead_code, reason = "each test program uses another part")]

pub mod draw;

use wxb::layer::Role;
use wxb::network::dense_layers;
use wxb::optimizer::Step;
use wxb::step::{Cache, Keep, Mode, backward, forward, loss};
use wxb::{Activation, Initializer, Layer, Loss, Network, Optimizer, Params, Real};

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
    let numbers = |rows: &Matrix| rows.iter().flatten().map(|&v| T::of(v)).collect::<Vec<T>>();
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

/// `steps` updates on one batch by the engine's optimizer.
pub fn train<T: Real>(
    book: &Textbook,
    batch: &Batch,
    weighted: bool,
    optimizer: Optimizer,
    lr: f64,
    weight_decay: f64,
    steps: u64,
) -> Network<T> {
    let (mut network, m) = (network::<T>(book, 0.0), batch.x.len());
    let mut cache = cache(&network, batch, weighted);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    let (mut first, mut second) = (grads.flat.clone(), grads.flat.clone());
    for t in 1..=steps {
        forward(&network, &mut cache, m, Mode::Predicting);
        loss(&network, &mut cache, m);
        backward(&network, &mut cache, m, &mut grads);
        for slot in network.params.slots().to_vec() {
            let range = slot.range();
            let decay = if slot.role == Role::Weight { weight_decay } else { 0.0 };
            let step = Step { lr, t, weight_decay: decay };
            let theta = &mut network.params.flat[range.clone()];
            let moments = (&mut first[range.clone()], &mut second[range.clone()]);
            optimizer.update(step, theta, &grads.flat[range], moments.0, moments.1);
        }
    }
    network
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
