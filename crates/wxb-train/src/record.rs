//! The model of a training, with a record of how it came about.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use wxb::compare::Difference;
use wxb::conformal::Residuals;
use wxb::metrics::{Metric, Scores};
use wxb::model_file::{AnyNetwork, Model, Reading};
use wxb::trainer::{EpochRecord, Stop, TrainConfig};
use wxb::{Network, Real};

use super::candidate::Alone;
use super::importance::{Measured, Work, after_training};
use super::model::file_name;
use super::recipe;
use super::train::{Learned, Problem};
use crate::args::choice::PresetChoice;

/// The best weights with all that predictions need. If the training was broken off, or `breaks_off` says so, without the
/// importance of the columns.
pub fn model<T: Real>(problem: &Problem, learned: &Learned<T>, breaks_off: &mut dyn FnMut() -> bool) -> Model
where
    AnyNetwork: From<Network<T>>,
{
    let Learned { mixture, on, prior, .. } = learned;
    let reading = &problem.args.reading;
    let mut model = Model {
        parts: mixture.parts.clone(),
        calibration: mixture.calibration.clone(),
        residuals: Some(&mixture.evaluation).filter(|_| *on != "train").and_then(Residuals::of),
        target: problem.fitted.target.clone(),
        target_name: problem.args.columns.target.clone(),
        baseline: prior.0.clone(),
        reading: Reading {
            na: reading.na.clone(),
            thousands: reading.thousands,
            delimiter: reading.delimiter.map(char::from),
        },
        record: record(problem, learned),
    };
    if learned.stop != Stop::Interrupted
        && let Some(importance) = importance(problem, learned, &model, breaks_off)
    {
        model.record["importance"] = json!(importance);
    }
    model
}

fn importance<T: Real>(
    problem: &Problem,
    learned: &Learned<T>,
    model: &Model,
    breaks_off: &mut dyn FnMut() -> bool,
) -> Option<Measured> {
    let Problem { prepared, parts, args, .. } = problem;
    let run = &learned.run;
    let rows = learned.plan.config.batch_rows(parts.train.len());
    let training = Work::of_training(run.network.layers(), run.step, rows);
    after_training(model, prepared, parts, (training, args.training.seed), breaks_off)
}

/// The metric that chose the best epoch; none if the loss did, as nobody asked for another or it was not defined on the validation rows.
pub fn watched(config: &TrainConfig, history: &[EpochRecord]) -> Option<Metric> {
    config
        .metric
        .filter(|_| config.stop_on_metric && history.iter().any(|epoch| epoch.valid_metric.is_some()))
}

/// The preset that was asked for: auto, if there were networks of several.
fn preset<T: Real>(learned: &Learned<T>) -> &'static str {
    let main = recipe::preset(&learned.plan.args);
    let of_others = learned.mixture.alone.iter().any(|alone| alone.name != main.name());
    if of_others { PresetChoice::Auto.name() } else { main.name() }
}

/// What decided the weights, and what came of it. Nothing that differs between two runs of the same command: no
/// time, no machine, no path.
fn record<T: Real>(problem: &Problem, learned: &Learned<T>) -> Value {
    let Learned { plan, run, stop, mixture, on, baseline, .. } = learned;
    let mut record = json!({
        "wxb": env!("CARGO_PKG_VERSION"),
        "data": file_name(&problem.prepared.examples.name),
        "train_rows": problem.parts.train.len(),
        "valid_rows": problem.parts.valid.rows(),
        "seed": problem.args.training.seed,
        "preset": preset(learned),
        "asked": problem.args.asked(),
        "config": plan.config,
        "watched": watched(&plan.config, &run.history).map_or("loss", Metric::name),
        "stop": stop,
        "epochs": run.epoch,
        "steps": run.step,
        "best_epoch": run.best.epoch,
        "on": on,
        "metrics": Numbers::of_scores(&mixture.evaluation.scores()),
        "networks": mixture.alone.iter().map(NetworkObject::of).collect::<Vec<_>>(),
        "baseline": { "name": baseline.name, "metrics": Numbers::of_scores(&baseline.scores) },
    });
    if let Some(k) = problem.args.validation.bag {
        record["folds"] = k.into();
    }
    record
}

/// Named numbers as an object, in their order; what is not finite is null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers(pub Vec<(String, f64)>);

impl Numbers {
    /// A loss and, if there is one, a metric.
    pub fn of_epoch(loss: f64, metric: Option<(Metric, f64)>) -> Self {
        let metric = metric.map(|(metric, value)| (metric.name().to_owned(), value));
        Self([("loss".to_owned(), loss)].into_iter().chain(metric).collect())
    }

    /// All scores by their names.
    pub fn of_scores(scores: &Scores) -> Self {
        Self(scores.iter().map(|(metric, value)| (metric.name().to_owned(), value)).collect())
    }

    /// Whether one of them is not finite.
    pub fn has_non_finite(&self) -> bool {
        self.0.iter().any(|(_, value)| !value.is_finite())
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

/// A network of the mixture as an object.
#[derive(serde::Serialize)]
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
