//! A step of a network of dense layers (and dropout) on several threads, by rows of the batch: a thread takes some rows from X to
//! dZ₁, and then pieces of all dW. Threads meet three times a step, not at each product, and of the rows a thread reads what
//! it has written itself. The kernels are those of layer after layer, and so are the bits.

#[cfg(test)]
mod tests;

use super::cache::LayerCache;
use super::cost::{loss_of_rows, sum};
use super::{Cache, Mode, activation_of, draw_mask_from};
use crate::activation::Activation;
use crate::cpu::{self, Dense, Packed};
use crate::layer::{Layer, Params};
use crate::network::Network;
use crate::real::Real;

/// The most layers: a task's view of them lies on the stack.
const MOST: usize = 16;
/// Multiplications of a step below which a second thread costs what it brings: 75 to 150 µs of one core.
const SERIAL: usize = 6 << 20;
/// The least rows of a task: both forms of each W are read for them.
const LEAST: usize = 24;
/// Rows that tasks are multiples of: no tile is cut, and the masks of dropout begin at a whole word of the generator.
const UNIT: usize = 12;
/// Tasks for each thread, so that the last one is short.
const TASKS: usize = 2;

/// Buffers that are sized at the first use.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers<T> {
    /// dZ (m, n_out) of every dense layer but the last.
    dz: Vec<Vec<T>>,
    /// Both forms of every W; then what the gradients pack.
    scratch: Vec<T>,
}

/// Whether [`gradient`] can be used, and is faster.
pub(super) fn takes<T: Real>(network: &Network<T>, cache: &Cache<T>, m: usize) -> bool {
    rayon::current_num_threads() > 1
        && m >= 2 * LEAST
        && 3 * m * network.n_params() >= SERIAL
        && is_chain(network.layers())
        && !cache.with_dx
}

/// Dense layers, with or without dropout after each but the last.
fn is_chain(layers: &[Layer]) -> bool {
    let is_dense = |layer: &Layer| matches!(layer, Layer::Dense { .. });
    let follows = |pair: &[Layer]| match pair[1] {
        Layer::Dropout { .. } => is_dense(&pair[0]),
        layer => is_dense(&layer),
    };
    let ends = [layers.first(), layers.last()];
    layers.len() <= MOST && ends.into_iter().flatten().all(is_dense) && layers.windows(2).all(follows)
}

/// [`gradient`](super::gradient) of a network that [`takes`] takes.
pub(super) fn gradient<T: Real>(
    network: &Network<T>,
    cache: &mut Cache<T>,
    m: usize,
    mode: Mode,
    grads: &mut Params<T>,
) -> (f64, f64) {
    cache.averaged = false;
    cache.chain.size(network, cache.capacity);
    let Cache { x, y, weights, layers, dz: [last_dz, _], row_loss, chain: Buffers { dz, scratch }, .. } =
        cache;
    let (count, row_loss) = (layers.len(), &mut row_loss[..m]);
    let total = if weights.is_empty() { m as f64 } else { sum(&weights[..m]) };
    let mut packed = [None; MOST];
    pack(network, m, (0, count), scratch, &mut packed[..count]);
    let inputs = [&x[..], y, weights];
    let pass = Pass::new(network, packed, mode, inputs, T::of(1.0 / total));
    let least = m.div_ceil(TASKS * rayon::current_num_threads()).max(LEAST).next_multiple_of(UNIT);
    pass.split((0, m), least, &mut pass.rows(m, layers, (dz, last_dz), row_loss));
    let j = sum(row_loss) / total;
    if j.is_finite() {
        Kept { network, m, x, layers, dz, last_dz }.gradients((0, count), &mut grads.flat, scratch);
    }
    (j, total)
}

impl<T: Real> Buffers<T> {
    fn size(&mut self, network: &Network<T>, capacity: usize) {
        if self.scratch.is_empty() {
            let layers = network.layers();
            let needed =
                layers.iter().map(|layer| packed_len::<T>(layer).max(gradient_len::<T>(layer, capacity)));
            self.scratch = vec![T::ZERO; needed.sum()];
            let but_last = &layers[..layers.len() - 1];
            self.dz = but_last.iter().map(|layer| vec![T::ZERO; capacity * units(layer)]).collect();
        }
    }
}

/// Units of a dense layer; 0 for dropout.
fn units(layer: &Layer) -> usize {
    layer.units().map_or(0, |[_, n_out]| n_out)
}

fn n_params(layer: &Layer) -> usize {
    layer.units().map_or(0, |[n_in, n_out]| (n_in + 1) * n_out)
}

/// Numbers for both forms of a layer's W.
fn packed_len<T: Real>(layer: &Layer) -> usize {
    layer.units().map_or(0, |[n_in, n_out]| Packed::<T>::len(n_in, n_out))
}

/// Numbers for the gradients of a layer.
fn gradient_len<T: Real>(layer: &Layer, m: usize) -> usize {
    layer.units().map_or(0, |[n_in, n_out]| cpu::packed_len::<T>(m, n_in, n_out))
}

/// Both forms of W of layers `from..to`, each made by whoever is free; `scratch` and `packed` begin with theirs.
fn pack<'a, T: Real>(
    network: &'a Network<T>,
    m: usize,
    (from, to): (usize, usize),
    scratch: &'a mut [T],
    packed: &mut [Option<Packed<'a, T>>],
) {
    let layers = network.layers();
    if to - from > 1 {
        let half = from.midpoint(to);
        let needed = layers[from..half].iter().map(packed_len::<T>).sum();
        let (scratch, other_scratch) = scratch.split_at_mut(needed);
        let (packed, other_packed) = packed.split_at_mut(half - from);
        rayon::join(
            || pack(network, m, (from, half), scratch, packed),
            || pack(network, m, (half, to), other_scratch, other_packed),
        );
    } else if let Layer::Dense { n_in, n_out, activation } = layers[from] {
        let (w, b) = network.params.dense(from);
        packed[0] = Some(Packed::new(Dense { m, n_in, n_out, w, b, activation }, from > 0, scratch));
    }
}

/// What every task reads.
struct Pass<'a, T> {
    network: &'a Network<T>,
    /// Of the dense layers.
    packed: [Option<Packed<'a, T>>; MOST],
    /// The columns of each layer's A.
    widths: [usize; MOST],
    mode: Mode,
    /// X, Y, and the weights or none.
    inputs: [&'a [T]; 3],
    /// 1 / Σ w.
    scale: T,
}

/// What a task writes: some rows.
struct Rows<'a, T> {
    layers: [OfLayer<'a, T>; MOST],
    loss: &'a mut [T],
}

/// Those rows of a layer: see [`LayerCache`]; and of its dZ, if it is dense.
struct OfLayer<'a, T> {
    a: &'a mut [T],
    z: &'a mut [T],
    mask: &'a mut [T],
    dz: &'a mut [T],
}

impl<'a, T> Rows<'a, T> {
    fn of(loss: &'a mut [T]) -> Self {
        let none = |_| OfLayer { a: &mut [], z: &mut [], mask: &mut [], dz: &mut [] };
        Self { layers: std::array::from_fn(none), loss }
    }

    /// The first `m` rows, and the others.
    fn split(&mut self, m: usize, widths: &[usize; MOST]) -> [Rows<'_, T>; 2] {
        let (loss, other_loss) = self.loss.split_at_mut(m);
        let (mut first, mut others) = (Rows::of(loss), Rows::of(other_loss));
        let halves = first.layers.iter_mut().zip(&mut others.layers).zip(widths);
        for (layer, ((first, other), width)) in self.layers.iter_mut().zip(halves) {
            // What a layer does not keep is empty.
            let cut = |values| <[T]>::split_at_mut_checked(values, m * width).unwrap_or_default();
            (first.a, other.a) = cut(layer.a);
            (first.z, other.z) = cut(layer.z);
            (first.mask, other.mask) = cut(layer.mask);
            (first.dz, other.dz) = cut(layer.dz);
        }
        [first, others]
    }
}

impl<'a, T: Real> Pass<'a, T> {
    fn new(
        network: &'a Network<T>,
        packed: [Option<Packed<'a, T>>; MOST],
        mode: Mode,
        inputs: [&'a [T]; 3],
        scale: T,
    ) -> Self {
        let mut widths = [0; MOST];
        let mut width = network.n_in();
        for (to, layer) in widths.iter_mut().zip(network.layers()) {
            width = layer.n_out(width);
            *to = width;
        }
        Self { network, packed, widths, mode, inputs, scale }
    }

    /// The first `m` rows of everything.
    fn rows<'r>(
        &self,
        m: usize,
        layers: &'r mut [LayerCache<T>],
        (dz, last_dz): (&'r mut [Vec<T>], &'r mut [T]),
        loss: &'r mut [T],
    ) -> Rows<'r, T> {
        let mut rows = Rows::of(loss);
        let dz = dz.iter_mut().map(|dz| &mut dz[..]).chain([last_dz]);
        for (((to, of), dz), width) in rows.layers.iter_mut().zip(layers).zip(dz).zip(self.widths) {
            let first = |values: &'r mut [T]| {
                let length = values.len().min(m * width);
                &mut values[..length]
            };
            *to = OfLayer {
                a: first(&mut of.a),
                z: first(&mut of.z),
                mask: first(&mut of.mask),
                dz: first(dz),
            };
        }
        rows
    }

    /// Rows from `first` on, in halves until a task has at most `least`.
    fn split(&self, (first, count): (usize, usize), least: usize, rows: &mut Rows<'_, T>) {
        if count <= least {
            return self.task(first, rows);
        }
        let half = (count / 2).next_multiple_of(UNIT);
        let [mut left, mut right] = rows.split(half, &self.widths);
        rayon::join(
            || self.split((first, half), least, &mut left),
            || self.split((first + half, count - half), least, &mut right),
        );
    }

    /// Forward, loss, and backward to dZ₁.
    fn task(&self, first: usize, rows: &mut Rows<'_, T>) {
        let last = self.network.layers().len() - 1;
        (0..=last).for_each(|l| self.forward(first, l, rows));
        let [_, y, weights] = self.inputs;
        let OfLayer { a, dz, .. } = &mut rows.layers[last];
        loss_of_rows(self.network, first, [a, y, weights], self.scale, dz, rows.loss);
        (1..=last).rev().for_each(|l| self.backward(l, rows));
    }

    fn forward(&self, first: usize, l: usize, rows: &mut Rows<'_, T>) {
        let n_in = self.network.n_in();
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { a, z, mask, .. } = &mut rest[0];
        let a_in = match before.last() {
            Some(before) => &*before.a,
            None => &self.inputs[0][first * n_in..(first + rows.loss.len()) * n_in],
        };
        match (self.packed[l], self.network.layers()[l], self.mode) {
            (Some(dense), ..) => dense.forward(a_in, z, a),
            (None, Layer::Dropout { rate }, Mode::Training { seed, step, dropout }) => {
                draw_mask_from(first * self.widths[l], mask, rate * dropout, [seed, step, l as u64]);
                cpu::product_of(a_in, mask, a);
            }
            _ => {
                mask.fill(T::ONE);
                a.copy_from_slice(a_in);
            }
        }
    }

    /// From dZ of a dense layer to that of the one before it, over the dropout between them.
    fn backward(&self, l: usize, rows: &mut Rows<'_, T>) {
        let Some(dense) = self.packed[l] else { return };
        let (before, rest) = rows.layers.split_at_mut(l);
        let dz = &*rest[0].dz;
        let g = |l: usize| activation_of(self.network.layers()[l]);
        match before {
            [.., OfLayer { a, z, dz: dz_in, .. }, OfLayer { mask, .. }] if !mask.is_empty() => {
                dense.grad_input(Activation::Identity, dz, [&[], a], dz_in);
                cpu::multiply(dz_in, mask);
                cpu::multiply_by_derivative(g(l - 2), if z.is_empty() { a } else { z }, a, dz_in);
            }
            [.., OfLayer { a, z, dz: dz_in, .. }] => dense.grad_input(g(l - 1), dz, [z, a], dz_in),
            [] => unreachable!("the first layer's dZ is the last one"),
        }
    }
}

/// What the gradients are made of.
struct Kept<'a, T> {
    network: &'a Network<T>,
    m: usize,
    x: &'a [T],
    layers: &'a [LayerCache<T>],
    dz: &'a [Vec<T>],
    last_dz: &'a [T],
}

impl<T: Real> Kept<'_, T> {
    /// dW and db of layers `from..to`, each and its pieces by whoever is free; `flat` and `scratch` begin with theirs.
    fn gradients(&self, (from, to): (usize, usize), flat: &mut [T], scratch: &mut [T]) {
        let layers = self.network.layers();
        if to - from > 1 {
            let half = from.midpoint(to);
            let (params, other_params) = flat.split_at_mut(layers[from..half].iter().map(n_params).sum());
            let needed = layers[from..half].iter().map(|layer| gradient_len::<T>(layer, self.m)).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            rayon::join(
                || self.gradients((from, half), params, scratch),
                || self.gradients((half, to), other_params, other_scratch),
            );
        } else if let Layer::Dense { n_in, n_out, .. } = layers[from] {
            let a_in = from.checked_sub(1).map_or(self.x, |before| &self.layers[before].a);
            let dz = self.dz.get(from).map_or(self.last_dz, |dz| dz);
            let (dw, db) = flat[..(n_in + 1) * n_out].split_at_mut(n_in * n_out);
            cpu::grad_params([self.m, n_in, n_out], a_in, dz, dw, db, scratch);
        }
    }
}
