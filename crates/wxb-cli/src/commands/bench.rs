//! `wxb bench`.

use serde::Serialize;
use wxb::cpu::with_team;
use wxb::trainer::Divergence;
use wxb::{Code, Error, Loss, Optimizer, Real};
use wxb_train::settings;

use super::bench_measure::{Peaks, Timing, allocations, time};
use super::bench_workload::{Prediction, Training, Workload, classes, round, standard};
use crate::args::bench::BenchArgs;
use crate::args::choice::WorkloadName::{W1, W2, W3, W4, W5, W6};
use crate::args::choice::{LossChoice, OptimizerChoice, PrecisionChoice};
use crate::args::value::Sizes;
use crate::exit::{Exit, Failure, Outcome};
use crate::terminal::Terminal;
use crate::terminal::number::{grouped, measure, percent};
use crate::terminal::table::Table;

/// Rows per step where nothing is said.
const BATCH_SIZE: usize = 256;
/// Steps over which allocations are counted.
const COUNTED_STEPS: usize = 100;

const COLUMNS: &str = "\
time     of a training step, or of a prediction for one row: median over groups of at least a millisecond;
p10      a tenth of the groups took less
GFLOP/s  of the products only: 2 m n_in n_out for Z, for dW, and for dZ of every layer but the first
of FMA   the share of what a loop of fused multiply-adds in registers reached just before
of GEMM  the share of what one product of 1024 x 1024 x 1024 reached just before
allocs   allocations a step, once the first steps are done
loss     of the first and of the last step; the labels come from a linear teacher, so it has to fall";

/// One line of the table, and the object of --json.
#[derive(Serialize)]
struct Row {
    schema: &'static str,
    workload: Option<&'static str>,
    sizes: Vec<usize>,
    batch_size: usize,
    optimizer: &'static str,
    lr: f64,
    loss: &'static str,
    precision: &'static str,
    threads: usize,
    parameters: usize,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    Training {
        steps: usize,
        seconds_per_step: f64,
        seconds_per_step_p10: f64,
        samples_per_second: f64,
        #[serde(flatten)]
        speed: Speed,
        allocations_per_step: f64,
        loss_first: f64,
        loss_last: f64,
    },
    Prediction {
        predictions: usize,
        seconds_per_prediction: f64,
        seconds_per_prediction_p10: f64,
        samples_per_second: f64,
        #[serde(flatten)]
        speed: Speed,
    },
    /// Of --steps, which looks at no clock.
    Steps { steps: usize, loss_first: f64, loss_last: f64 },
}

#[derive(Clone, Copy, Serialize)]
struct Speed {
    gflops: f64,
    fraction_of_fma_peak: f64,
    fraction_of_gemm_peak: f64,
    fma_gflops: f64,
    gemm_gflops: f64,
}

impl Speed {
    fn new(flop: f64, timing: Timing, peaks: Peaks) -> Self {
        let gflops = flop / timing.median / 1e9;
        let (fma_gflops, gemm_gflops) = (peaks.fma, peaks.gemm);
        let (fraction_of_fma_peak, fraction_of_gemm_peak) = (gflops / fma_gflops, gflops / gemm_gflops);
        Self { gflops, fraction_of_fma_peak, fraction_of_gemm_peak, fma_gflops, gemm_gflops }
    }
}

/// What is done with a workload.
#[derive(Clone, Copy)]
enum Work {
    Train,
    Predict,
    Steps(usize),
}

/// Measures what was asked for, a row each.
pub fn run(args: &BenchArgs, terminal: &Terminal) -> Outcome {
    let rows = workloads(args)?;
    let mut table = Table::new(&[
        "workload",
        "sizes",
        "rows",
        "optimizer",
        "time",
        "p10",
        "rows/s",
        "GFLOP/s",
        "of FMA",
        "of GEMM",
        "allocs",
        "loss",
    ]);
    let count = rows.len();
    for (i, (workload, work)) in rows.into_iter().enumerate() {
        terminal.say("bench", &format!("{} of {count}: {}", i + 1, title(&workload, work)));
        let row = match args.precision {
            PrecisionChoice::F32 => one::<f32>(&workload, work, args.seconds)?,
            PrecisionChoice::F64 => one::<f64>(&workload, work, args.seconds)?,
        };
        if terminal.is_json() {
            terminal.json(&row)?;
        } else {
            table.row(cells(&row));
        }
    }
    if !terminal.is_json() {
        terminal.result(&table.render(terminal.format()))?;
        terminal.line(&format!("\n{COLUMNS}"));
    }
    if cfg!(debug_assertions) {
        terminal.warn("this is a debug build: its times say nothing");
    }
    Ok(Exit::Success)
}

/// The rows of the table.
fn workloads(args: &BenchArgs) -> Result<Vec<(Workload, Work)>, Error> {
    let asked = match args.steps {
        Some(steps) => Work::Steps(steps),
        None if args.predict => Work::Predict,
        None => Work::Train,
    };
    if let Some(Sizes(sizes)) = &args.sizes {
        return Ok(vec![(given(args, sizes)?, asked)]);
    }
    let named = args.workload.iter();
    if !args.workload.is_empty() {
        return Ok(named.map(|&name| (standard(name), asked)).collect());
    }
    let trained = [W1, W2, W3, W4, W5, W6].map(|name| (standard(name), asked));
    let predicted = [W2, W3, W4].map(|name| (standard(name), Work::Predict));
    Ok(match asked {
        Work::Train => trained.into_iter().chain(predicted).collect(),
        Work::Predict => predicted.into(),
        Work::Steps(_) => trained.into(),
    })
}

/// The workload of --sizes and the flags beside it.
fn given(args: &BenchArgs, sizes: &[usize]) -> Result<Workload, Error> {
    let (n_in, n_out) = (sizes[0], sizes[sizes.len() - 1]);
    let batch_size = args.batch_size.unwrap_or(BATCH_SIZE);
    let optimizer = optimizer(args.optimizer.unwrap_or(OptimizerChoice::Adam))?;
    Ok(Workload {
        name: None,
        sizes: sizes.to_vec(),
        batch_size,
        batches: round(n_in, batch_size),
        lr: args.lr.unwrap_or_else(|| settings::default_lr(&optimizer)),
        optimizer,
        activations: settings::activations(args.activation.as_ref(), sizes.len() - 2)?,
        loss: loss(args.loss.unwrap_or(LossChoice::Auto), n_out),
        pixels: false,
    })
}

fn optimizer(choice: OptimizerChoice) -> Result<Optimizer, Error> {
    Ok(match choice {
        OptimizerChoice::Sgd => Optimizer::Sgd,
        OptimizerChoice::Momentum => Optimizer::Momentum { beta: 0.9, averaged: false },
        OptimizerChoice::Nesterov => Optimizer::Nesterov { beta: 0.9 },
        OptimizerChoice::Rmsprop => Optimizer::RmsProp { rho: 0.9, epsilon: 1e-8 },
        OptimizerChoice::Adam => Optimizer::ADAM,
        OptimizerChoice::Adamw => Optimizer::ADAMW,
        OptimizerChoice::Lbfgs => {
            let message = "--optimizer lbfgs: its step is a line search of any number of passes";
            return Err(Error::new(Code::InvalidSetting, message)
                .note("allowed: sgd, momentum, nesterov, rmsprop, adam, adamw"));
        }
    })
}

fn loss(choice: LossChoice, n_out: usize) -> Loss {
    match choice {
        LossChoice::Auto | LossChoice::CrossEntropy => classes(n_out),
        LossChoice::SquaredError => Loss::SquaredError,
        LossChoice::AbsoluteError => Loss::AbsoluteError,
        LossChoice::Huber => Loss::Huber { delta: 1.0 },
        LossChoice::Poisson => Loss::Poisson,
        LossChoice::Quantile => {
            Loss::Quantile { levels: (1..=n_out).map(|i| i as f64 / (n_out + 1) as f64).collect() }
        }
    }
}

fn one<T: Real>(workload: &Workload, work: Work, seconds: f64) -> Result<Row, Failure> {
    let (parameters, found) = match work {
        Work::Train => train::<T>(workload, seconds)?,
        Work::Predict => predict::<T>(workload, seconds)?,
        Work::Steps(steps) => count::<T>(workload, steps)?,
    };
    Ok(Row {
        schema: "wxb.bench/1",
        workload: workload.name,
        sizes: workload.sizes.clone(),
        batch_size: if matches!(work, Work::Predict) { 1 } else { workload.batch_size },
        optimizer: workload.optimizer.name(),
        lr: workload.lr,
        loss: workload.loss.name(),
        precision: T::NAME,
        threads: rayon::current_num_threads(),
        parameters,
        found,
    })
}

fn train<T: Real>(workload: &Workload, seconds: f64) -> Result<(usize, Found), Error> {
    let mut training = Training::<T>::new(workload)?;
    let peaks = Peaks::measure::<T>()?;
    let mut measure = || -> Result<_, Divergence> {
        let loss_first = training.steps(1)?;
        let mut loss_last = loss_first;
        let timing = time(seconds, |steps| training.steps(steps).map(|loss| loss_last = loss))?;
        // A large network's steps would take longer than the measurement.
        let counted = COUNTED_STEPS.min((seconds / timing.median) as usize).max(2);
        let before = allocations();
        training.steps(counted)?;
        Ok((timing, [loss_first, loss_last], counted, allocations() - before))
    };
    let measured = with_team((workload.flop_per_step() / 2.0) as usize * size_of::<T>(), &mut measure);
    let (timing, [loss_first, loss_last], counted, allocated) = measured.map_err(diverged)?;
    let found = Found::Training {
        steps: timing.calls,
        seconds_per_step: timing.median,
        seconds_per_step_p10: timing.p10,
        samples_per_second: workload.batch_size as f64 / timing.median,
        speed: Speed::new(workload.flop_per_step(), timing, peaks),
        allocations_per_step: allocated as f64 / counted as f64,
        loss_first,
        loss_last,
    };
    Ok((training.run.network.n_params(), found))
}

fn predict<T: Real>(workload: &Workload, seconds: f64) -> Result<(usize, Found), Error> {
    let mut prediction = Prediction::<T>::new(workload)?;
    let peaks = Peaks::measure::<T>()?;
    let timing = time(seconds, |count| {
        prediction.predictions(count);
        Ok::<(), Error>(())
    })?;
    let found = Found::Prediction {
        predictions: timing.calls,
        seconds_per_prediction: timing.median,
        seconds_per_prediction_p10: timing.p10,
        samples_per_second: 1.0 / timing.median,
        speed: Speed::new(workload.flop_per_prediction(), timing, peaks),
    };
    Ok((prediction.network.n_params(), found))
}

fn count<T: Real>(workload: &Workload, steps: usize) -> Result<(usize, Found), Error> {
    let mut training = Training::<T>::new(workload)?;
    let loss_first = training.steps(1).map_err(diverged)?;
    let loss_last = if steps > 1 { training.steps(steps - 1).map_err(diverged)? } else { loss_first };
    Ok((training.run.network.n_params(), Found::Steps { steps, loss_first, loss_last }))
}

fn diverged(divergence: Divergence) -> Error {
    let message = format!("the loss is no longer finite at step {}: {}", divergence.batch, divergence.tensor);
    Error::new(Code::Diverged, message).hint("a smaller --lr")
}

fn title(workload: &Workload, work: Work) -> String {
    let sizes = joined(&workload.sizes);
    let what = match work {
        Work::Train => format!("a step on {} rows", grouped(workload.batch_size)),
        Work::Predict => "one row".into(),
        Work::Steps(steps) => format!("{} steps", grouped(steps)),
    };
    format!("{} {sizes}, {what}", workload.name.unwrap_or("network"))
}

fn joined(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

fn cells(row: &Row) -> Vec<String> {
    let name = row.workload.unwrap_or("-").to_owned();
    let start = [name, joined(&row.sizes), grouped(row.batch_size)];
    let losses = |first, last| format!("{} to {}", measure(first), measure(last));
    let speeds = |speed: &Speed| {
        let shares = [speed.fraction_of_fma_peak, speed.fraction_of_gemm_peak].map(percent);
        std::iter::once(format!("{:.2}", speed.gflops)).chain(shares)
    };
    let mut cells = start.to_vec();
    match &row.found {
        Found::Training {
            seconds_per_step,
            seconds_per_step_p10,
            samples_per_second,
            speed,
            allocations_per_step,
            loss_first,
            loss_last,
            ..
        } => {
            cells.push(row.optimizer.into());
            cells.extend([seconds_per_step, seconds_per_step_p10].map(|&seconds| microseconds(seconds)));
            cells.push(grouped(*samples_per_second as usize));
            cells.extend(speeds(speed));
            cells.extend([format!("{allocations_per_step}"), losses(*loss_first, *loss_last)]);
        }
        Found::Prediction {
            seconds_per_prediction,
            seconds_per_prediction_p10,
            samples_per_second,
            speed,
            ..
        } => {
            cells.push("-".into());
            let times = [seconds_per_prediction, seconds_per_prediction_p10];
            cells.extend(times.map(|&seconds| microseconds(seconds)));
            cells.push(grouped(*samples_per_second as usize));
            cells.extend(speeds(speed));
        }
        Found::Steps { loss_first, loss_last, .. } => {
            cells.push(row.optimizer.into());
            cells.resize(11, String::new());
            cells.push(losses(*loss_first, *loss_last));
        }
    }
    cells
}

/// A time in microseconds with three significant digits: `0.62 us`, `64.1 us`, `1,250 us`.
fn microseconds(seconds: f64) -> String {
    match 1e6 * seconds {
        us if us < 10.0 => format!("{us:.2} us"),
        us if us < 100.0 => format!("{us:.1} us"),
        us => format!("{} us", grouped(us.round() as usize)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, expected) in [(6.2e-7, "0.62 us"), (6.41e-5, "64.1 us"), (1.25e-3, "1,250 us")] {
            assert_eq!(microseconds(seconds), expected);
        }
    }
}
