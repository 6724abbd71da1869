//! The model file that a training leaves.

use std::path::Path;

use serde_json::{Value, json};
use wxb::model_file::{AnyNetwork, Model, Reading};
use wxb::trainer::{Run, Stop};
use wxb::{Network, Real, Result};

use super::train::{Judged, Plan};
use crate::pipeline::model::file_name;
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
    let reading = &plan.args.reading;
    let model = Model {
        network: result.network.clone().into(),
        preprocess: Some(plan.fitted.preprocessor.clone()),
        target: plan.fitted.target.clone(),
        target_name: plan.args.columns.target.clone(),
        baseline: result.prior.0.clone(),
        reading: Reading {
            na: reading.na.clone(),
            thousands: reading.thousands,
            delimiter: reading.delimiter.map(char::from),
        },
        record: record(plan, run, stop, result),
    };
    let bytes = model.to_bytes();
    // Whether it may be overwritten was settled before the training.
    wxb_io::write_atomically(path, true, |out| out.write_all(&bytes))?;
    Ok(bytes.len() as u64)
}

/// What decided the weights, and what came of it. Nothing that differs between two runs of the same command: no
/// time, no machine, no path.
fn record<T: Real>(plan: &Plan<'_>, run: &Run<T>, stop: &Stop, result: &Judged<T>) -> Value {
    json!({
        "wxb": env!("CARGO_PKG_VERSION"),
        "data": file_name(&plan.args.data),
        "train_rows": plan.parts.train.len(),
        "valid_rows": plan.parts.valid.rows(),
        "seed": plan.args.training.seed,
        "config": plan.config,
        "stop": stop,
        "epochs": run.epoch,
        "steps": run.step,
        "best_epoch": run.best.epoch,
        "on": result.on,
        "metrics": Numbers::of_scores(&result.evaluation.scores()),
        "baseline": { "name": result.baseline.name, "metrics": Numbers::of_scores(&result.baseline.scores) },
    })
}
