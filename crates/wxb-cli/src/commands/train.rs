//! `wxb train`.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use wxb::health::LayerHealth;
use wxb::metrics::Scores;
use wxb::trainer::{Run, Stop};
use wxb::{Error, Network, Real, Result};
use wxb_train::budget::{Afforded, Deadline};
use wxb_train::prepare::{check, prepare};
use wxb_train::read::for_training;
use wxb_train::record::{NetworkObject, Numbers};
use wxb_train::{Given, Listener, News, Plan, Problem, Trained, judge, train};

use super::checkpoints::{self, Checkpoints};
use super::{cross_validate, output, summary};
use crate::args::choice::PrecisionChoice;
use crate::args::train::TrainCommand;
use crate::exit::{Exit, Outcome, Written};
use crate::interrupt;
use crate::terminal::number::percent;
use crate::terminal::progress::Watcher;
use crate::terminal::{Terminal, number};

/// Trains as the flags say.
pub fn run(command: &TrainCommand, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    let since = Instant::now();
    // A dry run prints one object.
    let terminal = if command.output.dry_run { terminal.clone() } else { terminal.with_events() };
    let args = &command.settings;
    if args.validation.cv.is_some() {
        let prepared = prepare(args, given(command, since, &terminal)?.examples)?;
        return cross_validate::run(args, prepared, &terminal);
    }
    let path = output::model_path(command)?;
    let given = given(command, since, &terminal)?;
    if command.output.dry_run {
        return match args.network.precision {
            PrecisionChoice::F32 => dry_run::<f32>(command, given, &terminal),
            PrecisionChoice::F64 => dry_run::<f64>(command, given, &terminal),
        };
    }
    let mut audience = Audience::new(command, &path, &terminal);
    let trained = train(args, given, &mut audience)?;
    if let Some(error) = audience.fault {
        return Err(error.into());
    }
    match trained {
        Some(trained) => finish(&trained, &path, &terminal),
        None => {
            terminal.warn("interrupted before the large network had an epoch: nothing is saved");
            Ok(Exit::Interrupted)
        }
    }
}

/// Reads the training file, unless flags exclude each other.
fn given(command: &TrainCommand, since: Instant, terminal: &Terminal) -> Result<Given> {
    let args = &command.settings;
    check(args)?;
    let warn = |warning: &str| terminal.warn(warning);
    let examples = for_training(&command.data, &args.columns, &args.reading, &[], warn)?;
    Ok(Given { since, ..Given::new(examples) })
}

/// Says what would be trained.
fn dry_run<T: Real>(command: &TrainCommand, given: Given, terminal: &Terminal) -> Outcome {
    let args = &command.settings;
    let deadline = Deadline::after(given.since, args.training.time_budget);
    let mut said = Said(terminal);
    let problem = Problem::pose(args, given, &mut said)?;
    let settled = problem.settle::<T>()?;
    problem.tell(&mut said);
    let bound = problem.bind()?;
    let (settled, _) = settled.within((deadline, None), &problem, &bound.data()?)?;
    said.hear(News::Plan { problem: &problem, plan: &settled.plan, network: &settled.network });
    summary::dry_run(&problem, &settled, terminal)
}

/// Says what a training tells, and nothing else.
pub struct Said<'a>(pub &'a Terminal);

impl Listener for Said<'_> {
    fn warn(&mut self, warning: &str) {
        self.0.warn(warning);
    }

    fn hear<T: Real>(&mut self, news: News<'_, T>) {
        summary::news(&news, self.0);
    }

    fn breaks_off(&mut self) -> bool {
        interrupt::asked()
    }
}

/// All who follow a training: the terminal, the view of its epochs, and the checkpoints.
struct Audience<'a> {
    command: &'a TrainCommand,
    path: &'a Path,
    said: Said<'a>,
    /// From the main network's plan on.
    main: Option<(Watcher<'a>, Checkpoints)>,
    /// A checkpoint that could not be written.
    fault: Option<Error>,
}

impl<'a> Audience<'a> {
    fn new(command: &'a TrainCommand, path: &'a Path, terminal: &'a Terminal) -> Self {
        Self { command, path, said: Said(terminal), main: None, fault: None }
    }
}

impl Listener for Audience<'_> {
    fn warn(&mut self, warning: &str) {
        self.said.warn(warning);
    }

    fn hear<T: Real>(&mut self, news: News<'_, T>) {
        summary::news(&news, self.said.0);
        match (news, &mut self.main) {
            (News::Plan { problem, plan, network }, main) => {
                let watcher = Watcher::new(self.said.0, plan.config.metric);
                watcher.emit("setup", summary::setup(problem, plan, network));
                *main = Some((watcher, Checkpoints::new(problem, plan, self.command, self.path)));
            }
            (News::Training { event, .. }, Some((watcher, checkpoints))) => {
                watcher.see(event);
                if let Err(error) = checkpoints.see(event, watcher) {
                    self.fault = Some(error);
                }
            }
            _ => {}
        }
    }

    fn breaks_off(&mut self) -> bool {
        self.fault.is_some() || self.said.breaks_off()
    }

    fn afforded<T: Real>(&mut self) -> Result<Option<Afforded>> {
        checkpoints::afforded::<T>(self.command, self.path)
    }

    fn resume<T: Real>(&mut self, _: &Problem, _: &Plan, network: &Network<T>) -> Result<Option<Run<T>>> {
        match &self.main {
            Some((_, checkpoints)) => checkpoints.resume(network, self.said.0),
            None => Ok(None),
        }
    }
}

/// Saves the model and says what came of the training.
fn finish(trained: &Trained, path: &Path, terminal: &Terminal) -> Outcome {
    let bytes = trained.model.to_bytes();
    // Whether it may be overwritten was settled before the training.
    wxb_io::write_atomically(path, true, |out| out.write_all(&bytes))?;
    let size = bytes.len() as u64;
    terminal.say("stopped", &summary::stopped(trained));
    report(trained, terminal)?;
    terminal.emit("health", HealthEvent { layers: &trained.health });
    summary::health(&trained.health, terminal);
    terminal.say("saved", &format!("{} ({})", path.display(), number::bytes(size)));
    terminal.emit("saved", SavedEvent { model: &path.display().to_string(), bytes: size });
    if let Some(error) = trained.divergence() {
        let kept = match trained.best_epoch {
            0 => format!("the other networks are in {}", path.display()),
            epoch => format!("the weights of epoch {epoch} are in {}", path.display()),
        };
        return Err(error.note(kept).into());
    }
    Ok(if trained.stop == Stop::Interrupted { Exit::Interrupted } else { Exit::Success })
}

fn report(trained: &Trained, terminal: &Terminal) -> Written {
    let Trained { evaluation, baseline, on, networks, .. } = trained;
    let scores = trained.scores();
    let event = ResultEvent {
        on,
        rows: evaluation.targets.len(),
        metrics: Numbers::of_scores(&scores),
        baseline: BaselineObject { name: &baseline.name, metrics: Numbers::of_scores(&baseline.scores) },
        networks: networks.iter().map(NetworkObject::of).collect(),
        temperature: trained.temperature,
    };
    terminal.emit("result", event);
    if terminal.is_json() {
        return Ok(());
    }
    let metrics = judge::headline(&trained.problem.prepared.loss);
    let width = on.len().max(9);
    let line = |name: &str, scores: &Scores, remark: &str| {
        format!("{name:<width$} {}{remark}", judge::sentence(scores, metrics))
    };
    terminal.labelled_result("result", &line(on, &scores, ""))?;
    terminal.labelled_result("", &line("baseline", &baseline.scores, &format!("   ({})", baseline.name)))?;
    if networks.len() > 1 {
        for alone in networks {
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

#[derive(Serialize)]
struct HealthEvent<'a> {
    layers: &'a [LayerHealth],
}

#[derive(Serialize)]
struct SavedEvent<'a> {
    model: &'a str,
    bytes: u64,
}
