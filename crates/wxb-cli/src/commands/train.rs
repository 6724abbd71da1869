//! `wxb train`.

use std::ops::ControlFlow;
use std::path::Path;

use serde::Serialize;
use wxb::evaluate::{Evaluation, cache_for, evaluate};
use wxb::health::{LayerHealth, examine};
use wxb::model_file::AnyNetwork;
use wxb::trainer::{Event, Run, Stop, TrainConfig, fit};
use wxb::{Network, Real};

use super::checkpoints::Checkpoints;
use super::{cross_validate, output, saved, summary};
use crate::args::choice::PrecisionChoice;
use crate::args::train::TrainArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt;
use crate::pipeline::fit::{Bound, Data, Fitted, fit_columns, network, start};
use crate::pipeline::judge::{self, Baseline, Prior};
use crate::pipeline::prepare::{Parts, Prepared, prepare};
use crate::pipeline::settings;
use crate::terminal::event::Numbers;
use crate::terminal::progress::Watcher;
use crate::terminal::{Terminal, number};

/// Trains as the flags say.
pub fn run(args: &TrainArgs, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    // A dry run prints one object.
    let terminal = if args.output.dry_run { terminal.clone() } else { terminal.with_events() };
    match args.network.precision {
        PrecisionChoice::F32 => run_in::<f32>(args, &terminal),
        PrecisionChoice::F64 => run_in::<f64>(args, &terminal),
    }
}

fn run_in<T: Real>(args: &TrainArgs, terminal: &Terminal) -> Outcome
where
    AnyNetwork: From<Network<T>>,
{
    if args.validation.cv.is_some() {
        let prepared = prepare(args, terminal)?;
        return cross_validate::run::<T>(args, &prepared, terminal);
    }
    let path = output::model_path(args)?;
    let prepared = prepare(args, terminal)?;
    let parts = prepared.parts(args, terminal)?;
    let fitted = fit_columns(&prepared, &parts.train, &settings::preprocessing(args))?;
    let mut network = network::<T>(args, &fitted, &prepared.loss)?;
    let config = settings::training(args, &prepared.loss, parts.train.len())?;
    let plan = Plan { args, prepared: &prepared, parts: &parts, fitted: &fitted, config: &config };
    summary::before(&plan, &network, terminal);
    if args.output.dry_run {
        return summary::dry_run(&plan, &network, terminal);
    }
    let bound = Bound::new(&prepared, &parts, &fitted, args)?;
    let data = bound.data()?;
    let mut watcher = Watcher::new(terminal, config.metric);
    watcher.emit("setup", summary::setup(&plan, &network));
    let checkpoints = Checkpoints::new(&plan, &path);
    let mut run = match checkpoints.resume(&network, terminal)? {
        Some(run) => run,
        None => {
            start(&mut network, args, &fitted, &data.train)?;
            Run::new(network, &config)?
        }
    };
    let mut fault = None;
    let stop = train(&mut run, &data, &config, &mut |event| {
        watcher.see(event);
        if let Err(error) = checkpoints.see(event, &mut watcher) {
            fault = Some(error);
        }
        if fault.is_some() || interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let Some(error) = fault {
        return Err(error.into());
    }
    finish(&plan, &run, &stop, &data, &Place { path: &path, terminal }, &mut watcher)
}

/// All that is settled before the first step.
pub struct Plan<'a> {
    pub args: &'a TrainArgs,
    pub prepared: &'a Prepared,
    pub parts: &'a Parts,
    pub fitted: &'a Fitted,
    pub config: &'a TrainConfig,
}

/// Trains until the trainer stops, or `see` breaks it off.
pub fn train<T: Real>(
    run: &mut Run<T>,
    data: &Data<'_, T>,
    config: &TrainConfig,
    see: &mut dyn FnMut(&Event<'_, T>) -> ControlFlow<()>,
) -> Result<Stop, Failure> {
    Ok(fit(run, &data.train, data.valid.as_ref(), config, &mut |event| see(&event))?)
}

/// The scores of the best weights beside the baseline.
pub struct Judged<T> {
    pub network: Network<T>,
    /// `valid`, or `train` where nothing was held out.
    pub on: &'static str,
    pub evaluation: Evaluation,
    pub baseline: Baseline,
    pub prior: Prior,
}

/// Judges the best weights on the validation rows, else on the training rows.
pub fn judged<T: Real>(run: &Run<T>, data: &Data<'_, T>, plan: &Plan<'_>) -> Judged<T> {
    let network = run.best_network();
    let (on, rows) = data.valid.as_ref().map_or(("train", &data.train), |valid| ("valid", valid));
    let mut cache = cache_for(&network, rows.len());
    let evaluation = evaluate(&network, rows, &mut cache);
    let (target, loss) = (&plan.fitted.target, &plan.prepared.loss);
    let prior = Prior::of(&data.train, target, loss);
    let baseline = prior.baseline(target, &evaluation, loss);
    Judged { network, on, evaluation, baseline, prior }
}

fn finish<T: Real>(
    plan: &Plan<'_>,
    run: &Run<T>,
    stop: &Stop,
    data: &Data<'_, T>,
    place: &Place<'_>,
    watcher: &mut Watcher<'_>,
) -> Outcome
where
    AnyNetwork: From<Network<T>>,
{
    let Place { path, terminal } = *place;
    if let Stop::Diverged(at) = stop
        && run.best.epoch == 0
    {
        return Err(summary::diverged(at, plan).note("no epoch was finished: nothing is saved").into());
    }
    let result = judged(run, data, plan);
    let size = saved::save(plan, run, stop, &result, path)?;
    terminal.say("stopped", &summary::stopped(stop, run, plan.config));
    report(plan, &result, watcher, terminal)?;
    let health = examine(run, &data.train, plan.config);
    watcher.emit("health", HealthEvent { layers: &health });
    summary::health(&health, terminal);
    terminal.say("saved", &format!("{} ({})", path.display(), number::bytes(size)));
    watcher.emit("saved", SavedEvent { model: &path.display().to_string(), bytes: size });
    match stop {
        Stop::Diverged(at) => {
            let kept = format!("the weights of epoch {} are in {}", run.best.epoch, path.display());
            Err(summary::diverged(at, plan).note(kept).into())
        }
        Stop::Interrupted => Ok(Exit::Interrupted),
        _ => Ok(Exit::Success),
    }
}

/// Where the model and the text go.
struct Place<'a> {
    path: &'a Path,
    terminal: &'a Terminal,
}

fn report<T>(
    plan: &Plan<'_>,
    result: &Judged<T>,
    watcher: &mut Watcher<'_>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let (scores, baseline) = (result.evaluation.scores(), &result.baseline);
    let event = ResultEvent {
        on: result.on,
        rows: result.evaluation.targets.len(),
        metrics: Numbers::of_scores(&scores),
        baseline: BaselineObject { name: &baseline.name, metrics: Numbers::of_scores(&baseline.scores) },
    };
    watcher.emit("result", event);
    if terminal.is_json() {
        return Ok(());
    }
    let metrics = judge::headline(&plan.prepared.loss);
    terminal.labelled_result("result", &format!("{:<9} {}", result.on, judge::sentence(&scores, metrics)))?;
    let beside = judge::sentence(&baseline.scores, metrics);
    terminal.labelled_result("", &format!("baseline  {beside}   ({})", baseline.name))
}

#[derive(Serialize)]
struct ResultEvent<'a> {
    on: &'a str,
    rows: usize,
    metrics: Numbers,
    baseline: BaselineObject<'a>,
}

/// A baseline as an object.
#[derive(Serialize)]
pub struct BaselineObject<'a> {
    pub name: &'a str,
    pub metrics: Numbers,
}

#[derive(Serialize)]
struct HealthEvent<'a> {
    layers: &'a [LayerHealth],
}

#[derive(Serialize)]
struct SavedEvent<'a> {
    model: &'a str,
    bytes: u64,
}
