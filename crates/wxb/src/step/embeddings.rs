//! The layers that make several numbers of a column's one: what [`super::forward`] and [`super::backward`] do with them.

use super::LayerCache;
use crate::cpu::{bins, embed, periodic, plr};
use crate::layer::{Layer, Params};
use crate::real::Real;

/// A of the embedding at index `l`; what it keeps for backward into z and mask.
pub(super) fn forward<T: Real>(
    (layer, l): (Layer, usize),
    params: &Params<T>,
    a_in: &[T],
    [a, z, mask]: [&mut [T]; 3],
    scratch: &mut [T],
) {
    let rows = a_in.len() / layer.n_in().expect("an embedding says how many inputs it takes");
    match layer {
        Layer::Periodic(layer) => {
            let waves = rows * layer.waves();
            periodic::forward(layer, params.tensors(l), a_in, a, &mut mask[..waves], &mut z[..waves]);
        }
        Layer::Plr(layer) => {
            plr::forward(layer, params.tensors(l), a_in, &mut z[..rows * layer.waves()], a);
        }
        Layer::Bins(layer) => {
            let [edges] = params.tensors(l);
            bins::forward(layer, edges, a_in, a, scratch);
        }
        Layer::Piecewise(layer) => {
            let kept = &mut z[..rows * layer.bins.components()];
            bins::embed_forward(layer, params.tensors(l), a_in, kept, a, scratch);
        }
        Layer::Embed(layer) => {
            let [e] = params.tensors(l);
            embed::forward(layer, e, a_in, a);
        }
        _ => unreachable!("it is an embedding"),
    }
}

/// The gradients of the embedding at index `l`, and dA_in, which is empty for the first layer.
pub(super) fn backward<T: Real>(
    (layer, l): (Layer, usize),
    params: &Params<T>,
    LayerCache { a, z, mask }: &LayerCache<T>,
    a_in: &[T],
    [da, da_in]: [&mut [T]; 2],
    grads: &mut Params<T>,
    scratch: &mut [T],
) {
    match layer {
        Layer::Periodic(layer) => {
            let waves = a_in.len() / layer.n_in() * layer.waves();
            let inputs = periodic::Inputs { a_in, sin: &mask[..waves], cos: &z[..waves], da };
            periodic::backward(layer, params.tensors(l), inputs, grads.tensors_mut(l), da_in);
        }
        Layer::Plr(layer) => {
            plr::backward(layer, params.tensors(l), [a_in, z, a], da, grads.tensors_mut(l), da_in);
        }
        Layer::Bins(layer) => {
            let ([edges], [dedges]) = (params.tensors(l), grads.tensors_mut(l));
            dedges.fill(T::ZERO);
            bins::backward(layer, edges, a_in, da, da_in, scratch);
        }
        Layer::Piecewise(layer) => {
            let [dw, db, dv, dedges] = grads.tensors_mut(l);
            dedges.fill(T::ZERO);
            bins::embed_backward(layer, params.tensors(l), [a_in, z, da], [dw, db, dv], da_in, scratch);
        }
        Layer::Embed(layer) => {
            let [de] = grads.tensors_mut(l);
            embed::backward(layer, a_in, da, de, da_in);
        }
        _ => unreachable!("it is an embedding"),
    }
}
