//! Which layers go by rows.

use super::{Cache, LEAST, MOST};
use crate::activation::Activation;
use crate::cpu;
use crate::layer::{Heads, Layer, Own, OwnLayer};
use crate::network::Network;
use crate::real::Real;

/// Multiplications of a step below which a second thread costs what it brings: 75 to 150 µs of one core in single precision.
const SERIAL: usize = 6 << 20;

/// The layers that go by rows: from the first dense one to the last.
#[derive(Clone, Copy)]
pub struct Chain<'a> {
    pub layers: &'a [Layer],
    /// The place of the first one in the network.
    pub start: usize,
    /// The columns of A_in.
    pub n_in: usize,
    /// k: each has dense layers of its own.
    pub members: usize,
}

/// What is left of a layer for one member.
#[derive(Clone, Copy, PartialEq)]
pub enum Link {
    /// A = g(A_in W + b).
    Dense { n_in: usize, n_out: usize, g: Activation },
    /// A = Z + α ⊙ (g(Z) − Z).
    Blend { n: usize, g: Activation },
    /// A = A_in ⊙ mask.
    Dropout { rate: f64 },
}

impl Link {
    /// With the number of members that have such a layer of their own, or 1.
    pub fn of(layer: &Layer) -> Option<(Self, usize)> {
        Some(match *layer {
            Layer::Dense { n_in, n_out, activation: g } => (Self::Dense { n_in, n_out, g }, 1),
            Layer::Heads(Heads { members, n_in, n_out }) => {
                (Self::Dense { n_in, n_out, g: Activation::Identity }, members)
            }
            Layer::Own(Own { members, layer: OwnLayer::Dense { n_in, n_out, activation: g } }) => {
                (Self::Dense { n_in, n_out, g }, members)
            }
            Layer::Blend { n, activation: g } => (Self::Blend { n, g }, 1),
            Layer::Own(Own { members, layer: OwnLayer::Blend { n, activation: g } }) => {
                (Self::Blend { n, g }, members)
            }
            Layer::Dropout { rate } => (Self::Dropout { rate }, 1),
            _ => return None,
        })
    }

    fn is_dense(self) -> bool {
        matches!(self, Self::Dense { .. })
    }

    /// Whether it may follow another one.
    fn follows(self, before: Self) -> bool {
        match self {
            Self::Dense { .. } => true,
            Self::Blend { .. } => before.is_dense(),
            Self::Dropout { .. } => !matches!(before, Self::Dropout { .. }),
        }
    }
}

impl<'a> Chain<'a> {
    /// The chain of a network whose batch of m rows is best cut by rows.
    #[inline]
    pub fn of<T: Real>(network: &'a Network<T>, cache: &Cache<T>, m: usize) -> Option<Self> {
        if cpu::count() == 1 || cache.with_dx { None } else { Self::if_worth(network, m) }
    }

    fn if_worth<T: Real>(network: &'a Network<T>, m: usize) -> Option<Self> {
        let multiplications = 3 * m * network.n_params();
        let is_worth = m * network.members() >= 2 * LEAST && multiplications >= SERIAL;
        if is_worth { Self::new(network.layers()) } else { None }
    }

    /// Layers of any kind but those that are added up, then dense ones that may each be followed by a blend and by dropout.
    pub fn new(layers: &'a [Layer]) -> Option<Self> {
        let is_other = |layer: &Layer| matches!(layer, Layer::Residual { .. } | Layer::Ensemble(_));
        let dense = |layer: &Layer| Link::of(layer).filter(|(link, _)| link.is_dense());
        let start = layers.iter().position(|layer| dense(layer).is_some())?;
        let (before, chain) = layers.split_at(start);
        let (Link::Dense { n_in, .. }, members) = dense(&chain[0])? else { return None };
        let is_for_all = |layer: &Layer| match Link::of(layer) {
            Some((link, of)) => of == members || (of == 1 && !link.is_dense()),
            None => false,
        };
        let follows = |pair: &[Layer]| match (Link::of(&pair[0]), Link::of(&pair[1])) {
            (Some((before, _)), Some((link, _))) => link.follows(before),
            _ => false,
        };
        let fits = chain.len() <= MOST
            && chain.iter().all(is_for_all)
            && before.iter().filter_map(|layer| layer.members()).all(|of| of == members)
            && chain.windows(2).all(follows)
            && dense(chain.last()?).is_some();
        (fits && !before.iter().any(is_other)).then_some(Self { layers: chain, start, n_in, members })
    }

    pub fn link(self, l: usize) -> Link {
        Link::of(&self.layers[l]).expect("a chain has no other layers").0
    }

    pub fn links(self) -> impl Iterator<Item = Link> {
        (0..self.layers.len()).map(move |l| self.link(l))
    }

    /// Whether members have the parameters of a layer in common.
    pub fn is_shared(self, l: usize) -> bool {
        self.members > 1 && matches!(self.layers[l], Layer::Blend { .. })
    }
}
