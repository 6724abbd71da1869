//! Update rules θ ← θ − Δ(g), elementwise over the flat parameter buffer.

use serde::{Deserialize, Serialize};

use crate::cpu::{self, Of, OfMut};
use crate::error::{Code, Error, Result};
use crate::lbfgs::LbfgsConfig;
use crate::real::Real;

/// How a gradient g becomes a step; α is the learning rate of the step, t counts steps from 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// θ ← θ − α g. With the full batch this is gradient descent.
    Sgd,
    /// v ← β v + g, θ ← θ − α v (Polyak 1964). `averaged`: v ← β v + (1 − β) g, as in the course; the same path
    /// with α scaled by 1/(1 − β).
    Momentum {
        /// β in 0..1.
        beta: f64,
        /// The course's form.
        averaged: bool,
    },
    /// v ← β v + g, θ ← θ − α (g + β v) (Nesterov 1983, in the form of Sutskever et al. 2013).
    Nesterov {
        /// β in 0..1.
        beta: f64,
    },
    /// s ← ρ s + (1 − ρ) g², θ ← θ − α g / (√s + ε) (Tieleman and Hinton 2012).
    RmsProp {
        /// ρ in 0..1.
        rho: f64,
        /// ε, outside of the root.
        epsilon: f64,
    },
    /// m ← β₁ m + (1 − β₁) g, s ← β₂ s + (1 − β₂) g²,
    /// θ ← θ − α m̂ / (√ŝ + ε), m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ) (Kingma and Ba 2015, algorithm 1).
    Adam {
        /// β₁ in 0..1.
        beta1: f64,
        /// β₂ in 0..1.
        beta2: f64,
        /// ε, outside of the root.
        epsilon: f64,
    },
    /// Adam, with a decoupled weight decay of 0.01 unless another is set (Loshchilov and Hutter 2019).
    AdamW {
        /// β₁ in 0..1.
        beta1: f64,
        /// β₂ in 0..1.
        beta2: f64,
        /// ε, outside of the root.
        epsilon: f64,
    },
    /// Limited-memory BFGS on the full batch; chooses its own step length.
    Lbfgs(LbfgsConfig),
}

/// The numbers of one update that do not depend on the element.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// α, the learning rate.
    pub lr: f64,
    /// t, from 1.
    pub t: u64,
    /// Decoupled decay λ: θ ← (1 − α λ) θ before the update.
    pub weight_decay: f64,
    /// The factor on ε.
    pub epsilon: f64,
}

impl Optimizer {
    /// Adam with the constants of the paper.
    pub const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    /// AdamW with the constants of the paper.
    pub const ADAMW: Optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

    /// The name on the command line and in files.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd => "sgd",
            Optimizer::Momentum { .. } => "momentum",
            Optimizer::Nesterov { .. } => "nesterov",
            Optimizer::RmsProp { .. } => "rmsprop",
            Optimizer::Adam { .. } => "adam",
            Optimizer::AdamW { .. } => "adamw",
            Optimizer::Lbfgs(_) => "lbfgs",
        }
    }

    /// The decoupled weight decay that goes with it unless one is set.
    pub fn default_weight_decay(&self) -> f64 {
        if matches!(self, Optimizer::AdamW { .. }) { 0.01 } else { 0.0 }
    }

    /// How many moments per parameter it keeps (L-BFGS keeps its own state).
    pub fn moments(&self) -> usize {
        match self {
            Optimizer::Sgd | Optimizer::Lbfgs(_) => 0,
            Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } | Optimizer::RmsProp { .. } => 1,
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } => 2,
        }
    }

    /// Whether the constants are in their ranges.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`].
    pub fn check(&self) -> Result<()> {
        let share = |name: &str, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => {
                Err(Error::new(Code::InvalidSetting, format!("{name} is {value}, not in 0 to 1 (without 1)")))
            }
        };
        let positive = |name: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::new(Code::InvalidSetting, format!("{name} is {value}, not above 0"))),
        };
        match *self {
            Optimizer::Sgd => Ok(()),
            Optimizer::Momentum { beta, .. } | Optimizer::Nesterov { beta } => share("the momentum", beta),
            Optimizer::RmsProp { rho, epsilon } => share("rho", rho).and(positive("epsilon", epsilon)),
            Optimizer::Adam { beta1, beta2, epsilon } | Optimizer::AdamW { beta1, beta2, epsilon } => {
                share("beta1", beta1).and(share("beta2", beta2)).and(positive("epsilon", epsilon))
            }
            Optimizer::Lbfgs(config) => config.check(),
        }
    }

    /// One update of some parameters θ by their gradients g; `m` and `v` are their moments, empty if not kept.
    pub fn update<T: Real>(&self, step: Step, theta: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) {
        let rule = Rule::new(*self, step);
        // Below this many elements the fork costs more than the second core brings.
        const PIECE: usize = 1 << 15;
        if theta.len() < 2 * PIECE || cpu::count() == 1 {
            return cpu::update(rule, theta, g, m, v);
        }
        // Moments that are not kept are empty, as are their pieces.
        let parts = (OfMut(theta, PIECE), Of(g, PIECE), OfMut(m, PIECE), OfMut(v, PIECE));
        cpu::each(parts, 1, &|_, (OfMut(theta, _), Of(g, _), OfMut(m, _), OfMut(v, _))| {
            cpu::update(rule, theta, g, m, v);
        });
    }
}

/// An update with its constants at the width of the parameters, the same for each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule<T> {
    /// 1 − α λ.
    keep: T,
    kind: Kind<T>,
}

#[derive(Clone, Copy, Debug)]
enum Kind<T> {
    Sgd { lr: T },
    Momentum { lr: T, beta: T, share: T },
    Nesterov { lr: T, beta: T },
    RmsProp { lr: T, rho: T, rest: T, epsilon: T },
    Adam { alpha: T, unbias: T, b1: T, r1: T, b2: T, r2: T, epsilon: T },
}

impl<T: Real> Rule<T> {
    fn new(optimizer: Optimizer, step: Step) -> Self {
        let lr = T::of(step.lr);
        let kind = match optimizer {
            Optimizer::Sgd | Optimizer::Lbfgs(_) => Kind::Sgd { lr },
            Optimizer::Momentum { beta, averaged } => Kind::Momentum {
                lr,
                beta: T::of(beta),
                share: T::of(if averaged { 1.0 - beta } else { 1.0 }),
            },
            Optimizer::Nesterov { beta } => Kind::Nesterov { lr, beta: T::of(beta) },
            Optimizer::RmsProp { rho, epsilon } => Kind::RmsProp {
                lr,
                rho: T::of(rho),
                rest: T::of(1.0 - rho),
                epsilon: T::of(epsilon * step.epsilon),
            },
            Optimizer::Adam { beta1, beta2, epsilon } | Optimizer::AdamW { beta1, beta2, epsilon } => {
                let t = step.t as f64;
                Kind::Adam {
                    alpha: T::of(step.lr / (1.0 - libm::pow(beta1, t))),
                    unbias: T::of(1.0 / (1.0 - libm::pow(beta2, t)).sqrt()),
                    b1: T::of(beta1),
                    r1: T::of(1.0 - beta1),
                    b2: T::of(beta2),
                    r2: T::of(1.0 - beta2),
                    epsilon: T::of(epsilon * step.epsilon),
                }
            }
        };
        Self { keep: T::of(1.0 - step.lr * step.weight_decay), kind }
    }

    /// θ ← (1 − α λ) θ, then the step; loops that the compiler turns into vectors.
    ///
    /// Gradients and moments that have vanished are 0: those of a unit that is never active would go on as denormal
    /// numbers for ever.
    #[inline(always)]
    pub(crate) fn apply(self, theta: &mut [T], g: &[T], m: &mut [T], s: &mut [T]) {
        let least = T::VANISHING * T::VANISHING;
        if self.keep != T::ONE {
            theta.iter_mut().for_each(|theta| *theta *= self.keep);
        }
        match self.kind {
            Kind::Sgd { lr } => {
                theta.iter_mut().zip(g).for_each(|(theta, &g)| *theta -= lr * g);
            }
            Kind::Momentum { lr, beta, share } => {
                for ((theta, &g), v) in theta.iter_mut().zip(g).zip(m) {
                    *v = (beta * *v + share * g).or_zero(least);
                    *theta -= lr * *v;
                }
            }
            Kind::Nesterov { lr, beta } => {
                for ((theta, &g), v) in theta.iter_mut().zip(g).zip(m) {
                    *v = (beta * *v + g).or_zero(least);
                    *theta -= lr * (g + beta * *v);
                }
            }
            Kind::RmsProp { lr, rho, rest, epsilon } => {
                for ((theta, &g), s) in theta.iter_mut().zip(g).zip(m) {
                    let g = g.or_zero(T::VANISHING);
                    *s = (rho * *s + rest * g * g).or_zero(least);
                    *theta -= lr * g / (s.sqrt() + epsilon);
                }
            }
            // θ ← θ − α/(1 − β₁ᵗ) · m / (√s · 1/√(1 − β₂ᵗ) + ε)
            Kind::Adam { alpha, unbias, b1, r1, b2, r2, epsilon } => {
                for (((theta, &g), m), s) in theta.iter_mut().zip(g).zip(m).zip(s) {
                    let g = g.or_zero(T::VANISHING);
                    *m = (b1 * *m + r1 * g).or_zero(least);
                    *s = (b2 * *s + r2 * g * g).or_zero(least);
                    *theta -= alpha * *m / (s.sqrt() * unbias + epsilon);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradients that fade away, as those of a unit that is no longer active: moments become 0, and none is denormal on
    /// the way.
    #[test]
    fn moments_do_not_become_denormal() {
        let optimizers = [
            Optimizer::Momentum { beta: 0.9, averaged: false },
            Optimizer::Nesterov { beta: 0.9 },
            Optimizer::RmsProp { rho: 0.9, epsilon: 1e-8 },
            Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
        ];
        for optimizer in optimizers {
            let (mut theta, mut m, mut s) = ([1.0_f32; 40], [0.0_f32; 40], [0.0_f32; 40]);
            for t in 1..=8000 {
                let g = [0.97_f32.powi(t); 40];
                let step = Step { lr: 1e-3, t: t as u64, weight_decay: 0.0, epsilon: 1.0 };
                optimizer.update(step, &mut theta, &g, &mut m, &mut s);
                assert!(m.iter().chain(&s).all(|x| !x.is_subnormal()), "{optimizer:?}, step {t}");
            }
            assert_eq!((m, s), ([0.0; 40], [0.0; 40]), "{optimizer:?}");
        }
    }
}
