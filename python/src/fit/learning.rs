//! Epochs as scikit-learn counts and judges them, made of the engine's steps.

use std::sync::atomic::{AtomicBool, Ordering};

use numpy::PyArray1;
use pyo3::prelude::*;
use wxb::cpu::with_team;
use wxb::layer::{Params, Role};
use wxb::network::Network;
use wxb::optimizer::Optimizer;
use wxb::schedule::Position;
use wxb::step::{Cache, Keep};
use wxb::trainer::{Divergence, Rates, Run, TrainConfig, train_step};
use wxb::{Loss, Real, Result};

use super::examples::{Examples, Number};
use super::order::Twister;
use super::plan::{Plan, Rate};
use super::score::{ROWS, score};

/// A network on its way: weights, moments, and what scikit-learn's rules count.
#[derive(Clone)]
pub struct Learning<T> {
    pub run: Run<T>,
    /// Whose moments they are.
    pub optimizer: Optimizer,
    /// α, and the α₀ that it comes from.
    pub lr: f64,
    pub lr_start: f64,
    /// t: examples seen.
    pub seen: u64,
    /// Epochs without an improvement of `tol`.
    pub stale: u64,
    pub best_loss: f64,
    pub best_score: f64,
    /// Where the last call left the order of the examples, if the next one is to go on from there.
    pub order: Vec<u32>,
}

/// What stays the same during a call.
pub struct Task<'a, T> {
    pub examples: Examples<'a, T>,
    /// The rows that are trained on.
    pub rows: Vec<u32>,
    /// Rows that judge the epochs, and whose best weights are kept.
    pub valid: Option<(Examples<'a, T>, Vec<u32>)>,
    /// What shuffles; none: the order stays.
    pub twister: Option<Twister>,
    pub plan: Plan,
    /// Whether another thread asks for an end.
    pub stop: &'a AtomicBool,
    /// Who hears of each epoch.
    pub listener: Option<&'a Listener>,
}

/// A function of Python's, called with (epoch, loss, score, α, whether another epoch follows, weights) after each epoch; true ends the
/// training. The weights are those that the training would leave if it ended there, or `None`.
pub struct Listener {
    pub on_epoch: Py<PyAny>,
    /// Whether it looks at the weights.
    pub wants_weights: bool,
}

/// Why a training ended.
#[derive(Debug)]
pub enum End {
    /// All epochs are done.
    Epochs,
    /// Nothing improved any more.
    Tolerance,
    /// L-BFGS spent its evaluations.
    Evaluations,
    Interrupted,
    Callback,
    Diverged(Divergence),
    Raised(PyErr),
}

/// What came of a call: a loss and a score for each epoch.
#[derive(Debug)]
pub struct Course {
    pub losses: Vec<f64>,
    pub scores: Vec<f64>,
    pub end: End,
}

impl<T: Number> Learning<T> {
    pub fn new(network: Network<T>, optimizer: Optimizer, lr: f64) -> Result<Self> {
        let config = TrainConfig { optimizer, ..TrainConfig::default() };
        Ok(Self {
            run: Run::new(network, &config)?,
            optimizer,
            lr,
            lr_start: lr,
            seen: 0,
            stale: 0,
            best_loss: f64::INFINITY,
            best_score: f64::NEG_INFINITY,
            order: vec![],
        })
    }

    /// Trains on; what was learnt before is kept.
    pub fn fit(&mut self, task: &mut Task<'_, T>) -> Result<Course> {
        let config = task.plan.config()?;
        self.adopt(&task.plan);
        if let Optimizer::Lbfgs(_) = self.optimizer {
            return self.full_batch(task);
        }
        let mut epochs = Epochs::new(self, task, config);
        let mut course = Course { losses: vec![], scores: vec![], end: End::Epochs };
        let multiplied = 3 * epochs.batch * self.run.network.n_params() * size_of::<T>();
        with_team(multiplied, || self.epochs(task, &mut epochs, &mut course));
        self.order = if task.plan.goes_on { epochs.order } else { vec![] };
        if task.valid.is_some() {
            self.run.network.params.flat.copy_from_slice(&self.run.best.flat);
        }
        Ok(course)
    }

    /// One epoch after the other, until something ends them.
    fn epochs(&mut self, task: &mut Task<'_, T>, epochs: &mut Epochs<T>, course: &mut Course) {
        for _ in 0..task.plan.epochs {
            match epochs.one(self, task) {
                Ok(loss) => course.losses.push(loss),
                Err(end) => {
                    if let End::Diverged(_) = end {
                        course.losses.push(f64::NAN);
                        course.scores.extend(task.valid.as_ref().map(|_| f64::NAN));
                    }
                    course.end = end;
                    break;
                }
            }
            if let Some(end) = self.end_epoch(task, epochs, course) {
                course.end = end;
                break;
            }
        }
    }

    /// Another optimizer than the moments are of begins with none; another α₀ begins again.
    fn adopt(&mut self, plan: &Plan) {
        if std::mem::discriminant(&self.optimizer) != std::mem::discriminant(&plan.optimizer) {
            let n = self.run.network.params.flat.len() * plan.optimizer.moments();
            (self.run.moments, self.run.step) = (vec![T::ZERO; n], 0);
        }
        self.optimizer = plan.optimizer;
        if self.lr_start != plan.lr {
            (self.lr, self.lr_start) = (plan.lr, plan.lr);
        }
    }

    /// Judges an epoch as scikit-learn does.
    fn end_epoch(&mut self, task: &Task<'_, T>, epochs: &mut Epochs<T>, course: &mut Course) -> Option<End> {
        let (plan, loss) = (&task.plan, *course.losses.last().expect("an epoch was done"));
        // A NaN is not worse, as in scikit-learn.
        let worse = match &task.valid {
            Some((examples, rows)) => {
                let score = score(&self.run.network, examples, rows, &mut epochs.cache);
                epochs.loaded = false;
                course.scores.push(score);
                let worse = score < self.best_score + plan.tol;
                if score > self.best_score {
                    self.best_score = score;
                    self.run.best.flat.copy_from_slice(&self.run.network.params.flat);
                }
                worse
            }
            None => {
                let worse = loss > self.best_loss - plan.tol;
                self.best_loss = self.best_loss.min(loss);
                worse
            }
        };
        self.stale = if worse { self.stale + 1 } else { 0 };
        if let Rate::InvScaling { power } = plan.rate {
            self.change_rate(plan.lr / (self.seen as f64 + 1.0).powf(power));
        }
        let exhausted = plan.patience.is_some_and(|patience| self.stale > patience);
        let slows_down = exhausted && matches!(plan.rate, Rate::Adaptive) && self.lr > 1e-6;
        let end = (exhausted && !slows_down).then_some(End::Tolerance);
        let is_last = end.is_some() || course.losses.len() as u64 == plan.epochs;
        let told = self.tell(task, course, !is_last);
        if slows_down {
            self.change_rate(self.lr / 5.0);
            self.stale = 0;
        }
        told.or(end)
    }

    /// v of momentum is in units of α v here and of v in scikit-learn: a step that was taken stays as long as it was.
    fn change_rate(&mut self, lr: f64) {
        if let Optimizer::Momentum { averaged: false, .. } | Optimizer::Nesterov { .. } = self.optimizer
            && lr != self.lr
        {
            let factor = T::of(self.lr / lr);
            self.run.moments.iter_mut().for_each(|v| *v *= factor);
        }
        self.lr = lr;
    }

    /// Tells whoever listens of the last epoch.
    pub(super) fn tell(&self, task: &Task<'_, T>, course: &Course, goes_on: bool) -> Option<End> {
        let Listener { on_epoch, wants_weights } = task.listener?;
        let weights =
            if task.valid.is_some() { &self.run.best.flat[..] } else { &self.run.network.params.flat };
        let (loss, score) = (course.losses.last(), course.scores.last());
        Python::attach(|py| {
            let weights = wants_weights.then(|| PyArray1::from_slice(py, weights));
            let event = (course.losses.len(), loss, score, self.lr, goes_on, weights);
            match on_epoch.call1(py, event).and_then(|answer| answer.is_truthy(py)) {
                Ok(false) => None,
                Ok(true) => Some(End::Callback),
                Err(error) => Some(End::Raised(error)),
            }
        })
    }
}

/// The buffers of a call.
struct Epochs<T> {
    config: TrainConfig,
    cache: Cache<T>,
    grads: Params<T>,
    order: Vec<u32>,
    batch: usize,
    /// Steps done before the call.
    first: u64,
    /// Whether the only batch lies in the cache.
    loaded: bool,
}

impl<T: Real> Epochs<T> {
    fn new(learning: &mut Learning<T>, task: &Task<'_, T>, config: TrainConfig) -> Self {
        let order = std::mem::take(&mut learning.order);
        let order = if are_the_same(&order, &task.rows) { order } else { task.rows.clone() };
        let run = &learning.run;
        let batch = task.plan.batch.clamp(1, task.rows.len().max(1));
        let valid = task.valid.as_ref().map_or(0, |(_, rows)| rows.len().min(ROWS));
        Self {
            config,
            cache: Cache::new(&run.network, batch.max(valid), Keep::Needed),
            grads: run.network.params.clone(),
            order,
            batch,
            first: run.step,
            loaded: false,
        }
    }

    /// One pass over the rows; the mean loss of its batches with their penalties, each before its step.
    fn one(&mut self, learning: &mut Learning<T>, task: &mut Task<'_, T>) -> std::result::Result<f64, End> {
        let rows = self.order.len();
        let is_whole = self.batch == rows;
        // A batch of all rows is one in any order; the numbers are drawn all the same.
        if let Some(twister) = &mut task.twister {
            twister.shuffle(&mut self.order);
        }
        let mut sum = 0.0;
        for start in (0..rows).step_by(self.batch) {
            if task.stop.load(Ordering::Relaxed) {
                return Err(End::Interrupted);
            }
            let m = self.batch.min(rows - start);
            if !(is_whole && self.loaded) {
                let order = if is_whole { &task.rows } else { &self.order };
                task.examples.load(&order[start..start + m], &mut self.cache);
                self.loaded = true;
            }
            sum += m as f64 * self.step(learning, &task.plan, m)?;
        }
        learning.seen += rows as u64;
        learning.run.partial = (0, 0.0, 0.0);
        Ok(sum / rows as f64)
    }

    fn step(&mut self, learning: &mut Learning<T>, plan: &Plan, m: usize) -> std::result::Result<f64, End> {
        let rates = self.rates(learning, plan, m);
        if let (Optimizer::Adam { epsilon, .. }, Optimizer::Adam { epsilon: of_step, beta2, .. }, true) =
            (plan.optimizer, &mut self.config.optimizer, plan.epsilon_hat)
        {
            // √ŝ + ε/√(1 − β₂ᵗ) = (√s + ε)/√(1 − β₂ᵗ)
            *of_step = epsilon / (1.0 - beta2.powf((learning.run.step + 1) as f64)).sqrt();
        }
        let weight = match &self.cache.weights[..] {
            [] => m as f64,
            weights => weights[..m].iter().map(|w| w.f64()).sum(),
        };
        let network = &learning.run.network;
        let penalty = penalty(&network.params, [plan.l2, plan.l1], weight);
        let constant = constant(network, &self.cache, m, weight);
        let outputs = reported_outputs(network);
        let loss = train_step(&mut learning.run, &mut self.grads, &mut self.cache, m, (&self.config, rates));
        loss.map(|loss| loss / outputs + constant + penalty).map_err(End::Diverged)
    }

    fn rates(&self, learning: &Learning<T>, plan: &Plan, m: usize) -> Rates {
        let rates = Rates { lr: learning.lr, ..self.config.base_rates() };
        let Rate::Schedule(_) = plan.rate else { return rates };
        debug_assert!(m <= self.batch);
        self.config.rates(Position {
            step: learning.run.step - self.first,
            steps_per_epoch: self.order.len().div_ceil(self.batch) as u64,
            epochs: plan.epochs,
            plateaus: 0,
        })
    }
}

/// Whether these are the same rows, in whatever order.
fn are_the_same(some: &[u32], others: &[u32]) -> bool {
    let sorted = |rows: &[u32]| {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows
    };
    some.len() == others.len() && sorted(some) == sorted(others)
}

/// By what scikit-learn divides the loss that it reports: it has the mean over the targets of a regression, although its gradient is
/// that of the sum.
pub(super) fn reported_outputs<T: Real>(network: &Network<T>) -> f64 {
    match network.loss() {
        Loss::SquaredError => network.n_out() as f64,
        _ => 1.0,
    }
}

/// What scikit-learn's Poisson loss has beside eᶻ − y z: the weighted mean of Σ (y ln y − y), so that its minimum is 0.
pub(super) fn constant<T: Real>(network: &Network<T>, cache: &Cache<T>, m: usize, weight: f64) -> f64 {
    let Loss::Poisson = network.loss() else { return 0.0 };
    let of = |y: f64| if y > 0.0 { y * y.ln() - y } else { 0.0 };
    let n = network.n_out();
    let rows = cache.y[..m * n].chunks_exact(n).map(|y| y.iter().map(|y| of(y.f64())).sum::<f64>());
    let weights = (0..m).map(|i| cache.weights.get(i).map_or(1.0, |w| w.f64()));
    rows.zip(weights).map(|(row, weight)| row * weight).sum::<f64>() / weight
}

/// λ₂/(2m) Σ W² + λ₁/m Σ |W|, in sums that are vector code.
pub(super) fn penalty<T: Real>(params: &Params<T>, [l2, l1]: [f64; 2], m: f64) -> f64 {
    if l2 == 0.0 && l1 == 0.0 {
        return 0.0;
    }
    let weights =
        || params.slots().iter().filter(|slot| slot.role == Role::Weight).map(|slot| params.of(slot));
    let squares = if l2 > 0.0 { weights().map(|w| sum(w, |w| w * w)).sum() } else { 0.0 };
    let absolutes = if l1 > 0.0 { weights().map(|w| sum(w, f64::abs)).sum() } else { 0.0 };
    l2 / (2.0 * m) * squares + l1 / m * absolutes
}

/// Σ f(w) in eight chains.
fn sum<T: Real>(values: &[T], f: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let pieces = values.chunks_exact(8);
    let rest: f64 = pieces.remainder().iter().map(|w| f(w.f64())).sum();
    for piece in pieces {
        lanes.iter_mut().zip(piece).for_each(|(lane, w)| *lane += f(w.f64()));
    }
    lanes.iter().sum::<f64>() + rest
}
