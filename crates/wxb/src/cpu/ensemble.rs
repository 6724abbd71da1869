//! A_i = g(s_i ⊙ ((r_i ⊙ A_in,i) W) + b_i) for each member i: one product for all of them, and their own scales around it.
//!
//! The rows of a member lie side by side, so that a member's part of everything is a piece of memory of its own, and a task.

use super::elementwise::activate;
use super::threads::{Of, OfMut};
use super::{
    Dense, ELEMENTS, Packed, for_each_isa, forward as product, grad_input, grad_weights, scale, threads,
};
use crate::activation::Activation;
use crate::layer::Ensemble;
use crate::real::Real;

/// How many numbers both passes need beside their arguments for m rows of each member: r ⊙ A_in, and what the product takes.
pub(crate) fn scratch_len<T: Real>(layer: Ensemble, m: usize) -> usize {
    let Ensemble { members, n_in, n_out, .. } = layer;
    members * m * n_in + n_out + super::packed_len::<T>(members * m, n_in, n_out)
}

/// What a pass keeps for the way back: U = (r ⊙ A_in) W, and Z = s ⊙ U + b where g' needs it, else empty.
pub(crate) struct Kept<U, Z> {
    /// U (k m, n_out).
    pub u: U,
    /// Z (k m, n_out), or nothing.
    pub z: Z,
}

/// A of all members.   r (k, n_in)  W (n_in, n_out)  s, b (k, n_out)  a_in (k m, n_in)  a (k m, n_out)
pub(crate) fn forward<T: Real>(
    layer: Ensemble,
    [r, w, s, b]: [&[T]; 4],
    a_in: &[T],
    kept: Kept<&mut [T], &mut [T]>,
    a: &mut [T],
    scratch: &mut [T],
) {
    let Ensemble { members, n_in, n_out, activation } = layer;
    let m = a_in.len() / (members * n_in);
    let (x, scratch) = scratch.split_at_mut(members * m * n_in);
    let Kept { u, z } = kept;
    scaled(r, n_in, m, a_in, x);
    let (none, packing) = scratch.split_at_mut(n_out);
    none.fill(T::ZERO);
    let shared = Dense { m: members * m, n_in, n_out, w, b: none, activation: Activation::Identity };
    product(shared, x, &mut [], u, packing);
    let u = &*u;
    let affine = |g: Activation, z: &mut [T]| {
        threads::split(z, n_out, 1, ELEMENTS.div_ceil(n_out), 0, &|first, z| {
            of_rows(m, first, n_out, z, |i, rows, z| {
                let of_member = i * n_out..(i + 1) * n_out;
                affine(&s[of_member.clone()], &b[of_member], &u[rows.start * n_out..rows.end * n_out], z);
                activate(g, z);
            });
        });
    };
    if z.is_empty() {
        affine(activation, a);
    } else {
        affine(Activation::Identity, z);
        a.copy_from_slice(z);
        threads::split(a, 1, 1, ELEMENTS, 0, &|_, a| activate(activation, a));
    }
}

/// [`forward`] of some rows of a member, on one thread; X = r ⊙ A_in is kept, too.   r (n_in)  s, b (n_out)
pub(crate) fn forward_rows<T: Real>(
    w: &Packed<'_, T>,
    g: Activation,
    [r, s, b]: [&[T]; 3],
    a_in: &[T],
    [x, u, z, a]: [&mut [T]; 4],
) {
    scale::forward(r, a_in, x);
    w.forward(x, &mut [], u);
    if z.is_empty() {
        affine(s, b, u, a);
    } else {
        affine(s, b, u, z);
        a.copy_from_slice(z);
    }
    activate(g, a);
}

/// [`backward`] of some rows of a member, on one thread, from dZ, which dU takes the place of: dr, ds and db are added to, dW is left to
/// whoever has all rows.
pub(crate) fn backward_rows<T: Real>(
    w: &Packed<'_, T>,
    [r, s]: [&[T]; 2],
    [a_in, u]: [&[T]; 2],
    [dz, da_in]: [&mut [T]; 2],
    [dr, ds, db]: [&mut [T]; 3],
) {
    back_affine(s, u, dz, ds, db);
    w.grad_input(Activation::Identity, dz, [&[], a_in], da_in);
    scale::backward_rows(r, a_in, da_in, dr);
}

/// X = r ⊙ A_in.
fn scaled<T: Real>(r: &[T], n_in: usize, m: usize, a_in: &[T], x: &mut [T]) {
    threads::split(x, n_in, 1, ELEMENTS.div_ceil(n_in), 0, &|first, x| {
        of_rows(m, first, n_in, x, |i, rows, x| {
            scale::forward(&r[i * n_in..][..n_in], &a_in[rows.start * n_in..rows.end * n_in], x);
        });
    });
}

/// The rows from `first` on, in pieces that belong to one member each: its number, which rows, and the rows.
fn of_rows<T>(
    m: usize,
    first: usize,
    width: usize,
    mut values: &mut [T],
    mut work: impl FnMut(usize, std::ops::Range<usize>, &mut [T]),
) {
    let mut row = first;
    while !values.is_empty() {
        let member = row / m;
        let rows = ((member + 1) * m - row).min(values.len() / width);
        let (piece, rest) = values.split_at_mut(rows * width);
        work(member, row..row + rows, piece);
        (values, row) = (rest, row + rows);
    }
}

for_each_isa! {
    /// Z = s ⊙ U + b.   s, b (n)  u, z (rows, n)
    fn affine<T: Real>(s: &[T], b: &[T], u: &[T], z: &mut [T]) {
        let n = s.len();
        for (z, u) in z.chunks_exact_mut(n).zip(u.chunks_exact(n)) {
            for ((z, &u), (&s, &b)) in z.iter_mut().zip(u).zip(s.iter().zip(b)) {
                *z = s * u + b;
            }
        }
    }
}

/// The gradients of the four tensors, summed over the rows, and dA_in.
///
/// With dZ = dA ⊙ g'(Z), dU = dZ ⊙ s (both in place of dA) and dX = dU Wᵀ:   dW = (r ⊙ A_in)ᵀ dU,  ds_i = Σ dZ_i ⊙ U_i,
/// db_i = Σ dZ_i,  dr_i = Σ dX_i ⊙ A_in,i,  dA_in = dX ⊙ r.   Shapes as in [`forward`].
pub(crate) fn backward<T: Real>(
    layer: Ensemble,
    [r, w, s, b]: [&[T]; 4],
    [a_in, a]: [&[T]; 2],
    kept: Kept<&[T], &[T]>,
    [da, da_in]: [&mut [T]; 2],
    grads: [&mut [T]; 4],
    scratch: &mut [T],
) {
    let Ensemble { members, n_in, n_out, activation: g } = layer;
    let m = a_in.len() / (members * n_in);
    let (x, scratch) = scratch.split_at_mut(members * m * n_in);
    let [dr, dw, ds, db] = grads;
    let z = if kept.z.is_empty() { a } else { kept.z };
    let size = m * n_out;
    let inputs = [z, a, kept.u].map(|values| Of(values, size));
    let parts = (Of(s, n_out), [ds, db].map(|sums| OfMut(sums, n_out)), OfMut(da, size), inputs);
    threads::each(parts, 1, &|_, (Of(s, _), [OfMut(ds, _), OfMut(db, _)], OfMut(da, _), inputs)| {
        let [Of(z, _), Of(a, _), Of(u, _)] = inputs;
        ds.fill(T::ZERO);
        db.fill(T::ZERO);
        super::multiply_by_derivative(g, z, a, da);
        back_affine(s, u, da, ds, db);
    });
    scaled(r, n_in, m, a_in, x);
    let sizes = [members * m, n_in, n_out];
    grad_weights(sizes, x, da, dw, scratch);
    let shared = Dense { m: members * m, n_in, n_out, w, b, activation: Activation::Identity };
    grad_input(shared, Activation::Identity, da, [&[], a_in], da_in, scratch);
    scale::backward_of_members(members, [r], a_in, da_in, [dr]);
}

for_each_isa! {
    /// Σ dZ ⊙ U over the rows is added to ds, Σ dZ to db, and dU = dZ ⊙ s takes the place of dZ.   u, dz (m, n)  s, ds, db (n)
    fn back_affine<T: Real>(s: &[T], u: &[T], dz: &mut [T], ds: &mut [T], db: &mut [T]) {
        let n = s.len();
        for (dz, u) in dz.chunks_exact_mut(n).zip(u.chunks_exact(n)) {
            let sums = ds.iter_mut().zip(db.iter_mut());
            for (((dz, &u), &s), (ds, db)) in dz.iter_mut().zip(u).zip(s).zip(sums) {
                *ds += *dz * u;
                *db += *dz;
                *dz *= s;
            }
        }
    }
}
