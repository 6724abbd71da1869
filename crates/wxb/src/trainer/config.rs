//! The settings of a training.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::layer::{Role, Slot};
use crate::metrics::Metric;
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// How many examples a step sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSize {
    /// So many; the last batch of an epoch may be smaller and divides by its own m.
    Rows(usize),
    /// All of them: gradient descent.
    Full,
}

/// What a tie of the watched score means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The earlier epoch stays the best.
    #[default]
    Earlier,
    /// The later epoch is the best now.
    Later,
}

/// Which examples the members of a network see in a step ([`Members`](crate::Members)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batches {
    /// All of them the same.
    #[default]
    Shared,
    /// As many each, in an order of the epoch that is the member's own.
    Own,
}

/// How a kind of parameters learns beside the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// The factor on the learning rate.
    pub lr: f64,
    /// The factor on the decoupled decay.
    pub decay: f64,
}

impl Pace {
    /// As fast as the base rate says, decaying as weights do.
    pub const WEIGHTS: Pace = Pace { lr: 1.0, decay: 1.0 };
    /// As fast as the base rate says, without decay.
    pub const FREE: Pace = Pace { lr: 1.0, decay: 0.0 };
}

/// How each kind of parameters learns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paces {
    /// W.
    pub weights: Pace,
    /// The scales r and s of members.
    pub member_scales: Pace,
    /// b, and β of batch normalisation.
    pub biases: Pace,
    /// γ of scaling layers and of batch normalisation.
    pub scales: Pace,
    /// α of blended activations.
    pub blends: Pace,
    /// Numeric embeddings.
    pub periodic: Pace,
    /// Category embeddings.
    pub embeddings: Pace,
    /// W (n_in, n_out) learns as if it were θ/√n_in with a learned θ, the "neural tangent parametrisation" of Jacot,
    /// Gabriel and Hongler 2018. Adam's step does not depend on the size of the gradient, so that this is the step of W
    /// with α/√n_in for α and ε √n_in for ε.
    pub by_inputs: bool,
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            weights: Pace::WEIGHTS,
            member_scales: Pace::WEIGHTS,
            biases: Pace::FREE,
            scales: Pace::FREE,
            blends: Pace::FREE,
            periodic: Pace::FREE,
            embeddings: Pace::FREE,
            by_inputs: false,
        }
    }
}

impl Paces {
    /// Of a tensor.
    pub fn of(&self, slot: &Slot) -> Pace {
        match slot.role {
            Role::Weight => self.weights,
            Role::ScaleIn | Role::ScaleOut => self.member_scales,
            Role::Bias | Role::Offset => self.biases,
            Role::Mean | Role::Variance | Role::Edge => Pace::FREE,
            Role::Scale => self.scales,
            Role::Blend => self.blends,
            Role::Frequency | Role::Phase | Role::Mix | Role::Shift => self.periodic,
            Role::Slope | Role::Bend => self.periodic,
            Role::Embedding => self.embeddings,
        }
    }

    /// √n_in for W where that counts, else 1.
    pub fn width_of(&self, slot: &Slot) -> f64 {
        if self.by_inputs && slot.role == Role::Weight { (slot.n_in as f64).sqrt() } else { 1.0 }
    }

    /// Whether a factor on the learning rate is not 1. Asked in every step: no array is made.
    pub fn differ(&self) -> bool {
        let Self { weights, member_scales, biases, scales, blends, periodic, embeddings, by_inputs } = self;
        let is_one = |pace: &Pace| pace.lr == 1.0;
        by_inputs
            | !(is_one(weights) & is_one(member_scales) & is_one(biases) & is_one(scales))
            | !(is_one(blends) & is_one(periodic) & is_one(embeddings))
    }

    fn check(&self) -> Result<()> {
        let Self { weights, member_scales, biases, scales, blends, periodic, embeddings, .. } = *self;
        let fits = |pace: &Pace| {
            pace.lr >= 0.0 && pace.lr.is_finite() && pace.decay >= 0.0 && pace.decay.is_finite()
        };
        let all = [weights, member_scales, biases, scales, blends, periodic, embeddings];
        match all.iter().find(|pace| !fits(pace)) {
            None => Ok(()),
            Some(pace) => {
                Err(Error::new(Code::InvalidSetting, format!("{pace:?} is not made of numbers from 0 on")))
            }
        }
    }
}

/// The settings of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// How a gradient becomes a step.
    pub optimizer: Optimizer,
    /// The base learning rate α; L-BFGS has none.
    pub lr: f64,
    /// The factor on α during the run.
    pub schedule: Schedule,
    /// Passes over the training rows, at the most.
    pub epochs: u64,
    /// Examples per step; L-BFGS takes all.
    pub batch_size: BatchSize,
    /// Which examples each member of the network sees.
    #[serde(default)]
    pub batches: Batches,
    /// λ₂: J gets λ₂/(2m) Σ W², m the sum of weights in the batch (the course's form; scikit-learn's alpha).
    pub l2: f64,
    /// λ₁: J gets λ₁/m Σ |W|.
    pub l1: f64,
    /// Decoupled decay of W: W ← (1 − α λ) W. `None`: the optimizer's own (0.01 for AdamW, else 0).
    pub weight_decay: Option<f64>,
    /// The factor on λ during the run.
    pub decay_schedule: Schedule,
    /// The factor on the rates of dropout layers during the run.
    pub dropout_schedule: Schedule,
    /// What learns faster or slower, and what decays.
    pub paces: Paces,
    /// Whether the last batch of an epoch is left out if it is smaller than the others.
    pub drop_last: bool,
    /// Which of two epochs of one score is the better one.
    pub ties: Ties,
    /// The gradient is scaled down to this Euclidean norm if it is longer.
    pub clip_norm: Option<f64>,
    /// Stop when the watched score has not improved for so many epochs; needs validation rows.
    pub patience: Option<u64>,
    /// A metric to compute on the validation rows after each epoch.
    pub metric: Option<Metric>,
    /// Whether the metric decides about stopping and the best weights; else the validation loss does.
    pub stop_on_metric: bool,
    /// Decides the order of the examples and the dropout masks.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            optimizer: Optimizer::ADAM,
            lr: 1e-3,
            schedule: Schedule::Constant,
            epochs: 200,
            batch_size: BatchSize::Rows(64),
            batches: Batches::Shared,
            l2: 0.0,
            l1: 0.0,
            weight_decay: None,
            decay_schedule: Schedule::Constant,
            dropout_schedule: Schedule::Constant,
            paces: Paces::default(),
            drop_last: false,
            ties: Ties::Earlier,
            clip_norm: None,
            patience: None,
            metric: None,
            stop_on_metric: false,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Rows per batch for so many training rows.
    pub fn batch_rows(&self, rows: usize) -> usize {
        match (self.optimizer, self.batch_size) {
            (Optimizer::Lbfgs(_), _) | (_, BatchSize::Full) => rows.max(1),
            (_, BatchSize::Rows(size)) => size.min(rows).max(1),
        }
    }

    /// Steps of an epoch of so many training rows.
    pub fn steps_per_epoch(&self, rows: usize) -> u64 {
        let batch = self.batch_rows(rows);
        (if self.drop_last { (rows / batch).max(1) } else { rows.div_ceil(batch) }) as u64
    }

    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`].
    pub fn check(&self) -> Result<()> {
        self.optimizer.check()?;
        self.schedule.check()?;
        self.decay_schedule.check()?;
        self.dropout_schedule.check()?;
        self.paces.check()?;
        let bad = |what: String| Err(Error::new(Code::InvalidSetting, what));
        let amounts =
            [("l2", self.l2), ("l1", self.l1), ("the weight decay", self.weight_decay.unwrap_or(0.0))];
        if let Some((name, value)) = amounts.iter().find(|(_, v)| !(*v >= 0.0 && v.is_finite())) {
            return bad(format!("{name} is {value}, not 0 or above"));
        }
        if let Optimizer::Lbfgs(_) = self.optimizer {
            self.check_lbfgs()?;
        }
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return bad(format!("the learning rate is {}, not above 0", self.lr));
        }
        if self.clip_norm.is_some_and(|c| c.is_nan() || c <= 0.0) {
            return bad("the norm to clip to is not above 0".into());
        }
        if self.batch_size == BatchSize::Rows(0) {
            return bad("the batch size is 0".into());
        }
        if self.patience == Some(0) {
            return bad("the patience is 0 epochs".into());
        }
        Ok(())
    }

    /// What L-BFGS cannot do would be without effect, or wrong.
    fn check_lbfgs(&self) -> Result<()> {
        let excluded = [
            // At W = 0, where L1's optima are, |W| has no derivative: the line search stops short of them.
            (self.l1 > 0.0, "l1", "L-BFGS needs a derivative, and |W| has none at 0", "with lbfgs, l2"),
            (
                self.weight_decay.is_some_and(|decay| decay > 0.0),
                "weight decay",
                "decoupled decay is no part of the function that L-BFGS minimises",
                "with lbfgs, l2",
            ),
            (
                self.clip_norm.is_some(),
                "clipping",
                "L-BFGS searches the length of each step",
                "with lbfgs, nothing in its place",
            ),
            (
                self.schedule != Schedule::Constant,
                "a schedule",
                "L-BFGS has no learning rate",
                "with lbfgs, nothing in its place",
            ),
        ];
        match excluded.iter().find(|(is_set, ..)| *is_set) {
            None => Ok(()),
            Some((_, name, why, instead)) => {
                let what = format!("{name} and lbfgs exclude each other: {why}");
                Err(Error::new(Code::InvalidSetting, what)
                    .hint(format!("with {name}, adam or sgd; {instead}")))
            }
        }
    }

    /// The decoupled weight decay that is in force.
    pub fn decay(&self) -> f64 {
        self.weight_decay.unwrap_or(self.optimizer.default_weight_decay())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lbfgs::LbfgsConfig;

    #[test]
    fn what_is_not_for_lbfgs() {
        let config = || TrainConfig { l2: 1.0, ..TrainConfig::default() };
        for (config, fits) in [
            (TrainConfig { l1: 0.0, ..config() }, true),
            (TrainConfig { l1: 1e-9, ..config() }, false),
            (TrainConfig { weight_decay: Some(0.0), ..config() }, true),
            (TrainConfig { weight_decay: Some(1e-9), ..config() }, false),
            (TrainConfig { clip_norm: Some(1e9), ..config() }, false),
            (TrainConfig { schedule: Schedule::Cosine { warmup: 0.0 }, ..config() }, false),
            (TrainConfig { patience: Some(1), batch_size: BatchSize::Full, ..config() }, true),
        ] {
            let lbfgs = TrainConfig { optimizer: Optimizer::Lbfgs(LbfgsConfig::default()), ..config.clone() };
            assert_eq!(lbfgs.check().is_ok(), fits, "{lbfgs:?}");
            assert!(config.check().is_ok(), "{config:?}");
        }
    }
}
