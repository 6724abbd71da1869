//! `wxb train --cv K`: one training per fold, and a table.

use std::ops::ControlFlow;

use serde::Serialize;
use wxb::metrics::{Metric, Scores};
use wxb::trainer::{Run, Stop};
use wxb::{Error, Real};

use super::summary;
use super::train::{Plan, judged, train};
use crate::args::train::TrainArgs;
use crate::exit::{Exit, Outcome};
use crate::interrupt;
use crate::pipeline::fit::{Bound, fit_columns, network, start};
use crate::pipeline::judge;
use crate::pipeline::prepare::{Held, Parts, Prepared};
use crate::pipeline::settings;
use crate::terminal::event::Numbers;
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
pub fn run<T: Real>(args: &TrainArgs, prepared: &Prepared, terminal: &Terminal) -> Outcome {
    let k = args.validation.cv.unwrap_or(2);
    let parts = prepared.folds(k, args.training.seed)?;
    let mut watcher = Watcher::new(terminal, None);
    let mut folds = Vec::with_capacity(k);
    for (i, parts) in parts.iter().enumerate() {
        let Some(fold) = one_fold::<T>(args, prepared, parts, i, terminal)? else {
            return Ok(Exit::Interrupted);
        };
        let scores = judge::sentence(&fold.scores, judge::headline(&prepared.loss));
        terminal.say("fold", &format!("{}/{k}  {scores}  best epoch {}", i + 1, fold.best_epoch));
        watcher.emit("fold", &fold);
        folds.push(fold);
    }
    report(&folds, prepared, &mut watcher, terminal)
}

/// `None` if the user broke it off.
fn one_fold<T: Real>(
    args: &TrainArgs,
    prepared: &Prepared,
    parts: &Parts,
    i: usize,
    terminal: &Terminal,
) -> Result<Option<Fold>, crate::exit::Failure> {
    let fitted = fit_columns(prepared, &parts.train, &settings::preprocessing(args))?;
    let mut network = network::<T>(args, &fitted, &prepared.loss)?;
    let config = settings::training(args, &prepared.loss, parts.train.len())?;
    let plan = Plan { args, prepared, parts, fitted: &fitted, config: &config };
    if i == 0 {
        summary::before(&plan, &network, terminal);
    }
    let bound = Bound::new(prepared, parts, &fitted, args)?;
    let data = bound.data()?;
    start(&mut network, args, &fitted, &data.train)?;
    let mut run = Run::new(network, &config)?;
    let stop = train(&mut run, &data, &config, &mut |_| {
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    match stop {
        Stop::Interrupted => return Ok(None),
        Stop::Diverged(at) => return Err(in_fold(summary::diverged(&at, &plan), i).into()),
        _ => {}
    }
    let result = judged(&run, &data, &plan);
    let scores = result.evaluation.scores();
    let valid_rows = if let Held::Rows(rows) = &parts.valid { rows.len() } else { 0 };
    Ok(Some(Fold {
        fold: i + 1,
        train_rows: parts.train.len(),
        valid_rows,
        best_epoch: run.best.epoch,
        metrics: Numbers::of_scores(&scores),
        baseline: Numbers::of_scores(&result.baseline.scores),
        scores,
    }))
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
