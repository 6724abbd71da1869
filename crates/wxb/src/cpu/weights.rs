//! W of a dense layer in the forms that products with it read.

use super::dots::{self, Dots};
use super::narrow;
use super::one_row;
use super::pack::{Rhs, packed_len};
use super::product::product_of_rows;
use super::tile::{Lhs, Start};
use super::{Dense, derive_from, elementwise};
use crate::activation::Activation;
use crate::real::Real;

/// What A_in is multiplied by.
#[derive(Clone, Copy)]
pub enum Weights<'a, T> {
    /// Wᵀ (n_out, n_in) of one to three units.
    Narrow(&'a [T]),
    /// Of a few units and many inputs.
    Dots(Dots<'a, T>),
    /// W (n_in, n_out) as it lies, for one row.
    Plain(&'a [T]),
    /// W (n_in, n_out).
    Wide(Rhs<'a, T>),
}

impl<'a, T: Real> Weights<'a, T> {
    /// How many numbers [`Weights::new`] needs at most: W or Wᵀ in whole vectors.
    pub fn len(n_in: usize, n_out: usize) -> usize {
        packed_len::<T>(n_in, n_out).max(packed_len::<T>(n_out, n_in))
    }

    /// W for a product with `dense.m` rows.
    pub fn new(Dense { m, n_in, n_out, w, .. }: Dense<'a, T>, scratch: &'a mut [T]) -> Self {
        if n_out <= narrow::UNITS {
            Self::Narrow(narrow::transposed(w, n_out, scratch))
        } else if dots::takes(n_in, n_out) {
            Self::Dots(Dots::new(w, [m, n_in, n_out], scratch))
        } else if m == 1 {
            Self::Plain(&w[..n_in * n_out])
        } else {
            Self::Wide(Rhs::rows(w, n_in, n_out, m, scratch))
        }
    }
}

/// What dZ is multiplied by: Wᵀ (n_out, n_in).
pub fn transposed<'a, T: Real>(
    Dense { m, n_in, n_out, w, .. }: Dense<'a, T>,
    scratch: &'a mut [T],
) -> Rhs<'a, T> {
    match n_out {
        1 => Rhs::rows(w, 1, n_in, m, scratch),
        _ => Rhs::columns(w, n_out, n_in, scratch),
    }
}

/// A dense layer that many tasks use, each for some rows: both forms of W are made once.
#[derive(Clone, Copy)]
pub struct Packed<'a, T> {
    dense: Dense<'a, T>,
    weights: Weights<'a, T>,
    /// Of a layer whose dZ_in is wanted.
    transposed: Option<Rhs<'a, T>>,
}

impl<'a, T: Real> Packed<'a, T> {
    /// How many numbers [`Packed::new`] needs.
    pub fn len(n_in: usize, n_out: usize) -> usize {
        Weights::<T>::len(n_in, n_out) + packed_len::<T>(n_out, n_in)
    }

    /// Both forms, or the one that forward needs.
    pub fn new(dense: Dense<'a, T>, with_input: bool, scratch: &'a mut [T]) -> Self {
        let (first, second) = scratch.split_at_mut(Weights::<T>::len(dense.n_in, dense.n_out));
        Self {
            dense,
            weights: Weights::new(dense, first),
            transposed: with_input.then(|| transposed(dense, second)),
        }
    }

    /// A = g(A_in W + b) for the rows of A that there are, on one thread; `z` as in [`forward`](super::forward).
    pub fn forward(&self, a_in: &[T], z: &mut [T], a: &mut [T]) {
        let activation = self.dense.activation;
        if z.is_empty() {
            self.affine(a_in, a, &|a| elementwise::activate(activation, a));
        } else {
            self.affine(a_in, z, &|_| {});
            a.copy_from_slice(z);
            elementwise::activate(activation, a);
        }
    }

    fn affine(&self, a_in: &[T], z: &mut [T], finish: &impl Fn(&mut [T])) {
        let Dense { n_in, b, .. } = self.dense;
        match self.weights {
            Weights::Narrow(wt) => {
                narrow::forward_rows(n_in, a_in, wt, b, z);
                finish(z);
            }
            Weights::Dots(dots) => {
                dots.forward_rows(n_in, a_in, b, z);
                finish(z);
            }
            Weights::Plain(w) => {
                one_row::forward(a_in, w, b, z);
                finish(z);
            }
            Weights::Wide(rhs) => {
                product_of_rows(Lhs::rows(a_in, n_in), rhs, Start::Row(b), z, &|_, z| finish(z));
            }
        }
    }

    /// dZ_in = (dZ Wᵀ) ⊙ g'(Z_in) for the rows of dZ_in that there are, on one thread; `activation` is g of the layer
    /// before, `inputs` its Z (empty where g' needs A alone) and A.
    pub fn grad_input(&self, activation: Activation, dz: &[T], inputs: [&[T]; 2], dz_in: &mut [T]) {
        let Dense { n_in, n_out, .. } = self.dense;
        let rhs = self.transposed.expect("packed with it");
        product_of_rows(Lhs::rows(dz, n_out), rhs, Start::Zero, dz_in, &|i, rows| {
            derive_from(i * n_in, activation, inputs, rows);
        });
    }
}
