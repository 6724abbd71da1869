//! Kernels on the CPU: few, fused, and the only place of the crate with `unsafe`.
//!
//! Each kernel splits its work over **output rows** only and adds up a sum over k in one fixed order, so that its
//! bits depend neither on the number of threads nor on where a row lies in a tile. The seam is these functions:
//!
//! - [`forward`]: A = g(A_in W + b)
//! - [`grad_params`]: dW = A_inᵀ dZ, db = 1ᵀ dZ
//! - [`grad_input`]: dZ_in = (dZ Wᵀ) ⊙ g'(Z_in)
//!
//! All matrices are row-major slices whose lengths the caller has checked.

#![allow(
    unsafe_code,
    reason = "the one place for it; each block says why it is sound and what speed it bought"
)]

pub mod peak;
mod product;
mod tile;

use product::{Lhs, Packed, product};
use rayon::prelude::*;

use crate::activation::Activation;
use crate::real::Real;

/// How many numbers [`forward`], [`grad_params`] and [`grad_input`] need for packing a dense layer (n_in, n_out)
/// and a batch of m rows.
pub fn packed_len<T: Real>(m: usize, n_in: usize, n_out: usize) -> usize {
    let width = |n: usize| n.next_multiple_of(T::TILE_COLUMNS);
    (n_in * width(n_out)).max(n_out * width(n_in)).max(m * width(n_out))
}

/// What [`forward`] reads: a_in (m, n_in), w (n_in, n_out), b (n_out).
#[derive(Clone, Copy)]
pub struct Dense<'a, T> {
    /// The number of rows.
    pub m: usize,
    /// Inputs.
    pub n_in: usize,
    /// Units.
    pub n_out: usize,
    /// W (n_in, n_out).
    pub w: &'a [T],
    /// b (n_out).
    pub b: &'a [T],
    /// g.
    pub activation: Activation,
}

/// A = g(A_in W + b).   a_in (m, n_in) → a (m, n_out); z (m, n_out) is written too where g' needs it, else empty.
pub fn forward<T: Real>(dense: Dense<'_, T>, a_in: &[T], z: &mut [T], a: &mut [T], scratch: &mut [T]) {
    let Dense { m, n_in, n_out, w, b, activation } = dense;
    let packed = Packed::rows(w, n_in, n_out, scratch);
    let lhs = Lhs::rows(a_in, n_in);
    if z.is_empty() {
        product(m, lhs, packed, a, |_, j, row| {
            row.iter_mut().zip(&b[j..]).for_each(|(v, &b)| *v = activation.apply(*v + b));
        });
    } else {
        product(m, lhs, packed, z, |_, j, row| row.iter_mut().zip(&b[j..]).for_each(|(v, &b)| *v += b));
        a.par_chunks_mut(ELEMENTS).zip(z.par_chunks(ELEMENTS)).for_each(|(a, z)| {
            a.iter_mut().zip(z).for_each(|(a, &z)| *a = activation.apply(z));
        });
    }
}

/// dW = A_inᵀ dZ,  db = 1ᵀ dZ.   a_in (m, n_in)  dz (m, n_out)  dw (n_in, n_out)  db (n_out)
pub fn grad_params<T: Real>(
    [m, n_in, n_out]: [usize; 3],
    a_in: &[T],
    dz: &[T],
    dw: &mut [T],
    db: &mut [T],
    scratch: &mut [T],
) {
    let packed = Packed::rows(dz, m, n_out, scratch);
    product(n_in, Lhs::columns(a_in, n_in), packed, dw, |_, _, _| {});
    db.fill(T::ZERO);
    for dz in dz[..m * n_out].chunks_exact(n_out) {
        db.iter_mut().zip(dz).for_each(|(db, &dz)| *db += dz);
    }
}

/// dZ_in = (dZ Wᵀ) ⊙ g'(Z_in).   dz (m, n_out), a_in (m, n_in), z_in likewise or empty → dz_in (m, n_in)
///
/// `dense` is the layer whose W is used; `activation` is g of the layer before it.
pub fn grad_input<T: Real>(
    dense: Dense<'_, T>,
    activation: Activation,
    dz: &[T],
    [z_in, a_in]: [&[T]; 2],
    dz_in: &mut [T],
    scratch: &mut [T],
) {
    let Dense { m, n_in, n_out, w, .. } = dense;
    let packed = Packed::columns(w, n_out, n_in, scratch);
    product(m, Lhs::rows(dz, n_out), packed, dz_in, |i, j, row| {
        let a = &a_in[i * n_in + j..][..row.len()];
        let z = if z_in.is_empty() { a } else { &z_in[i * n_in + j..][..row.len()] };
        row.iter_mut().zip(a).zip(z).for_each(|((v, &a), &z)| *v *= activation.derivative(z, a));
    });
}

/// Elements of an elementwise pass that one task takes.
const ELEMENTS: usize = 1 << 14;
