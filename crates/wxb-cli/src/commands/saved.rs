//! The model file that a training leaves.

use std::path::Path;

use serde_json::{Value, json};
use wxb::conformal::Residuals;
use wxb::model_file::{AnyNetwork, Model, Part, Reading};
use wxb::trainer::{Run, Stop};
use wxb::{Network, Real, Result};

use super::train::{Judged, NetworkObject, Plan, Problem};
use crate::args::choice::PresetChoice;
use crate::pipeline::candidate::Candidate;
use crate::pipeline::importance::{Measured, Work, after_training};
use crate::pipeline::model::file_name;
use crate::pipeline::recipe;
use crate::terminal::event::Numbers;

/// Writes the best weights with all that predictions need. Returns the size of the file.
///
/// # Errors
/// If it cannot be written.
pub fn save<T: Real>(
    plan: &Plan<'_>,
    run: &Run<T>,
    stop: &Stop,
    result: &Judged<T>,
    path: &Path,
) -> Result<u64>
where
    AnyNetwork: From<Network<T>>,
{
    let reading = &plan.problem.args.reading;
    let mut model = Model {
        parts: result.mixture.parts.iter().map(part).collect(),
        calibration: result.mixture.calibration.clone(),
        residuals: Some(&result.mixture.evaluation).filter(|_| result.on != "train").and_then(Residuals::of),
        target: plan.problem.fitted.target.clone(),
        target_name: plan.problem.args.columns.target.clone(),
        baseline: result.prior.0.clone(),
        reading: Reading {
            na: reading.na.clone(),
            thousands: reading.thousands,
            delimiter: reading.delimiter.map(char::from),
        },
        record: record(plan, run, stop, result),
    };
    if *stop != Stop::Interrupted
        && let Some(importance) = importance(plan, run, &model)
    {
        model.record["importance"] = json!(importance);
    }
    let bytes = model.to_bytes();
    // Whether it may be overwritten was settled before the training.
    wxb_io::write_atomically(path, true, |out| out.write_all(&bytes))?;
    Ok(bytes.len() as u64)
}

fn importance<T: Real>(plan: &Plan<'_>, run: &Run<T>, model: &Model) -> Option<Measured> {
    let Problem { prepared, parts, args, .. } = plan.problem;
    let training = Work::of_training(run.network.layers(), run.epoch, parts.train.len());
    after_training(model, prepared, parts, (training, args.training.seed))
}

fn part<T: Real>((share, candidate): &(f64, Candidate<T>)) -> Part
where
    AnyNetwork: From<Network<T>>,
{
    Part {
        name: candidate.name.into(),
        weight: *share,
        network: candidate.network.clone().into(),
        preprocess: Some(candidate.preprocessor.clone()),
    }
}

/// The preset that was asked for: auto, if there were networks of several.
fn preset<T: Real>(plan: &Plan<'_>, result: &Judged<T>) -> &'static str {
    let main = recipe::preset(plan.problem.args);
    let of_others = result.mixture.alone.iter().any(|alone| alone.name != main.name());
    if of_others { PresetChoice::Auto.name() } else { main.name() }
}

/// What decided the weights, and what came of it. Nothing that differs between two runs of the same command: no
/// time, no machine, no path.
fn record<T: Real>(plan: &Plan<'_>, run: &Run<T>, stop: &Stop, result: &Judged<T>) -> Value {
    let mut record = json!({
        "wxb": env!("CARGO_PKG_VERSION"),
        "data": file_name(&plan.problem.args.data),
        "train_rows": plan.problem.parts.train.len(),
        "valid_rows": plan.problem.parts.valid.rows(),
        "seed": plan.problem.args.training.seed,
        "preset": preset(plan, result),
        "config": plan.config,
        "stop": stop,
        "epochs": run.epoch,
        "steps": run.step,
        "best_epoch": run.best.epoch,
        "on": result.on,
        "metrics": Numbers::of_scores(&result.mixture.evaluation.scores()),
        "networks": result.mixture.alone.iter().map(NetworkObject::of).collect::<Vec<_>>(),
        "baseline": { "name": result.baseline.name, "metrics": Numbers::of_scores(&result.baseline.scores) },
    });
    if let Some(k) = plan.problem.args.validation.bag {
        record["folds"] = k.into();
    }
    record
}
