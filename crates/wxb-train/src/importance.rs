//! What a model's columns are worth, for `wxb importance` and at the end of a training.

use serde::{Deserialize, Serialize};
use wxb::data::Features;
use wxb::importance::{Importance, Shuffles, importance};
use wxb::metrics::Metric;
use wxb::model_file::Model;
use wxb::preprocess::Preprocessor;
use wxb::rng::{Purpose, shuffle, stream};
use wxb::{Code, Error, Layer, Result};

use super::examples::Examples;
use super::judge::headline;
use super::model::evaluation;
use super::prepare::{self, Held, Parts, Prepared};
use crate::number::metric_label;

/// How much worse a metric gets when the cells of a column change places, for each column; the most important one first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Rows that were looked at.
    pub rows: usize,
    /// Orders of each column.
    pub repeats: usize,
    /// What gets worse.
    pub metric: Metric,
    /// With all columns as they are.
    pub value: f64,
    /// The most important one first.
    pub columns: Vec<Importance>,
}

/// The importance of the columns that a model uses, on rows that have a target; `None` if `breaks_off` says so, which is
/// asked after each.
///
/// # Errors
/// For an array, data that does not fit the model, or a metric that is not defined on the rows.
pub fn measure(
    model: &Model,
    examples: &Examples,
    metric: Metric,
    shuffles: Shuffles,
    breaks_off: &mut dyn FnMut() -> bool,
) -> Result<Option<Measured>> {
    let Features::Table(table) = &examples.features else {
        return Err(Error::new(Code::InvalidSetting, "importance is for tables, and the data is an array"));
    };
    let value = score(model, examples, metric)?;
    let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
    let mut columns = vec![];
    for name in used_columns(model) {
        columns.push(importance(table, &name, shuffles, |table| {
            let shuffled = Examples { features: Features::Table(table), ..examples.clone() };
            Ok(sign * (value - score(model, &shuffled, metric)?))
        })?);
        if breaks_off() {
            return Ok(None);
        }
    }
    columns.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    Ok(Some(Measured { rows: table.rows(), repeats: shuffles.repeats, metric, value, columns }))
}

fn score(model: &Model, examples: &Examples, metric: Metric) -> Result<f64> {
    evaluation(model, examples)?.score(metric).ok_or_else(|| {
        let what = format!("{} is not defined on these rows", metric_label(metric));
        Error::new(Code::InvalidSetting, what).hint("more rows, or another --metric")
    })
}

/// So many of the given rows at the most, drawn by the seed.
///
/// # Errors
/// [`Code::EmptyData`] if there is none.
pub fn sample(examples: &Examples, mut rows: Vec<u32>, most: usize, seed: u64) -> Result<Examples> {
    if rows.len() > most {
        shuffle(&mut stream(seed, Purpose::Sample, 0), &mut rows);
        rows.truncate(most);
        rows.sort_unstable();
    }
    if rows.is_empty() {
        return Err(Error::new(Code::EmptyData, format!("{} has no row with a target", examples.name)));
    }
    let Features::Table(table) = &examples.features else { return Ok(examples.clone()) };
    let weights = examples.weights.as_ref();
    Ok(Examples {
        name: examples.name.clone(),
        features: Features::Table(table.select(|_| &rows)?),
        target: examples.target.as_ref().map(|target| target.select(&rows)),
        weights: weights.map(|weights| rows.iter().map(|&row| weights[row as usize]).collect()),
    })
}

/// The columns that some network looks at, in the order of the training file.
pub fn used_columns(model: &Model) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for part in &model.parts {
        let Some(Preprocessor::Table(columns)) = &part.preprocess else { continue };
        for column in columns.iter().filter(|column| column.encoding.width() > 0) {
            if !names.contains(&column.name) {
                names.push(column.name.clone());
            }
        }
    }
    names
}

/// Multiplications that a training has cost, or may cost.
#[derive(Clone, Copy, Debug)]
pub struct Work(f64);

impl Work {
    /// Of so many passes forward through some layers.
    fn forward(layers: &[Layer], passes: f64) -> Self {
        let (mut members, mut products) = (1, 0);
        for layer in layers {
            members = layer.members().unwrap_or(members);
            products += layer.units().map_or(0, |[n_in, n_out]| members * n_in * n_out);
        }
        Self(products as f64 * passes)
    }

    /// Of a training: backward costs twice what forward does.
    pub fn of_training(layers: &[Layer], steps: u64, rows: usize) -> Self {
        Self::forward(layers, 3.0 * steps as f64 * rows as f64)
    }
}

/// The importance on the validation rows, as far as a small part of the work of the training goes; `None` for an array, without
/// validation rows, where that is too little to say anything, or where the metric is not defined: no reason to lose a model.
pub fn after_training(
    model: &Model,
    prepared: &Prepared,
    parts: &Parts,
    (training, seed): (Work, u64),
    breaks_off: &mut dyn FnMut() -> bool,
) -> Option<Measured> {
    /// Of the work of the training.
    const SHARE: f64 = 0.03;
    /// Multiplications that take no time worth speaking of, some hundredths of a second.
    const FREE: f64 = 2e9;
    /// Rows, at the most and at the least, and repeats, at the least and at the most: of one shuffle nobody knows how sure it is.
    const ROWS: usize = 2000;
    const FEW: usize = 50;
    const REPEATS: [usize; 2] = [3, 5];
    let (examples, rows) = match &parts.valid {
        // With folds the model as a whole has seen every row.
        Held::None | Held::Folds(_) => return None,
        Held::Rows(rows) => (&prepared.examples, rows.clone()),
        Held::Apart(file) => (&**file, wxb::data::target::present_rows(prepare::target(file).ok()?)),
    };
    let columns = used_columns(model).len();
    let of_pass: f64 = model.parts.iter().map(|part| Work::forward(part.network.layers(), 1.0).0).sum();
    let passes = (SHARE * training.0).max(FREE) / of_pass.max(1.0) / columns.max(1) as f64;
    if columns == 0
        || matches!(examples.features, Features::Matrix(_))
        || (passes as usize) < FEW.min(rows.len())
    {
        return None;
    }
    let [fewest, most] = REPEATS;
    let sampled = (passes as usize / fewest).clamp(FEW, ROWS).min(rows.len());
    let repeats = (passes as usize / sampled.max(1)).clamp(fewest, most);
    let examples = sample(examples, rows, sampled, seed).ok()?;
    measure(model, &examples, headline(model.loss())[0], Shuffles { repeats, seed }, breaks_off).ok()?
}
