//! One training step: forward fills the cache, backward empties it. The heart of wxb.
//!
//! ```text
//! forward    Z_l = A_{l-1} W_l + b_l          A_l = g_l(Z_l)             A_0 = X
//! loss       J = Σ w_i ℓ(z_i, y_i) / Σ w_i    dZ_L = w_i/Σw · ∂ℓ/∂z_i    (with unit weights: the factor 1/m)
//! backward   dW_l = A_{l-1}ᵀ dZ_l             db_l = 1ᵀ dZ_l             dZ_{l-1} = (dZ_l W_lᵀ) ⊙ g'(Z_{l-1})
//! ```

mod cost;

use rand_core::Rng;
use rayon::prelude::*;

pub use cost::{average, loss};

use crate::activation::Activation;
use crate::cpu::ensemble::{self, Kept};
use crate::cpu::{self, Dense, blend, embed, heads, own, periodic, scale};
use crate::layer::{Layer, Members, Params};
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
    /// Whether X, Y and the weights have m rows for each member of the network, those of member 1 first, instead of m rows
    /// that all members see.
    pub apart: bool,
    /// k, the network's members.
    members: usize,
    /// Whether the last layer's A is the logits (m, n_L) of the members' mean prediction, not theirs (k m, n_L).
    averaged: bool,
    /// Y and the row weights once for each member.
    repeated: [Vec<T>; 2],
    layers: Vec<LayerCache<T>>,
    /// dZ of the current and of the previous layer, (m, widest).
    dz: [Vec<T>; 2],
    row_loss: Vec<T>,
    scratch: Vec<T>,
}

#[derive(Clone, Debug, Default)]
struct LayerCache<T> {
    /// A (m, n_out).
    a: Vec<T>,
    /// Of a dense layer Z (m, n_out) where it is kept, else empty; g(Z) of a blended activation; the cosines of a
    /// numeric embedding; U of an ensemble.
    z: Vec<T>,
    /// 0 or 1/keep for every number of a dropout layer; the sines of a numeric embedding; Z of an ensemble whose g' needs it.
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Masks are drawn from (seed, step).
    Training {
        /// The seed of the run.
        seed: u64,
        /// The step's number.
        step: u64,
        /// The factor on the rates of dropout layers.
        dropout: f64,
    },
    /// The masks of the last forward pass are used again: the same function, for a gradient check.
    SameMasks,
    /// No dropout.
    Predicting,
}

impl<T: Real> Cache<T> {
    /// A cache for batches of up to `capacity` rows.
    pub fn new(network: &Network<T>, capacity: usize, keep: Keep) -> Self {
        let (mut width, members) = (network.n_in(), network.members());
        // Before the members part, too: each may have rows of its own.
        let rows = capacity * members;
        let (mut widest, mut scratch) = (network.n_out(), 0);
        let mut layers = Vec::new();
        for layer in network.layers() {
            let n_in = width;
            width = layer.n_out(n_in);
            widest = widest.max(width).max(n_in);
            let zeros = |width: usize| vec![T::ZERO; rows * width];
            let (mut z, mut mask) = (vec![], vec![]);
            match *layer {
                Layer::Dense { n_in, n_out, activation } => {
                    scratch = scratch.max(cpu::packed_len::<T>(rows, n_in, n_out));
                    if activation.needs_z() || keep == Keep::AllZ {
                        z = zeros(n_out);
                    }
                }
                Layer::Dropout { .. } => mask = zeros(width),
                Layer::Scale { .. } | Layer::Embed(_) | Layer::Members(_) | Layer::MemberScale(_) => {}
                Layer::Ensemble(layer) => {
                    scratch = scratch.max(ensemble::scratch_len::<T>(layer, capacity));
                    z = zeros(width);
                    if layer.activation.needs_z() {
                        mask = zeros(width);
                    }
                }
                Layer::Heads(layer) => scratch = scratch.max(heads::scratch_len::<T>(layer, capacity)),
                Layer::Own(layer) => {
                    scratch = scratch.max(own::scratch_len::<T>(layer, capacity));
                    [z, mask] = own::kept(layer).map(zeros);
                }
                Layer::Blend { n, .. } => {
                    z = zeros(n);
                    scratch = scratch.max(rows * n);
                }
                Layer::Periodic(layer) => {
                    (z, mask) = (zeros(layer.waves()), zeros(layer.waves()));
                    scratch = scratch.max(layer.frequencies);
                }
            }
            layers.push(LayerCache { a: zeros(width), z, mask });
        }
        Self {
            capacity,
            x: vec![T::ZERO; rows * network.n_in()],
            y: vec![T::ZERO; rows * network.n_targets()],
            weights: vec![],
            apart: false,
            members,
            averaged: false,
            repeated: [vec![], vec![]],
            layers,
            dz: [vec![T::ZERO; rows * widest], vec![T::ZERO; rows * widest]],
            row_loss: vec![T::ZERO; rows],
            scratch: vec![T::ZERO; scratch],
        }
    }

    /// The most examples a batch can have.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The rows of X and Y for m examples of each member.
    pub fn rows_in(&self, m: usize) -> usize {
        if self.apart { m * self.members } else { m }
    }

    /// A (m, n_out), (k m, n_out) where there are members, of layer `layer` after [`forward`]; the last one holds the logits.
    pub fn a(&self, layer: usize) -> &[T] {
        &self.layers[layer].a
    }

    /// Z (m, n_out) of a dense layer after [`forward`], if it was kept.
    pub fn z(&self, layer: usize) -> &[T] {
        &self.layers[layer].z
    }

    /// The logits Z_L (m, n_L), with members (k m, n_L), after [`forward`].
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

/// A_l for every layer, from the first `m` rows of `cache.x`; with members, from m rows of each.
pub fn forward<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, mode: Mode) {
    let (mut width, mut rows) = (network.n_in(), cache.rows_in(m));
    cache.averaged = false;
    for (l, layer) in network.layers().iter().enumerate() {
        let (n_in, rows_in) = (width, rows);
        width = layer.n_out(n_in);
        rows = if layer.members().is_some() { m * cache.members } else { rows };
        let (before, rest) = cache.layers.split_at_mut(l);
        let a_in = &before.last().map_or(&cache.x[..], |before| &before.a)[..rows_in * n_in];
        let LayerCache { a, z, mask } = &mut rest[0];
        let a = &mut a[..rows * width];
        match *layer {
            Layer::Dense { n_in, n_out, activation } => {
                let (w, b) = network.params.dense(l);
                let z = if z.is_empty() { &mut [][..] } else { &mut z[..a.len()] };
                let dense = Dense { m: rows, n_in, n_out, w, b, activation };
                cpu::forward(dense, a_in, z, a, &mut cache.scratch);
            }
            _ => through(network, l, a_in, [a, z, mask], mode, &mut cache.scratch),
        }
    }
}

/// A of a layer that is not dense; what it keeps for backward into z and mask.
fn through<T: Real>(
    network: &Network<T>,
    l: usize,
    a_in: &[T],
    [a, z, mask]: [&mut [T]; 3],
    mode: Mode,
    scratch: &mut [T],
) {
    let params = &network.params;
    match network.layers()[l] {
        Layer::Dense { .. } => unreachable!("dense layers have products"),
        Layer::Dropout { rate } => {
            let mask = &mut mask[..a.len()];
            match mode {
                Mode::Training { seed, step, dropout } => draw_mask(mask, rate * dropout, seed, step, l),
                Mode::SameMasks => {}
                Mode::Predicting => mask.fill(T::ONE),
            }
            let mask = &*mask;
            in_pieces(a, |first, a| {
                let inputs = a_in[first..].iter().zip(&mask[first..]);
                a.iter_mut().zip(inputs).for_each(|(a, (&a_in, &mask))| *a = a_in * mask);
            });
        }
        Layer::Scale { .. } => {
            let [gamma] = params.tensors(l);
            scale::forward(gamma, a_in, a);
        }
        Layer::Blend { activation, .. } => {
            let [alpha] = params.tensors(l);
            blend::forward(activation, alpha, a_in, &mut z[..a.len()], a);
        }
        Layer::Periodic(layer) => {
            let waves = a.len() / layer.n_out() * layer.waves();
            periodic::forward(layer, params.tensors(l), a_in, a, &mut mask[..waves], &mut z[..waves]);
        }
        Layer::Embed(layer) => {
            let [e] = params.tensors(l);
            embed::forward(layer, e, a_in, a);
        }
        // Once, if each member has rows of its own.
        Layer::Members(_) => a.chunks_exact_mut(a_in.len()).for_each(|a| a.copy_from_slice(a_in)),
        Layer::MemberScale(Members { members, n }) => {
            let ([r], of_member) = (params.tensors(l), a.len() / members);
            let rows = a.par_chunks_exact_mut(of_member).zip(a_in.par_chunks_exact(of_member));
            rows.zip(r.par_chunks_exact(n)).for_each(|((a, a_in), r)| scale::forward(r, a_in, a));
        }
        Layer::Ensemble(layer) => {
            let z_of = if mask.is_empty() { mask } else { &mut mask[..a.len()] };
            let kept = Kept { u: &mut z[..a.len()], z: z_of };
            ensemble::forward(layer, params.tensors(l), a_in, kept, a, scratch);
        }
        Layer::Heads(layer) => heads::forward(layer, params.tensors(l), a_in, a, scratch),
        Layer::Own(layer) => own::forward(layer, (params, l), a_in, [a, z, mask], scratch),
    }
}

/// Zero with probability `rate`, else 1/(1 − rate): drawn from (seed, step, layer) alone.
fn draw_mask<T: Real>(mask: &mut [T], rate: f64, seed: u64, step: u64, layer: usize) {
    let (threshold, scale) = ((rate * 2f64.powi(32)) as u32, T::of(1.0 / (1.0 - rate)));
    in_pieces(mask, |first, mask| {
        // 2¹⁶ layers are more than any network on a table has.
        let mut rng = stream(seed, Purpose::Dropout, step << 16 | layer as u64);
        rng.set_word_pos(first as u128);
        // As many words as the generator makes at once.
        let mut words = [0; 4 * 64];
        for mask in mask.chunks_mut(64) {
            let words = &mut words[..4 * mask.len()];
            rng.fill_bytes(words);
            cpu::mask(threshold, scale, words, mask);
        }
    });
}

/// Some numbers on all threads, in pieces large enough for each: `work` gets a piece's first place and the piece.
fn in_pieces<T: Send>(values: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
    // 16,384 masks are about 30 µs.
    const PIECE: usize = 1 << 14;
    if values.len() <= PIECE || rayon::current_num_threads() == 1 {
        return work(0, values);
    }
    values.par_chunks_mut(PIECE).enumerate().for_each(|(i, piece)| work(i * PIECE, piece));
}

/// The gradients of every layer's parameters into `grads`, after [`forward`] and [`loss`] on the same batch.
///
/// Going from the last layer to the first, `dz` is dZ of a dense layer, and dA of one of another kind.
pub fn backward<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, grads: &mut Params<T>) {
    let (mut width, mut rows) = (network.n_out(), m * cache.members);
    for l in (0..network.layers().len()).rev() {
        let first = cache.rows_in(m);
        let Cache { x, layers, dz: [dz, dz_in], scratch, .. } = cache;
        let layer = network.layers()[l];
        let n_in = layer.n_in().unwrap_or(width);
        let rows_in = if let Layer::Members(_) = layer { first } else { rows };
        let before = l.checked_sub(1).map(|l| (&layers[l], activation_of(network.layers()[l])));
        let a_in = &before.map_or(&x[..], |(before, _)| &before.a)[..rows_in * n_in];
        let dz = &mut dz[..rows * width];
        // Nobody wants dX.
        let dz_in = if l == 0 { &mut [][..] } else { &mut dz_in[..rows_in * n_in] };
        let is_moved = match layer {
            Layer::Dense { n_out, .. } => {
                let (dw, db) = grads.dense_mut(l);
                cpu::grad_params([rows, n_in, n_out], a_in, dz, dw, db, scratch);
                if let Some((before, g)) = before {
                    let (w, b) = network.params.dense(l);
                    let dense = Dense { m: rows, n_in, n_out, w, b, activation: g };
                    cpu::grad_input(dense, g, dz, [z_of(before, g), a_in], dz_in, scratch);
                }
                true
            }
            _ => {
                let is_moved =
                    back_through(network, l, &layers[l], a_in, [&mut *dz, &mut *dz_in], grads, scratch);
                if let Some((before, g)) = before {
                    // dA_in ⊙ g' of the dense layer that this one follows.
                    let dz = if is_moved { dz_in } else { dz };
                    cpu::multiply_by_derivative(g, &z_of(before, g)[..a_in.len()], a_in, dz);
                }
                is_moved
            }
        };
        if is_moved {
            cache.dz.swap(0, 1);
        }
        (width, rows) = (n_in, rows_in);
    }
}

/// dA of a layer that is not dense becomes dA_in, in its place or, where the answer is yes, in `da_in`; that is empty for
/// the first layer.
fn back_through<T: Real>(
    network: &Network<T>,
    l: usize,
    LayerCache { a, z, mask }: &LayerCache<T>,
    a_in: &[T],
    [da, da_in]: [&mut [T]; 2],
    grads: &mut Params<T>,
    scratch: &mut [T],
) -> bool {
    let params = &network.params;
    match network.layers()[l] {
        Layer::Dense { .. } => unreachable!("dense layers have products"),
        Layer::Dropout { .. } => {
            in_pieces(da, |first, da| da.iter_mut().zip(&mask[first..]).for_each(|(da, &mask)| *da *= mask));
            false
        }
        Layer::Scale { .. } => {
            let ([gamma], [dgamma]) = (params.tensors(l), grads.tensors_mut(l));
            scale::backward(gamma, a_in, da, dgamma);
            false
        }
        Layer::Blend { activation, .. } => {
            let ([alpha], [dalpha]) = (params.tensors(l), grads.tensors_mut(l));
            let slope = &mut scratch[..da.len()];
            blend::backward(activation, alpha, [a_in, &z[..da.len()]], da, slope, dalpha);
            false
        }
        Layer::Periodic(layer) => {
            let grads = grads.tensors_mut(l);
            periodic::backward(layer, params.tensors(l), [a_in, mask, z], da, grads, da_in, scratch);
            true
        }
        Layer::Embed(layer) => {
            let [de] = grads.tensors_mut(l);
            embed::backward(layer, a_in, da, de, da_in);
            true
        }
        Layer::Members(_) => {
            if !da_in.is_empty() {
                let of_member = da_in.len();
                da_in.copy_from_slice(&da[..of_member]);
                for da in da[of_member..].chunks_exact(of_member) {
                    da_in.iter_mut().zip(da).for_each(|(da_in, da)| *da_in += *da);
                }
            }
            true
        }
        Layer::MemberScale(Members { members, n }) => {
            let ([r], [dr], of_member) = (params.tensors(l), grads.tensors_mut(l), da.len() / members);
            let rows = da.par_chunks_exact_mut(of_member).zip(a_in.par_chunks_exact(of_member));
            let scales = r.par_chunks_exact(n).zip(dr.par_chunks_exact_mut(n));
            rows.zip(scales).for_each(|((da, a_in), (r, dr))| scale::backward(r, a_in, da, dr));
            false
        }
        Layer::Ensemble(layer) => {
            let (u, z) = (z, if mask.is_empty() { &[][..] } else { &mask[..da.len()] });
            let (kept, grads) = (Kept { u: &u[..da.len()], z }, grads.tensors_mut(l));
            let a = &a[..da.len()];
            ensemble::backward(layer, params.tensors(l), [a_in, a], kept, [da, da_in], grads, scratch);
            true
        }
        Layer::Heads(layer) => {
            heads::backward(layer, params.tensors(l), a_in, (da, da_in), grads.tensors_mut(l), scratch);
            true
        }
        Layer::Own(layer) => {
            own::backward(layer, (params, grads, l), [a_in, a, z, mask], [da, da_in], scratch)
        }
    }
}

/// g of a dense layer, for the g' that the layer after it multiplies by; others apply their own.
fn activation_of(layer: Layer) -> Activation {
    match layer {
        Layer::Dense { activation, .. } => activation,
        _ => Activation::Identity,
    }
}

/// Z of a dense layer if g' needs it, else its A.
fn z_of<T>(before: &LayerCache<T>, g: Activation) -> &[T] {
    if g.needs_z() { &before.z } else { &before.a }
}
