//! The target column: which task it poses, its classes, its scale.
//!
//! **Rule.** Text is classification. Numbers are classification if all are integers and there are 2 distinct ones,
//! or at most 20 that count from 0 or 1 without a gap, with 5 rows or more to each on average; otherwise regression.
//! Labels are sorted (numbers by size,
//! text by its bytes) and come back as they were; of two, the second is the positive class.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Column, MISSING};
use crate::Real;
use crate::error::{Code, Error, Result};

mod choose;

pub use choose::{Choice, choose};

/// What is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Two classes, one probability.
    Binary,
    /// Three classes or more.
    Multiclass,
    /// A number.
    Regression,
}

impl Task {
    /// `"binary"`, `"multiclass"` or `"regression"`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
        }
    }
}

/// What a user may ask for instead of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskChoice {
    /// Binary or multiclass, as the labels say.
    Classification,
    /// A number.
    Regression,
}

/// A class as it stood in the file; `Display` gives it back (`1`, `1.5`, `yes`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Number(value) => value.fmt(f),
            Label::Text(text) => text.fmt(f),
        }
    }
}

/// How the target is written for the network and read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The class index stands for the label; of two classes, `labels[1]` is the positive one.
    Classes {
        /// The labels in class order.
        labels: Vec<Label>,
    },
    /// The network learns (y − mean) / std.
    Number {
        /// The mean of the training rows; 0 where the target is left as it is.
        mean: f64,
        /// Their standard deviation; 1 where the target is left as it is.
        std: f64,
        /// Their smallest and largest target, where no prediction is to lie outside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<(f64, f64)>,
    },
}

/// The rows whose target is there, ascending: the others can neither train nor be evaluated.
pub fn present_rows(column: &Column) -> Vec<u32> {
    let rows = 0..column.len() as u32;
    match column {
        Column::Number(values) => rows.filter(|&r| !values[r as usize].is_nan()).collect(),
        Column::Text(text) => rows.filter(|&r| text.codes[r as usize] != MISSING).collect(),
    }
}

impl Target {
    /// The task.
    pub fn task(&self) -> Task {
        match self {
            Target::Classes { labels } if labels.len() == 2 => Task::Binary,
            Target::Classes { .. } => Task::Multiclass,
            Target::Number { .. } => Task::Regression,
        }
    }

    /// The labels in class order; none for regression.
    pub fn labels(&self) -> &[Label] {
        match self {
            Target::Classes { labels } => labels,
            Target::Number { .. } => &[],
        }
    }

    /// The target as it is, for losses with a scale of their own (Poisson).
    pub fn unscaled() -> Self {
        Target::Number { mean: 0.0, std: 1.0, range: None }
    }

    /// Sets mean and (population) standard deviation from the training rows; classes have none.
    pub fn fit_scale(&mut self, values: &[f64], rows: &[u32]) {
        if let Target::Number { mean, std, .. } = self {
            let moments = crate::preprocess::Moments::of(rows.iter().map(|&r| values[r as usize]));
            (*mean, *std) = (moments.mean, if moments.std > 0.0 { moments.std } else { 1.0 });
        }
    }

    /// Sets the smallest and the largest target of the training rows as the range of predictions; classes have none.
    pub fn fit_range(&mut self, values: &[f64], rows: &[u32]) {
        if let Target::Number { range, .. } = self {
            let of = |(low, high): (f64, f64), &row: &u32| {
                (low.min(values[row as usize]), high.max(values[row as usize]))
            };
            *range = (!rows.is_empty()).then(|| rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), of));
        }
    }

    /// One number per row: the class index, or (y − mean) / std.
    ///
    /// # Errors
    /// [`Code::UnknownLabel`] for a label that is no class, [`Code::BadTarget`] for a missing target or one that
    /// is text where numbers were learnt.
    pub fn encode<T: Real>(&self, column: &Column, rows: &[u32]) -> Result<Vec<T>> {
        match (self, column) {
            (Target::Classes { labels }, column) => {
                let class = class_of(labels, column);
                rows.iter().map(|&r| class(r).map(|c| T::of(f64::from(c)))).collect()
            }
            (Target::Number { mean, std, .. }, Column::Number(values)) => {
                let scaled = |r: u32| match values[r as usize] {
                    y if y.is_finite() => Ok(T::of((y - mean) / std)),
                    y => Err(Error::new(Code::BadTarget, format!("the target is {y}")).at(place(r))),
                };
                rows.iter().map(|&r| scaled(r)).collect()
            }
            (Target::Number { .. }, Column::Text(_)) => {
                Err(Error::new(Code::BadTarget, "the target is text, and the model learnt numbers")
                    .note(choose::examples(column, rows)))
            }
        }
    }

    /// The class index of each row; for strata and metrics.
    ///
    /// # Errors
    /// As [`Target::encode`]; [`Code::BadTarget`] for a regression.
    pub fn classes(&self, column: &Column, rows: &[u32]) -> Result<Vec<u32>> {
        let Target::Classes { labels } = self else {
            return Err(Error::new(Code::BadTarget, "a regression has no classes"));
        };
        let class = class_of(labels, column);
        rows.iter().map(|&r| class(r)).collect()
    }

    /// The number a network's output stands for: `output · std + mean`, within the range if there is one.
    pub fn decode(&self, output: f64) -> f64 {
        match self {
            Target::Classes { .. } => output,
            Target::Number { mean, std, range: None } => output * std + mean,
            Target::Number { mean, std, range: Some((low, high)) } => {
                (output * std + mean).clamp(*low, *high)
            }
        }
    }

    /// Whether a target read from a file makes sense.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] for fewer than 2 labels, a label twice, a scale that is not positive and finite, or a range that is
    /// empty.
    pub fn check(&self) -> Result<()> {
        let fault = match self {
            Target::Classes { labels } if labels.len() < 2 => "fewer than 2 classes",
            Target::Classes { labels } if !all_distinct(labels) => "a class twice",
            Target::Number { mean, std, .. } if !(mean.is_finite() && std.is_finite() && *std > 0.0) => {
                "a scale that is not positive and finite"
            }
            Target::Number { range: Some((low, high)), .. }
                if !(low.is_finite() && high.is_finite() && low <= high) =>
            {
                "a range that is empty or not finite"
            }
            _ => return Ok(()),
        };
        Err(Error::new(Code::DamagedModel, format!("the model's target has {fault}")))
    }
}

fn all_distinct(labels: &[Label]) -> bool {
    let mut seen = std::collections::HashSet::new();
    labels.iter().all(|label| match label {
        Label::Number(v) => v.is_finite() && seen.insert((true, v.to_string())),
        Label::Text(t) => seen.insert((false, t.clone())),
    })
}

/// Finds the class of a row. Labels are compared as they are printed, so that a column of 0 and 1 that was read
/// as text in one file and as numbers in another has the same classes.
fn class_of<'a>(labels: &'a [Label], column: &'a Column) -> impl Fn(u32) -> Result<u32> + 'a {
    let index: HashMap<String, u32> = labels.iter().map(Label::to_string).zip(0..).collect();
    let number = |v: f64| index.get(&(v + 0.0).to_string()).copied();
    let (by_code, by_value): (Vec<Option<u32>>, HashMap<u64, Option<u32>>) = match column {
        Column::Text(text) => (text.levels.iter().map(|l| index.get(l).copied()).collect(), HashMap::new()),
        Column::Number(values) => {
            let mut distinct: HashMap<u64, Option<u32>> = HashMap::new();
            for &v in values {
                distinct.entry(v.to_bits()).or_insert_with(|| number(v));
            }
            (vec![], distinct)
        }
    };
    move |row| {
        let (class, shown) = match column {
            Column::Text(text) => {
                let code = text.codes[row as usize] as usize;
                (by_code.get(code).copied().flatten(), text.get(row as usize).map(str::to_owned))
            }
            Column::Number(values) => {
                let v = values[row as usize];
                (by_value[&v.to_bits()], (!v.is_nan()).then(|| v.to_string()))
            }
        };
        class.ok_or_else(|| no_class(labels, shown, row))
    }
}

fn no_class(labels: &[Label], shown: Option<String>, row: u32) -> Error {
    let Some(label) = shown else {
        return Error::new(Code::BadTarget, "the target is missing").at(place(row));
    };
    let known: Vec<String> = labels.iter().take(12).map(|l| format!("\"{l}\"")).collect();
    let more = if labels.len() > 12 { ", …" } else { "" };
    Error::new(Code::UnknownLabel, format!("the label \"{label}\" is none of the model's classes"))
        .at(place(row))
        .note(format!("classes: {}{more}", known.join(", ")))
}

fn place(row: u32) -> String {
    format!("data row {}", u64::from(row) + 1)
}

#[cfg(test)]
mod tests;
