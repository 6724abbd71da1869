//! A training that can be continued.

use serde::{Deserialize, Serialize};

use super::container::{Contents, Tensor, write};
use super::model::{read_network, tensors};
use crate::error::{Code, Error, Result};
use crate::layer::Layer;
use crate::loss::Loss;
use crate::real::Real;
use crate::trainer::{Best, EpochRecord, Run};

/// A [`Run`] and what it must be continued with.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<T> {
    /// The state of the training.
    pub run: Run<T>,
    /// Whatever decides the run's bits beside its state (settings, a hash of the data), as the caller writes it;
    /// a caller compares it before it continues.
    pub settings: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct Record {
    precision: String,
    layers: Vec<Layer>,
    loss: Loss,
    epoch: u64,
    step: u64,
    partial: (u64, f64, f64),
    best_epoch: u64,
    /// `None`: no score yet, +∞.
    best_score: Option<f64>,
    since_best: u64,
    plateaus: u32,
    plateau_wait: u64,
    converged: Option<String>,
    history: Vec<EpochRecord>,
    settings: serde_json::Value,
}

const KIND: &str = "checkpoint";

impl<T: Real> Checkpoint<T> {
    /// The bytes of the checkpoint file of a run.
    pub fn to_bytes(run: &Run<T>, settings: &serde_json::Value) -> Vec<u8> {
        let record = Record {
            precision: T::NAME.into(),
            layers: run.network.layers().to_vec(),
            loss: run.network.loss().clone(),
            epoch: run.epoch,
            step: run.step,
            partial: run.partial,
            best_epoch: run.best.epoch,
            best_score: run.best_score.is_finite().then_some(run.best_score),
            since_best: run.since_best,
            plateaus: run.plateaus,
            plateau_wait: run.plateau_wait,
            converged: run.converged.clone(),
            history: run.history.clone(),
            settings: settings.clone(),
        };
        let vector = |name: &str, values: &[T]| Tensor::new(name.into(), vec![values.len()], values);
        let mut tensors = tensors(&run.network, "");
        tensors.push(vector("best", &run.best.flat));
        tensors.push(vector("moments", &run.moments));
        write(KIND, record, &tensors)
    }

    /// A checkpoint from the bytes of its file.
    ///
    /// # Errors
    /// [`Code::NotAModel`], [`Code::DamagedModel`] or [`Code::ModelVersion`]; [`Code::InvalidSetting`] for numbers of another precision.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let contents = Contents::open(bytes, KIND)?;
        let record: Record = contents.record()?;
        if record.precision != T::NAME {
            let what =
                format!("it belongs to a training in {}, and this one is in {}", record.precision, T::NAME);
            return Err(Error::new(Code::InvalidSetting, what).hint(format!(
                "repeat the flags of the training that is to be resumed: --precision {}",
                record.precision
            )));
        }
        let network = read_network::<T>(&contents, "", record.layers, record.loss)?;
        let best =
            Best { epoch: record.best_epoch, flat: contents.tensor("best", &[network.params.flat.len()])? };
        let moments = contents.tensor("moments", &[contents.length("moments")?])?;
        let run = Run {
            network,
            epoch: record.epoch,
            step: record.step,
            partial: record.partial,
            moments,
            best,
            best_score: record.best_score.unwrap_or(f64::INFINITY),
            since_best: record.since_best,
            plateaus: record.plateaus,
            plateau_wait: record.plateau_wait,
            converged: record.converged,
            history: record.history,
        };
        Ok(Self { run, settings: record.settings })
    }
}
