//! Epochs: order of the examples, batches, learning rate, validation, early stopping, events. No mathematics.
//!
//! A [`Run`] holds everything a training needs to go on; [`fit`] advances it. A run that was saved after any step
//! and loaded again goes on bit for bit as if it had never stopped.

mod batches;
mod config;
mod full_batch;
mod run;

pub use batches::train_step;
pub(crate) use batches::trial_update;
pub use config::{BatchSize, Batches, Pace, Paces, Ties, TrainConfig};
pub use run::{Best, Divergence, EpochRecord, Run, Stop};

use std::ops::ControlFlow;

use crate::cpu::with_team;
use crate::data::{Dataset, Folds};
use crate::error::{Code, Error, Result};
use crate::evaluate::{evaluate, out_of_fold};
use crate::layer::Params;
use crate::metrics::Metric;
use crate::optimizer::Optimizer;
use crate::real::Real;
use crate::schedule::Position;
use crate::step::{Cache, Keep};

/// What happens during a training, for whoever draws a progress bar, writes a log or saves a checkpoint.
#[derive(Debug)]
pub enum Event<'a, T> {
    /// Before the first step.
    RunStart {
        /// Epochs of the whole run.
        epochs: u64,
        /// Epochs done before (a resumed run).
        done: u64,
        /// Steps per epoch.
        steps_per_epoch: u64,
        /// Training and validation rows.
        rows: (usize, usize),
    },
    /// After a step.
    Step {
        /// The epoch under way, from 1.
        epoch: u64,
        /// Steps done in this epoch, and how many it has.
        of: (u64, u64),
        /// The loss of its batch.
        loss: f64,
    },
    /// After an epoch; the run can be saved.
    Epoch {
        /// What came of it.
        record: &'a EpochRecord,
        /// The whole state.
        run: &'a Run<T>,
    },
    /// After the last step.
    RunEnd {
        /// Why it ended.
        stop: &'a Stop,
        /// The whole state.
        run: &'a Run<T>,
    },
}

/// Reads events; `Break` ends the training after the step under way, for the reason that it says.
pub type Observer<'a, T> = &'a mut dyn FnMut(Event<'_, T>) -> ControlFlow<Stop>;

/// Trains until an epoch limit, early stopping, convergence, divergence, or until the observer breaks.
/// Afterwards [`Run::best_network`] is the result.
///
/// # Errors
/// For settings out of range, or data that does not fit the network. A divergence is no error but a [`Stop`].
///
/// ```
/// use wxb::data::{Dataset, Inputs};
/// use wxb::trainer::{Run, TrainConfig, fit};
/// use wxb::{Activation, Initializer, Loss, Network, ndarray::array};
/// use std::ops::ControlFlow;
///
/// let x = array![[0.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]; // XOR
/// let data = Dataset::new(Inputs::Dense(x.view()), &[0.0, 1.0, 1.0, 0.0], 1)?;
/// let network = Network::new(&[2, 8, 1], Activation::Tanh, Loss::BINARY, Initializer::Auto, 1)?;
/// let config = TrainConfig { epochs: 500, lr: 0.05, ..TrainConfig::default() };
/// let mut run = Run::new(network, &config)?;
/// fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(()))?;
/// assert!(run.history.last().is_some_and(|epoch| epoch.train_loss < 0.05));
/// # Ok::<(), wxb::Error>(())
/// ```
pub fn fit<'d, T: Real>(
    run: &mut Run<T>,
    train: &Dataset<'d, T>,
    valid: Option<&Dataset<'d, T>>,
    config: &TrainConfig,
    observe: Observer<'_, T>,
) -> Result<Stop> {
    let valid = valid.filter(|valid| !valid.is_empty());
    valid.map_or(Ok(()), |valid| valid.check(&run.network))?;
    fit_judged(run, train, valid.map_or(Judge::Training, Judge::Rows), config, observe)
}

/// Trains a network whose members share nothing ([`side_by_side`](crate::layer::side_by_side)), each on the rows that it does not
/// leave out, as if it were alone. The best epoch is the one whose out-of-fold predictions are best
/// ([`out_of_fold`]), all members together. Members with a row more than others leave out
/// another one in each epoch.
///
/// # Errors
/// As [`fit`]; [`Code::InvalidSetting`] for another number of members than folds, and for what looks at the gradients of all
/// members at once: L-BFGS and clipping.
pub fn fit_folds<T: Real>(
    run: &mut Run<T>,
    data: &Dataset<'_, T>,
    folds: &Folds,
    config: &TrainConfig,
    observe: Observer<'_, T>,
) -> Result<Stop> {
    let refuse = |what: String| Err(Error::new(Code::InvalidSetting, what));
    if run.network.members() != folds.members() {
        return refuse(format!("{} members for {} folds", run.network.members(), folds.members()));
    }
    if matches!(config.optimizer, Optimizer::Lbfgs(_)) || config.clip_norm.is_some() {
        return refuse(
            "members that are trained apart have no lbfgs, and no norm of the gradient to clip".into(),
        );
    }
    fit_judged(run, data, Judge::Folds(folds), config, observe)
}

fn fit_judged<'d, T: Real>(
    run: &mut Run<T>,
    train: &Dataset<'d, T>,
    judge: Judge<'_, 'd, T>,
    config: &TrainConfig,
    observe: Observer<'_, T>,
) -> Result<Stop> {
    config.check()?;
    train.check(&run.network)?;
    run.check(config)?;
    let mut fitting = Fitting::new(run, train, judge, config);
    let start = Event::RunStart {
        epochs: config.epochs,
        done: run.epoch,
        steps_per_epoch: fitting.steps_per_epoch,
        rows: (fitting.rows, judge.rows()),
    };
    let stop = match observe(start) {
        ControlFlow::Break(stop) => stop,
        ControlFlow::Continue(()) => {
            let multiplied = 3 * config.batch_rows(fitting.rows) * run.network.n_params() * size_of::<T>();
            with_team(multiplied, || fitting.epochs(run, observe))?
        }
    };
    if stop == Stop::TimeIsUp && run.epoch == 0 {
        fitting.cut_epoch(run, observe);
    } else if !judge.is_held_out() && !matches!(stop, Stop::Diverged(_)) {
        run.keep_weights(); // an epoch that was broken off counts too
    }
    let _ = observe(Event::RunEnd { stop: &stop, run });
    Ok(stop)
}

/// The rows whose predictions tell how good an epoch is.
#[derive(Debug)]
enum Judge<'a, 'd, T> {
    /// Those it was trained on.
    Training,
    /// Others.
    Rows(&'a Dataset<'d, T>),
    /// For each member those that it leaves out.
    Folds(&'a Folds),
}

impl<T> Clone for Judge<'_, '_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Judge<'_, '_, T> {}

impl<T: Real> Judge<'_, '_, T> {
    /// Whether the network, or the member, has not seen them.
    fn is_held_out(self) -> bool {
        !matches!(self, Judge::Training)
    }

    /// How many are held out.
    fn rows(self) -> usize {
        match self {
            Judge::Training => 0,
            Judge::Rows(valid) => valid.len(),
            Judge::Folds(folds) => folds.splits().iter().map(|(_, valid)| valid.len()).sum(),
        }
    }
}

/// What stays the same during a call of [`fit`], and its buffers.
struct Fitting<'a, 'd, T> {
    train: &'a Dataset<'d, T>,
    judge: Judge<'a, 'd, T>,
    config: &'a TrainConfig,
    /// The same for a step, in which members that are trained apart have one loss.
    step_config: TrainConfig,
    cache: Cache<T>,
    steps_per_epoch: u64,
    /// Rows of an epoch, for each member.
    rows: usize,
    /// The training rows in the order of the epoch; where the members have batches of their own, once for each member.
    order: Vec<Vec<u32>>,
    /// The rows of such a batch, member by member.
    own_batch: Vec<u32>,
    grads: Params<T>,
    /// Whether the full batch lies in the cache.
    loaded: bool,
}

impl<'a, 'd, T: Real> Fitting<'a, 'd, T> {
    fn new(
        run: &Run<T>,
        train: &'a Dataset<'d, T>,
        judge: Judge<'a, 'd, T>,
        config: &'a TrainConfig,
    ) -> Self {
        let members = run.network.members();
        // All rows are all rows, in any order.
        let own = config.batches == Batches::Own && config.batch_rows(train.len()) < train.len();
        let (rows, order, apart) = match judge {
            Judge::Folds(folds) => {
                (folds.train_rows(), folds.splits().iter().map(|(train, _)| train.clone()).collect(), members)
            }
            _ => (train.len(), vec![train.rows().to_vec(); if own { members } else { 1 }], 1),
        };
        let batch = config.batch_rows(rows);
        // Validation goes through the same cache, in pieces of at least this many rows, those of all members together.
        const VALIDATION_ROWS: usize = 256;
        let valid_rows = VALIDATION_ROWS.div_ceil(members).min(judge.rows());
        let [l2, l1] = [config.l2, config.l1].map(|lambda| lambda / apart as f64);
        Self {
            train,
            judge,
            config,
            step_config: TrainConfig { l2, l1, ..config.clone() },
            cache: Cache::new(&run.network, batch.max(valid_rows), Keep::Needed),
            steps_per_epoch: config.steps_per_epoch(rows),
            rows,
            own_batch: Vec::with_capacity(order.len() * batch),
            order,
            grads: run.network.params.clone(),
            loaded: false,
        }
    }

    fn epochs(&mut self, run: &mut Run<T>, observe: Observer<'_, T>) -> Result<Stop> {
        let mut full = match self.config.optimizer {
            Optimizer::Lbfgs(config) => Some(full_batch::FullBatch::new(run, config)?),
            _ => None,
        };
        loop {
            if let Some(stop) = self.finished(run) {
                return Ok(stop);
            }
            let broken_off = match &mut full {
                Some(full) => self.full_batch_epoch(run, full, observe),
                None => self.epoch(run, observe),
            };
            if let Some(stop) = broken_off {
                return Ok(stop);
            }
        }
    }

    /// Why no further epoch follows. It is asked before each one, so that a run that was saved at its end and loaded
    /// again stays at its end.
    fn finished(&self, run: &Run<T>) -> Option<Stop> {
        if let Some(reason) = &run.converged {
            return Some(Stop::Converged { reason: reason.clone() });
        }
        if let Some(patience) = self.config.patience.filter(|_| self.judge.is_held_out())
            && run.since_best >= patience
        {
            return Some(Stop::Early { patience });
        }
        (run.epoch >= self.config.epochs).then_some(Stop::Epochs)
    }

    /// Validates, keeps the best weights, writes the epoch's record.
    fn end_epoch(&mut self, run: &mut Run<T>, train_loss: f64, observe: Observer<'_, T>) -> Option<Stop> {
        let Rates { lr, .. } = self.rates(run, run.step.saturating_sub(1));
        run.epoch += 1;
        let (mut valid_loss, mut valid_metric) = (None, None);
        let evaluation = match self.judge {
            Judge::Training => None,
            Judge::Rows(valid) => Some(evaluate(&run.network, valid, &mut self.cache)),
            Judge::Folds(folds) => Some(out_of_fold(&run.network, self.train, folds, &mut self.cache)),
        };
        if let Some(evaluation) = evaluation {
            valid_loss = Some(evaluation.loss);
            let metric = self.config.metric.filter(|metric| evaluation.tells(*metric));
            valid_metric = metric.and_then(|metric| evaluation.score(metric));
        }
        let watched = self.config.watched(train_loss, valid_loss, valid_metric);
        let best = run.judge(watched, self.config.ties) && self.judge.is_held_out();
        if best || !self.judge.is_held_out() {
            run.keep_weights();
        }
        run.plateau(&self.config.schedule);
        run.history.push(EpochRecord {
            epoch: run.epoch,
            step: run.step,
            train_loss,
            valid_loss,
            valid_metric,
            lr,
            best,
        });
        let record = run.history.last().expect("it was pushed just now");
        match observe(Event::Epoch { record, run }) {
            ControlFlow::Break(stop) => Some(stop),
            ControlFlow::Continue(()) => None,
        }
    }

    /// The rates of members that are trained apart: the loss is the mean of theirs, so that the gradient of each is divided by
    /// their number, which matters to optimizers whose step is as long as the gradient.
    fn of_each(&self, rates: Rates) -> Rates {
        let follows = matches!(
            self.config.optimizer,
            Optimizer::Sgd | Optimizer::Momentum { .. } | Optimizer::Nesterov { .. }
        );
        match self.judge {
            Judge::Folds(folds) if follows => {
                let k = folds.members() as f64;
                Rates { lr: rates.lr * k, decay: rates.decay / k, ..rates }
            }
            _ => rates,
        }
    }

    /// What follows the schedules at a step, counted from 0.
    fn rates(&self, run: &Run<T>, step: u64) -> Rates {
        let at = Position {
            step,
            steps_per_epoch: self.steps_per_epoch,
            epochs: self.config.epochs,
            plateaus: run.plateaus,
        };
        self.config.rates(at)
    }
}

/// What follows the schedules, at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// α, the learning rate.
    pub lr: f64,
    /// λ, the decoupled decay.
    pub decay: f64,
    /// The factor on the rates of dropout layers.
    pub dropout: f64,
}

impl TrainConfig {
    /// What follows the schedules, at a place in the run.
    pub fn rates(&self, at: Position) -> Rates {
        Rates {
            lr: self.lr * self.schedule.factor(at),
            decay: self.decay() * self.decay_schedule.factor(at),
            dropout: self.dropout_schedule.factor(at),
        }
    }

    /// What there is before any schedule.
    pub fn base_rates(&self) -> Rates {
        Rates { lr: self.lr, decay: self.decay(), dropout: 1.0 }
    }

    /// The score that is minimised by stopping: validation metric (where it is defined, which the rows decide and not what is predicted for
    /// them), validation loss, or training loss.
    fn watched(&self, train_loss: f64, valid_loss: Option<f64>, valid_metric: Option<f64>) -> f64 {
        let metric = self.metric.filter(|_| self.stop_on_metric);
        match (metric.map(Metric::higher_is_better), valid_metric) {
            (Some(true), Some(value)) => -value,
            (Some(false), Some(value)) => value,
            _ => valid_loss.unwrap_or(train_loss),
        }
    }
}
