//! The whole training: from examples to a model.

use std::sync::Arc;
use std::time::Instant;

use wxb::evaluate::Evaluation;
use wxb::health::{LayerHealth, examine};
use wxb::metrics::Scores;
use wxb::model_file::{AnyNetwork, Model};
use wxb::trainer::{Divergence, EpochRecord, Run, Stop, TrainConfig};
use wxb::{Code, Error, Network, Real, Result};

use super::budget::{Affordable, Afforded, Deadline, afford};
use super::candidate::{Alone, Candidate, Mixture, mix, presets, train_all};
use super::examples::Examples;
use super::fit::{Bound, Data, Fitted, fit_columns, network_and_settings, start};
use super::judge::{Baseline, Prior};
use super::listener::{Listener, News};
use super::number::{measure, short};
use super::prepare::{Parts, Prepared, prepare};
use super::{recipe, record, settings};
use crate::args::choice::{PrecisionChoice, ScaleChoice};
use crate::args::train::TrainArgs;

/// What a training is given.
pub struct Given {
    /// What is learned from.
    pub examples: Examples,
    /// Rows to validate on, where they are not to be taken from the examples.
    pub valid: Option<Examples>,
    /// When it began; a time budget counts from here.
    pub since: Instant,
}

impl Given {
    /// Examples, from now on.
    pub fn new(examples: Examples) -> Self {
        Self { examples, valid: None, since: Instant::now() }
    }
}

/// Trains as the settings say. `None` if the listener broke it off before the main network was begun; broken off later, the
/// model is the best there is.
///
/// # Errors
/// Of settings that exclude each other or do not fit the data, of the data; [`Code::Diverged`] if no network had an epoch with
/// finite numbers.
pub fn train(args: &TrainArgs, given: Given, listener: &mut impl Listener) -> Result<Option<Trained>> {
    if args.validation.cv.is_some() {
        let what = "--cv trains for a table of results, and no model comes of it";
        return Err(Error::new(Code::InvalidSetting, what).hint("leave --cv out"));
    }
    match args.network.precision {
        PrecisionChoice::F32 => train_in::<f32>(args, given, listener),
        PrecisionChoice::F64 => train_in::<f64>(args, given, listener),
    }
}

fn train_in<T: Real>(args: &TrainArgs, given: Given, listener: &mut impl Listener) -> Result<Option<Trained>>
where
    AnyNetwork: From<Network<T>>,
{
    let deadline = Deadline::after(given.since, args.training.time_budget);
    let problem = Problem::pose(args, given, listener)?;
    let settled = problem.settle::<T>()?;
    problem.tell(listener);
    let Some(learned) = problem.learn(settled, deadline, listener)? else { return Ok(None) };
    if let Stop::Diverged(at) = &learned.stop
        && learned.mixture.alone.iter().all(|network| network.best_epoch == 0)
    {
        return Err(diverged(at, &learned.plan).note("no epoch was finished: nothing is saved"));
    }
    let model = record::model(&problem, &learned, &mut || listener.breaks_off());
    let Learned { plan, run, stop, mixture, on, baseline, health, .. } = learned;
    Ok(Some(Trained {
        model,
        problem,
        plan,
        stop,
        epochs: run.epoch,
        best_epoch: run.best.epoch,
        history: run.history,
        networks: mixture.alone,
        temperature: mixture.calibration.temperature(),
        evaluation: mixture.evaluation,
        on,
        baseline,
        health,
    }))
}

/// What came of a training.
pub struct Trained {
    /// The networks with all that predictions need; [`Model::to_bytes`] is the model file.
    pub model: Model,
    /// What was learned, from what.
    pub problem: Problem,
    /// How the main network was trained.
    pub plan: Plan,
    /// Why the training of the main network ended.
    pub stop: Stop,
    /// The epochs that it had.
    pub epochs: u64,
    /// The epoch of its best weights, 0 if none was finished.
    pub best_epoch: u64,
    /// Its epochs.
    pub history: Vec<EpochRecord>,
    /// Every network alone, the main one last, with its share of the model.
    pub networks: Vec<Alone>,
    /// That of the model's probabilities; 1 leaves them as they are.
    pub temperature: f64,
    /// The model on the rows that decided.
    pub evaluation: Evaluation,
    /// Where those rows are: `valid`, `out-of-fold` or `train`.
    pub on: &'static str,
    /// What would be predicted there without looking at the inputs.
    pub baseline: Baseline,
    /// Layers of the main network that are dead, saturated or symmetric.
    pub health: Vec<LayerHealth>,
}

impl Trained {
    /// The model's scores on the rows that decided.
    pub fn scores(&self) -> Scores {
        self.evaluation.scores()
    }

    /// What is to be said of a main network that diverged, although there is a model.
    pub fn divergence(&self) -> Option<Error> {
        match &self.stop {
            Stop::Diverged(at) => Some(diverged(at, &self.plan)),
            _ => None,
        }
    }
}

/// What is to be learned, from what.
pub struct Problem {
    /// What was asked for.
    pub args: TrainArgs,
    /// Data, task and loss.
    pub prepared: Arc<Prepared>,
    /// Rows to train and to validate on.
    pub parts: Parts,
    /// Columns and target as the main network has them.
    pub fitted: Fitted,
    /// The flags of each network, those of the main one last.
    presets: Vec<TrainArgs>,
}

impl Problem {
    /// Chooses task, split and inputs for examples.
    ///
    /// # Errors
    /// Of settings and data.
    pub fn pose(args: &TrainArgs, given: Given, listener: &mut impl Listener) -> Result<Self> {
        let prepared = prepare(args, given.examples)?;
        let parts = prepared.parts(args, given.valid, |warning| listener.warn(warning))?;
        Self::new(args, Arc::new(prepared), parts)
    }

    /// Some rows of data that is prepared.
    ///
    /// # Errors
    /// Of the columns.
    pub fn new(args: &TrainArgs, prepared: Arc<Prepared>, parts: Parts) -> Result<Self> {
        let presets = presets(args, &prepared.examples.features);
        let main = presets.last().expect("a training has a network");
        let fitted = fit_columns(&prepared, &parts.train, &settings::preprocessing(main))?;
        Ok(Self { args: args.clone(), prepared, parts, fitted, presets })
    }

    /// The flags of the main network.
    pub fn main(&self) -> &TrainArgs {
        self.presets.last().expect("a training has a network")
    }

    /// The flags of the networks beside it.
    pub fn beside(&self) -> &[TrainArgs] {
        &self.presets[..self.presets.len() - 1]
    }

    /// Tells what is to be learned, with all remarks and warnings.
    pub fn tell(&self, listener: &mut impl Listener) {
        listener.hear::<f32>(News::Data(self));
        for note in &self.fitted.notes {
            match note.is_warning {
                true => listener.warn(&note.to_string()),
                false => listener.hear::<f32>(News::Remark(note)),
            }
        }
        self.prepared.choice.warnings.iter().for_each(|warning| listener.warn(warning));
        listener.hear::<f32>(News::Task(self));
    }

    /// The main network and how it is trained, before its time is looked at.
    ///
    /// # Errors
    /// Of the settings.
    pub fn settle<T: Real>(&self) -> Result<Settled<T>> {
        let args = self.main().clone();
        let rows = self.parts.rows_of_a_network();
        let (network, config) = network_and_settings(&args, &self.fitted, &self.prepared.loss, rows)?;
        Ok(Settled { plan: Plan { args, config }, network })
    }

    /// Data as the networks take it.
    ///
    /// # Errors
    /// Of columns, labels or weights.
    pub fn bind<T: Real>(&self) -> Result<Bound<'_, T>> {
        Bound::new(&self.prepared, &self.parts, &self.fitted, self.main())
    }

    /// Trains the networks beside the main one, the main one, and mixes them. `None` if the listener broke it off before the
    /// main network was begun.
    ///
    /// # Errors
    /// Of settings and data.
    pub fn learn<T: Real>(
        &self,
        settled: Settled<T>,
        deadline: Deadline,
        listener: &mut impl Listener,
    ) -> Result<Option<Learned<T>>>
    where
        AnyNetwork: From<Network<T>>,
    {
        let bound = self.bind()?;
        let data = bound.data()?;
        let Some(mut candidates) = train_all(self, deadline, listener)? else { return Ok(None) };
        let time = (deadline.of_training(), listener.afforded::<T>()?);
        let (Settled { plan, mut network }, Affordable { deadline, too_long, .. }) =
            settled.within(time, self, &data)?;
        if let Some(seconds) = too_long {
            let seconds = short(seconds);
            listener.warn(&format!(
                "to predict the validation rows alone takes {seconds} s: --time-budget cannot be kept"
            ));
        }
        listener.hear(News::Plan { problem: self, plan: &plan, network: &network });
        let mut run = match listener.resume(self, &plan, &network)? {
            Some(run) => run,
            None => {
                start(&mut network, &plan.args, &self.fitted, &data.train)?;
                Run::new(network, &plan.config)?
            }
        };
        let network = recipe::preset(&plan.args).name();
        let stop = data.fit(&mut run, &plan.config, &mut |event| {
            listener.hear(News::Training { network, event: &event });
            deadline.go_on(&event, listener.breaks_off())
        })?;
        if run.best.epoch > 0 || candidates.is_empty() {
            candidates.push(Candidate::of(&run, &self.fitted, &data, &plan.args));
        }
        let mixture = mix(candidates, &self.args, data.is_held_out());
        Ok(Some(self.judged(plan, run, stop, mixture, &data)))
    }

    /// Sets a mixture beside what is predicted without looking at the inputs.
    fn judged<T: Real>(
        &self,
        plan: Plan,
        run: Run<T>,
        stop: Stop,
        mixture: Mixture,
        data: &Data<'_, T>,
    ) -> Learned<T> {
        let (target, loss) = (&self.fitted.target, &self.prepared.loss);
        let prior = Prior::of(&data.train, target, loss);
        let baseline = prior.baseline(target, &mixture.evaluation, loss);
        let health = examine(&run, &data.train, &plan.config);
        Learned { plan, run, stop, mixture, on: data.on(), baseline, prior, health }
    }
}

/// How the main network is trained.
pub struct Plan {
    /// Its flags, with what there is time for.
    pub args: TrainArgs,
    /// The trainer's settings.
    pub config: TrainConfig,
}

/// The main network with its plan.
pub struct Settled<T> {
    /// How it is trained.
    pub plan: Plan,
    /// With its initial weights, as far as they do not look at the data.
    pub network: Network<T>,
}

impl<T: Real> Settled<T> {
    /// With as many members and epochs as there is time for, or an earlier training had, where that decides; and what there is time for.
    ///
    /// # Errors
    /// Of the settings.
    pub fn within(
        self,
        time: (Deadline, Option<Afforded>),
        problem: &Problem,
        data: &Data<'_, T>,
    ) -> Result<(Self, Affordable)> {
        let (fitted, loss) = (&problem.fitted, &problem.prepared.loss);
        let flags = (&self.plan.args, &self.plan.config);
        let affordable = afford(flags, &self.network, fitted.preprocessor.groups(), data, time)?;
        let Some(args) = &affordable.args else { return Ok((self, affordable)) };
        let rows = problem.parts.rows_of_a_network();
        let (network, config) = network_and_settings(args, fitted, loss, rows)?;
        Ok((Self { plan: Plan { args: args.clone(), config }, network }, affordable))
    }
}

/// Trained networks and what they come to together.
pub struct Learned<T> {
    /// How the main network was trained.
    pub plan: Plan,
    /// Its training.
    pub run: Run<T>,
    /// Why that ended.
    pub stop: Stop,
    /// The networks as one model.
    pub mixture: Mixture,
    /// Where the rows are that decided: `valid` or `out-of-fold`, or `train` where nothing was held out.
    pub on: &'static str,
    /// The baseline on these rows.
    pub baseline: Baseline,
    /// What the baseline knows.
    pub prior: Prior,
    /// Layers of the main network that are dead, saturated or symmetric.
    pub health: Vec<LayerHealth>,
}

/// A divergence in words, with what to try.
pub fn diverged(at: &Divergence, plan: &Plan) -> Error {
    let (lr, scale) = (plan.config.lr, plan.args.columns.scale);
    let message =
        format!("training diverged at epoch {}, batch {}: the loss is not finite", at.epoch, at.batch);
    let error = Error::new(Code::Diverged, message)
        .note(format!(
            "first non-finite tensor: {} (largest |W| before: {})",
            at.tensor,
            measure(at.largest_weight)
        ))
        .hint(format!(
            "--lr {}, or --clip-norm 1",
            short((lr / 10.0).min(settings::default_lr(&plan.config.optimizer)))
        ));
    match scale {
        ScaleChoice::None => error.hint("the columns are not scaled: --scale auto"),
        _ => error,
    }
}
