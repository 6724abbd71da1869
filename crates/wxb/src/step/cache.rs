//! What forward keeps for backward.

use super::chain;
use crate::aligned::Aligned;
use crate::cpu::{self, bins, ensemble, heads, norm, own};
use crate::layer::Layer;
use crate::network::Network;
use crate::real::Real;

/// What forward keeps for backward, sized once for batches of up to `capacity` rows.
#[derive(Clone, Debug)]
pub struct Cache<T> {
    pub(super) capacity: usize,
    /// X (m, n₀): the batch, filled by the caller.
    pub x: Aligned<T>,
    /// Y (m, n_targets): its targets, filled by the caller.
    pub y: Aligned<T>,
    /// Row weights (m); empty: all 1.
    pub weights: Vec<T>,
    /// Whether X, Y and the weights have m rows for each member of the network, those of member 1 first, instead of m rows
    /// that all members see.
    pub apart: bool,
    /// Whether [`backward`](super::backward) goes on to dX, which no training needs.
    pub with_dx: bool,
    /// k, the network's members.
    pub(super) members: usize,
    /// Whether the last layer's A is the logits (m, n_L) of the members' mean prediction, not theirs (k m, n_L).
    pub(super) averaged: bool,
    /// Y and the row weights once for each member.
    pub(super) repeated: [Vec<T>; 2],
    pub(super) layers: Vec<LayerCache<T>>,
    /// The layers that are added to later ones, and those later ones.
    pub(super) residuals: Vec<[usize; 2]>,
    /// dZ of the current and of the previous layer, (m, widest).
    pub(super) dz: [Aligned<T>; 2],
    pub(super) row_loss: Aligned<T>,
    pub(super) scratch: Aligned<T>,
    /// What [`gradient`](super::gradient) needs where several threads go through all layers.
    pub(super) chain: chain::Buffers<T>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct LayerCache<T> {
    /// A (m, n_out).
    pub(super) a: Aligned<T>,
    /// Of a dense layer, and of batch normalisation, Z (m, n_out) where it is kept, else empty; g(Z) − Z of a blended activation;
    /// the cosines of a numeric embedding, or the places among bins; U of an ensemble; dA of a residual layer.
    pub(super) z: Aligned<T>,
    /// 0 or 1/keep for every number of a dropout layer; ∂A/∂Z of a blended activation; the sines of a numeric embedding; Z of an
    /// ensemble whose g' needs it; the statistics of batch normalisation.
    pub(super) mask: Aligned<T>,
}

/// Whether Z is kept for all layers (to be looked at) or only where backward reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only what backward needs.
    Needed,
    /// Every Z.
    AllZ,
}

impl<T: Real> Cache<T> {
    /// A cache for batches of up to `capacity` rows.
    pub fn new(network: &Network<T>, capacity: usize, keep: Keep) -> Self {
        let (mut width, members) = (network.n_in(), network.members());
        // Before the members part, too: each may have rows of its own.
        let rows = capacity * members;
        let (mut widest, mut scratch) = (network.n_out(), 0);
        let mut layers = Vec::new();
        for layer in network.layers() {
            let n_in = width;
            width = layer.n_out(n_in);
            widest = widest.max(width).max(n_in);
            let (of_layer, needs) = kept(*layer, width, (rows, capacity), keep);
            scratch = scratch.max(needs);
            layers.push(of_layer);
        }
        Self {
            capacity,
            x: Aligned::zeros(rows * network.n_in()),
            y: Aligned::zeros(rows * network.n_targets()),
            weights: vec![],
            apart: false,
            with_dx: false,
            members,
            averaged: false,
            repeated: [vec![], vec![]],
            layers,
            residuals: residuals(network.layers()),
            dz: [Aligned::zeros(rows * widest), Aligned::zeros(rows * widest)],
            row_loss: Aligned::zeros(rows),
            scratch: Aligned::zeros(scratch),
            chain: chain::Buffers::default(),
        }
    }

    /// The most examples a batch can have.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The rows of X and Y for m examples of each member.
    pub fn rows_in(&self, m: usize) -> usize {
        if self.apart { m * self.members } else { m }
    }

    /// A (m, n_out), (k m, n_out) where there are members, of layer `layer` after [`forward`](super::forward); the last one holds the logits.
    pub fn a(&self, layer: usize) -> &[T] {
        &self.layers[layer].a
    }

    /// Z (m, n_out) of a dense layer after [`forward`](super::forward), if it was kept.
    pub fn z(&self, layer: usize) -> &[T] {
        &self.layers[layer].z
    }

    /// What a dropout layer multiplied by in the last [`forward`](super::forward), (m, n_out): 0, or what keeps the mean.
    pub fn mask(&self, layer: usize) -> &[T] {
        &self.layers[layer].mask
    }

    /// The same, to be set before a pass with [`Mode::SameMasks`](super::Mode::SameMasks).
    pub fn mask_mut(&mut self, layer: usize) -> &mut [T] {
        &mut self.layers[layer].mask
    }

    /// The logits Z_L (m, n_L), with members (k m, n_L), after [`forward`](super::forward).
    pub fn logits(&self) -> &[T] {
        &self.layers.last().expect("a network has a layer").a
    }

    /// dZ_L (m, n_L) after [`loss`](super::loss), until [`backward`](super::backward).
    pub fn dz_last(&self) -> &[T] {
        &self.dz[0]
    }

    /// dZ_L (m, n_L), to be set to the gradient of something else than the loss before [`backward`](super::backward).
    pub fn dz_last_mut(&mut self) -> &mut [T] {
        &mut self.dz[0]
    }

    /// dX (m, n₀) after [`backward`](super::backward) with `with_dx`.
    pub fn dx(&self, m: usize) -> &[T] {
        let n = self.x.len() / (self.capacity * self.members);
        &self.dz[0][..self.rows_in(m) * n]
    }

    /// The logits, to be turned into predictions in place.
    pub fn logits_mut(&mut self) -> &mut [T] {
        &mut self.layers.last_mut().expect("a network has a layer").a
    }
}

/// The source of each residual layer, and its own place.
fn residuals(layers: &[Layer]) -> Vec<[usize; 2]> {
    let pair = |(r, layer): (usize, &Layer)| match *layer {
        Layer::Residual { skip } => Some([r - 1 - skip, r]),
        _ => None,
    };
    layers.iter().enumerate().filter_map(pair).collect()
}

/// What a layer of so many outputs keeps for all rows, and how many numbers its kernels need beside that.
fn kept<T: Real>(
    layer: Layer,
    width: usize,
    (rows, capacity): (usize, usize),
    keep: Keep,
) -> (LayerCache<T>, usize) {
    let mut scratch = 0;
    let zeros = |width: usize| Aligned::zeros(rows * width);
    let (mut z, mut mask) = (Aligned::default(), Aligned::default());
    match layer {
        Layer::Dense { n_in, n_out, activation } => {
            scratch = cpu::packed_len::<T>(rows, n_in, n_out);
            if activation.needs_z() || keep == Keep::AllZ {
                z = zeros(n_out);
            }
        }
        Layer::Dropout { .. } => mask = zeros(width),
        Layer::BatchNorm { n, activation } => {
            mask = Aligned::zeros(norm::kept_len(n));
            if activation.needs_z() || keep == Keep::AllZ {
                z = zeros(n);
            }
        }
        Layer::Residual { .. } => z = zeros(width),
        Layer::Scale { .. } | Layer::Embed(_) | Layer::Members(_) | Layer::MemberScale(_) => {}
        Layer::Ensemble(layer) => {
            scratch = ensemble::scratch_len::<T>(layer, capacity);
            z = zeros(width);
            if layer.activation.needs_z() {
                mask = zeros(width);
            }
        }
        Layer::Heads(layer) => scratch = heads::scratch_len::<T>(layer, capacity),
        Layer::Own(layer) => {
            scratch = own::scratch_len::<T>(layer, capacity);
            [z, mask] = own::kept(layer).map(zeros);
        }
        Layer::Blend { n, .. } => (z, mask) = (zeros(n), zeros(n)),
        Layer::Plr(layer) => z = zeros(layer.waves()),
        Layer::Bins(layer) => scratch = bins::lines_len(layer),
        Layer::Piecewise(layer) => {
            z = zeros(layer.bins.components());
            scratch = bins::lines_len(layer.bins);
        }
        Layer::Periodic(layer) => (z, mask) = (zeros(layer.waves()), zeros(layer.waves())),
    }
    (LayerCache { a: zeros(width), z, mask }, scratch)
}
