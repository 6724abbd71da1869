//! `wxb explain --contributions`: what each column adds to the prediction of a row.

use serde::Serialize;
use wxb::Result;
use wxb::data::{Column, Features, Table as Columns};
use wxb::model_file::Model;
use wxb_train::Examples;
use wxb_train::contributions::{Rows, Samples};
use wxb_train::output::in_words;

use crate::args::choice::OutputFormat;
use crate::args::model::ExplainArgs;
use crate::exit::Written;
use crate::terminal::Terminal;
use crate::terminal::number::{counted, measure, short};
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
pub struct Explained {
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

/// The rows of a file, and its columns.
///
/// # Errors
/// [`wxb::Code::InvalidSetting`] for an array.
pub fn tabular<'a>(model: &'a Model, examples: &'a Examples) -> Result<(Rows<'a>, &'a Columns)> {
    let rows = Rows::new(model, examples)?;
    let Features::Table(table) = &examples.features else { unreachable!("rows are of a table") };
    Ok((rows, table))
}

/// Prints the contributions of the columns to the predictions of some rows: [`Rows::shapley`].
///
/// # Errors
/// For an array, or data without rows to compare with.
pub fn run(
    args: &ExplainArgs,
    model: &Model,
    (examples, rows): (&Examples, &[u32]),
    terminal: &Terminal,
) -> Written {
    let (of, table) = tabular(model, examples)?;
    let explained = rows.iter().map(|&row| explain(args, model, (&of, table), row));
    let rows = explained.collect::<Result<Vec<_>>>()?;
    let samples = args.samples;
    let report =
        Report { schema: "wxb.contributions/1", model: &args.model, data: &args.data, samples, rows };
    if terminal.is_json() {
        return terminal.json(&report);
    }
    if terminal.format() != OutputFormat::Text {
        return terminal.result(&long_table(&report.rows, terminal.format()).render(terminal.format()));
    }
    for (i, row) in report.rows.iter().enumerate() {
        if i > 0 {
            terminal.result("")?;
        }
        print(row, row.columns.len(), terminal)?;
    }
    Ok(())
}

/// Those of one row for below its pass; `None` of an array, and where there is no other row.
///
/// # Errors
/// Of data that does not fit the model.
pub fn beside_pass(
    args: &ExplainArgs,
    model: &Model,
    (examples, row): (&Examples, u32),
) -> Result<Option<Explained>> {
    if !matches!(examples.features, Features::Table(_)) {
        return Ok(None);
    }
    let (of, table) = tabular(model, examples)?;
    if !of.has_others() || of.columns.is_empty() {
        return Ok(None);
    }
    explain(args, model, (&of, table), row).map(Some)
}

/// Prints the largest of them below the pass.
pub fn print_beside_pass(explained: &Explained, terminal: &Terminal) -> Written {
    /// The columns that are shown.
    const SHOWN: usize = 10;
    terminal.result("")?;
    print(explained, SHOWN, terminal)?;
    let columns = explained.columns.len();
    if columns > SHOWN {
        terminal.line(&format!(
            "the {SHOWN} largest of {}; --contributions shows all",
            counted(columns, "column")
        ));
    }
    Ok(())
}

fn print(row: &Explained, shown: usize, terminal: &Terminal) -> Written {
    terminal.line(&format!(
        "row {}: {} {}, in the mean of the other rows {}",
        row.row,
        row.what,
        measure(row.prediction),
        measure(row.expected)
    ));
    let mut table = Table::new(&["column", "value", "adds", "+-", " "]);
    let largest = row.columns.first().map_or(0.0, |column| column.mean.abs());
    for Contribution { column, value, mean, error } in row.columns.iter().take(shown) {
        table.row([column.clone(), value.clone(), measure(*mean), measure(*error), bar(*mean, largest)]);
    }
    terminal.result(&table.render(OutputFormat::Text))
}

/// All rows in one table, for a program.
fn long_table(rows: &[Explained], format: OutputFormat) -> Table {
    let mut table = Table::new(&["row", "column", "value", "adds", "error"]);
    for row in rows {
        for Contribution { column, value, mean, error } in &row.columns {
            let numbers = [number(*mean, format), number(*error, format)];
            table.row([row.row.to_string(), column.clone(), value.clone()].into_iter().chain(numbers));
        }
    }
    table
}

/// All digits for a program, some for people.
pub fn number(value: f64, format: OutputFormat) -> String {
    if format == OutputFormat::Csv { value.to_string() } else { measure(value) }
}

fn explain(
    args: &ExplainArgs,
    model: &Model,
    (rows, table): (&Rows<'_>, &Columns),
    row: u32,
) -> Result<Explained> {
    let output = rows.output(row, args.level)?;
    let found = rows.shapley(row, output, Samples { count: args.samples, seed: args.seed })?;
    let contribution = |(name, &(mean, error)): (&String, &(f64, f64))| Contribution {
        column: name.clone(),
        value: cell(table, name, row),
        mean,
        error,
    };
    let mut columns: Vec<Contribution> = rows.columns.iter().zip(&found.columns).map(contribution).collect();
    columns.sort_by(|a, b| b.mean.abs().total_cmp(&a.mean.abs()));
    let (prediction, expected) = (found.prediction, found.expected);
    Ok(Explained { row, what: in_words(model, output), prediction, expected, columns })
}

/// A cell as people read it.
pub fn cell(table: &Columns, name: &str, row: u32) -> String {
    match table.column(name) {
        Ok(Column::Number(values)) if !values[row as usize].is_nan() => short(values[row as usize]),
        Ok(Column::Text(text)) => text.get(row as usize).unwrap_or("(missing)").to_owned(),
        _ => "(missing)".to_owned(),
    }
}

/// Plus or minus signs, as many as the number is large beside the largest one.
pub fn bar(number: f64, largest: f64) -> String {
    /// Signs of the longest bar.
    const WIDTH: f64 = 24.0;
    let signs = if largest > 0.0 { (WIDTH * number.abs() / largest).round() as usize } else { 0 };
    if number < 0.0 { "-" } else { "+" }.repeat(signs)
}
