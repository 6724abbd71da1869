//! A step of a network of dense layers on several threads, by rows of the batch: a thread takes some rows from A_in to dZ₁, and
//! then pieces of all dW. Threads meet four times a step, not at each product, and of the rows a thread reads what it has
//! written itself. Embeddings and scales in front of the dense layers go as always. The kernels are those of layer after layer, and so are
//! the bits.
//!
//! Members go one after the other, each from its A_in to the gradients of what it has of its own, so that threads that have a member each
//! meet once. What the members have in common is packed before, and its gradients are sums over the rows of all of them.

mod link;
mod pass;
mod rows;
#[cfg(test)]
mod tests;

pub(super) use link::Chain;
pub(super) use rows::Buffers;

use link::Link;
use pass::{Part, Pass};
use rows::{Grads, OfLayer, Rows, Share, Whose, gradient_len, own_grads, packed_len};

use super::cost::{sum, targets};
use super::{Cache, Mode, backward_from, forward_until};
use crate::activation::Activation;
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
/// With a W in common, rows that go through a few layers together, and are in the second cache beside it.
const NEAR: usize = 144;
/// And rows of several members for which such a W is read.
const MANY: usize = 128;

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
    let Cache {
        x,
        y,
        weights,
        repeated,
        apart,
        layers,
        dz: of_ends,
        row_loss,
        scratch: of_layers,
        chain: buffers,
        ..
    } = &mut *cache;
    let [last_dz, dx] = of_ends;
    let [y, weights] = targets([y, weights], repeated, chain.members > 1 && !*apart);
    buffers.size(chain, capacity);
    let (before, layers) = layers.split_at_mut(chain.start);
    let a_in = &before.last().map_or(&x[..], |before| &before.a)[..all * chain.n_in];
    let dx = if chain.start > 0 { &mut dx[..all * chain.n_in] } else { &mut [] };
    let row_loss = &mut row_loss[..all];
    let total = if weights.is_empty() { all as f64 } else { sum(&weights[..all]) };
    let (mut scratch, mut common) =
        (std::mem::take(&mut buffers.scratch), std::mem::take(&mut buffers.common));
    let step = Step::new((network, chain), m, mode, [a_in, y, weights], T::of(1.0 / total));
    let step = step.with_common(&mut common);
    let rows = Rows::all(&step, layers, buffers, last_dz, [&mut *row_loss, dx]);
    let mut share = Share { rows, grads: own_grads(chain, grads), scratch: &mut scratch };
    step.members((0, chain.members), &mut share);
    let j = sum(share.rows.loss) / total;
    if j.is_finite() {
        let Share { rows, .. } = share;
        step.gradients_in_common(&rows, grads, of_layers);
    }
    (buffers.scratch, buffers.common) = (scratch, common);
    if j.is_finite() && chain.start > 0 {
        cache.dz.swap(0, 1);
        backward_from(network, cache, m, grads, chain.start, chain.n_in);
    }
    (j, total / chain.members as f64)
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
    /// The most members that go through the layers together.
    together: usize,
    /// Every W in common.
    common: [Option<Packed<'a, T>>; MOST],
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
        let most = chain.members / (TASKS * 2 * cpu::count());
        let (least, together) =
            if chain.shares_w() { (NEAR, (MANY / m).clamp(1, most.max(1))) } else { (least, 1) };
        Self { network, chain, m, widths, mode, inputs, scale, least, together, common: [None; MOST] }
    }

    fn with_common(self, scratch: &'a mut [T]) -> Self {
        let (mut common, count) = ([None; MOST], self.chain.layers.len());
        self.pack(Whose::All, (0, count), scratch, &mut common[..count]);
        Self { common, ..self }
    }

    /// Members `from..to`, some at a time by whoever is free.
    fn members(&self, (from, to): (usize, usize), share: &mut Share<'_, '_, T>) {
        if to - from <= self.together {
            return self.some((from, to), share);
        }
        let half = from.midpoint(to);
        let [mut left, mut right] = share.split(self, (half - from, to - from));
        cpu::join(|| self.members((from, half), &mut left), || self.members((half, to), &mut right));
    }

    /// From A_in to the gradients of these members' own parameters.
    fn some(&self, members: (usize, usize), share: &mut Share<'_, '_, T>) {
        self.clear_sums(&mut share.grads);
        self.chain.stems().for_each(|part| self.go(&Part::Forward(part), members, share));
        self.go(&Part::Top(self.chain.top()), members, share);
        self.chain.stems().rev().for_each(|part| self.go(&Part::Backward(part), members, share));
    }

    /// A part of each of these members' way.
    fn go(&self, part: &Part, (from, to): (usize, usize), share: &mut Share<'_, '_, T>) {
        if to - from == 1 {
            return self.member(part.clone(), from, share);
        }
        let half = from.midpoint(to);
        let [mut left, mut right] = share.split(self, (half - from, to - from));
        self.go(part, (from, half), &mut left);
        self.go(part, (half, to), &mut right);
    }

    fn member(&self, part: Part, member: usize, Share { rows, grads, scratch }: &mut Share<'_, '_, T>) {
        let (count, rows_of) = (self.chain.layers.len(), (member * self.m, self.m));
        let mut packed = self.common;
        let is_top = matches!(part, Part::Top(_));
        if is_top {
            self.pack(Whose::Member(member), (0, count), scratch, &mut packed[..count]);
        }
        Pass { step: self, member, packed, part }.split(rows_of, rows, grads);
        if is_top && sum(rows.loss).is_finite() {
            let of_rows = self.m * self.chain.n_in;
            let a_in = &self.inputs[0][member * of_rows..][..of_rows];
            Kept { step: self, a_in, rows }.gradients((0, count), &mut grads[..count], scratch);
        }
    }

    /// What rows are added to.
    fn clear_sums(&self, grads: &mut Grads<'_, T>) {
        for (link, sums) in self.chain.links().zip(grads) {
            if link.is_ensemble() {
                sums.iter_mut().for_each(|sums| sums.fill(T::ZERO));
            }
        }
    }

    /// Both forms of each W of layers `from..to` that is theirs, each made by whoever is free; `scratch` and `packed` begin with these layers'.
    fn pack<'s>(
        &self,
        of: Whose,
        (from, to): (usize, usize),
        scratch: &'s mut [T],
        packed: &mut [Option<Packed<'s, T>>],
    ) where
        'a: 's,
    {
        let Self { network, chain, m, .. } = *self;
        if to - from > 1 {
            let half = from.midpoint(to);
            let needed = (from..half).map(|l| packed_len::<T>(chain, l, of)).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            let (packed, other_packed) = packed.split_at_mut(half - from);
            cpu::join(
                || self.pack(of, (from, half), scratch, packed),
                || self.pack(of, (half, to), other_scratch, other_packed),
            );
            return;
        }
        if packed_len::<T>(chain, from, of) == 0 {
            return;
        }
        let l = chain.start + from;
        packed[0] = match chain.link(from) {
            Link::Dense { n_in, n_out, g: activation } => {
                let member = if let Whose::Member(member) = of { member } else { 0 };
                let [w, b] = network.params.tensors(l);
                let (w, b) = (&w[member * n_in * n_out..][..n_in * n_out], &b[member * n_out..][..n_out]);
                Some(Packed::new(Dense { m, n_in, n_out, w, b, activation }, l > 0, scratch))
            }
            Link::Ensemble { n_in, n_out, .. } => {
                let [_, w, _, _] = network.params.tensors(l);
                let (b, scratch) = scratch.split_at_mut(n_out);
                b.fill(T::ZERO);
                let dense = Dense { m, n_in, n_out, w, b, activation: Activation::Identity };
                Some(Packed::new(dense, true, scratch))
            }
            Link::Blend { .. } | Link::Dropout { .. } => None,
        };
    }

    /// The gradients of what the members have in common, which are sums over all rows.
    fn gradients_in_common(
        &self,
        Rows { layers, .. }: &Rows<'_, T>,
        grads: &mut Params<T>,
        scratch: &mut [T],
    ) {
        let Chain { start, members, .. } = self.chain;
        for (l, OfLayer { z, dz, x, .. }) in layers.iter().enumerate().take(self.chain.layers.len()) {
            match self.chain.link(l) {
                Link::Dense { n_in, n_out, .. } if self.chain.is_shared(l) => {
                    let a_in = l.checked_sub(1).map_or(self.inputs[0], |before| layers[before].a);
                    let (dw, db) = grads.dense_mut(start + l);
                    cpu::grad_params([members * self.m, n_in, n_out], a_in, dz, dw, db, scratch);
                }
                Link::Ensemble { n_in, n_out, .. } => {
                    let [_, dw, _, _] = grads.tensors_mut(start + l);
                    cpu::grad_weights([members * self.m, n_in, n_out], x, dz, dw, scratch);
                }
                Link::Blend { .. } if self.chain.is_shared(l) => {
                    let [dalpha] = grads.tensors_mut(start + l);
                    blend::grad_alpha(z, dz, dalpha);
                }
                _ => {}
            }
        }
    }
}

/// What the gradients of a member are made of.
struct Kept<'a, T> {
    step: &'a Step<'a, T>,
    a_in: &'a [T],
    rows: &'a Rows<'a, T>,
}

impl<T: Real> Kept<'_, T> {
    /// The gradients of layers `from..to`, each and its pieces by whoever is free; `grads` and `scratch` begin with theirs. Those of an
    /// ensemble have been added up on the way.
    fn gradients(&self, (from, to): (usize, usize), grads: &mut [[&mut [T]; 3]], scratch: &mut [T]) {
        let Step { chain, m, .. } = *self.step;
        if to - from > 1 {
            let half = from.midpoint(to);
            let (grads, other_grads) = grads.split_at_mut(half - from);
            let needed = (from..half).map(|l| gradient_len::<T>(chain, l, m)).sum();
            let (scratch, other_scratch) = scratch.split_at_mut(needed);
            cpu::join(
                || self.gradients((from, half), grads, scratch),
                || self.gradients((half, to), other_grads, other_scratch),
            );
            return;
        }
        let OfLayer { z, dz, .. } = &self.rows.layers[from];
        let [first, second, _] = &mut grads[0];
        match chain.link(from) {
            _ if chain.is_shared(from) => {}
            Link::Dense { n_in, n_out, .. } => {
                let a_in = from.checked_sub(1).map_or(self.a_in, |before| self.rows.layers[before].a);
                cpu::grad_params([m, n_in, n_out], a_in, dz, first, second, scratch);
            }
            Link::Blend { .. } => blend::grad_alpha(z, dz, first),
            Link::Ensemble { .. } | Link::Dropout { .. } => {}
        }
    }
}
