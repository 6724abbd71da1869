//! A_i = A_in,i W_i + b_i for each member i: as many small dense layers, side by side.

use std::ops::Range;

use super::{Dense, forward as dense_forward, grad_input, grad_params};
use crate::activation::Activation;
use crate::layer::Heads;
use crate::real::Real;

/// A of all members.   W (k, n_in, n_out)  b (k, n_out)  a_in (k m, n_in)  a (k m, n_out)
pub(crate) fn forward<T: Real>(layer: Heads, [w, b]: [&[T]; 2], a_in: &[T], a: &mut [T], scratch: &mut [T]) {
    for i in 0..layer.members {
        let (dense, inputs, units) = member(layer, [w, b], i, a_in.len());
        dense_forward(dense, &a_in[inputs], &mut [], &mut a[units], scratch);
    }
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
    let gradients = dw.chunks_exact_mut(layer.n_in * layer.n_out).zip(db.chunks_exact_mut(layer.n_out));
    for (i, (dw, db)) in gradients.enumerate() {
        let (dense, inputs, units) = member(layer, [w, b], i, a_in.len());
        let (a_in, dz) = (&a_in[inputs.clone()], &dz[units]);
        grad_params([dense.m, dense.n_in, dense.n_out], a_in, dz, dw, db, scratch);
        if !da_in.is_empty() {
            grad_input(dense, Activation::Identity, dz, [&[], a_in], &mut da_in[inputs], scratch);
        }
    }
}

/// The layer of member `i`, and where its inputs and units lie among those of all.
fn member<'a, T>(
    layer: Heads,
    [w, b]: [&'a [T]; 2],
    i: usize,
    inputs: usize,
) -> (Dense<'a, T>, Range<usize>, Range<usize>) {
    let Heads { members, n_in, n_out } = layer;
    let m = inputs / (members * n_in);
    let of = |size: usize| i * size..(i + 1) * size;
    let (w, b) = (&w[of(n_in * n_out)], &b[of(n_out)]);
    let dense = Dense { m, n_in, n_out, w, b, activation: Activation::Identity };
    (dense, of(m * n_in), of(m * n_out))
}
