//! A trained model: network, preprocessing, target, and the record of its training.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::container::{Contents, Tensor, damaged, write};
use crate::data::target::{Target, Task};
use crate::error::Result;
use crate::layer::{Layer, Role, Slot, slots};
use crate::loss::Loss;
use crate::network::Network;
use crate::preprocess::Preprocessor;
use crate::real::Real;

/// A network of either precision.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyNetwork {
    /// Single precision.
    F32(Network<f32>),
    /// Double precision.
    F64(Network<f64>),
}

impl AnyNetwork {
    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        match self {
            AnyNetwork::F32(network) => network.layers(),
            AnyNetwork::F64(network) => network.layers(),
        }
    }

    /// The loss.
    pub fn loss(&self) -> &Loss {
        match self {
            AnyNetwork::F32(network) => network.loss(),
            AnyNetwork::F64(network) => network.loss(),
        }
    }

    /// n₀, n₁, …, n_L.
    pub fn sizes(&self) -> Vec<usize> {
        match self {
            AnyNetwork::F32(network) => network.sizes(),
            AnyNetwork::F64(network) => network.sizes(),
        }
    }

    /// How many numbers are learned.
    pub fn n_params(&self) -> usize {
        match self {
            AnyNetwork::F32(network) => network.n_params(),
            AnyNetwork::F64(network) => network.n_params(),
        }
    }

    /// `"f32"` or `"f64"`.
    pub fn precision(&self) -> &'static str {
        match self {
            AnyNetwork::F32(_) => f32::NAME,
            AnyNetwork::F64(_) => f64::NAME,
        }
    }

    /// The network at double width.
    pub fn to_f64(&self) -> Network<f64> {
        match self {
            AnyNetwork::F32(network) => network.to_precision(),
            AnyNetwork::F64(network) => network.clone(),
        }
    }
}

impl From<Network<f32>> for AnyNetwork {
    fn from(network: Network<f32>) -> Self {
        AnyNetwork::F32(network)
    }
}

impl From<Network<f64>> for AnyNetwork {
    fn from(network: Network<f64>) -> Self {
        AnyNetwork::F64(network)
    }
}

/// How the training file was read, so that a like file is read alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Marks of a missing cell beyond the usual ones.
    pub na: Vec<String>,
    /// The thousands separator.
    pub thousands: Option<char>,
    /// The field separator, where it was given.
    pub delimiter: Option<char>,
}

/// A trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The network.
    pub network: AnyNetwork,
    /// From columns to inputs; `None` for a network that takes its inputs as they are.
    pub preprocess: Option<Preprocessor>,
    /// What the outputs stand for.
    pub target: Target,
    /// The target column's name, if it had one.
    pub target_name: Option<String>,
    /// What is predicted without looking at the inputs: the share of each class, the mean, or
    /// the quantiles.
    pub baseline: Vec<f64>,
    /// How the training file was read.
    pub reading: Reading,
    /// Settings and results of the training, for people and programs; wxb itself does not read it.
    pub record: Value,
}

#[derive(Serialize, Deserialize)]
struct Record {
    precision: String,
    layers: Vec<Layer>,
    loss: Loss,
    preprocess: Option<Preprocessor>,
    target: Target,
    target_name: Option<String>,
    baseline: Vec<f64>,
    reading: Reading,
    record: Value,
}

const KIND: &str = "model";

impl Model {
    /// The bytes of the model file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let record = Record {
            precision: self.network.precision().into(),
            layers: self.network.layers().to_vec(),
            loss: self.network.loss().clone(),
            preprocess: self.preprocess.clone(),
            target: self.target.clone(),
            target_name: self.target_name.clone(),
            baseline: self.baseline.clone(),
            reading: self.reading.clone(),
            record: self.record.clone(),
        };
        match &self.network {
            AnyNetwork::F32(network) => write(KIND, record, tensors(network)),
            AnyNetwork::F64(network) => write(KIND, record, tensors(network)),
        }
    }

    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// [`Code::NotAModel`](crate::Code::NotAModel), [`Code::DamagedModel`](crate::Code::DamagedModel) or
    /// [`Code::ModelVersion`](crate::Code::ModelVersion).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let contents = Contents::open(bytes, KIND)?;
        let record: Record = contents.record()?;
        let network = match record.precision.as_str() {
            "f32" => AnyNetwork::F32(read_network(&contents, record.layers, record.loss)?),
            "f64" => AnyNetwork::F64(read_network(&contents, record.layers, record.loss)?),
            other => return Err(damaged(format!("the precision {other:?} is not known"))),
        };
        let model = Self {
            network,
            preprocess: record.preprocess,
            target: record.target,
            target_name: record.target_name,
            baseline: record.baseline,
            reading: record.reading,
            record: record.record,
        };
        model.check()?;
        Ok(model)
    }

    /// Whether the parts fit each other.
    ///
    /// # Errors
    /// [`Code::DamagedModel`](crate::Code::DamagedModel).
    pub fn check(&self) -> Result<()> {
        let sizes = self.network.sizes();
        let (n_in, n_out) = (sizes[0], sizes[sizes.len() - 1]);
        if let Some(preprocess) = &self.preprocess {
            preprocess.check()?;
            if preprocess.width() != n_in {
                return Err(damaged(format!("{} inputs for a network of {n_in}", preprocess.width())));
            }
        }
        self.target.check()?;
        let fits = match (self.target.task(), self.network.loss()) {
            (Task::Binary, Loss::BinaryCrossEntropy { .. }) => n_out == 1,
            (Task::Binary | Task::Multiclass, Loss::CrossEntropy { .. }) => {
                n_out == self.target.labels().len()
            }
            (Task::Regression, Loss::BinaryCrossEntropy { .. } | Loss::CrossEntropy { .. }) => false,
            (Task::Regression, Loss::Quantile { levels }) => n_out == levels.len(),
            (Task::Regression, _) => n_out == 1,
            _ => false,
        };
        let baselines = match self.network.loss() {
            Loss::Quantile { levels } => levels.len(),
            _ => self.target.labels().len().max(1),
        };
        if !fits || self.baseline.len() != baselines || !self.baseline.iter().all(|b| b.is_finite()) {
            return Err(damaged("target, loss and network do not belong together"));
        }
        Ok(())
    }
}

/// The parameters of a network as tensors: W1 (n₀, n₁), b1 (n₁), …
pub(super) fn tensors<T: Real>(network: &Network<T>) -> Vec<Tensor<'_, T>> {
    let slots = network.params.slots().iter();
    slots
        .map(|slot| Tensor { name: slot.name.clone(), shape: shape(slot), values: network.params.of(slot) })
        .collect()
}

fn shape(slot: &Slot) -> Vec<usize> {
    match slot.role {
        Role::Bias | Role::Scale | Role::Blend if slot.rows == 1 => vec![slot.columns],
        _ => vec![slot.rows, slot.columns],
    }
}

/// Reads the tensors that the layers ask for. Nothing is allocated that the file does not hold.
pub(super) fn read_network<T: Real>(
    contents: &Contents<'_>,
    layers: Vec<Layer>,
    loss: Loss,
) -> Result<Network<T>> {
    let mut flat = Vec::new();
    for slot in slots(&layers).map_err(damaged)? {
        flat.extend(contents.tensor::<T>(&slot.name, &shape(&slot))?);
    }
    Network::from_flat(layers, loss, flat).map_err(damaged)
}
