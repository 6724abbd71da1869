//! `wxb partial`.

use std::path::Path;

use serde::Serialize;
use wxb::model_file::Model;
use wxb::partial::Values;
use wxb::{Code, Error, Result};
use wxb_train::importance::used_columns;
use wxb_train::output::{in_words, of_model};
use wxb_train::partial::{self, Distribution, Draw, Rows};
use wxb_train::read::{Ask, for_model};

use super::loaded::load_for;
use super::output::refuse_inputs;
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

/// Prints or draws partial dependence (Friedman 2001) and the curves of single rows (Goldstein et al. 2015).
pub fn run(args: &PartialArgs, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    let model = load_for(&args.model, &args.data)?;
    check_output(args)?;
    let examples =
        for_model(&args.data, &model, &Ask::default(), &args.reading, |warning| terminal.warn(warning))?;
    let rows = Rows::new(&model, &examples, Draw { rows: args.rows, seed: args.seed })?;
    let output = of_model(&model, args.class.as_deref(), args.level)?;
    let mut report = Report {
        schema: "wxb.partial/1",
        model: &args.model,
        data: &args.data,
        rows: rows.count(),
        what: in_words(&model, output),
        columns: vec![],
    };
    for name in columns(args, &model, &rows)? {
        match rows.curve(&name, args.points, output, &mut interrupt::asked)? {
            Some(found) => report.columns.push(Curve::of(name, found)),
            None => return Ok(Exit::Interrupted),
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
        Some(file) => refuse_inputs(Path::new(file), &[("data", &args.data), ("model", &args.model)]),
        None => Ok(()),
    }
}

/// The columns that are asked for, else the most important ones that the data has; the first ones, if the model does not say.
fn columns(args: &PartialArgs, model: &Model, rows: &Rows<'_>) -> Result<Vec<String>> {
    args.column.iter().try_for_each(|name| rows.check(name))?;
    if !args.column.is_empty() {
        return Ok(args.column.clone());
    }
    let used = used_columns(model);
    let important = provenance::importance(model).map(|measured| measured.columns);
    let important = important.map(|columns| columns.into_iter().map(|column| column.column).collect());
    let names: Vec<String> = important.unwrap_or_else(|| used.clone());
    Ok(names.into_iter().filter(|name| used.contains(name)).take(args.top).collect())
}

impl Curve {
    fn of(column: String, found: partial::Curve) -> Self {
        let curves = found.curves.chunks_exact(found.values.len()).take(SHOWN).map(<[f64]>::to_vec).collect();
        let values = match found.values {
            Values::Numbers(values) => Places::Numbers(values),
            Values::Texts(values) => {
                let there = |text: String| if found.is_presence { "(there)".to_owned() } else { text };
                Places::Texts(values.into_iter().map(|v| v.map_or("(missing)".into(), there)).collect())
            }
        };
        Self { column, values, mean: found.mean, curves, data: found.data }
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
