//! What is written for rows of a chain: it can be cut where a member, or a row, ends.

use super::link::{Chain, Link};
use super::{MOST, Step};
use crate::aligned::Aligned;
use crate::cpu::{self, Packed};
use crate::layer::Params;
use crate::real::Real;
use crate::step::LayerCache;

/// Buffers that are sized at the first use.
#[derive(Clone, Debug, Default)]
pub struct Buffers<T> {
    /// Of every layer but dropout and the last one, the gradient of what it gives (k m, n_out).
    dz: Vec<Aligned<T>>,
    /// Of an ensemble, X = r ⊙ A_in (k m, n_in).
    x: Vec<Aligned<T>>,
    /// For each member both forms of every W of its own; then what the gradients pack.
    pub scratch: Aligned<T>,
    /// Both forms of every W in common.
    pub common: Aligned<T>,
}

impl<T: Real> Buffers<T> {
    pub fn size(&mut self, chain: Chain<'_>, capacity: usize) {
        if self.dz.len() == chain.layers.len() {
            return;
        }
        let (all, last) = (0..chain.layers.len(), chain.layers.len() - 1);
        let (rows, zeros) = (chain.members * capacity, |width| Aligned::zeros(width));
        let own = all
            .clone()
            .map(|l| packed_len::<T>(chain, l, Whose::Member(0)).max(gradient_len::<T>(chain, l, capacity)));
        self.scratch = zeros(chain.members * own.sum::<usize>());
        self.common = zeros(all.clone().map(|l| packed_len::<T>(chain, l, Whose::All)).sum());
        let kept = |l| if l == last { 0 } else { kept_width(chain.link(l)) };
        self.dz = all.map(|l| zeros(rows * kept(l))).collect();
        self.x = chain.links().map(|link| zeros(rows * scaled_width(link))).collect();
    }
}

/// The columns of the gradient that a layer keeps.
fn kept_width(link: Link) -> usize {
    match link {
        Link::Dense { n_out, .. } | Link::Ensemble { n_out, .. } => n_out,
        Link::Blend { n, .. } => n,
        Link::Dropout { .. } => 0,
    }
}

/// The columns of X.
fn scaled_width(link: Link) -> usize {
    match link {
        Link::Ensemble { n_in, .. } => n_in,
        _ => 0,
    }
}

/// Whose W.
#[derive(Clone, Copy, PartialEq)]
pub enum Whose {
    /// In common.
    All,
    /// This member's own.
    Member(usize),
}

/// Numbers for both forms of a layer's W, if it is theirs, and for the zeros that are added to its product.
pub fn packed_len<T: Real>(chain: Chain<'_>, l: usize, of: Whose) -> usize {
    let is_theirs = chain.has_shared_w(l) == (of == Whose::All);
    match chain.link(l) {
        Link::Dense { n_in, n_out, .. } if is_theirs => Packed::<T>::len(n_in, n_out),
        Link::Ensemble { n_in, n_out, .. } if is_theirs => n_out + Packed::<T>::len(n_in, n_out),
        _ => 0,
    }
}

/// Numbers for the gradient of a member's own W.
pub fn gradient_len<T: Real>(chain: Chain<'_>, l: usize, m: usize) -> usize {
    match chain.link(l) {
        Link::Dense { n_in, n_out, .. } if !chain.has_shared_w(l) => cpu::packed_len::<T>(m, n_in, n_out),
        _ => 0,
    }
}

/// What is written for some members.
pub struct Share<'r, 'g, T> {
    pub rows: Rows<'r, T>,
    pub grads: Grads<'g, T>,
    pub scratch: &'g mut [T],
}

/// Of each layer what some members have of their own: dW and db, dα, or dr, ds and db of an ensemble.
pub type Grads<'a, T> = [[&'a mut [T]; 3]; MOST];

pub fn no_grads<'a, T>() -> Grads<'a, T> {
    std::array::from_fn(|_| [&mut [][..], &mut [][..], &mut [][..]])
}

impl<T: Real> Share<'_, '_, T> {
    /// What the first `count` of so many members write, and the others.
    pub fn split(&mut self, step: &Step<'_, T>, (count, members): (usize, usize)) -> [Share<'_, '_, T>; 2] {
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

/// What a task writes: some rows.
pub struct Rows<'a, T> {
    pub layers: [OfLayer<'a, T>; MOST],
    pub loss: &'a mut [T],
    /// dA_in, if it is wanted.
    pub dx: &'a mut [T],
}

/// Those rows of a layer: see [`LayerCache`] and [`Buffers`].
pub struct OfLayer<'a, T> {
    pub a: &'a mut [T],
    pub z: &'a mut [T],
    pub mask: &'a mut [T],
    pub dz: &'a mut [T],
    pub x: &'a mut [T],
}

impl<'a, T: Real> Rows<'a, T> {
    /// All rows of everything.
    pub fn all(
        step: &Step<'_, T>,
        layers: &'a mut [LayerCache<T>],
        Buffers { dz, x, .. }: &'a mut Buffers<T>,
        last_dz: &'a mut [T],
        [loss, dx]: [&'a mut [T]; 2],
    ) -> Self {
        let all = loss.len();
        let mut rows = Rows::of(loss, dx);
        let mut width_in = step.chain.n_in;
        let buffers = dz.iter_mut().zip(x);
        for (((to, of), (dz, x)), width) in rows.layers.iter_mut().zip(layers).zip(buffers).zip(step.widths) {
            let first = |values: &'a mut [T], width: usize| {
                let length = values.len().min(all * width);
                &mut values[..length]
            };
            *to = OfLayer {
                a: first(&mut of.a, width),
                z: first(&mut of.z, width),
                mask: first(&mut of.mask, width),
                dz: first(dz, width),
                x: first(x, width_in),
            };
            width_in = width;
        }
        let last = step.chain.layers.len() - 1;
        rows.layers[last].dz = &mut last_dz[..all * step.widths[last]];
        rows
    }

    fn of(loss: &'a mut [T], dx: &'a mut [T]) -> Self {
        let none = |_| OfLayer { a: &mut [], z: &mut [], mask: &mut [], dz: &mut [], x: &mut [] };
        Self { layers: std::array::from_fn(none), loss, dx }
    }

    /// The first `m` rows, and the others.
    pub fn split(&mut self, m: usize, n_in: usize, widths: &[usize; MOST]) -> [Rows<'_, T>; 2] {
        // What is not kept is empty.
        fn cut<T>(values: &mut [T], at: usize) -> (&mut [T], &mut [T]) {
            values.split_at_mut_checked(at).unwrap_or_default()
        }
        let ((loss, other_loss), (dx, other_dx)) = (cut(self.loss, m), cut(self.dx, m * n_in));
        let (mut first, mut others) = (Rows::of(loss, dx), Rows::of(other_loss, other_dx));
        let (mut width_in, halves) = (n_in, first.layers.iter_mut().zip(&mut others.layers).zip(widths));
        for (layer, ((first, other), &width)) in self.layers.iter_mut().zip(halves) {
            (first.a, other.a) = cut(layer.a, m * width);
            (first.z, other.z) = cut(layer.z, m * width);
            (first.mask, other.mask) = cut(layer.mask, m * width);
            (first.dz, other.dz) = cut(layer.dz, m * width);
            (first.x, other.x) = cut(layer.x, m * width_in);
            width_in = width;
        }
        [first, others]
    }
}

/// The gradients of all members' own parameters.
pub fn own_grads<'g, T: Real>(chain: Chain<'_>, grads: &'g mut Params<T>) -> Grads<'g, T> {
    let Chain { layers, start, members, .. } = chain;
    let first = grads.slots().iter().find(|slot| slot.layer == start).map_or(0, |slot| slot.offset);
    let (mut all, mut rest) = (no_grads(), &mut grads.flat[first..]);
    let mut take = |numbers: usize| {
        let (tensor, after) = std::mem::take(&mut rest).split_at_mut(numbers);
        rest = after;
        tensor
    };
    for (l, (layer, all)) in layers.iter().zip(&mut all).enumerate() {
        let (link, of) = Link::of(layer).expect("a chain has no other layers");
        let is_shared = chain.is_shared(l);
        match link {
            Link::Dense { n_in, n_out, .. } => *all = [take(of * n_in * n_out), take(of * n_out), &mut []],
            Link::Ensemble { n_in, n_out, .. } => {
                let dr = take(members * n_in);
                take(n_in * n_out);
                *all = [dr, take(members * n_out), take(members * n_out)];
            }
            Link::Blend { n, .. } => *all = [take(of * n), &mut [], &mut []],
            Link::Dropout { .. } => {}
        }
        if is_shared {
            *all = [&mut [], &mut [], &mut []];
        }
    }
    all
}
