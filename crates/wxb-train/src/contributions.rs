//! What each column adds to the prediction of a row: Shapley values by sampling, and integrated gradients.

use wxb::attribute::{Attribution, integrated_gradients};
use wxb::data::target::{Target, Task};
use wxb::data::{Features, Table};
use wxb::evaluate::{Output, both_classes};
use wxb::metrics::predicted_class;
use wxb::model_file::Model;
use wxb::rng::{ChaCha8Rng, Purpose, below, shuffle, stream};
use wxb::{Code, Error, Result};

use super::examples::Examples;
use super::importance::used_columns;
use super::model::outputs;
use super::output::{of_number, refused_level};
use super::read::in_file;

/// A model and rows whose predictions are looked into.
pub struct Rows<'a> {
    model: &'a Model,
    examples: &'a Examples,
    table: &'a Table,
    /// The columns that some network looks at, in the order of the training file: those that can add something.
    pub columns: Vec<String>,
}

/// What the columns of a row add to the mean prediction of the rows that they were put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Shapley {
    /// Of the row.
    pub prediction: f64,
    /// The mean over the samples' other rows.
    pub expected: f64,
    /// Of each column the mean over the samples, and its standard error.
    pub columns: Vec<(f64, f64)>,
}

/// How many samples, and the seed that draws them.
#[derive(Clone, Copy, Debug)]
pub struct Samples {
    /// At least one.
    pub count: usize,
    /// The draws of a row depend on it and the row's number.
    pub seed: u64,
}

impl<'a> Rows<'a> {
    /// # Errors
    /// [`Code::InvalidSetting`] for an array.
    pub fn new(model: &'a Model, examples: &'a Examples) -> Result<Self> {
        let Features::Table(table) = &examples.features else {
            let what = "contributions are for tables, and the data is an array";
            return Err(Error::new(Code::InvalidSetting, what));
        };
        Ok(Self { model, examples, table, columns: used_columns(model) })
    }

    /// The place of what is looked at: of two classes the second, of more the row's most probable one, of quantiles the one of a level,
    /// else the one nearest to the median.
    ///
    /// # Errors
    /// Of data that does not fit the model; of a level as [`of_number`].
    pub fn output(&self, row: u32, level: Option<f64>) -> Result<usize> {
        match self.model.target.task() {
            Task::Regression => of_number(self.model, level),
            _ if level.is_some() => Err(refused_level("classes")),
            Task::Binary => Ok(1),
            Task::Multiclass => {
                let alone = Features::Table(self.table.select(|_| std::slice::from_ref(&row))?);
                Ok(predicted_class(&outputs(self.model, &self.only(alone), Output::Linked)?))
            }
        }
    }

    /// Whether there is another row, which all explanations need to compare with.
    pub fn has_others(&self) -> bool {
        self.table.rows() > 1
    }

    fn check_others(&self) -> Result<()> {
        if self.has_others() {
            return Ok(());
        }
        let what = format!("{} has one row: there are no others to compare it with", self.examples.name);
        let hint = "give more rows, such as those of the training, and say which one is to be explained";
        Err(Error::new(Code::EmptyData, what).hint(hint))
    }

    /// Shapley values by sampling (Štrumbelj and Kononenko 2014). In each sample the columns of another row of the data are
    /// replaced by those of the row, one after the other in a random order; what a replacement changes is the column's
    /// contribution. They add up to the prediction minus the expected one.
    ///
    /// # Errors
    /// [`Code::EmptyData`] for data of one row; of data that does not fit the model.
    pub fn shapley(&self, row: u32, output: usize, samples: Samples) -> Result<Shapley> {
        /// Rows that are predicted at a time.
        const ROWS: usize = 8192;
        self.check_others()?;
        let mut rng = stream(samples.seed, Purpose::Sample, u64::from(row));
        let names = &self.columns;
        let per_sample = names.len() + 1;
        let (mut starts, mut added, mut prediction) = (vec![], vec![vec![]; names.len()], f64::NAN);
        while starts.len() < samples.count {
            let at_once = (ROWS / per_sample).clamp(1, samples.count - starts.len());
            let steps = steps(at_once, names.len(), (self.table.rows() as u32, row), &mut rng);
            let place = |name: &str| names.iter().position(|used| used == name);
            // A column that is not used may come from any row.
            let rows =
                |name: &str| place(name).map_or(steps.unused.as_slice(), |at| steps.rows[at].as_slice());
            let mixed = self.only(Features::Table(self.table.select(rows)?));
            let values = predictions(self.model, &mixed, output)?;
            for (values, order) in values.chunks_exact(per_sample).zip(&steps.orders) {
                starts.push(values[0]);
                prediction = values[names.len()];
                order.iter().zip(values.windows(2)).for_each(|(&column, v)| added[column].push(v[1] - v[0]));
            }
        }
        let columns = added.iter().map(|added| mean_and_error(added)).collect();
        Ok(Shapley { prediction, expected: mean_and_error(&starts).0, columns })
    }

    /// The usual row, of the median of each number and the most frequent text, and after it some rows.
    ///
    /// # Errors
    /// [`Code::EmptyData`] for data of one row.
    pub fn usual_and(&self, rows: &[u32]) -> Result<Table> {
        self.check_others()?;
        self.table.usual_and(rows)
    }

    /// Integrated gradients (Sundararajan, Taly and Yan 2017) on the way from the first row of `with_usual` to row `at` of it.
    ///
    /// # Errors
    /// Of data that does not fit the model; [`Code::InvalidSetting`] for one whose gradients cannot be had.
    pub fn integrated(&self, with_usual: &Table, at: u32, output: usize) -> Result<Attribution> {
        let pair = [0, at];
        let pair = Features::Table(with_usual.select(|_| &pair)?);
        let found = integrated_gradients(self.model, &pair, &self.columns, output);
        found.map_err(|error| match error.code() {
            Code::InvalidSetting => error,
            _ => in_file(&error, &self.examples.name),
        })
    }

    /// Features without targets.
    fn only(&self, features: Features) -> Examples {
        only(features, self.examples)
    }
}

/// Features without targets, of what is called the same.
pub fn only(features: Features, examples: &Examples) -> Examples {
    Examples { features, target: None, weights: None, name: examples.name.clone() }
}

/// One number for each row: the probability of the class at a place, or the number there.
///
/// # Errors
/// Of data that does not fit the model.
pub fn predictions(model: &Model, examples: &Examples, output: usize) -> Result<Vec<f64>> {
    let values = outputs(model, examples, Output::Linked)?;
    let n_out = model.n_out();
    Ok(match &model.target {
        Target::Classes { .. } if n_out == 1 => {
            both_classes(&values).chunks_exact(2).map(|p| p[output]).collect()
        }
        _ => values.chunks_exact(n_out).map(|v| v[output]).collect(),
    })
}

/// For each sample one row more than there are columns: all columns of another row, then one after the other of the row.
struct Steps {
    /// Of each column the row of the data that its cell comes from.
    rows: Vec<Vec<u32>>,
    unused: Vec<u32>,
    /// Of each sample the order in which the columns are replaced.
    orders: Vec<Vec<usize>>,
}

fn steps(samples: usize, columns: usize, (rows, row): (u32, u32), rng: &mut ChaCha8Rng) -> Steps {
    let mut steps = Steps { rows: vec![vec![]; columns], unused: vec![], orders: vec![] };
    for _ in 0..samples {
        let other = another(rng, rows, row);
        let mut order: Vec<usize> = (0..columns).collect();
        shuffle(rng, &mut order);
        for (place, &column) in order.iter().enumerate() {
            let replaced_at = place + 1;
            let from = |step: usize| if step < replaced_at { other } else { row };
            steps.rows[column].extend((0..=columns).map(from));
        }
        steps.unused.extend(std::iter::repeat_n(row, columns + 1));
        steps.orders.push(order);
    }
    steps
}

/// Another row of the data, which has more than one.
fn another(rng: &mut ChaCha8Rng, rows: u32, row: u32) -> u32 {
    let drawn = below(rng, rows - 1);
    if drawn < row { drawn } else { drawn + 1 }
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}
