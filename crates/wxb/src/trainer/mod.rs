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

use crate::data::Dataset;
use crate::error::Result;
use crate::evaluate::evaluate;
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
    config.check()?;
    train.check(&run.network)?;
    let valid = valid.filter(|valid| !valid.is_empty());
    valid.map_or(Ok(()), |valid| valid.check(&run.network))?;
    run.check(config)?;
    let mut fitting = Fitting::new(run, train, valid, config);
    let start = Event::RunStart {
        epochs: config.epochs,
        done: run.epoch,
        steps_per_epoch: fitting.steps_per_epoch,
        rows: (train.len(), valid.map_or(0, Dataset::len)),
    };
    let stop = match observe(start) {
        ControlFlow::Break(stop) => stop,
        ControlFlow::Continue(()) => fitting.epochs(run, observe)?,
    };
    if valid.is_none() && !matches!(stop, Stop::Diverged(_)) {
        run.keep_weights(); // an epoch that was broken off counts too
    }
    let _ = observe(Event::RunEnd { stop: &stop, run });
    Ok(stop)
}

/// What stays the same during a call of [`fit`], and its buffers.
struct Fitting<'a, 'd, T> {
    train: &'a Dataset<'d, T>,
    valid: Option<&'a Dataset<'d, T>>,
    config: &'a TrainConfig,
    cache: Cache<T>,
    steps_per_epoch: u64,
    /// The training rows in the order of the epoch; where the members have batches of their own, once for each member.
    order: Vec<u32>,
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
        valid: Option<&'a Dataset<'d, T>>,
        config: &'a TrainConfig,
    ) -> Self {
        let batch = config.batch_rows(train.len());
        // Validation goes through the same cache, in pieces of at least this many rows, those of all members together.
        const VALIDATION_ROWS: usize = 256;
        let valid_rows = VALIDATION_ROWS.div_ceil(run.network.members());
        let rows = batch.max(valid_rows.min(valid.map_or(0, Dataset::len)));
        // All rows are all rows, in any order.
        let own = config.batches == Batches::Own && batch < train.len();
        let orders = if own { run.network.members() } else { 1 };
        Self {
            train,
            valid,
            config,
            cache: Cache::new(&run.network, rows, Keep::Needed),
            steps_per_epoch: config.steps_per_epoch(train.len()),
            order: train.rows().repeat(orders),
            own_batch: Vec::with_capacity(orders * batch),
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
        if let Some(patience) = self.config.patience.filter(|_| self.valid.is_some())
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
        if let Some(valid) = self.valid {
            let evaluation = evaluate(&run.network, valid, &mut self.cache);
            valid_loss = Some(evaluation.loss);
            valid_metric = self.config.metric.and_then(|metric| evaluation.scores().get(metric));
        }
        let watched = self.config.watched(train_loss, valid_loss, valid_metric);
        let best = run.judge(watched, self.config.ties) && self.valid.is_some();
        if best || self.valid.is_none() {
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

    /// The score that is minimised by stopping: validation metric, validation loss, or training loss.
    fn watched(&self, train_loss: f64, valid_loss: Option<f64>, valid_metric: Option<f64>) -> f64 {
        let metric = self.metric.filter(|_| self.stop_on_metric);
        match (metric.map(Metric::higher_is_better), valid_metric) {
            (Some(true), Some(value)) => -value,
            (Some(false), Some(value)) => value,
            _ => valid_loss.unwrap_or(train_loss),
        }
    }
}
