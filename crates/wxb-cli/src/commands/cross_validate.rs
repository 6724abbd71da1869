//! `wxb train --cv K`: one training per fold, and a table.

use std::time::Instant;

use serde::Serialize;
use wxb::metrics::{Metric, Scores};
use wxb::trainer::{Run, Stop};
use wxb::{Error, Real};

use super::summary;
use super::train::{Plan, Problem, judged};
use crate::args::train::TrainArgs;
use crate::exit::{Exit, Outcome};
use crate::pipeline::budget::{Deadline, afford};
use crate::pipeline::candidate::{self, Candidate, mix};
use crate::pipeline::fit::{Bound, fit_columns, network_and_settings, start};
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
        let Some(fold) = one_fold::<T>(args, prepared, parts, (i, k), terminal)? else {
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
    (i, folds): (usize, usize),
    terminal: &Terminal,
) -> Result<Option<Fold>, crate::exit::Failure> {
    let presets = candidate::presets(args, &prepared.examples.features);
    let (main, beside) = presets.split_last().expect("a training has a network");
    // Each fold has its share of the time.
    let deadline =
        Deadline::after(Instant::now(), args.training.time_budget.map(|budget| budget / folds as u32));
    let fitted = fit_columns(prepared, &parts.train, &settings::preprocessing(main))?;
    let Some(mut candidates) = candidate::train_all::<T>(beside, prepared, parts, deadline, terminal)? else {
        return Ok(None);
    };
    let bound = Bound::new(prepared, parts, &fitted, main)?;
    let data = bound.data()?;
    let afforded = afford(main, &fitted, &prepared.loss, &data, deadline)?;
    let main = afforded.as_ref().unwrap_or(main);
    let (mut network, config) = network_and_settings::<T>(main, &fitted, &prepared.loss, parts.train.len())?;
    let plan = Plan { problem: Problem { args: main, prepared, parts, fitted: &fitted }, config: &config };
    if i == 0 {
        summary::data(&plan.problem, terminal);
        summary::network(&plan, &network, beside.is_empty(), terminal);
    }
    start(&mut network, main, &fitted, &data.train)?;
    let mut run = Run::new(network, &config)?;
    let stop = data.fit(&mut run, &config, &mut |event| deadline.go_on(&event))?;
    match stop {
        Stop::Interrupted => return Ok(None),
        Stop::Diverged(at) => return Err(in_fold(summary::diverged(&at, &plan), i).into()),
        _ => {}
    }
    candidates.push(Candidate::of(&run, &fitted, &data, main));
    let result = judged(mix(candidates, args, true), &data, &plan);
    let scores = result.mixture.evaluation.scores();
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
