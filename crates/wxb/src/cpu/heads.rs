//! A_i = A_in,i W_i + b_i for each member i: as many small dense layers, side by side, each a task of its own.

use super::threads::{Of, OfMut, each};
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
    let layers = (Of(w, n_in * n_out), Of(b, n_out));
    let rows = (Of(a_in, m * n_in), OfMut(a, m * n_out));
    let parts = (layers, rows, own_scratch(layer, m, scratch));
    each(parts, 1, &|_, ((Of(w, _), Of(b, _)), (Of(a_in, _), OfMut(a, _)), OfMut(scratch, _))| {
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
    let gradients = (OfMut(dw, n_in * n_out), OfMut(db, n_out));
    let rows = || (Of(dz, m * n_out), Of(a_in, m * n_in));
    let parts = (gradients, rows(), own_scratch(layer, m, scratch));
    each(parts, 1, &|_, ((OfMut(dw, _), OfMut(db, _)), (Of(dz, _), Of(a_in, _)), OfMut(scratch, _))| {
        grad_params([m, n_in, n_out], a_in, dz, dw, db, scratch);
    });
    if da_in.is_empty() {
        return;
    }
    let layers = (Of(w, n_in * n_out), Of(b, n_out));
    let inputs = (OfMut(da_in, m * n_in), own_scratch(layer, m, scratch));
    each((layers, rows(), inputs), 1, &|_, parts| {
        let ((Of(w, _), Of(b, _)), (Of(dz, _), Of(a_in, _)), (OfMut(da_in, _), OfMut(scratch, _))) = parts;
        let dense = dense(layer, m, [w, b]);
        grad_input(dense, Activation::Identity, dz, [&[], a_in], da_in, scratch);
    });
}

/// The layer of one member.
fn dense<'a, T>(layer: Heads, m: usize, [w, b]: [&'a [T]; 2]) -> Dense<'a, T> {
    Dense { m, n_in: layer.n_in, n_out: layer.n_out, w, b, activation: Activation::Identity }
}

/// Scratch of each member.
fn own_scratch<T: Real>(layer: Heads, m: usize, scratch: &mut [T]) -> OfMut<'_, T> {
    OfMut(scratch, packed_len::<T>(m, layer.n_in, layer.n_out))
}
