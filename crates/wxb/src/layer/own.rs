//! Layers of each member's own, and networks side by side in one.

use serde::{Deserialize, Serialize};

use super::{Embed, Heads, Layer, Members, Periodic};
use crate::activation::Activation;
use crate::error::{Code, Error, Result};

/// k layers of one kind side by side: A_i = f_i(A_in,i) for each member i, f_i with parameters of its own.
/// A_in (k m, n_in)  A (k m, n_out)  the parameters as those of one layer, those of member 1 first
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// k.
    pub members: usize,
    /// f.
    pub layer: OwnLayer,
}

impl Own {
    /// Inputs.
    pub(crate) fn n_in(self) -> usize {
        self.layer.one().n_in().expect("only dropout takes any number")
    }
}

/// A layer that each member has of its own; [`Heads`] and [`Layer::MemberScale`] are the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnLayer {
    /// As [`Layer::Dense`].
    Dense {
        /// Inputs of each unit.
        n_in: usize,
        /// Units of each member.
        n_out: usize,
        /// g.
        activation: Activation,
    },
    /// As [`Layer::Blend`].
    Blend {
        /// Inputs and outputs.
        n: usize,
        /// g.
        activation: Activation,
    },
    /// As [`Layer::Periodic`].
    Periodic(Periodic),
    /// As [`Layer::Embed`].
    Embed(Embed),
}

impl OwnLayer {
    /// The layer of one member.
    pub fn one(self) -> Layer {
        match self {
            OwnLayer::Dense { n_in, n_out, activation } => Layer::Dense { n_in, n_out, activation },
            OwnLayer::Blend { n, activation } => Layer::Blend { n, activation },
            OwnLayer::Periodic(layer) => Layer::Periodic(layer),
            OwnLayer::Embed(layer) => Layer::Embed(layer),
        }
    }
}

/// The layers of k networks side by side, each with all of its parameters to itself: what one of them learns, no other knows.
/// `layers` are those of one network, or of one member.
///
/// # Errors
/// [`Code::InvalidSetting`] for layers whose members share their parameters, and for those that have no such form.
pub fn side_by_side(layers: &[Layer], members: usize) -> Result<Vec<Layer>> {
    let n = layers.first().and_then(Layer::n_in).unwrap_or(0);
    let mut all = vec![Layer::Members(Members { members, n })];
    for &layer in layers {
        let own = |layer| Layer::Own(Own { members, layer });
        all.push(match layer {
            Layer::Dense { n_in, n_out, activation: Activation::Identity } => {
                Layer::Heads(Heads { members, n_in, n_out })
            }
            Layer::Dense { n_in, n_out, activation } => own(OwnLayer::Dense { n_in, n_out, activation }),
            Layer::Blend { n, activation } => own(OwnLayer::Blend { n, activation }),
            Layer::Periodic(layer) => own(OwnLayer::Periodic(layer)),
            Layer::Embed(layer) => own(OwnLayer::Embed(layer)),
            Layer::Dropout { .. } | Layer::Residual { .. } => layer,
            Layer::Scale { n } => Layer::MemberScale(Members { members, n }),
            Layer::Members(Members { members: 1, .. }) => continue,
            Layer::MemberScale(Members { members: 1, n }) => Layer::MemberScale(Members { members, n }),
            Layer::Heads(Heads { members: 1, n_in, n_out }) => Layer::Heads(Heads { members, n_in, n_out }),
            Layer::Own(Own { members: 1, layer }) => own(layer),
            Layer::BatchNorm { .. } | Layer::Plr(_) | Layer::Bins(_) | Layer::Piecewise(_) => {
                let what = "batch normalisation, bins, pieces and PLR cannot stand side by side with others";
                return Err(Error::new(Code::InvalidSetting, what).hint("leave them, or the folds, out"));
            }
            Layer::Members(_)
            | Layer::MemberScale(_)
            | Layer::Ensemble(_)
            | Layer::Heads(_)
            | Layer::Own(_) => {
                let what = "a network whose members share parameters cannot stand side by side with others";
                return Err(Error::new(Code::InvalidSetting, what));
            }
        });
    }
    Ok(all)
}
