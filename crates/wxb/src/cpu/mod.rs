//! Kernels on the CPU: few, fused, and the only place of the crate with `unsafe`.
//!
//! Each kernel splits its work over **outputs** only, and adds every sum up in one fixed order: its bits depend
//! neither on the number of threads nor on the tile that an output falls into. The seam is these functions:
//!
//! - [`forward`]: A = g(A_in W + b)
//! - [`grad_params`]: dW = A_inᵀ dZ, db = 1ᵀ dZ
//! - [`grad_input`]: dZ_in = (dZ Wᵀ) ⊙ g'(Z_in)
//!
//! The other layers have a module each, forward and backward side by side: `scale`, `blend`, `norm`, `residual`,
//! `periodic`, `plr`, `bins`, `embed`, `ensemble` and `heads`, whose products are those, and `own`, which has one of the
//! others for each member.
//!
//! All matrices are row-major slices whose lengths the caller has checked.

#![allow(
    unsafe_code,
    reason = "the one place for it; each block says why it is sound and what speed it bought"
)]

pub(crate) mod bins;
pub(crate) mod blend;
mod dots;
mod elementwise;
pub(crate) mod embed;
pub(crate) mod ensemble;
pub(crate) mod heads;
mod isa;
pub(crate) mod lanes;
mod narrow;
pub(crate) mod norm;
mod one_row;
pub(crate) mod own;
mod pack;
pub mod peak;
pub(crate) mod periodic;
pub(crate) mod plr;
mod product;
pub(crate) mod residual;
pub(crate) mod scale;
#[cfg(target_arch = "x86_64")]
mod strip;
mod team;
mod threads;
mod tile;
mod weights;

pub(crate) use elementwise::{loss, mask, multiply, multiply_by_derivative, penalise, product_of, update};
pub use isa::Isa;
pub(crate) use isa::for_each_isa;

pub use team::with_team;
pub(crate) use team::{SERIAL, is_awake};
pub(crate) use threads::{Of, OfMut, count, each, join, split};

use pack::Rhs;
use product::{product, product_transposed};
use tile::{Lhs, Start, read_columns};
pub(crate) use weights::Packed;
use weights::Weights;

use crate::activation::Activation;
use crate::real::Real;

/// How many numbers [`forward`], [`grad_params`] and [`grad_input`] need for packing a dense layer (n_in, n_out)
/// and a batch of m rows.
pub fn packed_len<T: Real>(m: usize, n_in: usize, n_out: usize) -> usize {
    Weights::<T>::len(n_in, n_out).max(pack::packed_len::<T>(m, n_out))
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
    let Dense { activation, .. } = dense;
    if z.is_empty() {
        affine(dense, a_in, a, scratch, &|_, a| elementwise::activate(activation, a));
    } else {
        affine(dense, a_in, z, scratch, &|_, _| {});
        a.copy_from_slice(z);
        split(a, 1, 1, ELEMENTS, 0, &|_, a| elementwise::activate(activation, a));
    }
}

/// Z = A_in W + b, and `finish` for each piece of it.
fn affine<T: Real>(
    dense: Dense<'_, T>,
    a_in: &[T],
    z: &mut [T],
    scratch: &mut [T],
    finish: &(impl Fn(usize, &mut [T]) + Sync),
) {
    let Dense { m, n_in, b, .. } = dense;
    match Weights::new(dense, scratch) {
        Weights::Narrow(wt) => {
            narrow::forward(m, n_in, a_in, wt, b, z);
            finish(0, z);
        }
        Weights::Dots(dots) => {
            dots.forward([m, n_in], a_in, b, z);
            finish(0, z);
        }
        Weights::Plain(w) => {
            let z = &mut z[..m * b.len()];
            one_row::forward(a_in, w, b, z);
            finish(0, z);
        }
        Weights::Wide(rhs) => product(m, Lhs::rows(a_in, n_in), rhs, Start::Row(b), z, finish),
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
    if n_out <= narrow::UNITS {
        return narrow::grad_params([m, n_in, n_out], a_in, dz, dw, db, scratch);
    }
    grad_weights([m, n_in, n_out], a_in, dz, dw, scratch);
    elementwise::column_sums(&dz[..m * n_out], db);
}

/// dW = A_inᵀ dZ. The tiles of dW are as wide as they lie, or turned round where that leaves fewer of their columns empty;
/// the order of each sum is the same.
pub(crate) fn grad_weights<T: Real>(
    [m, n_in, n_out]: [usize; 3],
    a_in: &[T],
    dz: &[T],
    dw: &mut [T],
    scratch: &mut [T],
) {
    #[cfg(target_arch = "x86_64")]
    if strip::takes(n_out) && n_in >= tile::columns::<T>() {
        return strip::product(n_out, m, n_in, dz, a_in, dw);
    }
    let columns_of = |n: usize| n / tile::columns::<T>() * tile::columns::<T>() + rest::<T>(n);
    if n_out * columns_of(n_in) * 9 < n_in * columns_of(n_out) * 8 {
        let lhs = Lhs { values: dz, row_stride: 1, depth_stride: n_out };
        product_transposed(n_out, m, n_in, lhs, a_in, dw);
    } else {
        let lhs = Lhs { values: a_in, row_stride: 1, depth_stride: n_in };
        let rhs = Rhs::rows(dz, m, n_out, n_in, scratch);
        product(n_in, lhs, rhs, Start::Zero, dw, &|_, _| {});
    }
}

fn rest<T>(n: usize) -> usize {
    match n % tile::columns::<T>() {
        0 => 0,
        rest => read_columns::<T>(rest),
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
    let Dense { m, n_in, n_out, .. } = dense;
    let rhs = weights::transposed(dense, scratch);
    product(m, Lhs::rows(dz, n_out), rhs, Start::Zero, dz_in, &|i, rows| {
        derive_from(i * n_in, activation, [z_in, a_in], rows);
    });
}

/// A piece of dA, of which it begins at `first`, becomes dZ = dA ⊙ g'(Z). `z` is empty where g' needs a alone.
fn derive_from<T: Real>(first: usize, g: Activation, [z, a]: [&[T]; 2], da: &mut [T]) {
    let range = first..first + da.len();
    let a = &a[range.clone()];
    let z = if z.is_empty() { a } else { &z[range] };
    multiply_by_derivative(g, z, a, da);
}

/// Elements of an elementwise pass that one task takes.
const ELEMENTS: usize = 1 << 14;
