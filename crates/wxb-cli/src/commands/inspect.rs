//! `wxb inspect`.

use serde::Serialize;
use serde_json::Value;
use wxb::calibration::{Calibration, Isotonic};
use wxb::data::target::Target;
use wxb::model_file::{AnyNetwork, Model, Part};
use wxb::preprocess::Preprocessor;
use wxb::{Bins, Embed, Ensemble, Heads, Layer, Members, Network, Own, Periodic, Piecewise, Plr, Real};
use wxb_train::importance::used_columns;
use wxb_train::model::{load, target_name};

use super::importance::{importance_table, looked_at};
use super::provenance::{self, importance, story};
use super::summary;
use crate::args::choice::OutputFormat;
use crate::args::model::InspectArgs;
use crate::exit::{Exit, Failure, Outcome, Written};
use crate::terminal::Terminal;
use crate::terminal::number::{bytes, counted, grouped, measure, percent, short};
use crate::terminal::table::Table;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    bytes: u64,
    task: &'static str,
    target: &'a str,
    classes: Vec<String>,
    loss: &'a wxb::Loss,
    temperature: f64,
    #[serde(skip_serializing_if = "<[Isotonic]>::is_empty")]
    isotonic: &'a [Isotonic],
    parts: Vec<PartReport<'a>>,
    baseline: &'a [f64],
    /// How it came about, in words.
    story: Vec<provenance::Line>,
    record: &'a Value,
}

/// A network of the model.
#[derive(Serialize)]
struct PartReport<'a> {
    name: &'a str,
    weight: f64,
    precision: &'static str,
    layers: &'a [Layer],
    parameters: usize,
    inputs: Vec<String>,
    preprocess: &'a Option<Preprocessor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tensors: Vec<Statistics>,
}

/// What a tensor's numbers look like.
#[derive(Serialize)]
struct Statistics {
    name: String,
    rows: usize,
    columns: usize,
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
    zeros: usize,
}

/// Prints what a model file holds.
pub fn run(args: &InspectArgs, terminal: &Terminal) -> Outcome {
    let model = load(&args.model)?;
    let size = std::fs::metadata(&args.model).map_or(0, |file| file.len());
    if terminal.is_json() {
        terminal.json(&report(args, &model, size))?;
    } else if args.tensors {
        terminal.result(&tensor_table(&model).render(terminal.format()))?;
    } else {
        print(args, &model, size, terminal)?;
    }
    Ok(Exit::Success)
}

fn report<'a>(args: &'a InspectArgs, model: &'a Model, size: u64) -> Report<'a> {
    Report {
        schema: "wxb.inspect/2",
        model: &args.model,
        bytes: size,
        task: model.target.task().name(),
        target: target_name(model),
        classes: model.target.labels().iter().map(ToString::to_string).collect(),
        loss: model.loss(),
        temperature: model.calibration.temperature(),
        isotonic: if let Calibration::Isotonic(curves) = &model.calibration { curves } else { &[] },
        parts: model.parts.iter().map(|part| part_report(part, args.tensors)).collect(),
        baseline: &model.baseline,
        story: story(model),
        record: &model.record,
    }
}

fn part_report(part: &Part, with_tensors: bool) -> PartReport<'_> {
    PartReport {
        name: &part.name,
        weight: part.weight,
        precision: part.network.precision(),
        layers: part.network.layers(),
        parameters: part.network.n_params(),
        inputs: part.preprocess.as_ref().map_or(vec![], Preprocessor::input_names),
        preprocess: &part.preprocess,
        tensors: if with_tensors { statistics_of(part) } else { vec![] },
    }
}

fn statistics_of(part: &Part) -> Vec<Statistics> {
    match &part.network {
        AnyNetwork::F32(network) => statistics(network),
        AnyNetwork::F64(network) => statistics(network),
    }
}

fn statistics<T: Real>(network: &Network<T>) -> Vec<Statistics> {
    let of = |slot: &wxb::layer::Slot| {
        let values: Vec<f64> = network.params.of(slot).iter().map(|v| v.f64()).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
        Statistics {
            name: slot.name.clone(),
            rows: slot.rows,
            columns: slot.columns,
            mean,
            std,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            zeros: values.iter().filter(|v| **v == 0.0).count(),
        }
    };
    network.params.slots().iter().map(of).collect()
}

/// As the tensors are named in the file: those of all networks but the first after the network's name.
fn tensor_table(model: &Model) -> Table {
    let mut table = Table::new(&["tensor", "rows", "columns", "mean", "std", "min", "max", "zeros"]);
    for (i, part) in model.parts.iter().enumerate() {
        let prefix = if i == 0 { String::new() } else { format!("{}.", part.name) };
        for t in statistics_of(part) {
            let numbers = [t.mean, t.std, t.min, t.max].map(measure);
            let shape = [format!("{prefix}{}", t.name), grouped(t.rows), grouped(t.columns)];
            table.row(shape.into_iter().chain(numbers).chain([grouped(t.zeros)]));
        }
    }
    table
}

fn print(args: &InspectArgs, model: &Model, size: u64, terminal: &Terminal) -> Result<(), Failure> {
    let format = terminal.format();
    if format == OutputFormat::Text {
        terminal.labelled_result("file", &format!("{}  {}", args.model, bytes(size)))?;
        terminal.labelled_result("target", &target(model))?;
        terminal.labelled_result("model", &parts(model))?;
        for line in story(model) {
            let (about, text) = line.parts();
            terminal.labelled_result(about, text)?;
        }
        print_importance(model, terminal)?;
        terminal.result("")?;
    }
    for (i, part) in model.parts.iter().enumerate() {
        if model.parts.len() > 1 {
            let line = if i == 0 { "" } else { "\n" };
            terminal.result(&format!("{line}network {:?}", part.name))?;
        }
        print_part(part, terminal)?;
    }
    Ok(())
}

/// What each column is worth, as measured at the end of the training.
fn print_importance(model: &Model, terminal: &Terminal) -> Written {
    let Some(measured) = importance(model) else {
        let how =
            "the training did not measure it: `wxb importance` does, on rows that the model has not seen";
        let has_columns = !used_columns(model).is_empty();
        return if has_columns { terminal.labelled_result("importance", how) } else { Ok(()) };
    };
    let looked_at = looked_at(&measured, "validation row");
    terminal.result(&format!("\ncolumns by importance ({looked_at})"))?;
    terminal.result(&importance_table(&measured).render(terminal.format()))
}

/// A network a line, those of several with their shares.
fn parts(model: &Model) -> String {
    let network = |part: &Part| match &part.network {
        AnyNetwork::F32(network) => summary::model(network),
        AnyNetwork::F64(network) => summary::model(network),
    };
    if let [part] = model.parts.as_slice() {
        return network(part);
    }
    let line = |part: &Part| format!("{:>6}  {:<8} {}", percent(part.weight), part.name, network(part));
    model.parts.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn print_part(part: &Part, terminal: &Terminal) -> Written {
    let format = terminal.format();
    terminal.result(&layers(part).render(format))?;
    match &part.preprocess {
        Some(Preprocessor::Table(columns)) => {
            let mut table = Table::new(&["column", "inputs", "prepared as"]);
            columns
                .iter()
                .for_each(|c| table.row([c.name.clone(), c.encoding.width().to_string(), c.describe()]));
            terminal.result(&format!("\n{}", table.render(format)))
        }
        Some(preprocessor) => terminal.result(&format!("\n{}", preprocessor.summary())),
        None => terminal.result("\ninputs are taken as they are"),
    }
}

fn target(model: &Model) -> String {
    let name = target_name(model);
    let loss = summary::loss_name(model.loss());
    match &model.target {
        Target::Classes { labels } => {
            let labels: Vec<String> = labels.iter().take(12).map(ToString::to_string).collect();
            let more = if model.target.labels().len() > 12 { ", …" } else { "" };
            format!("{name}: {}{more}   -> {}, {loss}", labels.join(", "), model.target.task().name())
        }
        Target::Number { mean, std, range } => {
            let within = range.map_or(String::new(), |(low, high)| {
                format!(", predictions within {} to {}", measure(low), measure(high))
            });
            format!("{name}  mean {}  std {}   -> regression, {loss}{within}", measure(*mean), measure(*std))
        }
    }
}

fn layers(part: &Part) -> Table {
    let network = &part.network;
    let mut table = Table::new(&["layer", "shape", "activation", "parameters"]);
    let mut number = 0;
    let last = network.layers().len() - 1;
    for (l, layer) in network.layers().iter().enumerate() {
        let (shape, name) = described(*layer);
        let is_of_units = layer.units().is_some();
        number += usize::from(is_of_units);
        let place = if is_of_units { number.to_string() } else { "-".into() };
        let name = if is_of_units && l == last { network.loss().link().to_owned() } else { name };
        let learned = match *layer {
            // The statistics are told, not learned.
            Layer::BatchNorm { n, .. } => 2 * n,
            _ => layer.parameters() as usize,
        };
        let mut row = vec![place, shape, name];
        if learned > 0 {
            row.push(grouped(learned));
        }
        table.row(row);
    }
    table
}

/// Shape and name of a layer.
fn described(layer: Layer) -> (String, String) {
    let waves =
        |columns: usize, frequencies: usize, width: usize| format!("{columns} x {frequencies} x {width}");
    match layer {
        Layer::Dense { n_in, n_out, activation }
        | Layer::Ensemble(Ensemble { n_in, n_out, activation, .. }) => {
            (format!("{n_in} x {n_out}"), activation.name().into())
        }
        Layer::Dropout { rate } => (String::new(), format!("dropout {}", short(rate))),
        Layer::Scale { n } => (n.to_string(), "scale".into()),
        Layer::Blend { n, activation } => (n.to_string(), format!("part of {}", activation.name())),
        Layer::BatchNorm { n, activation } => (n.to_string(), format!("batch norm, {}", activation.name())),
        Layer::Residual { skip } => {
            (String::new(), format!("+ output before the last {}", counted(skip, "layer")))
        }
        Layer::Periodic(Periodic { columns, frequencies, width, .. }) => {
            (waves(columns, frequencies, width), "waves".into())
        }
        Layer::Plr(Plr { columns, frequencies, width, .. }) => {
            (waves(columns, frequencies, width), "waves, relu".into())
        }
        Layer::Bins(Bins { columns, bins, .. }) => (format!("{columns} x {bins}"), "bins".into()),
        Layer::Piecewise(Piecewise { bins: Bins { columns, bins, .. }, width }) => {
            (waves(columns, bins, width), "pieces".into())
        }
        Layer::Embed(Embed { levels, width, .. }) => (format!("{levels} x {width}"), "categories".into()),
        Layer::Members(Members { members, .. }) => (String::new(), format!("{members} members")),
        Layer::MemberScale(Members { members, n }) => {
            (format!("{members} x {n}"), "scale of each member".into())
        }
        Layer::Heads(Heads { members, n_in, n_out }) => {
            (format!("{members} x {n_in} x {n_out}"), "identity".into())
        }
        Layer::Own(Own { members, layer }) => {
            let (shape, name) = described(layer.one());
            (format!("{members} x {shape}"), name)
        }
    }
}
