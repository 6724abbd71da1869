//! How the learning rate changes: a factor on the base rate, from the position in the run.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// The factor on the base learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// 1.
    #[default]
    Constant,
    /// `factor`^⌊epoch / every⌋.
    Step {
        /// Epochs between two drops.
        every: usize,
        /// In 0 to 1.
        factor: f64,
    },
    /// `decay`^epoch.
    Exponential {
        /// In 0 to 1.
        decay: f64,
    },
    /// Linear from 0 to 1 over the first `warmup` of the run, then ½ (1 + cos πu) down to 0 (Loshchilov and
    /// Hutter 2017, without restarts).
    Cosine {
        /// Share of the run, in 0..1.
        warmup: f64,
    },
    /// Cosine from 1/25 to 1 over the first `peak` of the run, then cosine down to 1/25 · 10⁻⁴ (Smith and Topin 2019).
    OneCycle {
        /// Share of the run, in 0..1.
        peak: f64,
    },
    /// ½ (1 − cos(2π log₂(1 + (2ⁿ − 1) u))): n waves from 0 over 1 to 0, each twice as long as the one before (Holzmüller,
    /// Grinsztajn and Steinwart 2024, "coslog").
    CosineLog {
        /// n, from 1 on.
        cycles: u32,
    },
    /// 1 over the first half of the run, then ½ (1 + cos π(2u − 1)) down to 0.
    FlatCosine,
    /// Times `factor` whenever the watched score has not improved for `patience` epochs.
    Plateau {
        /// In 0 to 1.
        factor: f64,
        /// Epochs without improvement.
        patience: usize,
    },
}

/// Where a step lies in the run.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Steps done before this one.
    pub step: u64,
    /// Steps per epoch.
    pub steps_per_epoch: u64,
    /// Epochs of the whole run.
    pub epochs: u64,
    /// How often the plateau rule has struck.
    pub plateaus: u32,
}

impl Schedule {
    /// The name on the command line and in files.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant => "constant",
            Schedule::Step { .. } => "step",
            Schedule::Exponential { .. } => "exponential",
            Schedule::Cosine { .. } => "cosine",
            Schedule::OneCycle { .. } => "one_cycle",
            Schedule::CosineLog { .. } => "cosine_log",
            Schedule::FlatCosine => "flat_cosine",
            Schedule::Plateau { .. } => "plateau",
        }
    }

    /// Whether the factor depends on how long the run will be, so that a longer run is another run.
    pub fn needs_horizon(&self) -> bool {
        matches!(
            self,
            Schedule::Cosine { .. }
                | Schedule::OneCycle { .. }
                | Schedule::CosineLog { .. }
                | Schedule::FlatCosine
        )
    }

    /// The factor on the base learning rate of a step, or on what else follows the schedule.
    pub fn factor(&self, at: Position) -> f64 {
        let epoch = (at.step / at.steps_per_epoch.max(1)) as f64;
        // The fraction of the run done; the last step is just short of 1.
        let u = at.step as f64 / (at.steps_per_epoch * at.epochs).max(1) as f64;
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => libm::pow(factor, (epoch / every as f64).floor()),
            Schedule::Exponential { decay } => libm::pow(decay, epoch),
            Schedule::Cosine { warmup } if u < warmup => (u + 1.0 / horizon(at)).min(warmup) / warmup,
            Schedule::Cosine { warmup } => ease((u - warmup) / (1.0 - warmup)),
            Schedule::OneCycle { peak } if u < peak => 1.0 - (1.0 - LOW) * ease(u / peak),
            Schedule::OneCycle { peak } => FLOOR + (1.0 - FLOOR) * ease((u - peak) / (1.0 - peak)),
            Schedule::CosineLog { cycles } => {
                let turns = libm::log2(1.0 + (libm::exp2(f64::from(cycles)) - 1.0) * u);
                0.5 * (1.0 - libm::cos(std::f64::consts::TAU * turns))
            }
            Schedule::FlatCosine => ease((2.0 * u - 1.0).max(0.0)),
            Schedule::Plateau { factor, .. } => libm::pow(factor, f64::from(at.plateaus)),
        }
    }

    /// Whether the constants are in their ranges.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`].
    pub fn check(&self) -> Result<()> {
        let share = |name: &str, value: f64, upper: f64| match value >= 0.0 && value <= upper {
            true => Ok(()),
            false => Err(Error::new(Code::InvalidSetting, format!("{name} is {value}, not in 0 to {upper}"))),
        };
        match *self {
            Schedule::Constant | Schedule::FlatCosine => Ok(()),
            Schedule::CosineLog { cycles: 1..=32 } => Ok(()),
            Schedule::CosineLog { cycles } => Err(Error::new(
                Code::InvalidSetting,
                format!("{cycles} waves of the learning rate are not 1 to 32"),
            )),
            Schedule::Step { every: 0, .. } => {
                Err(Error::new(Code::InvalidSetting, "the step schedule drops every 0 epochs"))
            }
            Schedule::Step { factor, .. } | Schedule::Plateau { factor, .. } => {
                share("the factor", factor, 1.0)
            }
            Schedule::Exponential { decay } => share("the decay", decay, 1.0),
            Schedule::Cosine { warmup } => share("the warm-up", warmup, 0.99),
            Schedule::OneCycle { peak } => share("the peak", peak, 0.99),
        }
    }
}

/// Smith and Topin's start, and the end of their annihilation phase.
const LOW: f64 = 1.0 / 25.0;
const FLOOR: f64 = LOW * 1e-4;

fn horizon(at: Position) -> f64 {
    (at.steps_per_epoch * at.epochs).max(1) as f64
}

/// ½ (1 + cos πu): 1 at 0, 0 at 1.
fn ease(u: f64) -> f64 {
    0.5 * (1.0 + libm::cos(std::f64::consts::PI * u))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: Schedule, step: u64, expected: f64) {
        let factor = schedule.factor(Position { step, steps_per_epoch: 10, epochs: 10, plateaus: 2 });
        assert!((factor - expected).abs() < 1e-12, "{schedule:?} at step {step}: {factor}, not {expected}");
    }

    #[test]
    fn factors_by_hand() {
        check(Schedule::Constant, 57, 1.0);
        check(Schedule::Step { every: 2, factor: 0.1 }, 19, 1.0);
        check(Schedule::Step { every: 2, factor: 0.1 }, 40, 0.01);
        check(Schedule::Exponential { decay: 0.5 }, 35, 0.125);
        check(Schedule::Cosine { warmup: 0.0 }, 0, 1.0);
        check(Schedule::Cosine { warmup: 0.0 }, 50, 0.5);
        check(Schedule::Cosine { warmup: 0.1 }, 0, 0.1);
        check(Schedule::Cosine { warmup: 0.1 }, 9, 1.0);
        check(Schedule::Cosine { warmup: 0.1 }, 55, 0.5);
        check(Schedule::OneCycle { peak: 0.3 }, 0, 0.04);
        check(Schedule::OneCycle { peak: 0.3 }, 30, 1.0);
        check(Schedule::OneCycle { peak: 0.3 }, 65, FLOOR + (1.0 - FLOOR) * 0.5);
        check(Schedule::CosineLog { cycles: 2 }, 0, 0.0);
        check(
            Schedule::CosineLog { cycles: 1 },
            50,
            0.5 * (1.0 - (std::f64::consts::TAU * 1.5_f64.log2()).cos()),
        );
        check(Schedule::FlatCosine, 49, 1.0);
        check(Schedule::FlatCosine, 75, 0.5);
        check(Schedule::Plateau { factor: 0.5, patience: 3 }, 5, 0.25);
    }
}
