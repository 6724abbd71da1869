//! A layer of each member's own: its kernel once for each member, each a task.

use rayon::prelude::*;

use super::{Dense, blend, embed, forward as dense_forward, periodic};
use super::{grad_input, grad_params, multiply_by_derivative, packed_len};
use crate::activation::Activation;
use crate::layer::{Own, OwnLayer, Params};
use crate::real::Real;

/// How many numbers both passes need beside their arguments for m rows of each member.
pub(crate) fn scratch_len<T: Real>(layer: Own, m: usize) -> usize {
    layer.members * of_member::<T>(layer, m)
}

/// Of which each member has so many.
fn of_member<T: Real>(layer: Own, m: usize) -> usize {
    match layer.layer {
        OwnLayer::Dense { n_in, n_out, .. } => packed_len::<T>(m, n_in, n_out),
        OwnLayer::Blend { .. } | OwnLayer::Periodic(_) | OwnLayer::Embed(_) => 1,
    }
}

/// The widths of z and mask of a row: Z of a dense layer, what a blend keeps, cosines and sines of waves.
pub(crate) fn kept(layer: Own) -> [usize; 2] {
    match layer.layer {
        OwnLayer::Dense { n_out, .. } => [n_out, 0],
        OwnLayer::Blend { n, .. } => [n, n],
        OwnLayer::Periodic(layer) => [layer.waves(), layer.waves()],
        OwnLayer::Embed(_) => [0, 0],
    }
}

/// A of all members.   a_in (k m, n_in)  a (k m, n_out)  z, mask (k m, [`kept`]), or longer
pub(crate) fn forward<T: Real>(
    layer: Own,
    (params, l): (&Params<T>, usize),
    a_in: &[T],
    [a, z, mask]: [&mut [T]; 3],
    scratch: &mut [T],
) {
    let k = layer.members;
    let m = a_in.len() / (k * layer.n_in());
    let [n_z, n_mask] = kept(layer).map(|width| width * m);
    let rows = pieces(a, k).zip(a_in.par_chunks_exact(a_in.len() / k));
    match layer.layer {
        OwnLayer::Dense { n_in, n_out, activation } => {
            let [w, b] = params.tensors(l);
            let own = scratch.par_chunks_exact_mut(of_member::<T>(layer, m));
            let layers = w.par_chunks_exact(n_in * n_out).zip(b.par_chunks_exact(n_out));
            rows.zip(z.par_chunks_exact_mut(n_z)).zip(layers).zip(own).for_each(
                |((((a, a_in), z), (w, b)), scratch)| {
                    dense_forward(Dense { m, n_in, n_out, w, b, activation }, a_in, z, a, scratch);
                },
            );
        }
        OwnLayer::Blend { n, activation } => {
            let [alpha] = params.tensors(l);
            let kept = z.par_chunks_exact_mut(n_z).zip(mask.par_chunks_exact_mut(n_mask));
            rows.zip(kept).zip(alpha.par_chunks_exact(n)).for_each(|(((a, a_in), (d, slope)), alpha)| {
                blend::forward(activation, alpha, a_in, blend::Kept { d, slope }, a);
            });
        }
        OwnLayer::Periodic(one) => {
            let [w, beta, mix, shift] = params.tensors(l).map(|t: &[T]| t.par_chunks_exact(t.len() / k));
            let waves = mask.par_chunks_exact_mut(n_mask).zip(z.par_chunks_exact_mut(n_z));
            let params = w.zip(beta).zip(mix.zip(shift));
            rows.zip(waves).zip(params).for_each(|(((a, a_in), (sin, cos)), ((w, beta), (mix, shift)))| {
                periodic::forward(one, [w, beta, mix, shift], a_in, a, sin, cos);
            });
        }
        OwnLayer::Embed(one) => {
            let [e] = params.tensors(l);
            let tables = e.par_chunks_exact(e.len() / k);
            rows.zip(tables).for_each(|((a, a_in), e)| embed::forward(one, e, a_in, a));
        }
    }
}

/// The gradients of all members. dA becomes dA_in in its place or, where the answer is yes, in `da_in`.   Shapes as in
/// [`forward`]
pub(crate) fn backward<T: Real>(
    layer: Own,
    (params, grads, l): (&Params<T>, &mut Params<T>, usize),
    [a_in, a, z, mask]: [&[T]; 4],
    [da, da_in]: [&mut [T]; 2],
    scratch: &mut [T],
) -> bool {
    let k = layer.members;
    let m = a_in.len() / (k * layer.n_in());
    let [n_z, n_mask] = kept(layer).map(|width| width * m);
    let own = scratch.par_chunks_exact_mut(of_member::<T>(layer, m));
    let rows = a_in.par_chunks_exact(a_in.len() / k).zip(pieces(da, k)).zip(own);
    match layer.layer {
        OwnLayer::Dense { n_in, n_out, activation } => {
            let ([w, b], [dw, db]) = (params.tensors(l), grads.tensors_mut(l));
            let layers = w.par_chunks_exact(n_in * n_out).zip(b.par_chunks_exact(n_out));
            let gradients = pieces(dw, k).zip(pieces(db, k)).zip(pieces(da_in, k));
            let kept = z.par_chunks_exact(n_z).zip(a.par_chunks_exact(n_z));
            let all = rows.zip(kept).zip(layers).zip(gradients);
            all.for_each(|(((((a_in, dz), scratch), (z, a)), (w, b)), ((dw, db), dz_in))| {
                multiply_by_derivative(activation, z, a, dz);
                grad_params([m, n_in, n_out], a_in, dz, dw, db, scratch);
                let dense = Dense { m, n_in, n_out, w, b, activation };
                grad_input(dense, Activation::Identity, dz, [&[], a_in], dz_in, scratch);
            });
        }
        OwnLayer::Blend { .. } => {
            let [dalpha] = grads.tensors_mut(l);
            let kept = z.par_chunks_exact(n_z).zip(mask.par_chunks_exact(n_mask));
            let all = rows.zip(kept).zip(pieces(dalpha, k));
            all.for_each(|((((_, da), _), (d, slope)), dalpha)| {
                blend::backward(blend::Kept { d, slope }, da, dalpha);
            });
            return false;
        }
        OwnLayer::Periodic(one) => {
            let [w, beta, mix, shift] = params.tensors(l).map(|t: &[T]| t.par_chunks_exact(t.len() / k));
            let [dw, dbeta, dmix, dshift] = grads.tensors_mut(l).map(|t| pieces(t, k));
            let waves = mask.par_chunks_exact(n_mask).zip(z.par_chunks_exact(n_mask));
            let (params, grads) = (w.zip(beta).zip(mix.zip(shift)), dw.zip(dbeta).zip(dmix.zip(dshift)));
            let all = rows.zip(pieces(da_in, k)).zip(waves).zip(params).zip(grads);
            all.for_each(|((((((a_in, da), _), da_in), (sin, cos)), params), grads)| {
                let ((w, beta), (mix, shift)) = params;
                let ((dw, dbeta), (dmix, dshift)) = grads;
                let (params, grads) = ([w, beta, mix, shift], [dw, dbeta, dmix, dshift]);
                periodic::backward(one, params, periodic::Inputs { a_in, sin, cos, da }, grads, da_in);
            });
        }
        OwnLayer::Embed(one) => {
            let [de] = grads.tensors_mut(l);
            let all = rows.zip(pieces(de, k)).zip(pieces(da_in, k));
            all.for_each(|((((a_in, da), _), de), da_in)| embed::backward(one, a_in, da, de, da_in));
        }
    }
    true
}

/// The parts of the members.
fn pieces<T: Real>(values: &mut [T], members: usize) -> rayon::slice::ChunksExactMut<'_, T> {
    let of_member = values.len() / members;
    values.par_chunks_exact_mut(of_member)
}
