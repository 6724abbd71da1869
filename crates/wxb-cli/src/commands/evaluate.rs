//! `wxb evaluate`.

use serde::Serialize;
use wxb::Result;
use wxb::data::target::{Target, Task};
use wxb::evaluate::Evaluation;
use wxb::metrics::{self, Metric, Reliability, Scores};
use wxb::model_file::Model;
use wxb_train::judge::{Baseline, Prior};
use wxb_train::model::evaluation;
use wxb_train::read::{Ask, for_model};
use wxb_train::record::Numbers;
use wxb_train::settings;

use super::loaded::load_for;
use super::predict::half_width;
use super::train::BaselineObject;
use crate::args::choice::OutputFormat;
use crate::args::model::EvaluateArgs;
use crate::args::value::Gate;
use crate::exit::{Exit, Outcome, Written};
use crate::terminal::number::{counted, grouped, measure, percent};
use crate::terminal::table::Table;
use crate::terminal::{Terminal, metric_label};

/// More classes than this make a confusion matrix wider than a screen.
const SHOWN_CLASSES: usize = 20;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    rows: usize,
    loss: f64,
    metrics: Numbers,
    baseline: BaselineObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<Confusion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reliability: Vec<ReliabilityObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<Interval>,
    gates: Vec<GateObject<'a>>,
}

/// What was predicted, and what came.
#[derive(Serialize)]
struct ReliabilityObject {
    from: f64,
    to: f64,
    rows: Count,
    predicted: f64,
    observed: f64,
}

impl From<Reliability> for ReliabilityObject {
    fn from(bin: Reliability) -> Self {
        let Reliability { from, to, weight, predicted, observed } = bin;
        Self { from, to, rows: weight.into(), predicted, observed }
    }
}

/// The intervals of a number: what they promise, how far they reach to either side, and what they hold.
#[derive(Serialize)]
struct Interval {
    promised: f64,
    half_width: f64,
    covered: f64,
}

/// Rows are true classes, columns predicted ones.
#[derive(Serialize)]
struct Confusion {
    classes: Vec<String>,
    counts: Vec<Vec<Count>>,
}

/// Rows, or with weights their sum.
#[derive(Serialize)]
#[serde(untagged)]
enum Count {
    Rows(u64),
    Weight(f64),
}

impl From<f64> for Count {
    fn from(count: f64) -> Self {
        if count.fract() == 0.0 { Self::Rows(count as u64) } else { Self::Weight(count) }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(rows) => f.write_str(&grouped(*rows as usize)),
            Self::Weight(weight) => f.write_str(&measure(*weight)),
        }
    }
}

#[derive(Serialize)]
struct GateObject<'a> {
    expr: &'a str,
    value: Option<f64>,
    failed: bool,
}

/// Prints the metrics of a model on a file; exit code 1 if a gate failed.
pub fn run(args: &EvaluateArgs, terminal: &Terminal) -> Outcome {
    let model = load_for(&args.model, &args.data)?;
    let (shown, gates) = chosen(args, &model)?;
    let interval = promised(args.interval, &model)?;
    let ask = Ask { needs_target: true, weight: args.weight.as_deref(), keep: &[] };
    let examples = for_model(&args.data, &model, &ask, &args.reading, |warning| terminal.warn(warning))?;
    let evaluation = evaluation(&model, &examples)?;
    let scores = evaluation.scores();
    let prior = Prior(model.baseline.clone());
    let baseline = prior.baseline(&model.target, &evaluation, model.loss());
    let gates: Vec<GateObject> =
        gates.iter().map(|(gate, metric)| judge_gate(gate, *metric, &scores)).collect();
    let is_failed = gates.iter().any(|gate| gate.failed);
    let report = Report {
        schema: "wxb.evaluate/1",
        model: &args.model,
        data: &args.data,
        rows: evaluation.targets.len(),
        loss: evaluation.loss,
        metrics: numbers(&scores, &shown),
        baseline: BaselineObject { name: &baseline.name, metrics: numbers(&baseline.scores, &shown) },
        confusion: confusion(&model.target, &evaluation),
        reliability: reliability(&model.target, &evaluation),
        interval: interval.map(|interval| covered(interval, &evaluation)),
        gates,
    };
    if terminal.is_json() {
        terminal.json(&report)?;
    } else {
        print(&report, &model.target, (&scores, &baseline), &shown, terminal)?;
    }
    Ok(if is_failed { Exit::Gate } else { Exit::Success })
}

type Gates<'a> = Vec<(&'a Gate, Metric)>;

/// The metrics to show (all, if none is asked for) and those that gates name, checked before the data is read.
fn chosen<'a>(args: &'a EvaluateArgs, model: &Model) -> Result<(Vec<Metric>, Gates<'a>)> {
    let loss = model.loss();
    let asked: Vec<Metric> =
        args.metric.iter().map(|name| settings::metric(name, loss)).collect::<Result<_>>()?;
    let gates = args
        .fail_if
        .iter()
        .map(|gate| Ok((gate, settings::metric(&gate.metric, loss)?)))
        .collect::<Result<_>>()?;
    Ok((if asked.is_empty() { Metric::ALL.to_vec() } else { asked }, gates))
}

/// A metric that is undefined on the data fails its gate: nobody has shown that it holds.
fn judge_gate<'a>(gate: &'a Gate, metric: Metric, scores: &Scores) -> GateObject<'a> {
    let value = scores.get(metric);
    let failed = value.is_none_or(|value| gate.comparison.holds(value, gate.bound));
    GateObject { expr: &gate.expression, value, failed }
}

fn numbers(scores: &Scores, shown: &[Metric]) -> Numbers {
    Numbers(shown.iter().filter_map(|&m| Some((m.name().to_owned(), scores.get(m)?))).collect())
}

fn confusion(target: &Target, evaluation: &Evaluation) -> Option<Confusion> {
    if target.task() == Task::Regression {
        return None;
    }
    let classes: Vec<String> = target.labels().iter().map(ToString::to_string).collect();
    let y: Vec<u32> = evaluation.targets.iter().map(|&y| y as u32).collect();
    let proba = evaluation.class_probabilities();
    let counts = metrics::confusion(&proba, classes.len(), &y, evaluation.weights.as_deref());
    let counts =
        counts.chunks_exact(classes.len()).map(|row| row.iter().map(|&c| c.into()).collect()).collect();
    Some(Confusion { classes, counts })
}

fn reliability(target: &Target, evaluation: &Evaluation) -> Vec<ReliabilityObject> {
    if target.task() == Task::Regression {
        return vec![];
    }
    let y: Vec<u32> = evaluation.targets.iter().map(|&y| y as u32).collect();
    let proba = evaluation.class_probabilities();
    let bins = metrics::reliability(&proba, target.labels().len(), &y, evaluation.weights.as_deref());
    bins.into_iter().map(ReliabilityObject::from).collect()
}

/// The share of new rows that intervals promise to hold, and how far they reach. Where nobody asks for a share there may be none: for
/// classes, and where the validation rows were too few.
fn promised(asked: Option<f64>, model: &Model) -> Result<Option<(f64, f64)>> {
    /// Where nobody asks.
    const USUAL: f64 = 0.9;
    match asked {
        Some(share) => half_width(model, share).map(|half_width| Some((share, half_width))),
        None => Ok(half_width(model, USUAL).ok().map(|half_width| (USUAL, half_width))),
    }
}

fn covered((promised, half_width): (f64, f64), evaluation: &Evaluation) -> Interval {
    let inside: Vec<f64> =
        evaluation.fits().iter().map(|residual| f64::from(residual.abs() <= half_width)).collect();
    let covered = metrics::mean(&inside, evaluation.weights.as_deref());
    Interval { promised, half_width, covered }
}

fn reliability_table(report: &Report<'_>, target: &Target) -> Table {
    let what = match target.labels() {
        [_, positive] => format!("probability of {positive}"),
        _ => "probability of the predicted class".into(),
    };
    let mut table = Table::new(&[&what, "rows", "predicted", "observed"]);
    for bin in &report.reliability {
        let edges = format!("{:.1} to {:.1}", bin.from, bin.to);
        table.row([edges, bin.rows.to_string(), percent(bin.predicted), percent(bin.observed)]);
    }
    table
}

fn print(
    report: &Report<'_>,
    target: &Target,
    (scores, baseline): (&Scores, &Baseline),
    shown: &[Metric],
    terminal: &Terminal,
) -> Written {
    terminal.say("data", &format!("{}  {}", report.data, counted(report.rows, "row")));
    let mut table = Table::new(&["metric", "model", "baseline"]);
    for &metric in shown {
        if let Some(value) = scores.get(metric) {
            let beside = baseline.scores.get(metric).map_or("-".into(), measure);
            table.row([metric_label(metric), measure(value), beside]);
        }
    }
    terminal.result(&table.render(terminal.format()))?;
    terminal.line(&format!("\nbaseline: {}", baseline.name));
    if terminal.format() == OutputFormat::Text {
        match &report.confusion {
            Some(confusion) if confusion.classes.len() <= SHOWN_CLASSES => {
                terminal.result(&format!("\n{}", confusion_table(confusion)))?;
            }
            Some(confusion) => {
                terminal.line(&format!("confusion of {} classes: --json", confusion.classes.len()));
            }
            None => {}
        }
        if !report.reliability.is_empty() {
            terminal
                .result(&format!("\n{}", reliability_table(report, target).render(OutputFormat::Text)))?;
        }
        if let Some(Interval { promised, half_width, covered }) = &report.interval {
            let (promised, covered) = (percent(*promised), percent(*covered));
            let half_width = measure(*half_width);
            terminal.result(&format!(
                "\n{promised} intervals: ± {half_width}, they hold {covered} of these rows"
            ))?;
        }
    }
    for gate in report.gates.iter().filter(|gate| gate.failed) {
        let value = gate.value.map_or("undefined here".into(), measure);
        terminal.warn(&format!("gate failed: {} (it is {value})", gate.expr));
    }
    Ok(())
}

fn confusion_table(confusion: &Confusion) -> String {
    let headings: Vec<&str> =
        ["true \\ predicted"].into_iter().chain(confusion.classes.iter().map(String::as_str)).collect();
    let mut table = Table::new(&headings);
    for (class, counts) in confusion.classes.iter().zip(&confusion.counts) {
        table.row([class.clone()].into_iter().chain(counts.iter().map(ToString::to_string)));
    }
    table.render(OutputFormat::Text)
}
