//! One training step: forward fills the cache, backward empties it. The heart of wxb.
//!
//! ```text
//! forward    Z_l = A_{l-1} W_l + b_l          A_l = g_l(Z_l)             A_0 = X
//! loss       J = Σ w_i ℓ(z_i, y_i) / Σ w_i    dZ_L = w_i/Σw · ∂ℓ/∂z_i    (with unit weights: the factor 1/m)
//! backward   dW_l = A_{l-1}ᵀ dZ_l             db_l = 1ᵀ dZ_l             dZ_{l-1} = (dZ_l W_lᵀ) ⊙ g'(Z_{l-1})
//! ```

use rand_core::Rng;
use rayon::prelude::*;

use crate::activation::Activation;
use crate::cpu::{self, Dense};
use crate::layer::{Layer, Params};
use crate::network::Network;
use crate::real::Real;
use crate::rng::{Purpose, stream};

/// What forward keeps for backward, sized once for batches of up to `capacity` rows.
#[derive(Clone, Debug)]
pub struct Cache<T> {
    capacity: usize,
    /// X (m, n₀): the batch, filled by the caller.
    pub x: Vec<T>,
    /// Y (m, n_targets): its targets, filled by the caller.
    pub y: Vec<T>,
    /// Row weights (m); empty: all 1.
    pub weights: Vec<T>,
    layers: Vec<LayerCache<T>>,
    /// dZ of the current and of the previous layer, (m, widest).
    dz: [Vec<T>; 2],
    row_loss: Vec<T>,
    scratch: Vec<T>,
}

#[derive(Clone, Debug, Default)]
struct LayerCache<T> {
    /// A (m, n_out); after dropout for a dropout layer.
    a: Vec<T>,
    /// Z (m, n_out) where it is kept, else empty.
    z: Vec<T>,
    /// 0 or 1/keep for every number of a dropout layer.
    mask: Vec<T>,
}

/// Whether Z is kept for all layers (to be looked at) or only where backward reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only what backward needs.
    Needed,
    /// Every Z.
    AllZ,
}

/// How forward treats dropout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Masks are drawn from (seed, step).
    Training {
        /// The seed of the run.
        seed: u64,
        /// The step's number.
        step: u64,
    },
    /// The masks of the last forward pass are used again: the same function, for a gradient check.
    SameMasks,
    /// No dropout.
    Predicting,
}

impl<T: Real> Cache<T> {
    /// A cache for batches of up to `capacity` rows.
    pub fn new(network: &Network<T>, capacity: usize, keep: Keep) -> Self {
        let mut width = network.n_in();
        let (mut widest, mut scratch) = (network.n_out(), 0);
        let mut layers = Vec::new();
        for layer in network.layers() {
            let zeros = |used: bool, width: usize| vec![T::ZERO; if used { capacity * width } else { 0 }];
            match *layer {
                Layer::Dense { n_in, n_out, activation } => {
                    width = n_out;
                    widest = widest.max(n_out);
                    scratch = scratch.max(cpu::packed_len::<T>(capacity, n_in, n_out));
                    let z = zeros(activation.needs_z() || keep == Keep::AllZ, n_out);
                    layers.push(LayerCache { a: zeros(true, n_out), z, mask: vec![] });
                }
                Layer::Dropout { .. } => {
                    layers.push(LayerCache { a: zeros(true, width), z: vec![], mask: zeros(true, width) });
                }
            }
        }
        Self {
            capacity,
            x: vec![T::ZERO; capacity * network.n_in()],
            y: vec![T::ZERO; capacity * network.n_targets()],
            weights: vec![],
            layers,
            dz: [vec![T::ZERO; capacity * widest], vec![T::ZERO; capacity * widest]],
            row_loss: vec![T::ZERO; capacity],
            scratch: vec![T::ZERO; scratch],
        }
    }

    /// The most rows a batch can have.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// A (m, n_out) of layer `layer` after [`forward`]; the last one holds the logits.
    pub fn a(&self, layer: usize) -> &[T] {
        &self.layers[layer].a
    }

    /// Z (m, n_out) of a dense layer after [`forward`], if it was kept.
    pub fn z(&self, layer: usize) -> &[T] {
        &self.layers[layer].z
    }

    /// The logits Z_L (m, n_L) after [`forward`].
    pub fn logits(&self) -> &[T] {
        &self.layers.last().expect("a network has a layer").a
    }

    /// dZ_L (m, n_L) after [`loss`], until [`backward`].
    pub fn dz_last(&self) -> &[T] {
        &self.dz[0]
    }

    /// The logits, to be turned into predictions in place.
    pub fn logits_mut(&mut self) -> &mut [T] {
        &mut self.layers.last_mut().expect("a network has a layer").a
    }
}

/// A_l for every layer, from the first `m` rows of `cache.x`.
pub fn forward<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, mode: Mode) {
    for (l, layer) in network.layers().iter().enumerate() {
        let (before, rest) = cache.layers.split_at_mut(l);
        let a_in = before.last().map_or(&cache.x[..], |before| &before.a);
        let LayerCache { a, z, mask } = &mut rest[0];
        match *layer {
            Layer::Dense { n_in, n_out, activation } => {
                let (w, b) = network.params.dense(l);
                let z = if z.is_empty() { &mut [][..] } else { &mut z[..m * n_out] };
                let dense = Dense { m, n_in, n_out, w, b, activation };
                cpu::forward(dense, a_in, z, &mut a[..m * n_out], &mut cache.scratch);
            }
            Layer::Dropout { rate } => {
                let n = m * (a.len() / cache.capacity);
                match mode {
                    Mode::Training { seed, step } => draw_mask(&mut mask[..n], rate, seed, step, l),
                    Mode::SameMasks => {}
                    Mode::Predicting => mask[..n].fill(T::ONE),
                }
                a[..n].iter_mut().zip(a_in).zip(&*mask).for_each(|((a, &a_in), &mask)| *a = a_in * mask);
            }
        }
    }
}

/// Zero with probability `rate`, else 1/(1 − rate): drawn from (seed, step, layer) alone.
fn draw_mask<T: Real>(mask: &mut [T], rate: f64, seed: u64, step: u64, layer: usize) {
    // 2¹⁶ layers are more than any network on a table has.
    let mut rng = stream(seed, Purpose::Dropout, step << 16 | layer as u64);
    let (threshold, scale) = ((rate * 2f64.powi(32)) as u32, T::of(1.0 / (1.0 - rate)));
    mask.iter_mut().for_each(|mask| *mask = if rng.next_u32() < threshold { T::ZERO } else { scale });
}

/// J = Σ w_i ℓ_i / Σ w_i over the first `m` rows, and dZ_L into the cache. Returns J and Σ w_i.
pub fn loss<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize) -> (f64, f64) {
    let (n, n_targets) = (network.n_out(), network.n_targets());
    let total = if cache.weights.is_empty() { m as f64 } else { sum(&cache.weights[..m]) };
    let Cache { weights, layers, dz, row_loss, y, .. } = cache;
    let z = &layers.last().expect("a network has a layer").a[..m * n];
    let (y, scale) = (&y[..m * n_targets], T::of(1.0 / total));
    let rows = |first: usize, dz: &mut [T], row_loss: &mut [T]| {
        let of = |n: usize| first * n..(first + row_loss.len()) * n;
        let weights = if weights.is_empty() { &[][..] } else { &weights[of(1)] };
        cpu::loss(network.loss(), n, [&z[of(n)], &y[of(n_targets)], weights], scale, dz, row_loss);
    };
    // Rows a task takes: a softmax of 10 classes over 256 rows is about 15 µs.
    const ROWS: usize = 256;
    if m <= ROWS || rayon::current_num_threads() == 1 {
        rows(0, &mut dz[0][..m * n], &mut row_loss[..m]);
    } else {
        let tasks = dz[0][..m * n].par_chunks_mut(ROWS * n).zip(row_loss[..m].par_chunks_mut(ROWS));
        tasks.enumerate().for_each(|(task, (dz, row_loss))| rows(task * ROWS, dz, row_loss));
    }
    (sum(&row_loss[..m]) / total, total)
}

/// dW_l, db_l of every layer into `grads`, after [`forward`] and [`loss`] on the same batch.
pub fn backward<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, grads: &mut Params<T>) {
    for l in (0..network.layers().len()).rev() {
        let [dz, dz_in] = &mut cache.dz;
        let before = l.checked_sub(1).map(|l| &cache.layers[l]);
        match network.layers()[l] {
            Layer::Dense { n_in, n_out, .. } => {
                let a_in = before.map_or(&cache.x, |before| &before.a);
                let (dw, db) = grads.dense_mut(l);
                cpu::grad_params([m, n_in, n_out], a_in, &dz[..m * n_out], dw, db, &mut cache.scratch);
                if let Some(before) = before {
                    let (w, b) = network.params.dense(l);
                    let g = activation_of(network.layers()[l - 1]);
                    let dense = Dense { m, n_in, n_out, w, b, activation: g };
                    cpu::grad_input(
                        dense,
                        g,
                        dz,
                        [&before.z, &before.a],
                        &mut dz_in[..m * n_in],
                        &mut cache.scratch,
                    );
                    cache.dz.swap(0, 1);
                }
            }
            // dA_in = dA ⊙ mask, then ⊙ g' of the layer that dropout follows.
            Layer::Dropout { .. } => {
                let before = before.expect("dropout follows a layer");
                let g = activation_of(network.layers()[l - 1]);
                let n = m * (before.a.len() / cache.capacity);
                let z = if before.z.is_empty() { &before.a } else { &before.z };
                let factors = cache.layers[l].mask[..n].iter().zip(&before.a).zip(z);
                dz[..n]
                    .iter_mut()
                    .zip(factors)
                    .for_each(|(dz, ((&mask, &a), &z))| *dz *= mask * g.derivative(z, a));
            }
        }
    }
}

/// g of a layer, for the g' that the layer after it multiplies by; dropout applies its own.
fn activation_of(layer: Layer) -> Activation {
    match layer {
        Layer::Dense { activation, .. } => activation,
        Layer::Dropout { .. } => Activation::Identity,
    }
}

/// A sum in double width: four sums, over the places modulo 4, as an addition waits for the one before it.
fn sum<T: Real>(values: &[T]) -> f64 {
    let mut sums = [0.0; 4];
    let (fours, rest) = values.as_chunks::<4>();
    for four in fours {
        sums.iter_mut().zip(four).for_each(|(sum, value)| *sum += value.f64());
    }
    sums.iter_mut().zip(rest).for_each(|(sum, value)| *sum += value.f64());
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
