//! A step of a network of dense layers on several threads, by rows of the batch: a thread takes some rows from A_in to dZ₁, and
//! then pieces of all dW. Threads meet four times a step, not at each product, and of the rows a thread reads what it has
//! written itself. Embeddings and scales in front of the dense layers go as always. The kernels are those of layer after layer, and so are
//! the bits.
//!
//! Members with dense layers of their own go one after the other, each from its A_in to its dW, so that threads that have a member each
//! meet once.

mod link;
#[cfg(test)]
mod tests;

pub(super) use link::Chain;
use link::Link;

use super::cache::LayerCache;
use super::cost::{loss_of_rows, sum, targets};
use super::{Cache, Mode, backward_from, draw_mask_from, forward_until};
use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::cpu::{self, Dense, Packed, blend};
use crate::layer::Params;
use crate::network::Network;
use crate::real::Real;

/// The most layers: a task's view of them lies on the stack.
const MOST: usize = 16;
/// The least rows of a task: both forms of each W are read for them.
const LEAST: usize = 24;
/// Rows that tasks are multiples of: no tile is cut.
const UNIT: usize = 12;
/// Tasks for each thread, so that the last one is short.
const TASKS: usize = 2;

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
    let all = m * chain.members;
    cache.repeat_targets(m * network.n_targets(), m, chain.members);
    let capacity = cache.capacity;
    let Cache { x, y, weights, repeated, apart, layers, dz: of_ends, row_loss, chain: buffers, .. } =
        &mut *cache;
    let [last_dz, dx] = of_ends;
    let [y, weights] = targets([y, weights], repeated, chain.members > 1 && !*apart);
    buffers.size(chain, capacity);
    let Buffers { dz, scratch } = buffers;
    let (before, layers) = layers.split_at_mut(chain.start);
    let a_in = &before.last().map_or(&x[..], |before| &before.a)[..all * chain.n_in];
    let dx = if chain.start > 0 { &mut dx[..all * chain.n_in] } else { &mut [] };
    let row_loss = &mut row_loss[..all];
    let total = if weights.is_empty() { all as f64 } else { sum(&weights[..all]) };
    let step = Step::new((network, chain), m, mode, [a_in, y, weights], T::of(1.0 / total));
    let rows = step.rows(layers, (dz, last_dz), [&mut *row_loss, dx]);
    step.members((0, chain.members), &mut Share { rows, grads: step.grads(grads), scratch });
    let j = sum(row_loss) / total;
    if j.is_finite() {
        step.gradients_in_common(layers, dz, grads);
        if chain.start > 0 {
            cache.dz.swap(0, 1);
            backward_from(network, cache, m, grads, chain.start, chain.n_in);
        }
    }
    (j, total / chain.members as f64)
}

/// Buffers that are sized at the first use.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers<T> {
    /// Of every layer but dropout and the last one, the gradient of what it gives (k m, n_out).
    dz: Vec<Aligned<T>>,
    /// For each member both forms of every W; then what the gradients pack.
    scratch: Aligned<T>,
}

impl<T: Real> Buffers<T> {
    fn size(&mut self, chain: Chain<'_>, capacity: usize) {
        if self.scratch.is_empty() {
            let needed =
                chain.links().map(|link| packed_len::<T>(link).max(gradient_len::<T>(link, capacity)));
            self.scratch = Aligned::zeros(chain.members * needed.sum::<usize>());
            let rows = chain.members * capacity;
            let but_last = chain.links().take(chain.layers.len() - 1);
            self.dz = but_last.map(|link| Aligned::zeros(rows * kept_width(link))).collect();
        }
    }
}

/// The columns of the gradient that a layer keeps.
fn kept_width(link: Link) -> usize {
    match link {
        Link::Dense { n_out, .. } => n_out,
        Link::Blend { n, .. } => n,
        Link::Dropout { .. } => 0,
    }
}

/// Numbers for both forms of a layer's W.
fn packed_len<T: Real>(link: Link) -> usize {
    match link {
        Link::Dense { n_in, n_out, .. } => Packed::<T>::len(n_in, n_out),
        _ => 0,
    }
}

/// Numbers for the gradients of a layer.
fn gradient_len<T: Real>(link: Link, m: usize) -> usize {
    match link {
        Link::Dense { n_in, n_out, .. } => cpu::packed_len::<T>(m, n_in, n_out),
        _ => 0,
    }
}

/// What every task reads.
struct Step<'a, T> {
    network: &'a Network<T>,
    chain: Chain<'a>,
    /// Rows of a member.
    m: usize,
    /// The columns of each layer's A.
    widths: [usize; MOST],
    mode: Mode,
    /// A_in, Y, and the weights or none, of all rows.
    inputs: [&'a [T]; 3],
    /// 1 / Σ w.
    scale: T,
    /// The most rows of a task.
    least: usize,
}

/// What is written for some members.
struct Share<'a, T> {
    rows: Rows<'a, T>,
    /// Of each layer dW and db, or dα; nothing for what the members have in common.
    grads: [[&'a mut [T]; 2]; MOST],
    scratch: &'a mut [T],
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

impl<T> Share<'_, T> {
    /// What the first `count` of so many members write, and the others.
    fn split(&mut self, step: &Step<'_, T>, (count, members): (usize, usize)) -> [Share<'_, T>; 2] {
        let cut = |values: usize| values / members * count;
        let [rows, other_rows] = self.rows.split(count * step.m, step.chain.n_in, &step.widths);
        let at = cut(self.scratch.len());
        let (scratch, other_scratch) = self.scratch.split_at_mut(at);
        let mut first = Share { rows, grads: no_grads(), scratch };
        let mut others = Share { rows: other_rows, grads: no_grads(), scratch: other_scratch };
        let halves = first.grads.iter_mut().zip(&mut others.grads);
        for (grads, (first, others)) in self.grads.iter_mut().zip(halves) {
            for (grads, (first, others)) in grads.iter_mut().zip(first.iter_mut().zip(others)) {
                let at = cut(grads.len());
                (*first, *others) = grads.split_at_mut(at);
            }
        }
        [first, others]
    }
}

fn no_grads<'a, T>() -> [[&'a mut [T]; 2]; MOST] {
    std::array::from_fn(|_| [&mut [][..], &mut [][..]])
}

impl<'a, T: Real> Step<'a, T> {
    fn new(
        (network, chain): (&'a Network<T>, Chain<'a>),
        m: usize,
        mode: Mode,
        inputs: [&'a [T]; 3],
        scale: T,
    ) -> Self {
        let (mut widths, mut width) = ([0; MOST], chain.n_in);
        for (to, layer) in widths.iter_mut().zip(chain.layers) {
            width = layer.n_out(width);
            *to = width;
        }
        // Members are tasks themselves.
        let of_each = if chain.members == 1 { TASKS } else { 2 * TASKS };
        let tasks = (of_each * cpu::count()).div_ceil(chain.members);
        let least = m.div_ceil(tasks).max(LEAST).next_multiple_of(UNIT);
        Self { network, chain, m, widths, mode, inputs, scale, least }
    }

    /// All rows of everything.
    fn rows<'r>(
        &self,
        layers: &'r mut [LayerCache<T>],
        (dz, last_dz): (&'r mut [Aligned<T>], &'r mut [T]),
        [loss, dx]: [&'r mut [T]; 2],
    ) -> Rows<'r, T> {
        let all = loss.len();
        let mut rows = Rows::of(loss, dx);
        let dz = dz.iter_mut().map(|dz| &mut dz[..]).chain([last_dz]);
        for (((to, of), dz), width) in rows.layers.iter_mut().zip(layers).zip(dz).zip(self.widths) {
            let first = |values: &'r mut [T]| {
                let length = values.len().min(all * width);
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

    /// The gradients of all members' own parameters.
    fn grads<'g>(&self, grads: &'g mut Params<T>) -> [[&'g mut [T]; 2]; MOST] {
        let Chain { layers, start, .. } = self.chain;
        let first = grads.slots().iter().find(|slot| slot.layer == start).map_or(0, |slot| slot.offset);
        let (mut all, mut rest) = (no_grads(), &mut grads.flat[first..]);
        for (l, (layer, all)) in layers.iter().zip(&mut all).enumerate() {
            let (link, members) = Link::of(layer).expect("a chain has no other layers");
            let [first, second] = match link {
                Link::Dense { n_in, n_out, .. } => [n_in * n_out, n_out],
                Link::Blend { n, .. } => [n, 0],
                Link::Dropout { .. } => [0, 0],
            };
            let (tensor, after) = rest.split_at_mut(members * first);
            let (other, after) = after.split_at_mut(members * second);
            rest = after;
            if !self.chain.is_shared(l) {
                *all = [tensor, other];
            }
        }
        all
    }

    /// Members `from..to`, each by whoever is free.
    fn members(&self, (from, to): (usize, usize), share: &mut Share<'_, T>) {
        if to - from == 1 {
            return self.member(from, share);
        }
        let half = from.midpoint(to);
        let [mut left, mut right] = share.split(self, (half - from, to - from));
        cpu::join(|| self.members((from, half), &mut left), || self.members((half, to), &mut right));
    }

    /// From A_in to the gradients of one member's own parameters.
    fn member(&self, member: usize, Share { rows, grads, scratch }: &mut Share<'_, T>) {
        let count = self.chain.layers.len();
        let mut packed = [None; MOST];
        self.pack(member, (0, count), scratch, &mut packed[..count]);
        Pass { step: self, member, packed }.split((member * self.m, self.m), rows);
        if sum(rows.loss).is_finite() {
            let of_rows = self.m * self.chain.n_in;
            let a_in = &self.inputs[0][member * of_rows..][..of_rows];
            Kept { step: self, a_in, rows }.gradients((0, count), &mut grads[..count], scratch);
        }
    }

    /// Both forms of W of layers `from..to`, each made by whoever is free; `scratch` and `packed` begin with theirs.
    fn pack<'s>(
        &'s self,
        member: usize,
        (from, to): (usize, usize),
        scratch: &'s mut [T],
        packed: &mut [Option<Packed<'s, T>>],
    ) {
        let start = self.chain.start;
        if to - from > 1 {
            let half = from.midpoint(to);
            let needed = (from..half).map(|l| packed_len::<T>(self.chain.link(l))).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            let (packed, other_packed) = packed.split_at_mut(half - from);
            cpu::join(
                || self.pack(member, (from, half), scratch, packed),
                || self.pack(member, (half, to), other_scratch, other_packed),
            );
        } else if let Link::Dense { n_in, n_out, g: activation } = self.chain.link(from) {
            let [w, b] = self.network.params.tensors(start + from);
            let (w, b) = (&w[member * n_in * n_out..][..n_in * n_out], &b[member * n_out..][..n_out]);
            let dense = Dense { m: self.m, n_in, n_out, w, b, activation };
            packed[0] = Some(Packed::new(dense, start + from > 0, scratch));
        }
    }

    /// The gradients of what the members have in common, which are sums over all rows.
    fn gradients_in_common(&self, layers: &[LayerCache<T>], dz: &[Aligned<T>], grads: &mut Params<T>) {
        let Chain { start, members, .. } = self.chain;
        for (l, (layer, dz)) in layers.iter().zip(dz).enumerate() {
            if self.chain.is_shared(l) {
                let [dalpha] = grads.tensors_mut(start + l);
                let numbers = members * self.m * dalpha.len();
                blend::grad_alpha(&layer.z[..numbers], &dz[..numbers], dalpha);
            }
        }
    }
}

/// A member's way through its rows.
struct Pass<'a, T> {
    step: &'a Step<'a, T>,
    member: usize,
    /// Of the dense layers.
    packed: [Option<Packed<'a, T>>; MOST],
}

impl<T: Real> Pass<'_, T> {
    /// Rows from `first` on, of all rows, in halves until a task has as few as it may have.
    fn split(&self, (first, count): (usize, usize), rows: &mut Rows<'_, T>) {
        if count <= self.step.least {
            return self.task(first, rows);
        }
        let half = (count / 2).next_multiple_of(UNIT);
        let [mut left, mut right] = rows.split(half, self.step.chain.n_in, &self.step.widths);
        cpu::join(
            || self.split((first, half), &mut left),
            || self.split((first + half, count - half), &mut right),
        );
    }

    /// Forward, loss, and backward to dZ₁, or to dA_in.
    fn task(&self, first: usize, rows: &mut Rows<'_, T>) {
        let Step { network, chain: Chain { layers, n_in, .. }, inputs, scale, .. } = *self.step;
        let last = layers.len() - 1;
        let a_in = &inputs[0][first * n_in..(first + rows.loss.len()) * n_in];
        (0..=last).for_each(|l| self.forward((first, a_in), l, rows));
        let [_, y, weights] = inputs;
        let OfLayer { a, dz, .. } = &mut rows.layers[last];
        loss_of_rows(network, first, [a, y, weights], scale, dz, rows.loss);
        (1..=last).rev().for_each(|l| self.backward(l, rows));
        if let Some(dense) = self.packed[0].filter(|_| !rows.dx.is_empty()) {
            dense.grad_input(Activation::Identity, rows.layers[0].dz, [&[], a_in], rows.dx);
        }
    }

    fn forward(&self, (first, a_in): (usize, &[T]), l: usize, rows: &mut Rows<'_, T>) {
        let Step { network, chain, widths, mode, .. } = *self.step;
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { a, z, mask, .. } = &mut rest[0];
        let a_in = before.last().map_or(a_in, |before| &*before.a);
        match chain.link(l) {
            Link::Blend { n, g } => {
                let [alpha] = network.params.tensors(chain.start + l);
                let at = if chain.is_shared(l) { 0 } else { self.member * n };
                blend::forward_rows(g, &alpha[at..][..n], a_in, z, mask, a);
            }
            Link::Dropout { rate } => {
                match mode {
                    Mode::Training { seed, step, dropout } => {
                        let key = [seed, step, (chain.start + l) as u64];
                        draw_mask_from(first * widths[l], mask, rate * dropout, key);
                    }
                    Mode::SameMasks => {}
                    Mode::Predicting => mask.fill(T::ONE),
                }
                cpu::product_of(a_in, mask, a);
            }
            Link::Dense { .. } => self.packed[l].expect("a dense layer").forward(a_in, z, a),
        }
    }

    /// From the gradient of what a dense layer or a blend gives to that of the one before it, over the dropout between them.
    fn backward(&self, l: usize, rows: &mut Rows<'_, T>) {
        let g = |l: usize| match self.step.chain.link(l) {
            Link::Dense { g, .. } => g,
            _ => Activation::Identity,
        };
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { dz, mask: slope, .. } = &rest[0];
        match (self.step.chain.link(l), self.step.chain.link(l - 1), before) {
            (Link::Dropout { .. }, ..) => {}
            (Link::Blend { .. }, _, [.., OfLayer { a, z, dz: dz_in, .. }]) => {
                cpu::product_of(dz, slope, dz_in);
                derive(g(l - 1), z, a, dz_in);
            }
            (_, Link::Dropout { .. }, [.., OfLayer { a, z, dz: dz_in, .. }, OfLayer { mask, .. }]) => {
                self.grad_input(l, Activation::Identity, dz, [&[], a], dz_in);
                cpu::multiply(dz_in, mask);
                derive(g(l - 2), z, a, dz_in);
            }
            (_, Link::Blend { .. }, [.., OfLayer { a, dz: dz_in, .. }]) => {
                self.grad_input(l, Activation::Identity, dz, [&[], a], dz_in);
            }
            (_, _, [.., OfLayer { a, z, dz: dz_in, .. }]) => {
                self.grad_input(l, g(l - 1), dz, [z, a], dz_in);
            }
            (_, _, []) => unreachable!("the first layer's gradient is the last one"),
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

/// What the gradients of a member are made of.
struct Kept<'a, T> {
    step: &'a Step<'a, T>,
    a_in: &'a [T],
    rows: &'a Rows<'a, T>,
}

impl<T: Real> Kept<'_, T> {
    /// The gradients of layers `from..to`, each and its pieces by whoever is free; `grads` and `scratch` begin with theirs.
    fn gradients(&self, (from, to): (usize, usize), grads: &mut [[&mut [T]; 2]], scratch: &mut [T]) {
        let Step { chain, m, .. } = *self.step;
        if to - from > 1 {
            let half = from.midpoint(to);
            let (grads, other_grads) = grads.split_at_mut(half - from);
            let needed = (from..half).map(|l| gradient_len::<T>(chain.link(l), m)).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            cpu::join(
                || self.gradients((from, half), grads, scratch),
                || self.gradients((half, to), other_grads, other_scratch),
            );
            return;
        }
        let OfLayer { z, dz, .. } = &self.rows.layers[from];
        let [first, second] = &mut grads[0];
        match chain.link(from) {
            Link::Dense { n_in, n_out, .. } => {
                let a_in = from.checked_sub(1).map_or(self.a_in, |before| self.rows.layers[before].a);
                cpu::grad_params([m, n_in, n_out], a_in, dz, first, second, scratch);
            }
            Link::Blend { .. } if !chain.is_shared(from) => blend::grad_alpha(z, dz, first),
            Link::Blend { .. } | Link::Dropout { .. } => {}
        }
    }
}
