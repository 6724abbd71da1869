//! `wxb train`.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use wxb::compare::Difference;
use wxb::health::{LayerHealth, examine};
use wxb::metrics::Scores;
use wxb::model_file::AnyNetwork;
use wxb::trainer::{Run, Stop, TrainConfig};
use wxb::{Network, Real};

use super::checkpoints::Checkpoints;
use super::{cross_validate, output, saved, summary};
use crate::args::choice::PrecisionChoice;
use crate::args::train::TrainArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt;
use crate::pipeline::budget::{Deadline, afford};
use crate::pipeline::candidate::{self, Alone, Candidate, Mixture, mix};
use crate::pipeline::fit::{Bound, Data, Fitted, fit_columns, network_and_settings, start};
use crate::pipeline::judge::{self, Baseline, Prior};
use crate::pipeline::prepare::{Parts, Prepared, prepare};
use crate::pipeline::settings;
use crate::terminal::event::Numbers;
use crate::terminal::number::percent;
use crate::terminal::progress::Watcher;
use crate::terminal::{Terminal, number};

/// Trains as the flags say.
pub fn run(args: &TrainArgs, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    let deadline = Deadline::after(Instant::now(), args.training.time_budget);
    // A dry run prints one object.
    let terminal = if args.output.dry_run { terminal.clone() } else { terminal.with_events() };
    match args.network.precision {
        PrecisionChoice::F32 => run_in::<f32>(args, deadline, &terminal),
        PrecisionChoice::F64 => run_in::<f64>(args, deadline, &terminal),
    }
}

fn run_in<T: Real>(args: &TrainArgs, deadline: Deadline, terminal: &Terminal) -> Outcome
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
    let presets = candidate::presets(args, &prepared.examples.features);
    let (main, beside) = presets.split_last().expect("a training has a network");
    let fitted = fit_columns(&prepared, &parts.train, &settings::preprocessing(main))?;
    let rows = parts.rows_of_a_network();
    let (mut network, mut config) = network_and_settings::<T>(main, &fitted, &prepared.loss, rows)?;
    summary::data(&Problem { args, prepared: &prepared, parts: &parts, fitted: &fitted }, terminal);
    let bound = Bound::new(&prepared, &parts, &fitted, main)?;
    let data = bound.data()?;
    let beside = if args.output.dry_run { &[] } else { beside };
    let Some(mut candidates) = candidate::train_all(beside, &prepared, &parts, deadline, terminal)? else {
        terminal.warn("interrupted before the large network had an epoch: nothing is saved");
        return Ok(Exit::Interrupted);
    };
    let afforded = afford(main, &fitted, &prepared.loss, &data, deadline)?;
    if let Some(main) = &afforded {
        (network, config) = network_and_settings(main, &fitted, &prepared.loss, rows)?;
    }
    let main = afforded.as_ref().unwrap_or(main);
    let problem = Problem { args: main, prepared: &prepared, parts: &parts, fitted: &fitted };
    let plan = Plan { problem, config: &config };
    summary::network(&plan, &network, presets.len() == 1, terminal);
    if args.output.dry_run {
        return summary::dry_run(&plan, &network, terminal);
    }
    let mut watcher = Watcher::new(terminal, config.metric);
    watcher.emit("setup", summary::setup(&plan, &network));
    let checkpoints = Checkpoints::new(&plan, &path);
    let mut run = match checkpoints.resume(&network, terminal)? {
        Some(run) => run,
        None => {
            start(&mut network, main, &fitted, &data.train)?;
            Run::new(network, &config)?
        }
    };
    let mut fault = None;
    let stop = data.fit(&mut run, &config, &mut |event| {
        watcher.see(&event);
        if let Err(error) = checkpoints.see(&event, &mut watcher) {
            fault = Some(error);
        }
        if fault.is_some() { ControlFlow::Break(Stop::Interrupted) } else { deadline.go_on(&event) }
    })?;
    if let Some(error) = fault {
        return Err(error.into());
    }
    if run.best.epoch > 0 || candidates.is_empty() {
        candidates.push(Candidate::of(&run, &fitted, &data, main));
    }
    let result = judged(mix(candidates, args, data.is_held_out()), &data, &plan);
    finish(&plan, &run, &stop, (&data, &result), &Place { path: &path, terminal }, &mut watcher)
}

/// What is to be learned, from what.
#[derive(Clone, Copy)]
pub struct Problem<'a> {
    pub args: &'a TrainArgs,
    pub prepared: &'a Prepared,
    pub parts: &'a Parts,
    pub fitted: &'a Fitted,
}

/// All that is settled before the first step of the main network, whose flags the problem has.
pub struct Plan<'a> {
    pub problem: Problem<'a>,
    pub config: &'a TrainConfig,
}

/// The model beside the baseline.
pub struct Judged<T> {
    pub mixture: Mixture<T>,
    /// `valid` or `out-of-fold`, or `train` where nothing was held out.
    pub on: &'static str,
    pub baseline: Baseline,
    pub prior: Prior,
}

/// Sets a model beside what is predicted without looking at the inputs.
pub fn judged<T: Real>(mixture: Mixture<T>, data: &Data<'_, T>, plan: &Plan<'_>) -> Judged<T> {
    let (target, loss) = (&plan.problem.fitted.target, &plan.problem.prepared.loss);
    let prior = Prior::of(&data.train, target, loss);
    let baseline = prior.baseline(target, &mixture.evaluation, loss);
    Judged { mixture, on: data.on(), baseline, prior }
}

fn finish<T: Real>(
    plan: &Plan<'_>,
    run: &Run<T>,
    stop: &Stop,
    (data, result): (&Data<'_, T>, &Judged<T>),
    place: &Place<'_>,
    watcher: &mut Watcher<'_>,
) -> Outcome
where
    AnyNetwork: From<Network<T>>,
{
    let Place { path, terminal } = *place;
    if let Stop::Diverged(at) = stop
        && result.mixture.alone.iter().all(|network| network.best_epoch == 0)
    {
        return Err(summary::diverged(at, plan).note("no epoch was finished: nothing is saved").into());
    }
    let size = saved::save(plan, run, stop, result, path)?;
    terminal.say("stopped", &summary::stopped(stop, run, plan.config));
    report(plan, result, watcher, terminal)?;
    let health = examine(run, &data.train, plan.config);
    watcher.emit("health", HealthEvent { layers: &health });
    summary::health(&health, terminal);
    terminal.say("saved", &format!("{} ({})", path.display(), number::bytes(size)));
    watcher.emit("saved", SavedEvent { model: &path.display().to_string(), bytes: size });
    match stop {
        Stop::Diverged(at) => {
            let kept = match run.best.epoch {
                0 => format!("the other networks are in {}", path.display()),
                epoch => format!("the weights of epoch {epoch} are in {}", path.display()),
            };
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

fn report<T: Real>(
    plan: &Plan<'_>,
    result: &Judged<T>,
    watcher: &mut Watcher<'_>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let Judged { mixture, baseline, on, .. } = result;
    let scores = mixture.evaluation.scores();
    let event = ResultEvent {
        on,
        rows: mixture.evaluation.targets.len(),
        metrics: Numbers::of_scores(&scores),
        baseline: BaselineObject { name: &baseline.name, metrics: Numbers::of_scores(&baseline.scores) },
        networks: mixture.alone.iter().map(NetworkObject::of).collect(),
        temperature: mixture.calibration.temperature(),
    };
    watcher.emit("result", event);
    if terminal.is_json() {
        return Ok(());
    }
    let metrics = judge::headline(&plan.problem.prepared.loss);
    let width = on.len().max(9);
    let line = |name: &str, scores: &Scores, remark: &str| {
        format!("{name:<width$} {}{remark}", judge::sentence(scores, metrics))
    };
    terminal.labelled_result("result", &line(on, &scores, ""))?;
    terminal.labelled_result("", &line("baseline", &baseline.scores, &format!("   ({})", baseline.name)))?;
    if mixture.alone.len() > 1 {
        for alone in &mixture.alone {
            let share = match alone.share {
                0.0 => "left out".to_owned(),
                share => format!("counts {}", percent(share)),
            };
            terminal.labelled_result("", &line(alone.name, &alone.scores, &format!("   ({share})")))?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct ResultEvent<'a> {
    on: &'a str,
    rows: usize,
    metrics: Numbers,
    baseline: BaselineObject<'a>,
    networks: Vec<NetworkObject>,
    temperature: f64,
}

/// A baseline as an object.
#[derive(Serialize)]
pub struct BaselineObject<'a> {
    pub name: &'a str,
    pub metrics: Numbers,
}

/// A network of the mixture as an object.
#[derive(Serialize)]
pub struct NetworkObject {
    name: &'static str,
    share: f64,
    epochs: u64,
    best_epoch: u64,
    metrics: Numbers,
    /// Of the linear network: what the model gains over it in the first metric of the result line.
    #[serde(skip_serializing_if = "Option::is_none")]
    gain: Option<Difference>,
}

impl NetworkObject {
    /// Of a network on its own.
    pub fn of(alone: &Alone) -> Self {
        let Alone { name, share, epochs, best_epoch, scores, gain } = alone;
        let metrics = Numbers::of_scores(scores);
        Self { name, share: *share, epochs: *epochs, best_epoch: *best_epoch, metrics, gain: *gain }
    }
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
