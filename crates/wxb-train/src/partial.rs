//! How the prediction depends on one column: partial dependence (Friedman 2001) and the curves of single rows (Goldstein, Kapelner,
//! Bleich and Pitkin 2015).

use serde::Serialize;
use wxb::data::{Column, Features, Table};
use wxb::model_file::Model;
use wxb::partial::{Texts, Values, dependence};
use wxb::preprocess::{Encoding, Preprocessor};
use wxb::rng::{Purpose, shuffle, stream};
use wxb::{Code, Error, Result};

use super::contributions::{only, predictions};
use super::examples::Examples;
use super::importance::used_columns;
use super::read::in_file;

/// A model and rows whose predictions are looked at.
pub struct Rows<'a> {
    model: &'a Model,
    examples: &'a Examples,
    table: &'a Table,
    /// Those that the means are over.
    drawn: Table,
}

/// How many rows, and the seed that draws them.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// At the most.
    pub rows: usize,
    /// The draws depend on it alone.
    pub seed: u64,
}

/// What is predicted as a column is set to one value after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What the column is set to.
    pub values: Values,
    /// Whether networks only look if a text is there: the one among the values stands for all.
    pub is_presence: bool,
    /// f̄ (values).
    pub mean: Vec<f64>,
    /// f of each drawn row (rows, values), row-major.
    pub curves: Vec<f64>,
    /// Of all rows, drawn or not.
    pub data: Distribution,
}

/// Where the rows of the data are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Distribution {
    /// Of texts: the share of the rows with each.
    Shares(Vec<f64>),
    /// Of numbers: the share of the rows in each of some bins of one width, the first with the first value in its middle, the last
    /// with the last one.
    Bins(Vec<f64>),
}

impl<'a> Rows<'a> {
    /// # Errors
    /// [`Code::InvalidSetting`] for an array, [`Code::EmptyData`] without rows.
    pub fn new(model: &'a Model, examples: &'a Examples, draw: Draw) -> Result<Self> {
        let Features::Table(table) = &examples.features else {
            let what = "partial dependence is for tables, and the data is an array";
            return Err(Error::new(Code::InvalidSetting, what));
        };
        if table.rows() == 0 {
            return Err(Error::new(Code::EmptyData, format!("{} has no rows", examples.name)));
        }
        let mut rows: Vec<u32> = (0..table.rows() as u32).collect();
        shuffle(&mut stream(draw.seed, Purpose::Sample, 0), &mut rows);
        rows.truncate(draw.rows);
        Ok(Self { model, examples, table, drawn: table.select(|_| &rows)? })
    }

    /// How many the means are over.
    pub fn count(&self) -> usize {
        self.drawn.rows()
    }

    /// Whether the data has a column, and the model looks at it.
    ///
    /// # Errors
    /// [`Code::UnknownColumn`], which says the columns that there are; [`Code::InvalidSetting`] for one that no network looks at.
    pub fn check(&self, column: &str) -> Result<()> {
        self.table.column(column).map_err(|error| in_file(&error, &self.examples.name))?;
        let used = used_columns(self.model);
        if used.iter().any(|name| name == column) {
            return Ok(());
        }
        let what = format!("the model does not look at the column {column:?}");
        let note = format!("columns that it looks at: {}", used.join(", "));
        Err(Error::new(Code::InvalidSetting, what).note(note))
    }

    /// The predictions, of one of the outputs, at `points` values of a column at the most; `None` if `breaks_off` says so, which
    /// is asked after some rows.
    ///
    /// # Errors
    /// [`Code::EmptyData`] for a column of missing numbers alone; of data that does not fit the model.
    pub fn curve(
        &self,
        column: &str,
        points: usize,
        output: usize,
        breaks_off: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Curve>> {
        /// Rows that are predicted at a time, if the data has no more.
        const ROWS: usize = 65_536;
        let cells = self.table.column(column)?;
        let texts = texts(self.model, column);
        let values = Values::of(cells, points, texts);
        let (n, at_once) = (values.len(), (ROWS / self.count()).max(1));
        let (mut mean, mut curves) = (vec![], vec![vec![]; self.count()]);
        // Without a value there is one part, of nothing, which is refused.
        for from in (0..n.max(1)).step_by(at_once) {
            let part = part(&values, from, n.min(from + at_once));
            let found = dependence(&self.drawn, column, &part, |table| {
                predictions(self.model, &only(Features::Table(table), self.examples), output)
            })?;
            mean.extend(found.mean);
            curves.iter_mut().zip(found.curves.chunks_exact(part.len())).for_each(|(all, f)| all.extend(f));
            if breaks_off() {
                return Ok(None);
            }
        }
        let data = distribution(cells, &values);
        let curves = curves.concat();
        Ok(Some(Curve { values, is_presence: texts == Texts::Presence, mean, curves, data }))
    }
}

/// Dates are in order; of a column of which networks only look whether it is there nothing else is taken.
fn texts(model: &Model, column: &str) -> Texts {
    let plans = model.parts.iter().filter_map(|part| match &part.preprocess {
        Some(Preprocessor::Table(columns)) => Some(columns),
        _ => None,
    });
    let encodings: Vec<&Encoding> =
        plans.flatten().filter(|plan| plan.name == column).map(|plan| &plan.encoding).collect();
    match encodings.as_slice() {
        of if of.iter().any(|e| matches!(e, Encoding::Date(_))) => Texts::InOrder,
        of if of.iter().all(|e| matches!(e, Encoding::Presence { .. } | Encoding::Dropped(_))) => {
            Texts::Presence
        }
        _ => Texts::Frequent,
    }
}

/// Some of the values, by their places.
fn part(values: &Values, from: usize, to: usize) -> Values {
    match values {
        Values::Numbers(numbers) => Values::Numbers(numbers[from..to].to_vec()),
        Values::Texts(texts) => Values::Texts(texts[from..to].to_vec()),
    }
}

fn distribution(cells: &Column, values: &Values) -> Distribution {
    /// Bins of numbers.
    const BINS: usize = 25;
    let rows = cells.len() as f64;
    match (cells, values) {
        (Column::Number(cells), Values::Numbers(values)) => {
            let (low, high) = (values[0], values[values.len() - 1]);
            let mut bins = vec![0.0; BINS];
            for cell in cells.iter().filter(|cell| (low..=high).contains(*cell)) {
                let share = if high > low { (cell - low) / (high - low) } else { 0.5 };
                bins[(share * (BINS - 1) as f64).round() as usize] += 1.0 / rows;
            }
            Distribution::Bins(bins)
        }
        (Column::Text(text), Values::Texts(values)) => {
            let share = |value: &Option<String>| {
                let there = (0..text.codes.len()).filter(|&row| text.get(row) == value.as_deref());
                there.count() as f64 / rows
            };
            Distribution::Shares(values.iter().map(share).collect())
        }
        _ => Distribution::Shares(vec![0.0; values.len()]),
    }
}
