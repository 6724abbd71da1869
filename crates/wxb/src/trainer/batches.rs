//! An epoch of mini-batches.

use std::ops::{ControlFlow, Range};

use super::{Divergence, Event, Fitting, Judge, Observer, Rates, Run, Stop, TrainConfig};
use crate::cpu;
use crate::layer::{Layer, Params, Role};
use crate::network::Network;
use crate::optimizer::{Optimizer, Step};
use crate::real::Real;
use crate::rng::{Purpose, shuffle, stream};
use crate::step::{Cache, Mode, gradient, track};

impl<T: Real> Fitting<'_, '_, T> {
    /// Runs the epoch under way to its end.
    pub(super) fn epoch(&mut self, run: &mut Run<T>, observe: Observer<'_, T>) -> Option<Stop> {
        let batch = self.config.batch_rows(self.rows);
        let full = batch == self.rows;
        if !full {
            self.shuffle(run.epoch);
        }
        while run.partial.0 < self.steps_per_epoch {
            let start = run.partial.0 as usize * batch;
            let examples = start..(start + batch).min(self.rows);
            let m = examples.len();
            // The full batch stays in the cache, unless validation has overwritten it.
            if !full || self.judge.is_held_out() || !self.loaded {
                self.load(examples);
                self.loaded = true;
            }
            let rates = self.of_each(self.rates(run, run.step));
            let settings = (&self.step_config, rates);
            let batch_loss = match train_step(run, &mut self.grads, &mut self.cache, m, settings) {
                Ok(batch_loss) => batch_loss,
                Err(divergence) => return Some(Stop::Diverged(divergence)),
            };
            let of = (run.partial.0, self.steps_per_epoch);
            if let ControlFlow::Break(stop) =
                observe(Event::Step { epoch: run.epoch + 1, of, loss: batch_loss })
                && run.partial.0 < self.steps_per_epoch
            {
                return Some(stop);
            }
        }
        let (_, loss_sum, weight_sum) = std::mem::take(&mut run.partial);
        self.end_epoch(run, loss_sum / weight_sum, observe)
    }

    /// Ends the epoch under way with the steps that were done: the first one, where there is no time for all of it.
    pub(super) fn cut_epoch(&mut self, run: &mut Run<T>, observe: Observer<'_, T>) {
        let (steps, loss_sum, weight_sum) = std::mem::take(&mut run.partial);
        if steps > 0 {
            self.end_epoch(run, loss_sum / weight_sum, observe);
        }
    }

    /// The order of an epoch depends on the seed and the epoch's number only, and on the member if each has its own.
    fn shuffle(&mut self, epoch: u64) {
        for (member, order) in self.order.iter_mut().enumerate() {
            order.copy_from_slice(match self.judge {
                Judge::Folds(folds) => &folds.splits()[member].0,
                Judge::Training | Judge::Rows(_) => self.train.rows(),
            });
            // 2³² epochs are more than anybody trains.
            let index = (member as u64) << 32 | epoch;
            shuffle(&mut stream(self.config.seed, Purpose::Shuffle, index), order);
        }
    }

    /// Some places of the epoch's order, or of each member's order, into the cache.
    fn load(&mut self, examples: Range<usize>) {
        if let [order] = &self.order[..] {
            return self.train.load(&order[examples], &mut self.cache);
        }
        self.own_batch.clear();
        for order in &self.order {
            self.own_batch.extend_from_slice(&order[examples.clone()]);
        }
        self.train.load_apart(&self.own_batch, &mut self.cache);
    }
}

/// One step at some rates: forward, loss, backward, update on the first `m` rows of `cache.x`, `cache.y` and
/// `cache.weights`. Returns the mean loss before the update.
///
/// [`fit`](super::fit) is made of these; alone it is what a benchmark measures.
///
/// # Errors
/// A [`Divergence`] if the loss is infinite or NaN; the weights are then those before the step.
pub fn train_step<T: Real>(
    run: &mut Run<T>,
    grads: &mut Params<T>,
    cache: &mut Cache<T>,
    m: usize,
    (config, rates): (&TrainConfig, Rates),
) -> Result<f64, Divergence> {
    let mode = Mode::Training { seed: config.seed, step: run.step, dropout: rates.dropout };
    let (batch_loss, weight) = gradient(&run.network, cache, m, mode, grads);
    if !batch_loss.is_finite() {
        return Err(diverged(run, cache, m));
    }
    add_penalties(&run.network.params, grads, config, weight);
    clip(grads, config.clip_norm);
    run.step += 1;
    let Run { network, moments, step, .. } = &mut *run;
    track(network, cache, *step);
    update(&mut network.params, moments, *step, grads, (config, rates));
    run.partial.0 += 1;
    run.partial.1 += batch_loss * weight;
    run.partial.2 += weight;
    Ok(batch_loss)
}

/// dW += λ₂/m W + λ₁/m sign(W); biases are free.
pub(super) fn add_penalties<T: Real>(
    params: &Params<T>,
    grads: &mut Params<T>,
    config: &TrainConfig,
    m: f64,
) {
    if config.l2 == 0.0 && config.l1 == 0.0 {
        return;
    }
    let penalties = [T::of(config.l2 / m), T::of(config.l1 / m)];
    for slot in params.slots().iter().filter(|slot| slot.role == Role::Weight) {
        cpu::penalise(penalties, params.of(slot), &mut grads.flat[slot.range()]);
    }
}

/// λ₂/(2m) Σ W² + λ₁/m Σ |W|.
pub(super) fn penalty<T: Real>(params: &Params<T>, config: &TrainConfig, m: f64) -> f64 {
    let weights =
        params.slots().iter().filter(|slot| slot.role == Role::Weight).flat_map(|slot| params.of(slot));
    let (squares, absolutes) =
        weights.fold((0.0, 0.0), |(s, a), w| (s + w.f64() * w.f64(), a + w.f64().abs()));
    config.l2 / (2.0 * m) * squares + config.l1 / m * absolutes
}

/// g ← g · min(1, c / ‖g‖).
fn clip<T: Real>(grads: &mut Params<T>, norm: Option<f64>) {
    let Some(limit) = norm else { return };
    let length = grads.flat.iter().map(|g| g.f64() * g.f64()).sum::<f64>().sqrt();
    if length > limit {
        let factor = T::of(limit / length);
        grads.flat.iter_mut().for_each(|g| *g *= factor);
    }
}

/// Step number `t` of all parameters; where not all of them learn or decay alike, the buffer is cut into its slots.
fn update<T: Real>(
    params: &mut Params<T>,
    moments: &mut [T],
    t: u64,
    grads: &Params<T>,
    (config, rates): (&TrainConfig, Rates),
) {
    let theta = &mut params.flat;
    let kept = config.optimizer.moments();
    let (m, v) = moments.split_at_mut(if kept == 0 { 0 } else { theta.len() });
    let step = Step { lr: rates.lr, t, weight_decay: 0.0, epsilon: 1.0 };
    if rates.decay == 0.0 && !config.paces.differ() {
        return config.optimizer.update(step, theta, &grads.flat, m, v);
    }
    for slot in grads.slots() {
        let range = slot.range();
        let (pace, width) = (config.paces.of(slot), config.paces.width_of(slot));
        let lr = rates.lr * pace.lr / width;
        // The share that decays is α λ · decay, whatever the factor on α.
        let weight_decay = if lr > 0.0 { rates.lr * rates.decay * pace.decay / lr } else { 0.0 };
        let m = if kept > 0 { &mut m[range.clone()] } else { &mut [] };
        let v = if kept > 1 { &mut v[range.clone()] } else { &mut [] };
        let step = Step { lr, weight_decay, epsilon: width, ..step };
        config.optimizer.update(step, &mut theta[range], grads.of(slot), m, v);
    }
}

/// The first tensor, in the order of computation, that is not finite.
pub(super) fn diverged<T: Real>(run: &Run<T>, cache: &Cache<T>, m: usize) -> Divergence {
    let params = &run.network.params;
    let largest = params.flat.iter().map(|w| w.f64().abs()).filter(|w| w.is_finite()).fold(0.0, f64::max);
    let tensor = params.first_non_finite().map(|slot| slot.name.clone());
    Divergence {
        epoch: run.epoch + 1,
        batch: run.partial.0 + 1,
        tensor: tensor.or_else(|| first_non_finite_layer(run, cache, m)).unwrap_or_else(|| "the loss".into()),
        largest_weight: largest,
    }
}

fn first_non_finite_layer<T: Real>(run: &Run<T>, cache: &Cache<T>, m: usize) -> Option<String> {
    let mut number = 0;
    let mut rows = m;
    for (l, layer) in run.network.layers().iter().enumerate() {
        rows = if let Layer::Members(_) = layer { m * run.network.members() } else { rows };
        if let Some([_, n_out]) = layer.units() {
            number += 1;
            if cache.a(l)[..rows * n_out].iter().any(|a| !a.is_finite()) {
                return Some(format!("Z of layer {number}"));
            }
        }
    }
    None
}

/// The parameters after one more update with these gradients, at the last epoch's learning rate; L-BFGS has no
/// update without a line search, so there they stay.
pub(crate) fn trial_update<T: Real>(
    run: &Run<T>,
    network: &Network<T>,
    grads: &Params<T>,
    config: &TrainConfig,
) -> Params<T> {
    let mut params = network.params.clone();
    if let Optimizer::Lbfgs(_) = config.optimizer {
        return params;
    }
    let mut rates = config.base_rates();
    rates.lr = run.history.last().map_or(config.lr, |record| record.lr);
    update(&mut params, &mut run.moments.clone(), run.step + 1, grads, (config, rates));
    params
}
