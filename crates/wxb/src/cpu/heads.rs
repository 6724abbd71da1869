//! A_i = A_in,i W_i + b_i for each member i: as many small dense layers, side by side, each a task of its own.

use rayon::prelude::*;

use super::{Dense, forward as dense_forward, grad_input, grad_params, packed_len};
use crate::activation::Activation;
use crate::layer::Heads;
use crate::real::Real;

/// How many numbers both passes need beside their arguments for m rows of each member.
pub(crate) fn scratch_len<T: Real>(layer: Heads, m: usize) -> usize {
    layer.members * packed_len::<T>(m, layer.n_in, layer.n_out)
}

/// A of all members.   W (k, n_in, n_out)  b (k, n_out)  a_in (k m, n_in)  a (k m, n_out)
pub(crate) fn forward<T: Real>(layer: Heads, [w, b]: [&[T]; 2], a_in: &[T], a: &mut [T], scratch: &mut [T]) {
    let Heads { members, n_in, n_out } = layer;
    let m = a_in.len() / (members * n_in);
    let own = own_scratch(layer, m, scratch);
    let layers = w.par_chunks_exact(n_in * n_out).zip(b.par_chunks_exact(n_out));
    let rows = a.par_chunks_exact_mut(m * n_out).zip(a_in.par_chunks_exact(m * n_in));
    rows.zip(layers).zip(own).for_each(|(((a, a_in), (w, b)), scratch)| {
        dense_forward(dense(layer, m, [w, b]), a_in, &mut [], a, scratch);
    });
}

/// The gradients, and dA_in = dZ Wᵀ unless it is empty.   Shapes as in [`forward`].
pub(crate) fn backward<T: Real>(
    layer: Heads,
    [w, b]: [&[T]; 2],
    a_in: &[T],
    (dz, da_in): (&[T], &mut [T]),
    [dw, db]: [&mut [T]; 2],
    scratch: &mut [T],
) {
    let Heads { members, n_in, n_out } = layer;
    let m = a_in.len() / (members * n_in);
    let gradients = dw.par_chunks_exact_mut(n_in * n_out).zip(db.par_chunks_exact_mut(n_out));
    let rows = dz.par_chunks_exact(m * n_out).zip(a_in.par_chunks_exact(m * n_in));
    let own = own_scratch(layer, m, scratch);
    rows.clone().zip(gradients).zip(own).for_each(|(((dz, a_in), (dw, db)), scratch)| {
        grad_params([m, n_in, n_out], a_in, dz, dw, db, scratch);
    });
    if da_in.is_empty() {
        return;
    }
    let layers = w.par_chunks_exact(n_in * n_out).zip(b.par_chunks_exact(n_out));
    let inputs = da_in.par_chunks_exact_mut(m * n_in).zip(own_scratch(layer, m, scratch));
    rows.zip(layers).zip(inputs).for_each(|(((dz, a_in), (w, b)), (da_in, scratch))| {
        let dense = dense(layer, m, [w, b]);
        grad_input(dense, Activation::Identity, dz, [&[], a_in], da_in, scratch);
    });
}

/// The layer of one member.
fn dense<'a, T>(layer: Heads, m: usize, [w, b]: [&'a [T]; 2]) -> Dense<'a, T> {
    Dense { m, n_in: layer.n_in, n_out: layer.n_out, w, b, activation: Activation::Identity }
}

/// Scratch of each member.
fn own_scratch<T: Real>(
    layer: Heads,
    m: usize,
    scratch: &mut [T],
) -> impl IndexedParallelIterator<Item = &mut [T]> {
    scratch.par_chunks_exact_mut(packed_len::<T>(m, layer.n_in, layer.n_out))
}
