//! The time that a training may take.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use wxb::cpu::with_team;
use wxb::data::Folds;
use wxb::evaluate::{cache_for, evaluate};
use wxb::optimizer::Optimizer;
use wxb::preprocess::Groups;
use wxb::recipe::{Recipe, deep};
use wxb::step::{Cache, Keep};
use wxb::trainer::{Event, Run, Stop, TrainConfig, train_step};
use wxb::{Network, Real, Result};

use super::fit::Data;
use super::recipe;
use crate::args::train::TrainArgs;

/// When the time is over, if it ever is.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// So long after `start`.
    pub fn after(start: Instant, budget: Option<Duration>) -> Self {
        // A budget beyond the clock's range has no end.
        Self(budget.and_then(|budget| start.checked_add(budget)))
    }

    /// The end of a share of the time that is left.
    pub fn sooner(self, share: f64) -> Self {
        Self(self.left().map(|left| Instant::now() + left.mul_f64(share)))
    }

    /// The end of a training; what is left then is for judging and saving.
    pub fn of_training(self) -> Self {
        const RESERVE: f64 = 0.06;
        self.sooner(1.0 - RESERVE)
    }

    /// So many seconds sooner, but half of what is left remains: a training without a step is none.
    fn before(self, seconds: f64) -> Self {
        let end =
            |left: Duration| left.mul_f64(0.5).max(left.saturating_sub(Duration::from_secs_f64(seconds)));
        Self(self.left().map(|left| Instant::now() + end(left)))
    }

    /// What is left of it.
    fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// What a training is to do after an event, if nobody breaks it off. There is always a step: without it there would be nothing.
    pub fn go_on<T>(self, event: &Event<'_, T>, is_broken_off: bool) -> ControlFlow<Stop> {
        if is_broken_off {
            return ControlFlow::Break(Stop::Interrupted);
        }
        match self.left() {
            Some(Duration::ZERO) if !matches!(event, Event::RunStart { done: 0, .. }) => {
                ControlFlow::Break(Stop::TimeIsUp)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// How large a network a time budget had time for.
#[derive(Clone, Copy, Debug)]
pub struct Afforded {
    /// Networks side by side.
    pub members: usize,
    /// Epochs of all of them.
    pub epochs: usize,
}

/// What there is time for.
pub struct Affordable {
    /// The flags of a `deep` network with as many members and epochs as there is time for, or as an earlier training had that is gone on with;
    /// none for other networks, and where the flags say how many.
    pub args: Option<TrainArgs>,
    /// When the last step is to be done, so that there is time to validate.
    pub deadline: Deadline,
    /// The seconds that validation takes, if there is no time for it.
    pub too_long: Option<f64>,
}

/// Measures how fast a network is, and says what there is time for; nothing without a deadline.
///
/// # Errors
/// Of the settings.
pub fn afford<T: Real>(
    (args, config): (&TrainArgs, &TrainConfig),
    network: &Network<T>,
    inputs: Groups,
    data: &Data<'_, T>,
    (deadline, earlier): (Deadline, Option<Afforded>),
) -> Result<Affordable> {
    let is_full = matches!(config.optimizer, Optimizer::Lbfgs(_));
    let Some(left) = deadline.left().filter(|_| !is_full) else {
        return Ok(Affordable { args: None, deadline, too_long: None });
    };
    let pace = measure(network.clone(), data, config, left)?;
    let is_said = args.network.members.is_some() || args.training.epochs.is_some();
    let chosen = (recipe::of(args) == Some(Recipe::Deep) && !is_said).then(|| {
        let rows = data.folds.as_ref().map_or(data.train.len(), Folds::train_rows);
        let plan = deep::plan(inputs, rows);
        let is_bag = args.validation.bag.is_some();
        let Afforded { members, epochs } =
            earlier.unwrap_or_else(|| pace.within(deadline, (plan.members, plan.epochs), is_bag));
        let mut args = args.clone();
        // A bag has as many members as folds.
        args.network.members = Some(members).filter(|_| !is_bag);
        args.training.epochs = Some(epochs);
        args
    });
    // After the last epoch, and of the best weights.
    let validations = 2.0 * pace.validation;
    let left = deadline.left().unwrap_or_default().as_secs_f64();
    Ok(Affordable {
        args: chosen,
        deadline: deadline.before(validations),
        too_long: Some(validations).filter(|seconds| *seconds > left),
    })
}

/// Seconds.
struct Pace {
    epoch: f64,
    validation: f64,
}

impl Pace {
    /// How much of a plan there is time for, with its proportions as long as that goes.
    fn within(&self, deadline: Deadline, plan: (usize, u64), is_bag: bool) -> Afforded {
        /// More epochs than this bring nothing.
        const MOST_EPOCHS: f64 = 256.0;
        const MOST_MEMBERS: usize = 32;
        let left = deadline.left().unwrap_or_default().as_secs_f64();
        let seconds = left - 2.0 * self.validation;
        let (mut members, mut epochs) = (plan.0, seconds / (self.epoch + self.validation));
        let usual = plan.1 as f64;
        while !is_bag && epochs > 2.0 * usual && members < MOST_MEMBERS {
            (members, epochs) = (2 * members, epochs / 2.0);
        }
        while !is_bag && epochs < usual / 2.0 && members > 1 {
            (members, epochs) = (members / 2, epochs * 2.0);
        }
        Afforded { members, epochs: epochs.clamp(1.0, MOST_EPOCHS) as usize }
    }
}

/// Some steps and one validation, on a copy of the network that is thrown away.
fn measure<T: Real>(
    network: Network<T>,
    data: &Data<'_, T>,
    config: &TrainConfig,
    left: Duration,
) -> Result<Pace> {
    /// The share of the time that is left, and the longest, to measure for.
    const SHARE: f64 = 0.03;
    const LONGEST: Duration = Duration::from_millis(500);
    const VALIDATED: usize = 512;
    let of_epoch = data.folds.as_ref().map_or(data.train.len(), Folds::train_rows);
    let rows = config.batch_rows(of_epoch);
    let batch = &data.train.rows()[..rows];
    let mut cache = Cache::new(&network, rows, Keep::Needed);
    let mut grads = network.params.clone();
    let multiplied = 3 * rows * network.n_params() * size_of::<T>();
    let mut run = Run::new(network, config)?;
    let mut step = || {
        data.train.load(batch, &mut cache);
        // A loss that is not finite takes its time, too.
        let _ = train_step(&mut run, &mut grads, &mut cache, rows, (config, config.base_rates()));
    };
    let of_step = with_team(multiplied, || {
        step(); // which fetches memory, and does not count
        let (start, limit) = (Instant::now(), left.mul_f64(SHARE).min(LONGEST));
        let mut steps = 0;
        while steps == 0 || start.elapsed() < limit {
            step();
            steps += 1;
        }
        start.elapsed().as_secs_f64() / f64::from(steps)
    });
    // Of a bag, each member predicts a fold.
    let (valid, members) = match &data.folds {
        Some(folds) => (Some(&data.train), folds.members()),
        None => (data.valid.as_ref(), 1),
    };
    let validation = valid.map_or(0.0, |valid| {
        let some = valid.subset(&valid.rows()[..valid.len().min(VALIDATED)]);
        let start = Instant::now();
        evaluate(&run.network, &some, &mut cache_for(&run.network, some.len()));
        start.elapsed().as_secs_f64() * (valid.len() / members) as f64 / some.len() as f64
    });
    Ok(Pace { epoch: of_step * config.steps_per_epoch(of_epoch) as f64, validation })
}
