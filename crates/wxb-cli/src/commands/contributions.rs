//! `wxb explain --contributions`: what each column adds to the prediction of a row.

use serde::Serialize;
use wxb::data::target::{Target, Task};
use wxb::data::{Column, Features, Table as Columns};
use wxb::evaluate::{Output, both_classes};
use wxb::metrics::predicted_class;
use wxb::model_file::Model;
use wxb::rng::{ChaCha8Rng, Purpose, below, shuffle, stream};
use wxb::{Code, Error, Result};
use wxb_train::Examples;
use wxb_train::importance::used_columns;
use wxb_train::model::{outputs, target_name};

use crate::args::model::ExplainArgs;
use crate::exit::Written;
use crate::terminal::Terminal;
use crate::terminal::number::{measure, short};
use crate::terminal::table::Table;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    samples: usize,
    rows: Vec<Explained>,
}

/// The prediction of a row, and what its columns add to what is predicted for rows like those of the file.
#[derive(Serialize)]
struct Explained {
    row: u32,
    /// `price`, or `probability of yes`.
    what: String,
    prediction: f64,
    /// The mean prediction of the rows that the columns were taken from.
    expected: f64,
    columns: Vec<Contribution>,
}

#[derive(Serialize)]
struct Contribution {
    column: String,
    value: String,
    mean: f64,
    /// The standard error of the mean over the samples.
    error: f64,
}

/// The columns of the data.
///
/// # Errors
/// [`Code::InvalidSetting`] for an array.
pub fn table_of(examples: &Examples) -> Result<&Columns> {
    match &examples.features {
        Features::Table(table) => Ok(table),
        Features::Matrix(_) => {
            let what = "--contributions is for tables, and the data is an array";
            Err(Error::new(Code::InvalidSetting, what))
        }
    }
}

/// Prints the contributions of the columns to the predictions of some rows: Shapley values by sampling (Štrumbelj and Kononenko
/// 2014). In each sample the columns of another row of the file are replaced by those of the row, one after the other in a
/// random order; what a replacement changes is the column's contribution. They add up to the prediction minus the mean one.
///
/// # Errors
/// For an array, or data without rows to compare with.
pub fn run(
    args: &ExplainArgs,
    model: &Model,
    (examples, rows): (&Examples, &[u32]),
    terminal: &Terminal,
) -> Written {
    let table = table_of(examples)?;
    let names = used_columns(model);
    let explained = rows.iter().map(|&row| explain(args, model, examples, (table, &names), row));
    let rows = explained.collect::<Result<Vec<_>>>()?;
    let samples = args.samples;
    let report =
        Report { schema: "wxb.contributions/1", model: &args.model, data: &args.data, samples, rows };
    if terminal.is_json() {
        return terminal.json(&report);
    }
    for (i, row) in report.rows.iter().enumerate() {
        if i > 0 {
            terminal.result("")?;
        }
        terminal.line(&format!(
            "row {}: {} {}, in the mean of the other rows {}",
            row.row,
            row.what,
            measure(row.prediction),
            measure(row.expected)
        ));
        terminal.result(&contribution_table(row).render(terminal.format()))?;
    }
    Ok(())
}

fn explain(
    args: &ExplainArgs,
    model: &Model,
    examples: &Examples,
    (table, names): (&Columns, &[String]),
    row: u32,
) -> Result<Explained> {
    /// Rows that are predicted at a time.
    const ROWS: usize = 8192;
    let (what, class) = asked(model, examples, row)?;
    let mut rng = stream(args.seed, Purpose::Sample, u64::from(row));
    let per_sample = names.len() + 1;
    let (mut starts, mut added, mut prediction) = (vec![], vec![vec![]; names.len()], f64::NAN);
    while starts.len() < args.samples {
        let samples = (ROWS / per_sample).clamp(1, args.samples - starts.len());
        let steps = steps(samples, names.len(), (table.rows() as u32, row), &mut rng);
        let place = |name: &str| names.iter().position(|used| used == name);
        // A column that is not used may come from any row.
        let rows = |name: &str| place(name).map_or(steps.unused.as_slice(), |at| steps.rows[at].as_slice());
        let values = predictions(model, &only(Features::Table(table.select(rows)?), examples), class)?;
        for (values, order) in values.chunks_exact(per_sample).zip(&steps.orders) {
            starts.push(values[0]);
            prediction = values[names.len()];
            order.iter().zip(values.windows(2)).for_each(|(&column, v)| added[column].push(v[1] - v[0]));
        }
    }
    let contribution = |(name, added): (&String, &Vec<f64>)| {
        let (mean, error) = mean_and_error(added);
        Contribution { column: name.clone(), value: cell(table, name, row), mean, error }
    };
    let mut columns: Vec<Contribution> = names.iter().zip(&added).map(contribution).collect();
    columns.sort_by(|a, b| b.mean.abs().total_cmp(&a.mean.abs()));
    Ok(Explained { row, what, prediction, expected: mean_and_error(&starts).0, columns })
}

/// Features without targets.
pub fn only(features: Features, examples: &Examples) -> Examples {
    Examples { features, target: None, weights: None, name: examples.name.clone() }
}

/// For each sample one row more than there are columns: all columns of another row, then one after the other of the row.
struct Steps {
    /// Of each column the row of the file that its cell comes from.
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

/// Another row of the file; the row itself if it is the only one.
fn another(rng: &mut ChaCha8Rng, rows: u32, row: u32) -> u32 {
    if rows < 2 {
        return row;
    }
    let drawn = below(rng, rows - 1);
    if drawn < row { drawn } else { drawn + 1 }
}

/// What is predicted, in words, and the class whose probability it is: the positive one of two, else the row's most probable one.
pub fn asked(model: &Model, examples: &Examples, row: u32) -> Result<(String, Option<usize>)> {
    let labels = model.target.labels();
    let class = match model.target.task() {
        Task::Regression => return Ok((target_name(model).to_owned(), None)),
        Task::Binary => 1,
        Task::Multiclass => {
            let Features::Table(table) = &examples.features else { return Ok((String::new(), Some(0))) };
            let alone = Features::Table(table.select(|_| std::slice::from_ref(&row))?);
            predicted_class(&outputs(model, &only(alone, examples), Output::Linked)?)
        }
    };
    Ok((format!("probability of {}", labels[class]), Some(class)))
}

/// One number for each row: the probability of a class, or the first output.
pub fn predictions(model: &Model, examples: &Examples, class: Option<usize>) -> Result<Vec<f64>> {
    let values = outputs(model, examples, Output::Linked)?;
    let n_out = model.n_out();
    Ok(match (class, &model.target) {
        (Some(class), Target::Classes { .. }) if n_out == 1 => {
            both_classes(&values).chunks_exact(2).map(|p| p[class]).collect()
        }
        (class, _) => values.chunks_exact(n_out).map(|v| v[class.unwrap_or(0)]).collect(),
    })
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}

/// A cell as people read it.
pub fn cell(table: &Columns, name: &str, row: u32) -> String {
    match table.column(name) {
        Ok(Column::Number(values)) if !values[row as usize].is_nan() => short(values[row as usize]),
        Ok(Column::Text(text)) => text.get(row as usize).unwrap_or("(missing)").to_owned(),
        _ => "(missing)".to_owned(),
    }
}

fn contribution_table(row: &Explained) -> Table {
    let mut table = Table::new(&["column", "value", "adds", "+-", " "]);
    let largest = row.columns.first().map_or(0.0, |column| column.mean.abs());
    for Contribution { column, value, mean, error } in &row.columns {
        table.row([column.clone(), value.clone(), measure(*mean), measure(*error), bar(*mean, largest)]);
    }
    table
}

/// Plus or minus signs, as many as the number is large beside the largest one.
pub fn bar(number: f64, largest: f64) -> String {
    /// Signs of the longest bar.
    const WIDTH: f64 = 24.0;
    let signs = if largest > 0.0 { (WIDTH * number.abs() / largest).round() as usize } else { 0 };
    if number < 0.0 { "-" } else { "+" }.repeat(signs)
}
