//! A step of a network of dense layers on several threads, by rows of the batch: a thread takes some rows from A_in to dZ₁, and
//! then pieces of all dW. Threads meet four times a step, not at each product, and of the rows a thread reads what it has
//! written itself. Embeddings and scales in front of the dense layers go as always. The kernels are those of layer after layer, and so are
//! the bits.

#[cfg(test)]
mod tests;

use super::cache::LayerCache;
use super::cost::{loss_of_rows, sum};
use super::{Cache, Mode, activation_of, backward_from, draw_mask_from, forward_until};
use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::cpu::{self, Dense, Packed, blend};
use crate::layer::{Layer, Params};
use crate::network::Network;
use crate::real::Real;

/// The most layers: a task's view of them lies on the stack.
const MOST: usize = 16;
/// Multiplications of a step below which a second thread costs what it brings: 75 to 150 µs of one core in single precision.
const SERIAL: usize = 6 << 20;
/// The least rows of a task: both forms of each W are read for them.
const LEAST: usize = 24;
/// Rows that tasks are multiples of: no tile is cut, and the masks of dropout begin at a whole word of the generator.
const UNIT: usize = 12;
/// Tasks for each thread, so that the last one is short.
const TASKS: usize = 2;

/// The layers that go by rows: from the first dense one to the last.
#[derive(Clone, Copy)]
pub(super) struct Chain<'a> {
    layers: &'a [Layer],
    /// The place of the first one in the network.
    start: usize,
    /// The columns of A_in.
    n_in: usize,
}

impl<'a> Chain<'a> {
    /// The chain of a network whose batch of m rows is best cut by rows.
    #[inline]
    pub(super) fn of<T: Real>(network: &'a Network<T>, cache: &Cache<T>, m: usize) -> Option<Self> {
        if rayon::current_num_threads() == 1 || cache.with_dx { None } else { Self::if_worth(network, m) }
    }

    fn if_worth<T: Real>(network: &'a Network<T>, m: usize) -> Option<Self> {
        let multiplications = 3 * m * network.n_params();
        if m >= 2 * LEAST && multiplications >= SERIAL { Self::new(network.layers()) } else { None }
    }

    /// Layers of any kind but of members, then dense ones that may each be followed by a blend and by dropout.
    fn new(layers: &'a [Layer]) -> Option<Self> {
        let is_other = |layer: &Layer| layer.members().is_some() || matches!(layer, Layer::Residual { .. });
        let start = layers.iter().position(is_dense)?;
        let chain = &layers[start..];
        let follows = |pair: &[Layer]| match pair[1] {
            Layer::Dropout { .. } => matches!(pair[0], Layer::Dense { .. } | Layer::Blend { .. }),
            Layer::Blend { .. } => is_dense(&pair[0]),
            layer => is_dense(&layer),
        };
        let fits = chain.len() <= MOST && chain.windows(2).all(follows) && chain.last().is_some_and(is_dense);
        let [n_in, _] = chain[0].units()?;
        (fits && !layers[..start].iter().any(is_other)).then_some(Self { layers: chain, start, n_in })
    }
}

fn is_dense(layer: &Layer) -> bool {
    matches!(layer, Layer::Dense { .. })
}

/// [`gradient`](super::gradient) of a network that is, or ends in, a chain.
///
/// Not inlined: small networks, which do not come here, would set up its 10 KiB of stack at each step.
#[inline(never)]
pub(super) fn gradient<T: Real>(
    (network, chain): (&Network<T>, Chain<'_>),
    cache: &mut Cache<T>,
    m: usize,
    mode: Mode,
    grads: &mut Params<T>,
) -> (f64, f64) {
    forward_until(network, cache, m, mode, chain.start);
    let (count, capacity) = (chain.layers.len(), cache.capacity);
    let Cache { x, y, weights, layers, dz: [last_dz, dx], row_loss, chain: buffers, .. } = &mut *cache;
    buffers.size(chain, capacity);
    let Buffers { dz, scratch } = buffers;
    let (before, layers) = layers.split_at_mut(chain.start);
    let a_in = before.last().map_or(&x[..], |before| &before.a);
    let dx = if chain.start > 0 { &mut dx[..m * chain.n_in] } else { &mut [] };
    let row_loss = &mut row_loss[..m];
    let total = if weights.is_empty() { m as f64 } else { sum(&weights[..m]) };
    let mut packed = [None; MOST];
    let at = At { network, chain, m };
    at.pack((0, count), scratch, &mut packed[..count]);
    let pass = Pass::new(at, packed, mode, [a_in, y, weights], T::of(1.0 / total));
    let least = m.div_ceil(TASKS * rayon::current_num_threads()).max(LEAST).next_multiple_of(UNIT);
    pass.split((0, m), least, &mut pass.rows(layers, (dz, last_dz), [row_loss, dx]));
    let j = sum(row_loss) / total;
    if j.is_finite() {
        let first = network.params.slots().iter().find(|slot| slot.layer == chain.start);
        let flat = &mut grads.flat[first.map_or(0, |slot| slot.offset)..];
        Kept { at, a_in, layers, dz, last_dz }.gradients((0, count), flat, scratch);
        if chain.start > 0 {
            cache.dz.swap(0, 1);
            backward_from(network, cache, m, grads, chain.start, chain.n_in);
        }
    }
    (j, total)
}

/// Buffers that are sized at the first use.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers<T> {
    /// Of every layer but dropout and the last one, the gradient of what it gives (m, n_out).
    dz: Vec<Aligned<T>>,
    /// Both forms of every W; then what the gradients pack.
    scratch: Aligned<T>,
}

impl<T: Real> Buffers<T> {
    fn size(&mut self, Chain { layers, .. }: Chain<'_>, capacity: usize) {
        if self.scratch.is_empty() {
            let needed =
                layers.iter().map(|layer| packed_len::<T>(layer).max(gradient_len::<T>(layer, capacity)));
            self.scratch = Aligned::zeros(needed.sum());
            let but_last = &layers[..layers.len() - 1];
            self.dz = but_last.iter().map(|layer| Aligned::zeros(capacity * kept_width(layer))).collect();
        }
    }
}

/// The columns of the gradient that a layer keeps.
fn kept_width(layer: &Layer) -> usize {
    match *layer {
        Layer::Dense { n_out, .. } => n_out,
        Layer::Blend { n, .. } => n,
        _ => 0,
    }
}

fn n_params(layer: &Layer) -> usize {
    match *layer {
        Layer::Dense { n_in, n_out, .. } => (n_in + 1) * n_out,
        Layer::Blend { n, .. } => n,
        _ => 0,
    }
}

/// Numbers for both forms of a layer's W.
fn packed_len<T: Real>(layer: &Layer) -> usize {
    layer.units().map_or(0, |[n_in, n_out]| Packed::<T>::len(n_in, n_out))
}

/// Numbers for the gradients of a layer.
fn gradient_len<T: Real>(layer: &Layer, m: usize) -> usize {
    layer.units().map_or(0, |[n_in, n_out]| cpu::packed_len::<T>(m, n_in, n_out))
}

/// Where a step is.
#[derive(Clone, Copy)]
struct At<'a, T> {
    network: &'a Network<T>,
    chain: Chain<'a>,
    m: usize,
}

impl<'a, T: Real> At<'a, T> {
    /// Both forms of W of layers `from..to`, each made by whoever is free; `scratch` and `packed` begin with theirs.
    fn pack(self, (from, to): (usize, usize), scratch: &'a mut [T], packed: &mut [Option<Packed<'a, T>>]) {
        let Self { network, chain: Chain { layers, start, .. }, m } = self;
        if to - from > 1 {
            let half = from.midpoint(to);
            let needed = layers[from..half].iter().map(packed_len::<T>).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            let (packed, other_packed) = packed.split_at_mut(half - from);
            rayon::join(
                || self.pack((from, half), scratch, packed),
                || self.pack((half, to), other_scratch, other_packed),
            );
        } else if let Layer::Dense { n_in, n_out, activation } = layers[from] {
            let (w, b) = network.params.dense(start + from);
            let dense = Dense { m, n_in, n_out, w, b, activation };
            packed[0] = Some(Packed::new(dense, start + from > 0, scratch));
        }
    }
}

/// What every task reads.
struct Pass<'a, T> {
    at: At<'a, T>,
    /// Of the dense layers.
    packed: [Option<Packed<'a, T>>; MOST],
    /// The columns of each layer's A.
    widths: [usize; MOST],
    mode: Mode,
    /// A_in, Y, and the weights or none.
    inputs: [&'a [T]; 3],
    /// 1 / Σ w.
    scale: T,
}

/// What a task writes: some rows.
struct Rows<'a, T> {
    layers: [OfLayer<'a, T>; MOST],
    loss: &'a mut [T],
    /// dA_in, if it is wanted.
    dx: &'a mut [T],
}

/// Those rows of a layer: see [`LayerCache`]; and of the gradient that it keeps.
struct OfLayer<'a, T> {
    a: &'a mut [T],
    z: &'a mut [T],
    mask: &'a mut [T],
    dz: &'a mut [T],
}

impl<'a, T> Rows<'a, T> {
    fn of(loss: &'a mut [T], dx: &'a mut [T]) -> Self {
        let none = |_| OfLayer { a: &mut [], z: &mut [], mask: &mut [], dz: &mut [] };
        Self { layers: std::array::from_fn(none), loss, dx }
    }

    /// The first `m` rows, and the others.
    fn split(&mut self, m: usize, n_in: usize, widths: &[usize; MOST]) -> [Rows<'_, T>; 2] {
        // What is not kept is empty.
        fn cut<T>(values: &mut [T], at: usize) -> (&mut [T], &mut [T]) {
            values.split_at_mut_checked(at).unwrap_or_default()
        }
        let ((loss, other_loss), (dx, other_dx)) = (cut(self.loss, m), cut(self.dx, m * n_in));
        let (mut first, mut others) = (Rows::of(loss, dx), Rows::of(other_loss, other_dx));
        let halves = first.layers.iter_mut().zip(&mut others.layers).zip(widths);
        for (layer, ((first, other), width)) in self.layers.iter_mut().zip(halves) {
            (first.a, other.a) = cut(layer.a, m * width);
            (first.z, other.z) = cut(layer.z, m * width);
            (first.mask, other.mask) = cut(layer.mask, m * width);
            (first.dz, other.dz) = cut(layer.dz, m * width);
        }
        [first, others]
    }
}

impl<'a, T: Real> Pass<'a, T> {
    fn new(
        at: At<'a, T>,
        packed: [Option<Packed<'a, T>>; MOST],
        mode: Mode,
        inputs: [&'a [T]; 3],
        scale: T,
    ) -> Self {
        let (mut widths, mut width) = ([0; MOST], at.chain.n_in);
        for (to, layer) in widths.iter_mut().zip(at.chain.layers) {
            width = layer.n_out(width);
            *to = width;
        }
        Self { at, packed, widths, mode, inputs, scale }
    }

    /// All rows of everything.
    fn rows<'r>(
        &self,
        layers: &'r mut [LayerCache<T>],
        (dz, last_dz): (&'r mut [Aligned<T>], &'r mut [T]),
        [loss, dx]: [&'r mut [T]; 2],
    ) -> Rows<'r, T> {
        let mut rows = Rows::of(loss, dx);
        let dz = dz.iter_mut().map(|dz| &mut dz[..]).chain([last_dz]);
        for (((to, of), dz), width) in rows.layers.iter_mut().zip(layers).zip(dz).zip(self.widths) {
            let first = |values: &'r mut [T]| {
                let length = values.len().min(self.at.m * width);
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
        let [mut left, mut right] = rows.split(half, self.at.chain.n_in, &self.widths);
        rayon::join(
            || self.split((first, half), least, &mut left),
            || self.split((first + half, count - half), least, &mut right),
        );
    }

    /// Forward, loss, and backward to dZ₁, or to dA_in.
    fn task(&self, first: usize, rows: &mut Rows<'_, T>) {
        let last = self.at.chain.layers.len() - 1;
        let n_in = self.at.chain.n_in;
        let a_in = &self.inputs[0][first * n_in..(first + rows.loss.len()) * n_in];
        (0..=last).for_each(|l| self.forward((first, a_in), l, rows));
        let [_, y, weights] = self.inputs;
        let OfLayer { a, dz, .. } = &mut rows.layers[last];
        loss_of_rows(self.at.network, first, [a, y, weights], self.scale, dz, rows.loss);
        (1..=last).rev().for_each(|l| self.backward(l, rows));
        if let Some(dense) = self.packed[0].filter(|_| !rows.dx.is_empty()) {
            dense.grad_input(Activation::Identity, rows.layers[0].dz, [&[], a_in], rows.dx);
        }
    }

    fn forward(&self, (first, a_in): (usize, &[T]), l: usize, rows: &mut Rows<'_, T>) {
        let At { network, chain: Chain { layers, start, .. }, .. } = self.at;
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { a, z, mask, .. } = &mut rest[0];
        let a_in = before.last().map_or(a_in, |before| &*before.a);
        match layers[l] {
            Layer::Blend { activation, .. } => {
                let [alpha] = network.params.tensors(start + l);
                blend::forward_rows(activation, alpha, a_in, z, mask, a);
            }
            Layer::Dropout { rate } => {
                match self.mode {
                    Mode::Training { seed, step, dropout } => {
                        let key = [seed, step, (start + l) as u64];
                        draw_mask_from(first * self.widths[l], mask, rate * dropout, key);
                    }
                    Mode::SameMasks => {}
                    Mode::Predicting => mask.fill(T::ONE),
                }
                cpu::product_of(a_in, mask, a);
            }
            _ => self.packed[l].expect("a dense layer").forward(a_in, z, a),
        }
    }

    /// From the gradient of what a dense layer or a blend gives to that of the one before it, over the dropout between them.
    fn backward(&self, l: usize, rows: &mut Rows<'_, T>) {
        let layers = self.at.chain.layers;
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { dz, mask: slope, .. } = &rest[0];
        match (layers[l], before) {
            (Layer::Dropout { .. }, _) => {}
            (Layer::Blend { .. }, [.., OfLayer { a, z, dz: dz_in, .. }]) => {
                cpu::product_of(dz, slope, dz_in);
                derive(activation_of(layers[l - 1]), z, a, dz_in);
            }
            (_, [.., OfLayer { a, z, dz: dz_in, .. }, OfLayer { mask, .. }])
                if matches!(layers[l - 1], Layer::Dropout { .. }) =>
            {
                self.grad_input(l, Activation::Identity, dz, [&[], a], dz_in);
                cpu::multiply(dz_in, mask);
                derive(activation_of(layers[l - 2]), z, a, dz_in);
            }
            (_, [.., OfLayer { a, dz: dz_in, .. }]) if matches!(layers[l - 1], Layer::Blend { .. }) => {
                self.grad_input(l, Activation::Identity, dz, [&[], a], dz_in);
            }
            (_, [.., OfLayer { a, z, dz: dz_in, .. }]) => {
                self.grad_input(l, activation_of(layers[l - 1]), dz, [z, a], dz_in);
            }
            (_, []) => unreachable!("the first layer's gradient is the last one"),
        }
    }

    fn grad_input(&self, l: usize, g: Activation, dz: &[T], inputs: [&[T]; 2], dz_in: &mut [T]) {
        self.packed[l].expect("a dense layer").grad_input(g, dz, inputs, dz_in);
    }
}

/// dZ = dA ⊙ g'(Z) in place of dA; of the identity nothing is to be done.
fn derive<T: Real>(g: Activation, z: &[T], a: &[T], da: &mut [T]) {
    if g != Activation::Identity {
        cpu::multiply_by_derivative(g, if z.is_empty() { a } else { z }, a, da);
    }
}

/// What the gradients are made of.
struct Kept<'a, T> {
    at: At<'a, T>,
    a_in: &'a [T],
    layers: &'a [LayerCache<T>],
    dz: &'a [Aligned<T>],
    last_dz: &'a [T],
}

impl<T: Real> Kept<'_, T> {
    /// The gradients of layers `from..to`, each and its pieces by whoever is free; `flat` and `scratch` begin with theirs.
    fn gradients(&self, (from, to): (usize, usize), flat: &mut [T], scratch: &mut [T]) {
        let At { chain: Chain { layers, .. }, m, .. } = self.at;
        if to - from > 1 {
            let half = from.midpoint(to);
            let (params, other_params) = flat.split_at_mut(layers[from..half].iter().map(n_params).sum());
            let needed = layers[from..half].iter().map(|layer| gradient_len::<T>(layer, m)).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            rayon::join(
                || self.gradients((from, half), params, scratch),
                || self.gradients((half, to), other_params, other_scratch),
            );
            return;
        }
        let dz = self.dz.get(from).map_or(self.last_dz, |dz| dz);
        match layers[from] {
            Layer::Dense { n_in, n_out, .. } => {
                let a_in = from.checked_sub(1).map_or(self.a_in, |before| &self.layers[before].a);
                let (dw, db) = flat[..(n_in + 1) * n_out].split_at_mut(n_in * n_out);
                cpu::grad_params([m, n_in, n_out], a_in, dz, dw, db, scratch);
            }
            Layer::Blend { n, .. } => {
                let d = &self.layers[from].z[..m * n];
                blend::grad_alpha(d, &dz[..m * n], &mut flat[..n]);
            }
            _ => {}
        }
    }
}
