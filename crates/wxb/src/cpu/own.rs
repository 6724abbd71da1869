//! A layer of each member's own: its kernel once for each member, each a task.

use super::threads::{Of, OfMut, each};
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
    let rows = (part(a_in, k), part_mut(a, k));
    match layer.layer {
        OwnLayer::Dense { n_in, n_out, activation } => {
            let layers = params.tensors::<2>(l).map(|t| part(t, k));
            let own = (OfMut(z, n_z), OfMut(scratch, of_member::<T>(layer, m)));
            each((rows, layers, own), 1, &|_, ((Of(a_in, _), OfMut(a, _)), [Of(w, _), Of(b, _)], own)| {
                let (OfMut(z, _), OfMut(scratch, _)) = own;
                dense_forward(Dense { m, n_in, n_out, w, b, activation }, a_in, z, a, scratch);
            });
        }
        OwnLayer::Blend { activation, .. } => {
            let [alpha] = params.tensors(l).map(|t| part(t, k));
            let kept = (OfMut(z, n_z), OfMut(mask, n_mask));
            each((rows, alpha, kept), 1, &|_, ((Of(a_in, _), OfMut(a, _)), Of(alpha, _), kept)| {
                let (OfMut(d, _), OfMut(slope, _)) = kept;
                blend::forward(activation, alpha, a_in, blend::Kept { d, slope }, a);
            });
        }
        OwnLayer::Periodic(one) => {
            let params = params.tensors::<4>(l).map(|t| part(t, k));
            let waves = (OfMut(mask, n_mask), OfMut(z, n_z));
            each((rows, params, waves), 1, &|_, ((Of(a_in, _), OfMut(a, _)), params, waves)| {
                let (OfMut(sin, _), OfMut(cos, _)) = waves;
                periodic::forward(one, params.map(|Of(t, _)| t), a_in, a, sin, cos);
            });
        }
        OwnLayer::Embed(one) => {
            let [tables] = params.tensors(l).map(|t| part(t, k));
            each((rows, tables), 1, &|_, ((Of(a_in, _), OfMut(a, _)), Of(e, _))| {
                embed::forward(one, e, a_in, a);
            });
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
    let rows = (part(a_in, k), part_mut(da, k));
    match layer.layer {
        OwnLayer::Dense { n_in, n_out, activation } => {
            let layers = params.tensors::<2>(l).map(|t| part(t, k));
            let gradients = grads.tensors_mut::<2>(l).map(|t| part_mut(t, k));
            let kept = [Of(z, n_z), Of(a, n_z)];
            let own = (part_mut(da_in, k), OfMut(scratch, of_member::<T>(layer, m)));
            each((rows, layers, gradients, kept, own), 1, &|_, (rows, layers, gradients, kept, own)| {
                let ((Of(a_in, _), OfMut(dz, _)), [Of(w, _), Of(b, _)]) = (rows, layers);
                let ([OfMut(dw, _), OfMut(db, _)], [Of(z, _), Of(a, _)]) = (gradients, kept);
                let (OfMut(dz_in, _), OfMut(scratch, _)) = own;
                multiply_by_derivative(activation, z, a, dz);
                grad_params([m, n_in, n_out], a_in, dz, dw, db, scratch);
                let dense = Dense { m, n_in, n_out, w, b, activation };
                grad_input(dense, Activation::Identity, dz, [&[], a_in], dz_in, scratch);
            });
        }
        OwnLayer::Blend { .. } => {
            let [dalpha] = grads.tensors_mut(l).map(|t| part_mut(t, k));
            let kept = [Of(z, n_z), Of(mask, n_mask)];
            each((rows, dalpha, kept), 1, &|_, ((_, OfMut(da, _)), OfMut(dalpha, _), kept)| {
                let [d, slope] = kept.map(|Of(values, _)| values);
                blend::backward(blend::Kept { d, slope }, da, dalpha);
            });
            return false;
        }
        OwnLayer::Periodic(one) => {
            let params = params.tensors::<4>(l).map(|t| part(t, k));
            let grads = grads.tensors_mut::<4>(l).map(|t| part_mut(t, k));
            let waves = [Of(mask, n_mask), Of(z, n_mask)];
            let parts = (rows, params, grads, waves, part_mut(da_in, k));
            each(parts, 1, &|_, ((Of(a_in, _), OfMut(da, _)), params, grads, waves, OfMut(da_in, _))| {
                let [sin, cos] = waves.map(|Of(values, _)| values);
                let (params, grads) = (params.map(|Of(t, _)| t), grads.map(|OfMut(t, _)| t));
                periodic::backward(one, params, periodic::Inputs { a_in, sin, cos, da }, grads, da_in);
            });
        }
        OwnLayer::Embed(one) => {
            let [de] = grads.tensors_mut(l).map(|t| part_mut(t, k));
            let parts = (rows, de, part_mut(da_in, k));
            each(parts, 1, &|_, ((Of(a_in, _), OfMut(da, _)), OfMut(de, _), OfMut(da_in, _))| {
                embed::backward(one, a_in, da, de, da_in);
            });
        }
    }
    true
}

/// The parts of the members.
fn part<T>(values: &[T], members: usize) -> Of<'_, T> {
    Of(values, values.len() / members)
}

/// The same, to be written.
fn part_mut<T>(values: &mut [T], members: usize) -> OfMut<'_, T> {
    let of_member = values.len() / members;
    OfMut(values, of_member)
}
