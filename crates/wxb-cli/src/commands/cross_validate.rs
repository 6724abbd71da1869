//! `wxb train --cv K`: one training per fold, and a table.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use wxb::metrics::{Metric, Scores};
use wxb::model_file::AnyNetwork;
use wxb::trainer::Stop;
use wxb::{Error, Network, Real};
use wxb_train::budget::Deadline;
use wxb_train::prepare::{Parts, Prepared};
use wxb_train::record::Numbers;
use wxb_train::train::diverged;
use wxb_train::{Listener, News, Problem, TrainArgs, judge};

use super::train::Said;
use crate::args::choice::PrecisionChoice;
use crate::exit::{Exit, Failure, Outcome};
use crate::terminal::number::{counted, grouped, measure};
use crate::terminal::progress::Watcher;
use crate::terminal::table::Table;
use crate::terminal::{Terminal, metric_label};

/// What one fold came to.
#[derive(Serialize)]
struct Fold {
    fold: usize,
    train_rows: usize,
    valid_rows: usize,
    best_epoch: u64,
    metrics: Numbers,
    baseline: Numbers,
    #[serde(skip)]
    scores: Scores,
}

#[derive(Serialize)]
struct TableObject<'a> {
    folds: &'a [Fold],
    mean: Numbers,
    std: Numbers,
}

/// Trains K networks and prints how they do on the rows they have not seen.
pub fn run(args: &TrainArgs, prepared: Prepared, terminal: &Terminal) -> Outcome {
    let k = args.validation.cv.unwrap_or(2);
    let parts = prepared.folds(k, args.training.seed)?;
    let prepared = Arc::new(prepared);
    let mut watcher = Watcher::new(terminal, None);
    let mut folds = Vec::with_capacity(k);
    for (i, parts) in parts.into_iter().enumerate() {
        let fold = match args.network.precision {
            PrecisionChoice::F32 => one_fold::<f32>(args, &prepared, parts, (i, k), terminal),
            PrecisionChoice::F64 => one_fold::<f64>(args, &prepared, parts, (i, k), terminal),
        };
        let Some(fold) = fold? else { return Ok(Exit::Interrupted) };
        let scores = judge::sentence(&fold.scores, judge::headline(&prepared.loss));
        terminal.say("fold", &format!("{}/{k}  {scores}  best epoch {}", i + 1, fold.best_epoch));
        watcher.emit("fold", &fold);
        folds.push(fold);
    }
    report(&folds, &prepared, &mut watcher, terminal)
}

/// `None` if the user broke it off.
fn one_fold<T: Real>(
    args: &TrainArgs,
    prepared: &Arc<Prepared>,
    parts: Parts,
    (i, folds): (usize, usize),
    terminal: &Terminal,
) -> Result<Option<Fold>, Failure>
where
    AnyNetwork: From<Network<T>>,
{
    // Each fold has its share of the time.
    let deadline =
        Deadline::after(Instant::now(), args.training.time_budget.map(|budget| budget / folds as u32));
    let problem = Problem::new(args, Arc::clone(prepared), parts)?;
    let settled = problem.settle::<T>()?;
    let mut listener = OfFold { said: Said(terminal), is_first: i == 0 };
    let Some(learned) = problem.learn(settled, deadline, &mut listener)? else { return Ok(None) };
    match &learned.stop {
        Stop::Interrupted => return Ok(None),
        Stop::Diverged(at) => return Err(in_fold(diverged(at, &learned.plan), i).into()),
        _ => {}
    }
    let scores = learned.mixture.evaluation.scores();
    Ok(Some(Fold {
        fold: i + 1,
        train_rows: problem.parts.train.len(),
        valid_rows: problem.parts.valid.rows(),
        best_epoch: learned.run.best.epoch,
        metrics: Numbers::of_scores(&scores),
        baseline: Numbers::of_scores(&learned.baseline.scores),
        scores,
    }))
}

/// Says of the first fold what is to be learned, and of all which networks are trained beside.
struct OfFold<'a> {
    said: Said<'a>,
    is_first: bool,
}

impl Listener for OfFold<'_> {
    fn warn(&mut self, warning: &str) {
        self.said.warn(warning);
    }

    fn hear<T: Real>(&mut self, news: News<'_, T>) {
        match news {
            News::Plan { problem, .. } if self.is_first => {
                problem.tell(&mut self.said);
                self.said.hear(news);
            }
            News::Plan { .. } => {}
            _ => self.said.hear(news),
        }
    }

    fn breaks_off(&mut self) -> bool {
        self.said.breaks_off()
    }
}

fn in_fold(error: Error, i: usize) -> Error {
    error.at(format!("fold {}", i + 1))
}

fn report(folds: &[Fold], prepared: &Prepared, watcher: &mut Watcher<'_>, terminal: &Terminal) -> Outcome {
    let metrics = judge::headline(&prepared.loss);
    let (mean, std) = mean_and_std(folds);
    watcher.emit("result", TableObject { folds, mean: Numbers(mean.clone()), std: Numbers(std.clone()) });
    if terminal.is_json() {
        return Ok(Exit::Success);
    }
    let labels: Vec<String> = metrics.iter().map(|&metric| metric_label(metric)).collect();
    let headings: Vec<&str> =
        ["fold", "rows", "best epoch"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    let mut table = Table::new(&headings);
    let cell = |scores: &Scores, metric: Metric| scores.get(metric).map_or("-".into(), measure);
    for fold in folds {
        let values = metrics.iter().map(|&metric| cell(&fold.scores, metric));
        table.row(
            [fold.fold.to_string(), grouped(fold.valid_rows), fold.best_epoch.to_string()]
                .into_iter()
                .chain(values),
        );
    }
    for (name, values) in [("mean", &mean), ("std", &std)] {
        let find = |metric: &Metric| {
            values.iter().find(|(n, _)| n == metric.name()).map_or("-".into(), |v| measure(v.1))
        };
        table
            .row([name.to_owned(), String::new(), String::new()].into_iter().chain(metrics.iter().map(find)));
    }
    terminal.result(&table.render(terminal.format()))?;
    terminal.line(&format!("no model saved: {} were for the table only", counted(folds.len(), "network")));
    Ok(Exit::Success)
}

type Named = Vec<(String, f64)>;

/// Over the folds in which a metric is defined; the standard deviation with K − 1.
fn mean_and_std(folds: &[Fold]) -> (Named, Named) {
    let of = |metric: Metric| {
        let values: Vec<f64> = folds.iter().filter_map(|fold| fold.scores.get(metric)).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)).sqrt();
        (!values.is_empty()).then(|| (metric.name().to_owned(), mean, std))
    };
    let rows: Vec<_> = Metric::ALL.into_iter().filter_map(of).collect();
    (rows.iter().map(|r| (r.0.clone(), r.1)).collect(), rows.iter().map(|r| (r.0.clone(), r.2)).collect())
}
