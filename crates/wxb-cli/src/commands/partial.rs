//! `wxb partial`.

use std::path::Path;

use serde::Serialize;
use wxb::data::target::Task;
use wxb::data::{Column, Features, Table as Columns};
use wxb::model_file::Model;
use wxb::partial::{Texts, Values, dependence};
use wxb::preprocess::{Encoding, Preprocessor};
use wxb::rng::{Purpose, shuffle, stream};
use wxb::{Code, Error, Result};
use wxb_train::Examples;
use wxb_train::contributions::{only, predictions};
use wxb_train::importance::used_columns;
use wxb_train::model::target_name;
use wxb_train::read::{Ask, for_model, in_file};

use super::loaded::load_for;
use super::{partial_svg, provenance};
use crate::args::choice::OutputFormat;
use crate::args::model::PartialArgs;
use crate::exit::{Exit, Outcome, Written};
use crate::interrupt;
use crate::terminal::Terminal;
use crate::terminal::number::{counted, measure, percent, short};
use crate::terminal::table::Table;

/// Rows whose own curves are shown.
const SHOWN: usize = 60;

/// What is predicted as one column after the other is set to some values.
#[derive(Serialize)]
pub struct Report<'a> {
    pub schema: &'static str,
    pub model: &'a str,
    pub data: &'a str,
    /// Rows that the means are over.
    pub rows: usize,
    /// `price`, or `probability of yes`.
    pub what: String,
    pub columns: Vec<Curve>,
}

/// One column.
#[derive(Serialize)]
pub struct Curve {
    pub column: String,
    pub values: Places,
    /// The mean prediction at each value.
    pub mean: Vec<f64>,
    /// The predictions of some rows by themselves, each at every value.
    pub curves: Vec<Vec<f64>>,
    pub data: Distribution,
}

/// The values that a column is set to.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Places {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// Where the rows of the data are.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Distribution {
    /// Of texts: the share of the rows with each.
    Shares(Vec<f64>),
    /// Of numbers: the share of the rows in each of some bins of one width, the first with the first value in its middle, the last
    /// with the last one.
    Bins(Vec<f64>),
}

/// Prints or draws partial dependence (Friedman 2001) and the curves of single rows (Goldstein et al. 2015).
pub fn run(args: &PartialArgs, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    let model = load_for(&args.model, &args.data)?;
    check_output(args)?;
    let examples =
        for_model(&args.data, &model, &Ask::default(), &args.reading, |warning| terminal.warn(warning))?;
    let Features::Table(table) = &examples.features else {
        let what = "partial dependence is for tables, and the data is an array";
        return Err(Error::new(Code::InvalidSetting, what).into());
    };
    if table.rows() == 0 {
        return Err(Error::new(Code::EmptyData, format!("{} has no rows", args.data)).into());
    }
    let (class, what) = asked(args, &model)?;
    let names = columns(args, &model, table)?;
    let sampled = sample(table, args)?;
    let mut report = Report {
        schema: "wxb.partial/1",
        model: &args.model,
        data: &args.data,
        rows: sampled.rows(),
        what,
        columns: vec![],
    };
    for name in names {
        report.columns.push(curve(args, (&model, class), (&examples, table, &sampled), name)?);
        if interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    write(args, &report, terminal)?;
    Ok(Exit::Success)
}

fn check_output(args: &PartialArgs) -> Result<()> {
    match args.output.as_deref() {
        Some(file) if !file.to_lowercase().ends_with(".svg") => {
            Err(Error::new(Code::UnknownFormat, format!("a picture cannot be written to {file}"))
                .hint("name it .svg; --json gives the numbers"))
        }
        _ => Ok(()),
    }
}

/// The class whose probability is looked at, and what is predicted in words.
fn asked(args: &PartialArgs, model: &Model) -> Result<(Option<usize>, String)> {
    let labels: Vec<String> = model.target.labels().iter().map(ToString::to_string).collect();
    let class = match (&args.class, model.target.task()) {
        (Some(name), Task::Regression) => {
            let what = format!("--class {name} is for classes, and the model predicts a number");
            return Err(Error::new(Code::WrongTask, what).hint("leave --class out"));
        }
        (None, Task::Regression) => return Ok((None, target_name(model).to_owned())),
        (Some(name), _) => labels.iter().position(|label| label == name).ok_or_else(|| {
            let known = format!("classes: {}", labels.join(", "));
            Error::new(Code::InvalidSetting, format!("--class {name}: the model has no such class"))
                .note(known)
        })?,
        (None, Task::Binary) => 1,
        (None, Task::Multiclass) => wxb::metrics::predicted_class(&model.baseline),
    };
    Ok((Some(class), format!("probability of {}", labels[class])))
}

/// The columns that are asked for, else the most important ones that the data has; the first ones, if the model does not say.
fn columns(args: &PartialArgs, model: &Model, table: &Columns) -> Result<Vec<String>> {
    let used = used_columns(model);
    for name in &args.column {
        table.column(name).map_err(|error| in_file(&error, &args.data))?;
        if !used.contains(name) {
            let what = format!("the model does not look at the column {name:?}");
            return Err(Error::new(Code::InvalidSetting, what)
                .note(format!("columns that it looks at: {}", used.join(", "))));
        }
    }
    if !args.column.is_empty() {
        return Ok(args.column.clone());
    }
    let important = provenance::importance(model).map(|measured| measured.columns);
    let important = important.map(|columns| columns.into_iter().map(|column| column.column).collect());
    let names: Vec<String> = important.unwrap_or_else(|| used.clone());
    Ok(names.into_iter().filter(|name| used.contains(name)).take(args.top).collect())
}

fn sample(table: &Columns, args: &PartialArgs) -> Result<Columns> {
    let mut rows: Vec<u32> = (0..table.rows() as u32).collect();
    shuffle(&mut stream(args.seed, Purpose::Sample, 0), &mut rows);
    rows.truncate(args.rows);
    table.select(|_| &rows)
}

fn curve(
    args: &PartialArgs,
    (model, class): (&Model, Option<usize>),
    (examples, table, sampled): (&Examples, &Columns, &Columns),
    column: String,
) -> Result<Curve> {
    let cells = table.column(&column)?;
    let values = Values::of(cells, args.points, texts(model, &column));
    let found = dependence(sampled, &column, &values, |table| {
        predictions(model, &only(Features::Table(table), examples), class)
    })?;
    let curves = found.curves.chunks_exact(values.len()).take(SHOWN).map(<[f64]>::to_vec).collect();
    let data = distribution(cells, &values);
    let places = match values {
        Values::Numbers(values) => Places::Numbers(values),
        Values::Texts(values) => {
            let is_presence = texts(model, &column) == Texts::Presence;
            let there = |text: String| if is_presence { "(there)".to_owned() } else { text };
            Places::Texts(values.into_iter().map(|v| v.map_or("(missing)".into(), there)).collect())
        }
    };
    Ok(Curve { column, values: places, mean: found.mean, curves, data })
}

/// Dates are in order; of a column of which networks only look whether it is there nothing else is shown.
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

fn write(args: &PartialArgs, report: &Report<'_>, terminal: &Terminal) -> Written {
    if let Some(file) = &args.output {
        let picture = partial_svg::draw(report);
        wxb_io::write_atomically(Path::new(file), args.force, |out| out.write_all(picture.as_bytes()))?;
        terminal.say("saved", &format!("{file}  {}", counted(report.columns.len(), "column")));
        if !terminal.is_json() {
            return Ok(());
        }
    }
    if terminal.is_json() {
        return terminal.json(report);
    }
    let said = format!(
        "{}  {}: mean {} with the column set to a value",
        args.data,
        counted(report.rows, "row"),
        report.what
    );
    terminal.say("data", &said);
    if terminal.format() == OutputFormat::Csv {
        return terminal.result(&long_table(report).render(OutputFormat::Csv));
    }
    for (i, curve) in report.columns.iter().enumerate() {
        let line = if i == 0 { "" } else { "\n" };
        terminal.result(&format!("{line}{}", table(curve, &report.what).render(terminal.format())))?;
    }
    Ok(())
}

/// The values as people read them.
pub fn labels(values: &Places) -> Vec<String> {
    match values {
        Places::Numbers(values) => values.iter().map(|&v| short(v)).collect(),
        Places::Texts(values) => values.clone(),
    }
}

fn table(curve: &Curve, what: &str) -> Table {
    /// Blocks of the longest bar.
    const WIDTH: f64 = 30.0;
    let mut table = Table::new(&[&curve.column, what, "", ""]);
    let (low, high) = curve.mean.iter().fold((f64::MAX, f64::MIN), |(l, h), &f| (l.min(f), h.max(f)));
    let shares = match &curve.data {
        Distribution::Shares(shares) => {
            shares.iter().map(|&s| format!("{} of the rows", percent(s))).collect()
        }
        Distribution::Bins(_) => vec![String::new(); curve.mean.len()],
    };
    for ((label, &mean), share) in labels(&curve.values).into_iter().zip(&curve.mean).zip(shares) {
        let blocks = if high > low { (WIDTH * (mean - low) / (high - low)).round() as usize } else { 0 };
        table.row([label, measure(mean), "█".repeat(blocks.max(1)), share]);
    }
    table
}

/// All columns in one, for a program.
fn long_table(report: &Report<'_>) -> Table {
    let mut table = Table::new(&["column", "value", "mean"]);
    for curve in &report.columns {
        for (label, mean) in labels(&curve.values).into_iter().zip(&curve.mean) {
            table.row([curve.column.clone(), label, mean.to_string()]);
        }
    }
    table
}
