//! The settings of a training, in scikit-learn's sense.

use serde::Deserialize;
use wxb::optimizer::Optimizer;
use wxb::trainer::{BatchSize, TrainConfig};
use wxb::{Result, Schedule};

/// How the learning rate changes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    Constant,
    /// α₀ / (t + 1)^power after each epoch, t the examples seen.
    InvScaling {
        power: f64,
    },
    /// α / 5 whenever nothing has improved for long enough, down to 10⁻⁶.
    Adaptive,
    /// A factor at each step, over the epochs of one call.
    Schedule(Schedule),
}

/// What a call of `fit` asks for.
#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    pub optimizer: Optimizer,
    /// α₀.
    pub lr: f64,
    pub rate: Rate,
    pub epochs: u64,
    /// Whether the order of the examples goes on from call to call, as one call goes on from epoch to epoch.
    pub goes_on: bool,
    pub batch: usize,
    pub l2: f64,
    pub l1: f64,
    pub weight_decay: Option<f64>,
    pub clip_norm: Option<f64>,
    /// Of dropout masks.
    pub seed: u64,
    /// How much better is better.
    pub tol: f64,
    /// Epochs that may pass without it; none: all.
    pub patience: Option<u64>,
    /// Evaluations that L-BFGS may spend.
    pub max_fun: u64,
    /// Whether Adam's ε stands beside √s, not beside √ŝ (Kingma and Ba 2015, end of section 2): scikit-learn's form.
    pub epsilon_hat: bool,
}

impl Plan {
    /// The engine's settings for a step.
    pub fn config(&self) -> Result<TrainConfig> {
        let schedule = match self.rate {
            Rate::Schedule(schedule) => schedule,
            _ => Schedule::Constant,
        };
        let config = TrainConfig {
            optimizer: self.optimizer,
            lr: self.lr,
            schedule,
            epochs: self.epochs,
            batch_size: BatchSize::Rows(self.batch),
            l2: self.l2,
            l1: self.l1,
            weight_decay: self.weight_decay,
            clip_norm: self.clip_norm,
            seed: self.seed,
            ..TrainConfig::default()
        };
        match self.optimizer {
            // scikit-learn's momentum may be 1, which the engine's own settings exclude.
            Optimizer::Momentum { beta, .. } | Optimizer::Nesterov { beta } if beta == 1.0 => {
                TrainConfig { optimizer: Optimizer::Sgd, ..config.clone() }.check()?;
            }
            _ => config.check()?,
        }
        Ok(config)
    }
}
