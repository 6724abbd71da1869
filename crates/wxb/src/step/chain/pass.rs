//! A member's way through its rows: forward, loss, and backward.

use std::ops::Range;

use super::link::{Chain, Link};
use super::rows::{Grads, OfLayer, Rows, no_grads};
use super::{MOST, Step, UNIT};
use crate::activation::Activation;
use crate::cpu::{self, Packed, blend, ensemble};
use crate::real::Real;
use crate::step::cost::loss_of_rows;
use crate::step::{Mode, draw_mask_from};

/// Some of the layers, and which way.
#[derive(Clone)]
pub enum Part {
    /// A of these.
    Forward(Range<usize>),
    /// A of the last layers from this one on, the loss, and the gradients of what comes before each of them.
    Top(usize),
    /// The gradients of what comes before each of these.
    Backward(Range<usize>),
}

/// A member's way through some layers.
pub struct Pass<'a, T> {
    pub step: &'a Step<'a, T>,
    pub member: usize,
    /// Of the layers with a W.
    pub packed: [Option<Packed<'a, T>>; MOST],
    pub part: Part,
}

impl<T: Real> Pass<'_, T> {
    /// Rows from `first` on, of all rows, in halves until a task has as few as it may have; where members have a W in common in their order, as
    /// sums over them are made in `sums` on the way.
    pub fn split(&self, (first, count): (usize, usize), rows: &mut Rows<'_, T>, sums: &mut Grads<'_, T>) {
        if count <= self.step.least {
            return self.task(first, rows, sums);
        }
        let half = (count / 2).next_multiple_of(UNIT);
        let [mut left, mut right] = rows.split(half, self.step.chain.n_in, &self.step.widths);
        let (left_rows, right_rows) = ((first, half), (first + half, count - half));
        if self.step.chain.shares_w() {
            self.split(left_rows, &mut left, sums);
            self.split(right_rows, &mut right, sums);
        } else {
            cpu::join(
                || self.split(left_rows, &mut left, &mut no_grads()),
                || self.split(right_rows, &mut right, &mut no_grads()),
            );
        }
    }

    fn task(&self, first: usize, rows: &mut Rows<'_, T>, sums: &mut Grads<'_, T>) {
        let Step { chain: Chain { layers, n_in, .. }, inputs: [a_in, ..], .. } = *self.step;
        let a_in = &a_in[first * n_in..(first + rows.loss.len()) * n_in];
        let (forward, backward) = match self.part.clone() {
            Part::Forward(part) => (part, 0..0),
            Part::Top(from) => (from..layers.len(), from..layers.len()),
            Part::Backward(part) => (0..0, part),
        };
        forward.for_each(|l| self.forward((first, a_in), l, rows));
        if let Part::Top(_) = self.part {
            self.loss(first, rows);
        }
        backward.rev().for_each(|l| self.backward(l, a_in, rows, &mut sums[l]));
    }

    /// ℓ of the rows, and dZ of the last layer.
    fn loss(&self, first: usize, rows: &mut Rows<'_, T>) {
        let Step { network, chain, inputs: [_, y, weights], scale, .. } = *self.step;
        let OfLayer { a, dz, .. } = &mut rows.layers[chain.layers.len() - 1];
        loss_of_rows(network, first, [a, y, weights], scale, dz, rows.loss);
    }

    fn forward(&self, (first, a_in): (usize, &[T]), l: usize, rows: &mut Rows<'_, T>) {
        let Step { network, chain, widths, mode, .. } = *self.step;
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { a, z, mask, x, .. } = &mut rest[0];
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
            Link::Dense { .. } => self.w(l).forward(a_in, z, a),
            Link::Ensemble { g, .. } => {
                ensemble::forward_rows(self.w(l), g, self.scales(l), a_in, [x, z, mask, a]);
            }
        }
    }

    /// From the gradient of what a layer of units or a blend gives to that of the one before it, over the dropout between them.
    fn backward(&self, l: usize, a_in: &[T], rows: &mut Rows<'_, T>, sums: &mut [&mut [T]; 3]) {
        let (before, rest) = rows.layers.split_at_mut(l);
        let OfLayer { dz, mask: slope, z: u, .. } = &mut rest[0];
        if l == 0 {
            if !rows.dx.is_empty() {
                self.grad_input(l, Activation::Identity, [dz, u], [&[], a_in], rows.dx, sums);
            }
            return;
        }
        match (self.step.chain.link(l), self.step.chain.link(l - 1), before) {
            (Link::Dropout { .. }, ..) => {}
            (Link::Blend { .. }, _, [.., to]) => {
                cpu::product_of(dz, slope, to.dz);
                self.derive(l - 1, to);
            }
            (_, Link::Dropout { .. }, [.., to, OfLayer { mask, a, .. }]) => {
                self.grad_input(l, Activation::Identity, [dz, u], [&[], a], to.dz, sums);
                cpu::multiply(to.dz, mask);
                self.derive(l - 2, to);
            }
            (Link::Dense { .. }, Link::Dense { g, .. }, [.., OfLayer { a, z, dz: dz_in, .. }]) => {
                self.grad_input(l, g, [dz, u], [z, a], dz_in, sums);
            }
            (_, _, [.., to]) => {
                self.grad_input(l, Activation::Identity, [dz, u], [&[], to.a], to.dz, sums);
                self.derive(l - 1, to);
            }
            (_, _, []) => unreachable!("the first layer's gradient is the last one"),
        }
    }

    /// dA_in of a layer of units times g' of the layer before; `inputs` as in [`Packed::grad_input`]. Of an ensemble, g is the identity,
    /// dU takes the place of dZ, and the sums over the rows are added to.
    fn grad_input(
        &self,
        l: usize,
        g: Activation,
        [dz, u]: [&mut [T]; 2],
        inputs: [&[T]; 2],
        da_in: &mut [T],
        sums: &mut [&mut [T]; 3],
    ) {
        if !self.step.chain.link(l).is_ensemble() {
            return self.w(l).grad_input(g, dz, inputs, da_in);
        }
        let ([r, s, _], [dr, ds, db], [_, a_in]) = (self.scales(l), sums, inputs);
        ensemble::backward_rows(self.w(l), [r, s], [a_in, u], [dz, da_in], [dr, ds, db]);
    }

    /// dZ = dA ⊙ g'(Z) in place of a layer's dA; a blend has applied its slope.
    fn derive(&self, l: usize, OfLayer { a, z, mask, dz, .. }: &mut OfLayer<'_, T>) {
        let (g, z) = match self.step.chain.link(l) {
            Link::Dense { g, .. } => (g, z),
            Link::Ensemble { g, .. } => (g, mask),
            Link::Blend { .. } | Link::Dropout { .. } => return,
        };
        if g != Activation::Identity {
            cpu::multiply_by_derivative(g, if z.is_empty() { a } else { z }, a, dz);
        }
    }

    fn w(&self, l: usize) -> &Packed<'_, T> {
        self.packed[l].as_ref().expect("a layer of units")
    }

    /// r, s and b of an ensemble's member.
    fn scales(&self, l: usize) -> [&[T]; 3] {
        let Step { network, chain, .. } = *self.step;
        let [r, _, s, b] = network.params.tensors(chain.start + l);
        [r, s, b].map(|of_all| {
            let n = of_all.len() / chain.members;
            &of_all[self.member * n..][..n]
        })
    }
}
