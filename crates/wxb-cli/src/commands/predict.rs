//! `wxb predict`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use wxb::data::target::{Target, Task};
use wxb::data::{Column, Features, TextColumn};
use wxb::evaluate::{Output, both_classes};
use wxb::metrics::predicted_class;
use wxb::model_file::Model;
use wxb::{Code, Error, Loss, Result};
use wxb_io::{Compression, OutputColumn};
use wxb_train::Examples;
use wxb_train::model::outputs;
use wxb_train::output::quantile_name;
use wxb_train::read::{Ask, for_model, in_file};
use wxb_train::spread::spread;

use super::loaded::load_for;
use super::output::refuse_inputs;
use super::predictions::{Digits, FileFormat, Predictions};
use crate::args::choice::OutputFormat;
use crate::args::model::PredictArgs;
use crate::exit::{Exit, Outcome, Written};
use crate::terminal::Terminal;
use crate::terminal::number::counted;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    rows: usize,
    predictions: &'a Predictions,
}

/// Writes one line of predictions per row of the data.
pub fn run(args: &PredictArgs, terminal: &Terminal) -> Outcome {
    let model = load_for(&args.model, &args.data)?;
    check_fits(args, &model, terminal)?;
    let file = args.output.as_deref().map(|file| output_file(args, file)).transpose()?;
    let ask = Ask { keep: &args.keep, ..Ask::default() };
    let examples = for_model(&args.data, &model, &ask, &args.reading, |warning| terminal.warn(warning))?;
    let mut predictions = Predictions::new(examples.features.rows(), digits(args, &model));
    keep(&mut predictions, &args.keep, &examples)?;
    let output = if args.logits { Output::Logits } else { Output::Linked };
    let half_width = args.interval.map(|coverage| half_width(&model, coverage)).transpose()?;
    let values = outputs(&model, &examples, output)?;
    add(&mut predictions, args, &model, &values);
    if let Some(q) = half_width {
        predictions.push_all(&["lower".into()], &values.iter().map(|v| v - q).collect::<Vec<_>>());
        predictions.push_all(&["upper".into()], &values.iter().map(|v| v + q).collect::<Vec<_>>());
    }
    if args.spread {
        let names = match number_names(model.loss()) {
            names if names.len() > 1 => names.iter().map(|name| format!("{name}_spread")).collect(),
            _ => vec!["spread".to_owned()],
        };
        predictions.push_all(&names, &spread(&model, &examples, &values)?);
    }
    predictions.check_names()?;
    write(args, file, &predictions, terminal)?;
    Ok(Exit::Success)
}

fn output_file<'a>(args: &PredictArgs, file: &'a str) -> Result<(&'a str, FileFormat)> {
    refuse_inputs(Path::new(file), &[("data", &args.data), ("model", &args.model)])?;
    Ok((file, FileFormat::of(file)?))
}

/// How far an interval reaches to either side of a prediction.
///
/// # Errors
/// [`Code::InvalidSetting`] for a model that cannot tell, or validated on too few rows for this coverage.
pub fn half_width(model: &Model, coverage: f64) -> Result<f64> {
    let residuals = model.residuals.as_ref().ok_or_else(|| {
        let (what, hint) = match model.target.task() {
            Task::Regression => (
                "the model cannot tell intervals: it was trained without validation rows, or predicts quantiles",
                "train without --valid none",
            ),
            _ => ("--interval is for numbers, and the model predicts classes", "leave --interval out"),
        };
        Error::new(Code::InvalidSetting, what).hint(hint)
    })?;
    residuals.half_width(coverage)
}

/// As the networks have computed, in the unit in which it is written.
fn digits(args: &PredictArgs, model: &Model) -> Digits {
    match model.target {
        _ if model.parts.iter().any(|part| part.network.precision() != "f32") => Digits::Double,
        Target::Number { mean, std, .. } if !args.logits => Digits::of_scaled(mean, std),
        _ => Digits::Single,
    }
}

/// A script may ask every model for all it has to say: --proba has no effect on a number.
fn check_fits(args: &PredictArgs, model: &Model, terminal: &Terminal) -> Result<()> {
    if terminal.format() == OutputFormat::Md {
        let message = "--output-format md is for reports, and predictions are data";
        return Err(Error::new(Code::InvalidSetting, message).hint("allowed: csv, json"));
    }
    if model.target.task() != Task::Regression {
        return Ok(());
    }
    let unit = "the column `prediction` is in the target's unit";
    if args.label {
        let message = "--label is for classes, and the model predicts a number";
        return Err(Error::new(Code::WrongTask, message).hint(format!("leave --label out: {unit}")));
    }
    if args.proba {
        terminal.say("note", &format!("--proba is for classes, and the model predicts a number: {unit}"));
    }
    Ok(())
}

fn keep(predictions: &mut Predictions, names: &[String], examples: &Examples) -> Result<()> {
    for name in names {
        let Features::Table(table) = &examples.features else {
            return Err(Error::new(Code::InvalidSetting, "--keep is for tables, and the data is an array"));
        };
        let kept = table.column(name).map_err(|error| in_file(&error, &examples.name))?;
        predictions.push(name, column(kept));
    }
    Ok(())
}

fn column(column: &Column) -> OutputColumn {
    match column {
        Column::Number(values) => OutputColumn::Double(values.clone()),
        Column::Text(text) => OutputColumn::Text(text.clone()),
    }
}

/// The columns that the flags ask for; `values` are the outputs (rows, n_L).
fn add(predictions: &mut Predictions, args: &PredictArgs, model: &Model, values: &[f64]) {
    let (target, loss) = (&model.target, model.loss());
    let n_out = values.len() / predictions.rows().max(1);
    if args.logits {
        return predictions.push_all(&logit_names(target, n_out), values);
    }
    match target {
        Target::Number { .. } => predictions.push_all(&number_names(loss), values),
        Target::Classes { labels } => {
            let proba = if n_out == 1 { both_classes(values) } else { values.to_vec() };
            let names: Vec<String> = labels.iter().map(ToString::to_string).collect();
            if !args.proba {
                let codes = proba.chunks_exact(names.len()).map(|p| predicted_class(p) as u32).collect();
                let labels = TextColumn { codes, levels: names.clone() };
                predictions.push("prediction", OutputColumn::Text(labels));
            }
            if !args.label {
                predictions.push_all(&names, &proba);
            }
        }
    }
}

fn logit_names(target: &Target, n_out: usize) -> Vec<String> {
    match target {
        Target::Classes { labels } if n_out == labels.len() => {
            labels.iter().map(ToString::to_string).collect()
        }
        _ if n_out == 1 => vec!["logit".into()],
        _ => (1..=n_out).map(|i| format!("logit{i}")).collect(),
    }
}

fn number_names(loss: &Loss) -> Vec<String> {
    match loss {
        Loss::Quantile { levels } if levels.len() > 1 => {
            levels.iter().map(|&level| quantile_name(level)).collect()
        }
        _ => vec!["prediction".into()],
    }
}

fn write(
    args: &PredictArgs,
    file: Option<(&str, FileFormat)>,
    predictions: &Predictions,
    terminal: &Terminal,
) -> Written {
    match file {
        Some((file, format)) => {
            wxb_io::write_atomically(Path::new(file), args.force, |out| predictions.write(out, format))?;
            terminal.say("saved", &format!("{file}  {}", counted(predictions.rows(), "row")));
        }
        None if terminal.is_json() => terminal.json(&Report {
            schema: "wxb.predict/1",
            model: &args.model,
            data: &args.data,
            rows: predictions.rows(),
            predictions,
        })?,
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            predictions.write(&mut out, FileFormat::Csv(Compression::None))?;
            out.flush()?;
        }
    }
    Ok(())
}
