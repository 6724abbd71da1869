//! `wxb explain --contributions --method integrated-gradients`.

use serde::Serialize;
use wxb::Result;
use wxb::attribute::Attribution;
use wxb::data::Table as Columns;
use wxb::model_file::Model;
use wxb_train::Examples;
use wxb_train::output::in_words;

use super::contributions::{bar, cell, number, tabular};
use crate::args::choice::OutputFormat;
use crate::args::model::ExplainArgs;
use crate::exit::Written;
use crate::terminal::Terminal;
use crate::terminal::number::{counted, measure};
use crate::terminal::table::Table;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    rows: Vec<Explained>,
}

/// What the columns of a row add to the prediction on the way from the usual row.
#[derive(Serialize)]
struct Explained {
    row: u32,
    /// `price`, or `probability of yes`.
    what: String,
    prediction: f64,
    /// What `wxb predict` says instead, where it keeps a number within the targets of the training.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<f64>,
    /// The prediction of the usual row: the median of each number, the most frequent text.
    baseline: f64,
    /// Steps of the way.
    steps: usize,
    /// What the columns add beyond prediction − baseline.
    gap: f64,
    columns: Vec<Added>,
}

#[derive(Serialize)]
struct Added {
    column: String,
    value: String,
    /// Of the usual row.
    usual: String,
    adds: f64,
}

/// Prints what the columns of some rows add to their predictions: integrated gradients of Sundararajan, Taly and Yan 2017.
///
/// # Errors
/// For an array, data of one row, or a model whose gradients cannot be had.
pub fn run(
    args: &ExplainArgs,
    model: &Model,
    (examples, rows): (&Examples, &[u32]),
    terminal: &Terminal,
) -> Written {
    let (of, _) = tabular(model, examples)?;
    let with_usual = of.usual_and(rows)?;
    let explained = rows.iter().enumerate().map(|(i, &row)| {
        let (output, at) = (of.output(row, args.level)?, i as u32 + 1);
        let found = of.integrated(&with_usual, at, output)?;
        Ok(explain(row, in_words(model, output), &found, (&with_usual, &of.columns, at)))
    });
    let rows = explained.collect::<Result<Vec<_>>>()?;
    if terminal.is_json() {
        let (schema, model, data) = ("wxb.integrated_gradients/1", &args.model, &args.data);
        return terminal.json(&Report { schema, model, data, rows });
    }
    if terminal.format() != OutputFormat::Text {
        return terminal.result(&long_table(&rows, terminal.format()).render(terminal.format()));
    }
    rows.iter().enumerate().try_for_each(|(i, row)| print(i, row, terminal))
}

fn explain(
    row: u32,
    what: String,
    found: &Attribution,
    (table, names, at): (&Columns, &[String], u32),
) -> Explained {
    let added = |(name, &adds): (&String, &f64)| Added {
        column: name.clone(),
        value: cell(table, name, at),
        usual: cell(table, name, 0),
        adds,
    };
    let mut columns: Vec<Added> = names.iter().zip(&found.columns).map(added).collect();
    columns.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
    let (prediction, kept, baseline) = (found.at_row, found.kept, found.at_baseline);
    Explained { row, what, prediction, kept, baseline, steps: found.steps, gap: found.gap(), columns }
}

fn print(i: usize, row: &Explained, terminal: &Terminal) -> Written {
    if i > 0 {
        terminal.result("")?;
    }
    let (prediction, baseline) = (measure(row.prediction), measure(row.baseline));
    terminal.line(&format!("row {}: {} {prediction}, of the usual row {baseline}", row.row, row.what));
    if let Some(kept) = row.kept {
        let kept = measure(kept);
        terminal
            .line(&format!("predict says {kept}: it keeps the number within the targets of the training"));
    }
    let mut table = Table::new(&["column", "value", "usual", "adds", " "]);
    let largest = row.columns.first().map_or(0.0, |column| column.adds.abs());
    for Added { column, value, usual, adds } in &row.columns {
        table.row([column.clone(), value.clone(), usual.clone(), measure(*adds), bar(*adds, largest)]);
    }
    terminal.result(&table.render(OutputFormat::Text))?;
    let together: f64 = row.columns.iter().map(|column| column.adds).sum();
    terminal.line(&format!(
        "together {} = {prediction} - {baseline}, off by {:.0e} after {}",
        measure(together),
        row.gap.abs(),
        counted(row.steps, "step")
    ));
    Ok(())
}

/// All rows in one table, for a program.
fn long_table(rows: &[Explained], format: OutputFormat) -> Table {
    let mut table = Table::new(&["row", "column", "value", "usual", "adds"]);
    for row in rows {
        for Added { column, value, usual, adds } in &row.columns {
            let adds = number(*adds, format);
            table.row([row.row.to_string(), column.clone(), value.clone(), usual.clone(), adds]);
        }
    }
    table
}
