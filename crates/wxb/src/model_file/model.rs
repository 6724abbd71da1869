//! A trained model: networks with their preprocessing, target, and the record of its training.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::container::{Contents, Tensor, damaged, write};
use crate::calibration::{Calibration, Isotonic};
use crate::conformal::Residuals;
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

    /// n_L.
    pub fn n_out(&self) -> usize {
        match self {
            AnyNetwork::F32(network) => network.n_out(),
            AnyNetwork::F64(network) => network.n_out(),
        }
    }

    /// k, 1 where there are no members.
    pub fn members(&self) -> usize {
        match self {
            AnyNetwork::F32(network) => network.members(),
            AnyNetwork::F64(network) => network.members(),
        }
    }

    /// n₀.
    pub fn n_in(&self) -> usize {
        match self {
            AnyNetwork::F32(network) => network.n_in(),
            AnyNetwork::F64(network) => network.n_in(),
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

/// A network of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is called, such as `"linear"`; each part has a name of its own.
    pub name: String,
    /// How much its predictions count; the weights of all parts add up to 1.
    pub weight: f64,
    /// The network.
    pub network: AnyNetwork,
    /// From columns to inputs; `None` for a network that takes its inputs as they are.
    pub preprocess: Option<Preprocessor>,
}

/// A trained model: one network, or several whose predictions are averaged.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The networks, at least one; all have the same loss.
    pub parts: Vec<Part>,
    /// How the probabilities of the mean are corrected.
    pub calibration: Calibration,
    /// How far predictions were from the targets of the rows that were held out, if those are numbers.
    pub residuals: Option<Residuals>,
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
    parts: Vec<PartRecord>,
    /// 1: none.
    temperature: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    isotonic: Vec<Isotonic>,
    residuals: Option<Residuals>,
    target: Target,
    target_name: Option<String>,
    baseline: Vec<f64>,
    reading: Reading,
    record: Value,
}

#[derive(Serialize, Deserialize)]
struct PartRecord {
    name: String,
    weight: f64,
    precision: String,
    layers: Vec<Layer>,
    loss: Loss,
    preprocess: Option<Preprocessor>,
}

const KIND: &str = "model";

impl Part {
    fn record(&self) -> PartRecord {
        PartRecord {
            name: self.name.clone(),
            weight: self.weight,
            precision: self.network.precision().into(),
            layers: self.network.layers().to_vec(),
            loss: self.network.loss().clone(),
            preprocess: self.preprocess.clone(),
        }
    }

    /// From its record and the tensors whose names begin with `prefix`.
    fn read(record: PartRecord, contents: &Contents<'_>, prefix: &str) -> Result<Self> {
        let PartRecord { name, weight, precision, layers, loss, preprocess } = record;
        let network = match precision.as_str() {
            "f32" => AnyNetwork::F32(read_network(contents, prefix, layers, loss)?),
            "f64" => AnyNetwork::F64(read_network(contents, prefix, layers, loss)?),
            other => return Err(damaged(format!("the precision {other:?} is not known"))),
        };
        Ok(Self { name, weight, network, preprocess })
    }

    fn check(&self) -> Result<()> {
        let Some(preprocess) = &self.preprocess else { return Ok(()) };
        preprocess.check()?;
        let n_in = self.network.n_in();
        if preprocess.width() != n_in {
            return Err(damaged(format!("{} inputs for a network of {n_in}", preprocess.width())));
        }
        Ok(())
    }
}

/// What stands before the names of a part's tensors: nothing for the first part, so that the file of one network has W1, b1, ….
fn prefix(part: usize, name: &str) -> String {
    if part == 0 { String::new() } else { format!("{name}.") }
}

impl Model {
    /// The loss of every part.
    pub fn loss(&self) -> &Loss {
        self.parts[0].network.loss()
    }

    /// n_L.
    pub fn n_out(&self) -> usize {
        self.parts[0].network.n_out()
    }

    /// The bytes of the model file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let record = Record {
            parts: self.parts.iter().map(Part::record).collect(),
            temperature: self.calibration.temperature(),
            isotonic: if let Calibration::Isotonic(curves) = &self.calibration {
                curves.clone()
            } else {
                vec![]
            },
            residuals: self.residuals.clone(),
            target: self.target.clone(),
            target_name: self.target_name.clone(),
            baseline: self.baseline.clone(),
            reading: self.reading.clone(),
            record: self.record.clone(),
        };
        let parts = self.parts.iter().enumerate();
        let tensors: Vec<Tensor> = parts
            .flat_map(|(i, part)| match &part.network {
                AnyNetwork::F32(network) => tensors(network, &prefix(i, &part.name)),
                AnyNetwork::F64(network) => tensors(network, &prefix(i, &part.name)),
            })
            .collect();
        write(KIND, record, &tensors)
    }

    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// [`Code::NotAModel`](crate::Code::NotAModel), [`Code::DamagedModel`](crate::Code::DamagedModel) or
    /// [`Code::ModelVersion`](crate::Code::ModelVersion).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let contents = Contents::open(bytes, KIND)?;
        let record: Record = contents.record()?;
        let parts = record.parts.into_iter().enumerate();
        let parts = parts
            .map(|(i, part)| {
                let prefix = prefix(i, &part.name);
                Part::read(part, &contents, &prefix)
            })
            .collect::<Result<_>>()?;
        let model = Self {
            parts,
            calibration: match (record.temperature, record.isotonic) {
                (1.0, curves) if curves.is_empty() => Calibration::None,
                (t, curves) if curves.is_empty() => Calibration::Temperature(t),
                (_, curves) => Calibration::Isotonic(curves),
            },
            residuals: record.residuals,
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
        if self.parts.is_empty() {
            return Err(damaged("it has no network"));
        }
        self.parts.iter().try_for_each(Part::check)?;
        let names: HashSet<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        let total: f64 = self.parts.iter().map(|part| part.weight).sum();
        let weigh = self.parts.iter().all(|part| (0.0..=1.0).contains(&part.weight));
        if names.len() < self.parts.len() || !weigh || (total - 1.0).abs() > 1e-9 {
            return Err(damaged("its networks have no weights that add up to 1, or two of them one name"));
        }
        let (n_out, loss) = (self.n_out(), self.loss());
        if self.parts.iter().any(|part| part.network.n_out() != n_out || part.network.loss() != loss) {
            return Err(damaged("its networks predict different things"));
        }
        self.calibration.check(n_out)?;
        self.residuals.as_ref().map_or(Ok(()), Residuals::check)?;
        self.target.check()?;
        let fits = match (self.target.task(), loss) {
            (Task::Binary, Loss::BinaryCrossEntropy { .. }) => n_out == 1,
            (Task::Binary | Task::Multiclass, Loss::CrossEntropy { .. }) => {
                n_out == self.target.labels().len()
            }
            (Task::Regression, Loss::BinaryCrossEntropy { .. } | Loss::CrossEntropy { .. }) => false,
            (Task::Regression, Loss::Quantile { levels }) => n_out == levels.len(),
            (Task::Regression, _) => n_out == 1,
            _ => false,
        };
        let baselines = match loss {
            Loss::Quantile { levels } => levels.len(),
            _ => self.target.labels().len().max(1),
        };
        if !fits || self.baseline.len() != baselines || !self.baseline.iter().all(|b| b.is_finite()) {
            return Err(damaged("target, loss and network do not belong together"));
        }
        Ok(())
    }
}

/// The parameters of a network as tensors: W1 (n₀, n₁), b1 (n₁), …, each name after `prefix`.
pub(super) fn tensors<T: Real>(network: &Network<T>, prefix: &str) -> Vec<Tensor> {
    let slots = network.params.slots().iter();
    slots
        .map(|slot| Tensor::new(format!("{prefix}{}", slot.name), shape(slot), network.params.of(slot)))
        .collect()
}

fn shape(slot: &Slot) -> Vec<usize> {
    match slot.role {
        Role::Bias | Role::Scale | Role::Blend | Role::Offset | Role::Mean | Role::Variance
            if slot.rows == 1 =>
        {
            vec![slot.columns]
        }
        _ => vec![slot.rows, slot.columns],
    }
}

/// Reads the tensors that the layers ask for. Nothing is allocated that the file does not hold.
pub(super) fn read_network<T: Real>(
    contents: &Contents<'_>,
    prefix: &str,
    layers: Vec<Layer>,
    loss: Loss,
) -> Result<Network<T>> {
    let mut flat = Vec::new();
    for slot in slots(&layers).map_err(damaged)? {
        flat.extend(contents.tensor::<T>(&format!("{prefix}{}", slot.name), &shape(&slot))?);
    }
    Network::from_flat(layers, loss, flat).map_err(damaged)
}
