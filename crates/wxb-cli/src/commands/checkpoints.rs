//! `--checkpoint-every` and `--resume`: the whole state of a training beside the model.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};
use wxb::model_file::Checkpoint;
use wxb::trainer::{Event, Run, Stop, TrainConfig};
use wxb::{Code, Error, Network, Real, Result, Schedule};
use wxb_train::budget::Afforded;
use wxb_train::{Plan, Problem, prepare};

use crate::args::train::TrainCommand;
use crate::terminal::Terminal;
use crate::terminal::progress::Watcher;

/// Where the checkpoints of a training lie, and what it must be continued with.
pub struct Checkpoints {
    path: PathBuf,
    every: Option<u64>,
    is_resumed: bool,
    settings: Value,
}

#[derive(Serialize)]
struct CheckpointEvent<'a> {
    path: &'a str,
    epoch: u64,
    step: u64,
}

impl Checkpoints {
    /// Of the model that a command trains.
    pub fn new(problem: &Problem, plan: &Plan, command: &TrainCommand, model: &Path) -> Self {
        Self {
            path: beside(model),
            every: command.output.checkpoint_every.map(|n| n as u64),
            is_resumed: command.output.resume,
            settings: settings(problem, plan),
        }
    }

    /// The run to go on with; `None` to start from the beginning.
    ///
    /// # Errors
    /// Of the checkpoint file; [`Code::InvalidSetting`] if it belongs to another training.
    pub fn resume<T: Real>(&self, network: &Network<T>, terminal: &Terminal) -> Result<Option<Run<T>>> {
        let shown = self.path.display().to_string();
        if !self.is_resumed {
            return Ok(None);
        }
        let Some(checkpoint) = read::<T>(&self.path)? else {
            terminal.warn(&format!("there is no checkpoint {shown}: starting from the beginning"));
            return Ok(None);
        };
        self.check(&checkpoint, network)?;
        terminal.say("resumed", &format!("{shown}  {} epochs done", checkpoint.run.epoch));
        Ok(Some(checkpoint.run))
    }

    /// Names the first setting that differs.
    fn check<T: Real>(&self, checkpoint: &Checkpoint<T>, network: &Network<T>) -> Result<()> {
        let other = |what: &str| {
            let message = format!("{} belongs to a training with other {what}", self.path.display());
            Err(Error::new(Code::InvalidSetting, message)
                .hint("repeat the flags of the training that is to be resumed; only --epochs may be larger"))
        };
        let ours = self.settings.as_object().into_iter().flatten();
        let differs = |(key, value): &(&String, &Value)| checkpoint.settings.get(key.as_str()) != Some(value);
        match ours.into_iter().find(differs) {
            Some((key, _)) => other(key),
            None if checkpoint.run.network.layers() != network.layers() => other("layers"),
            None => Ok(()),
        }
    }

    /// Writes a checkpoint where one is due: every so many epochs, and at the end.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn see<T: Real>(&self, event: &Event<'_, T>, watcher: &mut Watcher<'_>) -> Result<()> {
        let Some(every) = self.every else { return Ok(()) };
        match event {
            Event::Epoch { record, run } if record.epoch.is_multiple_of(every) => self.write(run, watcher),
            Event::RunEnd { stop: Stop::Diverged(_), .. } => Ok(()),
            Event::RunEnd { run, .. } => self.write(run, watcher),
            _ => Ok(()),
        }
    }

    fn write<T: Real>(&self, run: &Run<T>, watcher: &mut Watcher<'_>) -> Result<()> {
        let bytes = Checkpoint::to_bytes(run, &self.settings);
        wxb_io::write_atomically(&self.path, true, |out| out.write_all(&bytes))?;
        let path = self.path.display().to_string();
        watcher.emit("checkpoint", CheckpointEvent { path: &path, epoch: run.epoch, step: run.step });
        Ok(())
    }
}

/// What the training that a command resumes had time for.
///
/// # Errors
/// Of the checkpoint file.
pub fn afforded<T: Real>(command: &TrainCommand, model: &Path) -> Result<Option<Afforded>> {
    if !command.output.resume {
        return Ok(None);
    }
    Ok(read::<T>(&beside(model))?.and_then(|checkpoint| {
        let epochs = checkpoint.settings["settings"]["epochs"].as_u64().filter(|&epochs| epochs > 0)?;
        Some(Afforded { members: checkpoint.run.network.members(), epochs: epochs as usize })
    }))
}

/// `titanic.wxb.checkpoint`.
fn beside(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// The checkpoint in a file, if that is there.
fn read<T: Real>(path: &Path) -> Result<Option<Checkpoint<T>>> {
    if !path.exists() {
        return Ok(None);
    }
    let shown = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| Error::new(Code::UnreadableFile, format!("cannot read {shown}: {error}")))?;
    Checkpoint::<T>::from_bytes(&bytes).map(Some).map_err(|error| error.at(&shown))
}

/// All that decides the bits of a run beside its state.
fn settings(problem: &Problem, plan: &Plan) -> Value {
    let mut config: TrainConfig = plan.config.clone();
    // A longer run goes the same way, unless the schedule looks at its end.
    if ![config.schedule, config.decay_schedule, config.dropout_schedule].iter().any(Schedule::needs_horizon)
    {
        config.epochs = 0;
    }
    let mut settings = json!({
        "settings": config,
        "columns": problem.fitted.preprocessor,
        "target": problem.fitted.target,
        "loss": problem.prepared.loss,
        "rows": fingerprint(problem),
        "class weights": format!("{:?}", problem.args.regularisation.class_weight),
    });
    if let Some(k) = problem.args.validation.bag {
        settings["folds"] = k.into();
    }
    settings
}

/// A hash of which rows train and validate, and of their targets and weights.
fn fingerprint(problem: &Problem) -> String {
    let mut hash = DefaultHasher::new();
    let examples = &problem.prepared.examples;
    problem.parts.train.iter().for_each(|&row| hash.write_u32(row));
    hash.write_usize(problem.parts.valid.rows());
    if let Ok(column) = prepare::target(examples)
        && let Ok(y) = problem.fitted.target.encode::<f64>(column, &problem.prepared.rows)
    {
        y.iter().for_each(|y| hash.write_u64(y.to_bits()));
    }
    examples.weights.iter().flatten().for_each(|weight| hash.write_u64(weight.to_bits()));
    format!("{:016x}", hash.finish())
}
