//! How a model came about and why, in words, from its record.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wxb::calibration::{Calibration, Isotonic};
use wxb::compare::Difference;
use wxb::metrics::Metric;
use wxb::model_file::Model;
use wxb::recipe::deep;
use wxb::trainer::{BatchSize, TrainConfig};
use wxb_train::importance::Measured;
use wxb_train::judge::headline;

use crate::args::choice::PresetChoice;
use crate::terminal::metric_label;
use crate::terminal::number::{counted, grouped, measure, percent, short};

/// A line of the story: what it is about, and the text.
#[derive(Serialize)]
pub struct Line {
    about: &'static str,
    text: String,
}

impl Line {
    fn new(about: &'static str, text: String) -> Self {
        Self { about, text }
    }

    /// Label and text.
    pub fn parts(&self) -> (&'static str, &str) {
        (self.about, &self.text)
    }
}

/// The parts of a record that are told. A record of another version may lack any of them.
struct Record {
    preset: Option<String>,
    /// What was asked for, other than the usual.
    asked: Map<String, Value>,
    /// What chose the best epoch.
    watched: Option<String>,
    data: Option<String>,
    train_rows: Option<usize>,
    valid_rows: Option<usize>,
    /// Where each row is left out by one member.
    folds: Option<usize>,
    seed: Option<u64>,
    config: Option<TrainConfig>,
    on: Option<String>,
    metrics: Value,
    networks: Vec<Network>,
    importance: Option<Measured>,
}

/// A network that was trained, whether it is part of the model or not.
#[derive(Deserialize)]
struct Network {
    name: String,
    share: f64,
    epochs: u64,
    best_epoch: u64,
    metrics: Value,
    gain: Option<Difference>,
}

/// The model's recipe, and what was decided on the way.
pub fn story(model: &Model) -> Vec<Line> {
    let record = read(&model.record);
    let several = record.networks.len() > 1;
    let lines = [
        recipe(&record),
        asked(&record),
        rows(&record),
        result(&record),
        several.then(|| networks(&record, headline(model.loss()))),
        linear(&record, headline(model.loss())[0]),
        plan(model, &record),
        epochs(&record),
        certainty(model),
    ];
    lines.into_iter().flatten().collect()
}

/// The importance of the columns, if the training has measured it.
pub fn importance(model: &Model) -> Option<Measured> {
    read(&model.record).importance
}

/// What cannot be read is as if it were not there: a record is for people, and another version may write another one.
fn read(record: &Value) -> Record {
    let field = |name: &str| record.get(name).cloned().unwrap_or_default();
    Record {
        preset: of(field("preset")),
        asked: of(field("asked")).unwrap_or_default(),
        watched: of(field("watched")),
        data: of(field("data")),
        train_rows: of(field("train_rows")),
        valid_rows: of(field("valid_rows")),
        folds: of(field("folds")),
        seed: of(field("seed")),
        config: of(field("config")),
        on: of(field("on")),
        metrics: field("metrics"),
        networks: of(field("networks")).unwrap_or_default(),
        importance: of(field("importance")),
    }
}

fn of<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

fn recipe(record: &Record) -> Option<Line> {
    let preset = record.preset.as_deref()?;
    let names: Vec<&str> = record.networks.iter().map(|network| network.name.as_str()).collect();
    let text = if preset == PresetChoice::Auto.name() {
        let all = [PresetChoice::Linear, PresetChoice::Mlp, PresetChoice::Deep].map(PresetChoice::name);
        let without: Vec<&str> = all.into_iter().filter(|name| !names.contains(name)).collect();
        let failed = match without.as_slice() {
            [] => String::new(),
            names => format!("; {} diverged, or had no time for an epoch", names.join(" and ")),
        };
        let rows = if record.folds.is_some() { "rows that were left out" } else { "validation rows" };
        format!("auto: {} trained, and averaged as the {rows} say{failed}", names.join(", "))
    } else {
        format!("preset {preset}: one network, as the flags said")
    };
    Some(Line::new("recipe", text))
}

/// The flags that were not the usual ones.
fn asked(record: &Record) -> Option<Line> {
    let flags: Vec<String> = record.asked.iter().map(|(name, value)| flag(name, value)).collect();
    (!flags.is_empty()).then(|| Line::new("asked", flags.join(" ")))
}

fn flag(name: &str, value: &Value) -> String {
    let all = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(",") };
    let value = match value {
        Value::Bool(true) => None,
        Value::Array(values) => Some(all(values.iter().map(word).collect())),
        Value::Object(pairs) => {
            Some(all(pairs.iter().map(|(key, value)| format!("{key}={}", word(value))).collect()))
        }
        one => Some(word(one)),
    };
    let value = value.map_or(String::new(), |value| format!(" {}", quoted(&value)));
    format!("--{}{value}", name.replace('_', "-"))
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())
        }
        other => other.to_string(),
    }
}

/// As it can be typed: in quotes where a shell would see more than one word, or something else.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,=:/+".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn rows(record: &Record) -> Option<Line> {
    let (data, rows) = (record.data.as_deref()?, record.train_rows?);
    let valid = match (record.folds, record.valid_rows) {
        (Some(k), _) => format!(" in {k} folds, each left out by one member"),
        (None, None | Some(0)) => ", none held out".to_owned(),
        (None, Some(valid)) => format!(", {} to validate", grouped(valid)),
    };
    let seed = record.seed.map_or(String::new(), |seed| format!(" (seed {seed})"));
    Some(Line::new("trained", format!("{data}  {} to train{valid}{seed}", counted(rows, "row"))))
}

fn result(record: &Record) -> Option<Line> {
    let (on, metrics) = (record.on.as_deref()?, record.metrics.as_object()?);
    let number = |(name, value): (&String, &Value)| Some(format!("{name} {}", measure(value.as_f64()?)));
    let all: Vec<String> = metrics.iter().filter_map(number).collect();
    Some(Line::new("result", format!("{on}  {}", all.join("  "))))
}

/// Each network with how it did alone and what it counts.
fn networks(record: &Record, metrics: &[Metric]) -> Line {
    let line = |network: &Network| {
        let scores = metrics.iter().filter_map(|metric| {
            let value = network.metrics.get(metric.name())?.as_f64()?;
            Some(format!("{} {}", metric_label(*metric), measure(value)))
        });
        let scores = scores.collect::<Vec<_>>().join("  ");
        let counts = match network.share {
            0.0 => "left out: with it the validation rows would be no likelier, its share came out below 5 %"
                .into(),
            share => format!("counts {}", percent(share)),
        };
        format!("{:<8} {scores}   {counts}", network.name)
    };
    let lines: Vec<String> = record.networks.iter().map(line).collect();
    Line::new("networks", lines.join("\n"))
}

/// Whether the linear network would have done.
fn linear(record: &Record, metric: Metric) -> Option<Line> {
    /// The gain in standard errors that counts as one.
    const CLEAR: f64 = 2.0;
    let network = record.networks.iter().find(|network| network.gain.is_some())?;
    let Difference { mean, error } = network.gain?;
    let verdict = match mean {
        _ if mean > CLEAR * error => "the model is better, beyond chance".to_owned(),
        _ if mean < 0.0 => "it would have done: --preset linear".to_owned(),
        _ => "within chance: --preset linear may do, and explains itself".to_owned(),
    };
    let (by, better) = (measure(mean.abs()), if mean < 0.0 { "worse" } else { "better" });
    let text = format!(
        "{} of the model {better} by {by} +- {} than that of {} alone: {verdict}",
        metric_label(metric),
        measure(error),
        network.name
    );
    Some(Line::new("linear?", text))
}

/// Members, epochs and batch of the large network, and what they follow from.
fn plan(model: &Model, record: &Record) -> Option<Line> {
    let (config, rows) = (record.config.as_ref()?, record.train_rows?);
    let part = model.parts.iter().find(|part| part.name == PresetChoice::Deep.name())?;
    let inputs = part.preprocess.as_ref()?;
    let members = part.network.members();
    let batch = match config.batch_size {
        BatchSize::Rows(batch) => format!("batches of {}", counted(batch, "row")),
        BatchSize::Full => "full batches".into(),
    };
    let done = format!(
        "deep has {}, {} at most, {batch}",
        counted(members, "member"),
        counted(config.epochs as usize, "epoch")
    );
    let groups = inputs.groups();
    let usual = deep::plan(groups, rows);
    let is_usual = (usual.members, usual.epochs) == (members, config.epochs)
        && config.batch_size == BatchSize::Rows(usual.batch);
    let why = if is_usual {
        let like = deep::usual_rows(groups, rows);
        format!("the plan for as much work as {} with 20 numbers each", counted(like, "row"))
    } else {
        format!(
            "as flags or time said, where the plan has {}, {}",
            counted(usual.members, "member"),
            counted(usual.epochs as usize, "epoch")
        )
    };
    Some(Line::new("plan", format!("{done}: {why}")))
}

/// What chose the epoch of each network.
fn epochs(record: &Record) -> Option<Line> {
    let config = record.config.as_ref()?;
    let (last, others) = record.networks.split_last()?;
    let of = |network: &Network| format!("{} of {}", network.best_epoch, network.epochs);
    let on = match record.valid_rows {
        _ if record.folds.is_some() => "on the rows that its members have left out",
        None | Some(0) => return Some(Line::new("epochs", format!("{}, the last one kept", last.epochs))),
        Some(_) => "on the validation rows",
    };
    // Files of before do not say it.
    let by_config = || config.metric.filter(|_| config.stop_on_metric);
    let watched = record.watched.as_deref().map_or_else(by_config, Metric::parse);
    let watched = watched.map_or("loss".into(), metric_label);
    let mut text = format!("{} is epoch {}, the best by {watched} {on}", last.name, of(last));
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|n| format!("{} {}", n.name, of(n))).collect();
        // Theirs is the loss, unless another one was asked for.
        let asked = record.asked.get("metric").and_then(Value::as_str).and_then(Metric::parse);
        text += &format!("; {} by {}", others.join(", "), asked.map_or("loss".into(), metric_label));
    }
    Some(Line::new("epochs", text))
}

fn certainty(model: &Model) -> Option<Line> {
    let text = match &model.calibration {
        Calibration::None => return None,
        Calibration::Temperature(t) => {
            let what = if *t > 1.0 { "too sure" } else { "not sure enough" };
            let t = short(*t);
            format!(
                "temperature {t}: logits are divided by it, as the networks were {what} on the rows that decided"
            )
        }
        Calibration::Isotonic(curves) => {
            let points: usize = curves.iter().map(Isotonic::points).sum();
            format!("isotonic, {} of {}", counted(curves.len(), "curve"), counted(points, "point"))
        }
    };
    Some(Line::new("certainty", text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_can_be_typed_again() {
        let asked = json!({
            "class_weight": { "<=50K": 1.0, "it's": 2.5 },
            "drop": ["a", "b c"],
            "hidden": [],
            "keep": true,
            "lr": 0.01,
            "time_budget": 90.0,
            "preset": "realmlp-s",
        });
        let Value::Object(asked) = asked else { unreachable!() };
        let line: Vec<String> = asked.iter().map(|(name, value)| flag(name, value)).collect();
        assert_eq!(
            line.join(" "),
            r"--class-weight '<=50K=1,it'\''s=2.5' --drop 'a,b c' --hidden none --keep --lr 0.01 --preset realmlp-s --time-budget 90"
        );
    }
}
