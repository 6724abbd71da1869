//! One training step: forward fills the cache, backward empties it. The heart of wxb.
//!
//! ```text
//! forward    Z_l = A_{l-1} W_l + b_l          A_l = g_l(Z_l)             A_0 = X
//! loss       J = Σ w_i ℓ(z_i, y_i) / Σ w_i    dZ_L = w_i/Σw · ∂ℓ/∂z_i    (with unit weights: the factor 1/m)
//! backward   dW_l = A_{l-1}ᵀ dZ_l             db_l = 1ᵀ dZ_l             dZ_{l-1} = (dZ_l W_lᵀ) ⊙ g'(Z_{l-1})
//! ```

mod cache;
mod chain;
mod cost;
mod embeddings;

use rand_core::Rng;

use cache::LayerCache;
pub use cache::{Cache, Keep};
use chain::Chain;
pub use cost::{average, loss};

use crate::activation::Activation;
use crate::cpu::ensemble::{self, Kept};
use crate::cpu::{self, Dense, blend, heads, norm, own, residual, scale};
use crate::layer::{Layer, Members, Params};
use crate::network::Network;
use crate::real::Real;
use crate::rng::{Purpose, stream};

/// How forward treats dropout and batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Masks are drawn from (seed, step); the batch is normalised by itself.
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
    /// No dropout; the running statistics normalise.
    Predicting,
}

/// A_l for every layer, from the first `m` rows of `cache.x`; with members, from m rows of each.
pub fn forward<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, mode: Mode) {
    forward_until(network, cache, m, mode, network.layers().len());
}

/// A_l for the layers before `end`.
fn forward_until<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, mode: Mode, end: usize) {
    let (mut width, mut rows) = (network.n_in(), cache.rows_in(m));
    cache.averaged = false;
    for (l, layer) in network.layers()[..end].iter().enumerate() {
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
            Layer::Residual { skip } => residual::forward(a_in, &before[l - 1 - skip].a[..a.len()], a),
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
        Layer::Dense { .. } | Layer::Residual { .. } => unreachable!("they have arms of their own"),
        Layer::Dropout { rate } => {
            let mask = &mut mask[..a.len()];
            match mode {
                Mode::Training { seed, step, dropout } => draw_mask(mask, rate * dropout, seed, step, l),
                Mode::SameMasks => {}
                Mode::Predicting => mask.fill(T::ONE),
            }
            cpu::product_of(a_in, mask, a);
        }
        Layer::Scale { .. } => {
            let [gamma] = params.tensors(l);
            scale::forward(gamma, a_in, a);
        }
        Layer::Blend { activation, .. } => {
            let [alpha] = params.tensors(l);
            let kept = blend::Kept { d: &mut z[..a.len()], slope: &mut mask[..a.len()] };
            blend::forward(activation, alpha, a_in, kept, a);
        }
        Layer::BatchNorm { activation, .. } => {
            let [gamma, beta, mean, variance] = params.tensors(l);
            let running = (mode == Mode::Predicting).then_some([mean, variance]);
            let z = if z.is_empty() { z } else { &mut z[..a.len()] };
            norm::forward(activation, [gamma, beta], running, a_in, mask, [z, a]);
        }
        layer @ (Layer::Periodic(_)
        | Layer::Plr(_)
        | Layer::Bins(_)
        | Layer::Piecewise(_)
        | Layer::Embed(_)) => {
            embeddings::forward((layer, l), params, a_in, [a, z, mask], scratch);
        }
        // Once, if each member has rows of its own.
        Layer::Members(_) => a.chunks_exact_mut(a_in.len()).for_each(|a| a.copy_from_slice(a_in)),
        Layer::MemberScale(Members { members, .. }) => {
            scale::forward_of_members(members, params.tensors(l), a_in, a);
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

/// Zero with probability `rate` (in steps of 2⁻¹⁶), else what keeps the mean: drawn from (seed, step, layer) alone.
fn draw_mask<T: Real>(mask: &mut [T], rate: f64, seed: u64, step: u64, layer: usize) {
    /// About 15 µs.
    const PIECE: usize = 128 * MASKS;
    cpu::split(mask, 1, MASKS, PIECE, 0, &|first, mask| {
        draw_mask_from(first, mask, rate, [seed, step, layer as u64]);
    });
}

/// What the generator makes at once, and how many masks that is.
const BYTES: usize = 4 * 64;
const MASKS: usize = BYTES / 2;

/// A piece of a layer's masks, of which it begins at `first`. A word of the generator is two masks.
fn draw_mask_from<T: Real>(first: usize, mask: &mut [T], rate: f64, [seed, step, layer]: [u64; 3]) {
    let threshold = (rate * 65_536.0) as u32;
    let kept = T::of(65_536.0 / f64::from(65_536 - threshold));
    // 2¹⁶ layers are more than any network on a table has.
    let mut rng = stream(seed, Purpose::Dropout, step << 16 | layer);
    rng.set_word_pos(first as u128 / 2);
    let (second, mask) = mask.split_at_mut((first % 2).min(mask.len()));
    if !second.is_empty() {
        cpu::mask(threshold, kept, &rng.next_u32().to_le_bytes()[2..], second);
    }
    let mut words = [0; BYTES];
    for mask in mask.chunks_mut(MASKS) {
        rng.fill_bytes(&mut words);
        cpu::mask(threshold, kept, &words, mask);
    }
}

/// [`forward`], [`loss`] and [`backward`] for the first `m` rows of the cache: J, Σ w_i, and the gradients into `grads`, which are not to
/// be used where J is infinite or NaN.
///
/// The same bits as one after the other; where there are several threads, they meet less often (see `chain`).
pub fn gradient<T: Real>(
    network: &Network<T>,
    cache: &mut Cache<T>,
    m: usize,
    mode: Mode,
    grads: &mut Params<T>,
) -> (f64, f64) {
    if let Some(chain) = Chain::of(network, cache, m) {
        return chain::gradient((network, chain), cache, m, mode, grads);
    }
    forward(network, cache, m, mode);
    let (j, weight) = loss(network, cache, m);
    if j.is_finite() {
        backward(network, cache, m, grads);
    }
    (j, weight)
}

/// The gradients of every layer's parameters into `grads`, after [`forward`] and [`loss`] on the same batch.
///
/// Going from the last layer to the first, `dz` is dZ of a layer with an activation (dense, batch normalisation), and dA of one of
/// another kind.
pub fn backward<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize, grads: &mut Params<T>) {
    backward_from(network, cache, m, grads, network.layers().len(), network.n_out());
}

/// The gradients of the layers before `end`, the last of which has `width` units; of its output is the gradient in the cache.
fn backward_from<T: Real>(
    network: &Network<T>,
    cache: &mut Cache<T>,
    m: usize,
    grads: &mut Params<T>,
    end: usize,
    mut width: usize,
) {
    let mut rows = m * cache.members;
    for l in (0..end).rev() {
        add_residuals(network, cache, l, rows * width);
        let (first, with_dx) = (cache.rows_in(m), cache.with_dx);
        let Cache { x, layers, dz: [dz, dz_in], scratch, .. } = cache;
        let layer = network.layers()[l];
        let n_in = layer.n_in().unwrap_or(width);
        let rows_in = if let Layer::Members(_) = layer { first } else { rows };
        let before = l.checked_sub(1).map(|l| (&layers[l], activation_of(network.layers()[l])));
        let a_in = &before.map_or(&x[..], |(before, _)| &before.a)[..rows_in * n_in];
        let dz = &mut dz[..rows * width];
        let dz_in = if l == 0 && !with_dx { &mut [][..] } else { &mut dz_in[..rows_in * n_in] };
        let is_moved = match layer {
            Layer::Dense { n_out, .. } => {
                let (dw, db) = grads.dense_mut(l);
                cpu::grad_params([rows, n_in, n_out], a_in, dz, dw, db, scratch);
                if !dz_in.is_empty() {
                    let (w, b) = network.params.dense(l);
                    let (z_in, g) = before.map_or((a_in, Activation::Identity), |(l, g)| (z_of(l, g), g));
                    let dense = Dense { m: rows, n_in, n_out, w, b, activation: g };
                    cpu::grad_input(dense, g, dz, [z_in, a_in], dz_in, scratch);
                }
                true
            }
            _ => {
                let is_moved =
                    back_through(network, l, &layers[l], a_in, [&mut *dz, &mut *dz_in], grads, scratch);
                if let Some((before, g)) = before {
                    // dA_in ⊙ g' of the layer that this one follows.
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

/// What residual layers that add A of layer `l` have kept for it, to the first `length` numbers of its dZ; if it is one itself, it
/// keeps its own dA.
fn add_residuals<T: Real>(network: &Network<T>, cache: &mut Cache<T>, l: usize, length: usize) {
    let Cache { layers, residuals, dz: [dz, _], .. } = cache;
    let dz = &mut dz[..length];
    for &[_, r] in residuals.iter().filter(|[source, _]| *source == l) {
        let (before, after) = layers.split_at_mut(r);
        let (of_layer, g) = (&before[l], activation_of(network.layers()[l]));
        let inputs = [&z_of(of_layer, g)[..length], &of_layer.a[..length]];
        residual::backward(g, inputs, &mut after[0].z[..length], dz);
    }
    if let Layer::Residual { .. } = network.layers()[l] {
        layers[l].z[..length].copy_from_slice(dz);
    }
}

/// dA of a layer that is not dense becomes dA_in, in its place or, where the answer is yes, in `da_in`; that is empty for
/// the first layer.
fn back_through<T: Real>(
    network: &Network<T>,
    l: usize,
    of_layer: &LayerCache<T>,
    a_in: &[T],
    [da, da_in]: [&mut [T]; 2],
    grads: &mut Params<T>,
    scratch: &mut [T],
) -> bool {
    let (params, LayerCache { a, z, mask }) = (&network.params, of_layer);
    match network.layers()[l] {
        Layer::Dense { .. } => unreachable!("dense layers have products"),
        Layer::Residual { .. } => false,
        Layer::Dropout { .. } => {
            cpu::multiply(da, mask);
            false
        }
        Layer::Scale { .. } => {
            let ([gamma], [dgamma]) = (params.tensors(l), grads.tensors_mut(l));
            scale::backward(gamma, a_in, da, dgamma);
            false
        }
        Layer::Blend { .. } => {
            let ([dalpha], kept) =
                (grads.tensors_mut(l), blend::Kept { d: &z[..da.len()], slope: &mask[..da.len()] });
            blend::backward(kept, da, dalpha);
            false
        }
        Layer::BatchNorm { .. } => {
            let ([gamma, ..], [dgamma, dbeta, dmean, dvariance]) =
                (params.tensors::<4>(l), grads.tensors_mut(l));
            norm::backward(gamma, mask, a_in, da, [dgamma, dbeta]);
            [dmean, dvariance].into_iter().for_each(|told| told.fill(T::ZERO));
            false
        }
        layer @ (Layer::Periodic(_)
        | Layer::Plr(_)
        | Layer::Bins(_)
        | Layer::Piecewise(_)
        | Layer::Embed(_)) => {
            embeddings::backward((layer, l), params, of_layer, a_in, [da, da_in], grads, scratch);
            true
        }
        Layer::Members(_) => {
            sum_members(da, da_in);
            true
        }
        Layer::MemberScale(Members { members, .. }) => {
            scale::backward_of_members(members, params.tensors(l), a_in, da, grads.tensors_mut(l));
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

/// dA_in = Σ dA over the members, where it is wanted (else empty).   da (k m, n)  da_in (m, n)
fn sum_members<T: Real>(da: &[T], da_in: &mut [T]) {
    let of_member = da_in.len();
    if of_member == 0 {
        return;
    }
    da_in.copy_from_slice(&da[..of_member]);
    for da in da[of_member..].chunks_exact(of_member) {
        da_in.iter_mut().zip(da).for_each(|(da_in, da)| *da_in += *da);
    }
}

/// g of a layer with one, for the g' that the layer after it multiplies by; others apply their own.
fn activation_of(layer: Layer) -> Activation {
    match layer {
        Layer::Dense { activation, .. } | Layer::BatchNorm { activation, .. } => activation,
        _ => Activation::Identity,
    }
}

/// The running statistics after training step `t`, counted from 1, whose batch [`forward`] has left in the cache.
pub fn track<T: Real>(network: &mut Network<T>, cache: &Cache<T>, t: u64) {
    for l in 0..network.layers().len() {
        if let Layer::BatchNorm { .. } = network.layers()[l] {
            let [_, _, mean, variance] = network.params.tensors_mut(l);
            norm::track(&cache.layers[l].mask, t, [mean, variance]);
        }
    }
}

/// Z of a layer if g' needs it, else its A.
fn z_of<T>(before: &LayerCache<T>, g: Activation) -> &[T] {
    if g.needs_z() { &before.z } else { &before.a }
}
