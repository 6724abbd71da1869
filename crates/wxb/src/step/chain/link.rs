//! Which layers go by rows.

use std::ops::Range;

use super::{Cache, LEAST, MOST};
use crate::activation::Activation;
use crate::cpu;
use crate::layer::{Ensemble, Heads, Layer, Own, OwnLayer};
use crate::network::Network;
use crate::real::Real;

/// The layers that go by rows: from the first one of units to the last.
#[derive(Clone, Copy)]
pub struct Chain<'a> {
    pub layers: &'a [Layer],
    /// The place of the first one in the network.
    pub start: usize,
    /// The columns of A_in.
    pub n_in: usize,
    /// k: each has rows, and what is not in common, of its own.
    pub members: usize,
}

/// What is left of a layer for one member.
#[derive(Clone, Copy, PartialEq)]
pub enum Link {
    /// A = g(A_in W + b).
    Dense { n_in: usize, n_out: usize, g: Activation },
    /// A = g(s ⊙ ((r ⊙ A_in) W) + b), of which W is in common.
    Ensemble { n_in: usize, n_out: usize, g: Activation },
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
            Layer::Ensemble(Ensemble { members, n_in, n_out, activation: g }) => {
                (Self::Ensemble { n_in, n_out, g }, members)
            }
            Layer::Blend { n, activation: g } => (Self::Blend { n, g }, 1),
            Layer::Own(Own { members, layer: OwnLayer::Blend { n, activation: g } }) => {
                (Self::Blend { n, g }, members)
            }
            Layer::Dropout { rate } => (Self::Dropout { rate }, 1),
            _ => return None,
        })
    }

    /// [n_in, n_out] of a layer with a W.
    pub fn units(self) -> Option<[usize; 2]> {
        match self {
            Self::Dense { n_in, n_out, .. } | Self::Ensemble { n_in, n_out, .. } => Some([n_in, n_out]),
            Self::Blend { .. } | Self::Dropout { .. } => None,
        }
    }

    pub fn is_ensemble(self) -> bool {
        matches!(self, Self::Ensemble { .. })
    }

    /// Whether it may follow another one.
    fn follows(self, before: Self) -> bool {
        match self {
            Self::Dense { .. } | Self::Ensemble { .. } => true,
            Self::Blend { .. } => before.units().is_some(),
            Self::Dropout { .. } => !matches!(before, Self::Dropout { .. }),
        }
    }
}

impl<'a> Chain<'a> {
    /// The chain of a network whose batch of m rows is best cut by rows.
    #[inline]
    pub fn of<T: Real>(network: &'a Network<T>, cache: &Cache<T>, m: usize) -> Option<Self> {
        let may_be = (cpu::count() > 1 || cache.members > 1) && !cache.with_dx;
        if may_be { Self::if_worth(network, m) } else { None }
    }

    fn if_worth<T: Real>(network: &'a Network<T>, m: usize) -> Option<Self> {
        let multiplied = 3 * m * network.n_params() * size_of::<T>();
        let is_large = m * network.members() >= 2 * LEAST && multiplied >= cpu::SERIAL;
        if is_large { Self::new(network.layers()).filter(|chain| chain.is_for(cpu::count())) } else { None }
    }

    /// Whether so many threads are to go by rows. Members with a W in common go one after the other, each by one thread, which saves the
    /// memory five passes a layer, with one thread, too.
    fn is_for(self, threads: usize) -> bool {
        if self.shares_w() { threads <= self.members } else { threads > 1 }
    }

    /// Layers of any kind but those that are added up, then such of units that may each be followed by a blend and by dropout.
    pub fn new(layers: &'a [Layer]) -> Option<Self> {
        let units = |layer: &Layer| Link::of(layer).and_then(|(link, _)| link.units());
        let start = layers.iter().position(|layer| units(layer).is_some())?;
        let (before, chain) = layers.split_at(start);
        let [n_in, _] = units(&chain[0])?;
        let members = chain.iter().filter_map(Layer::members).next().unwrap_or(1);
        let is_for_all = |layer: &Layer| Link::of(layer).is_some_and(|(_, of)| of == members || of == 1);
        let follows = |pair: &[Layer]| match (Link::of(&pair[0]), Link::of(&pair[1])) {
            (Some((before, _)), Some((link, _))) => link.follows(before),
            _ => false,
        };
        let fits = chain.len() <= MOST
            && chain.iter().all(is_for_all)
            && before.iter().filter_map(Layer::members).all(|of| of == members)
            && !before.iter().any(|layer| matches!(layer, Layer::Residual { .. }))
            && chain.windows(2).all(follows)
            && units(chain.last()?).is_some();
        fits.then_some(Self { layers: chain, start, n_in, members })
    }

    pub fn link(self, l: usize) -> Link {
        Link::of(&self.layers[l]).expect("a chain has no other layers").0
    }

    pub fn links(self) -> impl Iterator<Item = Link> {
        (0..self.layers.len()).map(move |l| self.link(l))
    }

    /// Whether members have the parameters of a layer in common.
    pub fn is_shared(self, l: usize) -> bool {
        self.members > 1 && matches!(self.layers[l], Layer::Blend { .. } | Layer::Dense { .. })
    }

    /// Whether they have its W in common.
    pub fn has_shared_w(self, l: usize) -> bool {
        self.link(l).is_ensemble() || (self.is_shared(l) && self.link(l).units().is_some())
    }

    /// Whether they have any W in common.
    pub fn shares_w(self) -> bool {
        (0..self.layers.len()).any(|l| self.has_shared_w(l))
    }

    /// Where the layers begin that are gone through forth and back at once: the last ones, with every W that is a member's own. The ones
    /// before are gone through one W after the other, which then stays in the second cache.
    pub fn top(self) -> usize {
        let is_own = |&l: &usize| self.link(l).units().is_some() && !self.has_shared_w(l);
        let first_own = (0..self.layers.len()).find(is_own).unwrap_or(self.layers.len());
        (0..=first_own.min(self.layers.len() - 1)).rev().find(|&l| self.has_shared_w(l)).unwrap_or(0)
    }

    /// The layers before those, in pieces with one W each.
    pub fn stems(self) -> impl DoubleEndedIterator<Item = Range<usize>> {
        let is_end = move |l: &usize| *l == self.top() || self.has_shared_w(*l);
        (0..self.top()).filter(move |&l| l == 0 || self.has_shared_w(l)).map(move |from| {
            let end = (from + 1..).find(is_end).expect("the top is one");
            from..end
        })
    }
}
