//! `wxb importance`.

use serde::Serialize;
use wxb::data::{Features, Table as Columns};
use wxb::metrics::Metric;
use wxb::model_file::Model;
use wxb::preprocess::Preprocessor;
use wxb::rng::{Purpose, shuffle, stream};
use wxb::{Code, Error, Result};

use crate::args::model::ImportanceArgs;
use crate::exit::{Exit, Outcome};
use crate::interrupt;
use crate::pipeline::judge::headline;
use crate::pipeline::model::{evaluation, load_for};
use crate::pipeline::prepare;
use crate::pipeline::read::{Ask, Examples, for_model};
use crate::pipeline::settings;
use crate::terminal::number::{counted, measure};
use crate::terminal::table::Table;
use crate::terminal::{Terminal, metric_label};

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    rows: usize,
    repeats: usize,
    metric: &'static str,
    value: f64,
    columns: Vec<Importance>,
}

/// How much worse the metric gets when a column's cells change places among the rows.
#[derive(Serialize)]
struct Importance {
    column: String,
    mean: f64,
    /// The standard deviation over the repeats.
    std: f64,
}

/// Prints the columns of a model, the most important one first (permutation importance, Breiman 2001).
pub fn run(args: &ImportanceArgs, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    let model = load_for(&args.model, &args.data)?;
    let metric = match &args.metric {
        Some(name) => settings::metric(name, model.loss())?,
        None => headline(model.loss())[0],
    };
    let ask = Ask { needs_target: true, weight: args.weight.as_deref(), keep: &[] };
    let examples = for_model(&args.data, &model, &ask, &args.reading, terminal)?;
    let examples = sample(examples, args)?;
    let Features::Table(table) = &examples.features else {
        return Err(
            Error::new(Code::InvalidSetting, "importance is for tables, and the data is an array").into()
        );
    };
    let value = score(&model, &examples, metric)?;
    let mut columns = vec![];
    for name in used_columns(&model) {
        let fall = |repeat| {
            let order = order(table.rows(), args.seed, repeat);
            let shuffled = Examples { features: shuffled(table, &name, &order)?, ..examples.clone() };
            let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
            Ok(sign * (value - score(&model, &shuffled, metric)?))
        };
        let falls: Vec<f64> = (0..args.repeats as u64).map(fall).collect::<Result<_>>()?;
        columns.push(Importance::of(name, &falls));
        if interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    columns.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let (rows, repeats) = (table.rows(), args.repeats);
    let report = Report {
        schema: "wxb.importance/1",
        model: &args.model,
        data: &args.data,
        rows,
        repeats,
        metric: metric.name(),
        value,
        columns,
    };
    if terminal.is_json() {
        terminal.json(&report)?;
    } else {
        let said = format!("{}  {}, each column shuffled {repeats} times", report.data, counted(rows, "row"));
        terminal.say("data", &said);
        terminal.say(&metric_label(metric), &format!("{} with all columns as they are", measure(value)));
        terminal.result(&importance_table(&report, metric).render(terminal.format()))?;
    }
    Ok(Exit::Success)
}

impl Importance {
    fn of(column: String, falls: &[f64]) -> Self {
        let n = falls.len() as f64;
        let mean = falls.iter().sum::<f64>() / n;
        let squares: f64 = falls.iter().map(|fall| (fall - mean).powi(2)).sum();
        Self { column, mean, std: (squares / (n - 1.0).max(1.0)).sqrt() }
    }
}

/// Rows that have a target, no more than were asked for.
fn sample(examples: Examples, args: &ImportanceArgs) -> Result<Examples> {
    let mut rows = wxb::data::target::present_rows(prepare::target(&examples)?);
    if rows.len() > args.rows {
        shuffle(&mut stream(args.seed, Purpose::Sample, 0), &mut rows);
        rows.truncate(args.rows);
        rows.sort_unstable();
    }
    if rows.is_empty() {
        return Err(Error::new(Code::EmptyData, format!("{} has no row with a target", examples.file)));
    }
    let Features::Table(table) = &examples.features else { return Ok(examples) };
    let weights = examples.weights.as_ref();
    Ok(Examples {
        features: Features::Table(table.select(|_| &rows)?),
        target: examples.target.as_ref().map(|target| target.select(&rows)),
        weights: weights.map(|weights| rows.iter().map(|&row| weights[row as usize]).collect()),
        file: examples.file,
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

fn order(rows: usize, seed: u64, repeat: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    shuffle(&mut stream(seed, Purpose::Sample, 1 + repeat), &mut order);
    order
}

/// The table with the cells of one column in another order.
fn shuffled(table: &Columns, column: &str, order: &[u32]) -> Result<Features> {
    let as_they_are: Vec<u32> = (0..table.rows() as u32).collect();
    let rows = |name: &str| if name == column { order } else { as_they_are.as_slice() };
    Ok(Features::Table(table.select(rows)?))
}

fn score(model: &Model, examples: &Examples, metric: Metric) -> Result<f64> {
    evaluation(model, examples)?.scores().get(metric).ok_or_else(|| {
        let what = format!("{} is not defined on these rows", metric_label(metric));
        Error::new(Code::InvalidSetting, what).hint("more rows, or another --metric")
    })
}

fn importance_table(report: &Report<'_>, metric: Metric) -> Table {
    /// Blocks of the longest bar.
    const WIDTH: f64 = 30.0;
    let change = if metric.higher_is_better() { "falls by" } else { "rises by" };
    let mut table = Table::new(&["column", &format!("{} {change}", metric_label(metric)), "+-", " "]);
    let largest = report.columns.first().map_or(0.0, |column| column.mean);
    for Importance { column, mean, std } in &report.columns {
        let blocks = if largest > 0.0 { (WIDTH * mean / largest).round().max(0.0) } else { 0.0 };
        table.row([column.clone(), measure(*mean), measure(*std), "█".repeat(blocks as usize)]);
    }
    table
}
