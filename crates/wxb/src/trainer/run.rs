//! The state of a training, and what comes of it.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::layer::Layer;
use crate::lbfgs;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::real::Real;
use crate::schedule::Schedule;
use crate::trainer::{Ties, TrainConfig};

/// Everything a training needs to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Run<T> {
    /// The network with its current weights.
    pub network: Network<T>,
    /// Epochs done.
    pub epoch: u64,
    /// Steps done, all epochs together.
    pub step: u64,
    /// Steps done in the epoch under way, and its Σ w J and Σ w so far.
    pub partial: (u64, f64, f64),
    /// The optimizer's moments, or the state of L-BFGS.
    pub moments: Vec<T>,
    /// The weights to hand out: the best on the validation rows; without validation, those of the last epoch.
    pub best: Best<T>,
    /// The best watched score so far, and the epochs since.
    pub best_score: f64,
    /// Epochs since the watched score improved.
    pub since_best: u64,
    /// How often the plateau rule has struck, and the epochs since it did or the score improved.
    pub plateaus: u32,
    /// Epochs that the plateau rule has waited.
    pub plateau_wait: u64,
    /// Why no further step can help, once L-BFGS has found so.
    pub converged: Option<String>,
    /// One record per epoch.
    pub history: Vec<EpochRecord>,
}

/// The weights of an epoch; all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Best<T> {
    /// Which epoch, from 1; 0: the initial weights.
    pub epoch: u64,
    /// All parameters.
    pub flat: Vec<T>,
}

/// What came of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: u64,
    /// Steps done at its end.
    pub step: u64,
    /// The mean loss over the epoch's batches, each before its update; without penalties. With the full batch it
    /// is the loss of the weights that the epoch began with.
    pub train_loss: f64,
    /// The loss on the validation rows after it.
    pub valid_loss: Option<f64>,
    /// The chosen metric on the validation rows after it.
    pub valid_metric: Option<f64>,
    /// The learning rate at its end.
    pub lr: f64,
    /// Whether it is the best so far.
    pub best: bool,
}

/// Why a training ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// All epochs are done.
    Epochs,
    /// The watched score did not improve for so many epochs.
    Early {
        /// How many.
        patience: u64,
    },
    /// L-BFGS found the minimum.
    Converged {
        /// In words.
        reason: String,
    },
    /// The observer broke off.
    Interrupted,
    /// The observer broke off because the time that it allows is over.
    TimeIsUp,
    /// A loss or weight became infinite or NaN.
    Diverged(Divergence),
}

/// Where a training went wrong first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// From 1.
    pub epoch: u64,
    /// The batch in its epoch, from 1.
    pub batch: u64,
    /// The first tensor in the order of computation that is not finite: `"Z of layer 2"`.
    pub tensor: String,
    /// The largest |w| at the start of the failing step, over all weights.
    pub largest_weight: f64,
}

impl<T: Real> Run<T> {
    /// A run that starts from a network's weights.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`] for an optimizer's constant out of its range.
    pub fn new(network: Network<T>, config: &TrainConfig) -> Result<Self> {
        config.optimizer.check()?;
        let n = network.params.flat.len();
        let moments = match config.optimizer {
            Optimizer::Lbfgs(settings) => lbfgs::Lbfgs::<T>::new(n, settings)?.state(),
            optimizer => vec![T::ZERO; n * optimizer.moments()],
        };
        Ok(Self {
            best: Best { epoch: 0, flat: network.params.flat.to_vec() },
            network,
            epoch: 0,
            step: 0,
            partial: (0, 0.0, 0.0),
            moments,
            best_score: f64::INFINITY,
            since_best: 0,
            plateaus: 0,
            plateau_wait: 0,
            converged: None,
            history: vec![],
        })
    }

    /// The network with the weights of [`Run::best`].
    pub fn best_network(&self) -> Network<T> {
        let mut network = self.network.clone();
        network.params.flat.copy_from_slice(&self.best.flat);
        network
    }

    /// Checks that the lengths fit each other, and the optimizer the layers.
    pub(super) fn check(&self, config: &TrainConfig) -> Result<()> {
        let changing = |layer: &Layer| match layer {
            Layer::Dropout { .. } => Some("dropout"),
            Layer::BatchNorm { .. } => Some("batch normalisation"),
            _ => None,
        };
        if let Some(name) = self.network.layers().iter().find_map(changing)
            && matches!(config.optimizer, Optimizer::Lbfgs(_))
        {
            let what =
                format!("{name} and lbfgs exclude each other: L-BFGS needs the same network in each step");
            return Err(Error::new(Code::InvalidSetting, what)
                .hint(format!("with {name}, adam or sgd; with lbfgs, l2")));
        }
        let n = self.network.params.flat.len();
        let lengths_fit = match config.optimizer {
            Optimizer::Lbfgs(_) => true, // Lbfgs::restore checks
            optimizer => self.moments.len() == n * optimizer.moments(),
        };
        if !lengths_fit || self.best.flat.len() != n {
            let message = "the state of the run does not fit the network and the optimizer";
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        Ok(())
    }

    /// Takes note of a watched score (lower is better).
    pub(super) fn judge(&mut self, score: f64, ties: Ties) -> bool {
        let better = score < self.best_score || ties == Ties::Later && score == self.best_score;
        if better {
            (self.best_score, self.since_best, self.plateau_wait) = (score, 0, 0);
        } else {
            self.since_best += 1;
            self.plateau_wait += 1;
        }
        better
    }

    /// Keeps the current weights as those to hand out, if all of them are finite.
    pub(super) fn keep_weights(&mut self) {
        if self.network.params.first_non_finite().is_none() {
            self.best.epoch = self.epoch;
            self.best.flat.copy_from_slice(&self.network.params.flat);
        }
    }

    pub(super) fn plateau(&mut self, schedule: &Schedule) {
        if let Schedule::Plateau { patience, .. } = schedule
            && self.plateau_wait >= *patience as u64
        {
            self.plateaus += 1;
            self.plateau_wait = 0;
        }
    }
}
