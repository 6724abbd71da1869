//! A training step allocates nothing after the first, on one thread or two: gathering a batch from a table,
//! forward, loss, backward and update.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::alloc::System;
use std::ops::ControlFlow;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use wxb::data::{Column, Dataset, Features, Inputs, Table, TextColumn};
use wxb::layer::side_by_side;
use wxb::preprocess::{PreprocessConfig, Preprocessor};
use wxb::trainer::{BatchSize, Batches, Event, Run, TrainConfig, fit};
use wxb::{
    Activation, Bins, Ensemble, Heads, Initializer, Layer, Loss, Members, Network, Optimizer, Piecewise, Plr,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Steps that are counted, after the first.
const STEPS: usize = 100;
/// Two chunks of rows for the loss, and products above the threshold of one thread.
const BATCH: usize = 72;

/// A number with missing cells, a text of 257 levels, and the rows' numbers: about 260 inputs.
fn table() -> Features {
    let rows = (STEPS + 1) * BATCH;
    let number = (0..rows).map(|i| if i % 11 == 0 { f64::NAN } else { (i % 7) as f64 }).collect();
    let levels = (0..257).map(|level| format!("level {level}")).collect();
    let text = TextColumn { codes: (0..rows as u32).map(|i| i % 257).collect(), levels };
    let columns = [("number", Column::Number(number)), ("text", Column::Text(text))];
    Features::Table(Table::new(columns.map(|(name, column)| (name.into(), column)).into()).unwrap())
}

/// A network wide enough that its update goes to several threads, too.
fn network(n_in: usize, n_out: usize, loss: Loss) -> Network<f32> {
    let layers = vec![
        Layer::Dense { n_in, n_out: 256, activation: Activation::Gelu },
        Layer::Dropout { rate: 0.2 },
        Layer::Dense { n_in: 256, n_out: 256, activation: Activation::Identity },
        Layer::BatchNorm { n: 256, activation: Activation::Gelu },
        Layer::Residual { skip: 2 },
        Layer::Dense { n_in: 256, n_out: 32, activation: Activation::Relu },
        Layer::Dense { n_in: 32, n_out, activation: Activation::Identity },
    ];
    Network::with_layers(layers, loss, Initializer::Auto, 1).unwrap()
}

/// Dense layers and dropout alone, which threads go through by rows.
fn dense(n_in: usize, n_out: usize, loss: Loss) -> Network<f32> {
    let layers = vec![
        Layer::Dense { n_in, n_out: 256, activation: Activation::Gelu },
        Layer::Dropout { rate: 0.2 },
        Layer::Dense { n_in: 256, n_out: 32, activation: Activation::Relu },
        Layer::Dense { n_in: 32, n_out, activation: Activation::Identity },
    ];
    Network::with_layers(layers, loss, Initializer::Auto, 1).unwrap()
}

/// Embeddings of numbers, one after the other.
fn numbers(n_in: usize, n_out: usize, loss: Loss) -> Network<f32> {
    let piecewise = Piecewise { bins: Bins { columns: 2, rest: n_in - 2, bins: 40 }, width: 8 };
    let bins = Bins { columns: 16, rest: n_in - 2, bins: 12 };
    let plr = Plr { columns: 9, rest: bins.n_out() - 9, frequencies: 16, width: 4 };
    let layers = vec![
        Layer::Piecewise(piecewise),
        Layer::Bins(bins),
        Layer::Plr(plr),
        Layer::Dense { n_in: plr.n_out(), n_out: 32, activation: Activation::Relu },
        Layer::Dense { n_in: 32, n_out, activation: Activation::Identity },
    ];
    Network::with_layers(layers, loss, Initializer::Auto, 1).unwrap()
}

/// The same with members, whose products are above the threshold, too.
fn members(n_in: usize, n_out: usize, loss: Loss) -> Network<f32> {
    const K: usize = 8;
    let ensemble =
        |n_in, n_out, activation| Layer::Ensemble(Ensemble { members: K, n_in, n_out, activation });
    let layers = vec![
        Layer::Members(Members { members: K, n: n_in }),
        Layer::MemberScale(Members { members: K, n: n_in }),
        ensemble(n_in, 32, Activation::Gelu),
        Layer::Dropout { rate: 0.2 },
        ensemble(32, 32, Activation::Relu),
        Layer::Heads(Heads { members: K, n_in: 32, n_out }),
    ];
    Network::with_layers(layers, loss, Initializer::Auto, 1).unwrap()
}

/// Networks that share nothing, side by side.
fn apart(n_in: usize, n_out: usize, loss: Loss) -> Network<f32> {
    let one = [
        Layer::Dense { n_in, n_out: 32, activation: Activation::Gelu },
        Layer::Dropout { rate: 0.2 },
        Layer::Blend { n: 32, activation: Activation::Mish },
        Layer::Dense { n_in: 32, n_out, activation: Activation::Identity },
    ];
    Network::with_layers(side_by_side(&one, 8).unwrap(), loss, Initializer::Auto, 1).unwrap()
}

/// Allocations between the end of the first step and the end of the last one of an epoch.
fn allocations(network: impl Fn(usize) -> Network<f32>, config: &TrainConfig) -> usize {
    let features = table();
    let rows: Vec<u32> = (0..features.rows() as u32).collect();
    let preprocess = PreprocessConfig { max_levels: 300, ..PreprocessConfig::default() };
    let (preprocessor, _) = Preprocessor::fit(&features, &rows, &preprocess).unwrap();
    let encoded = preprocessor.bind(&features).unwrap();
    let targets: Vec<f32> = rows.iter().map(|row| (row % 2) as f32).collect();
    let weights: Vec<f32> = rows.iter().map(|row| 1.0 + (row % 3) as f32).collect();
    let data = Dataset::new(Inputs::Encoded(&encoded), &targets, 1).unwrap().with_weights(&weights).unwrap();
    let mut run = Run::new(network(encoded.width()), config).unwrap();
    let mut counts = Vec::with_capacity(STEPS + 1);
    fit(&mut run, &data, None, config, &mut |event| {
        if matches!(event, Event::Step { .. }) {
            let stats = ALLOCATOR.stats();
            counts.push(stats.allocations + stats.reallocations);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(counts.len(), STEPS + 1);
    counts[STEPS] - counts[0]
}

/// A program of its own: the counts are the whole process's, and the usual harness allocates beside a test that it runs.
fn main() {
    let momentum = Optimizer::Momentum { beta: 0.9, averaged: true };
    let rows = [
        (Loss::SOFTMAX, 10, Optimizer::ADAM, None),
        (Loss::BINARY, 1, Optimizer::Sgd, Some(1.0)),
        (Loss::SquaredError, 1, momentum, None),
        (
            Loss::Quantile { levels: vec![0.1, 0.5, 0.9] },
            3,
            Optimizer::RmsProp { rho: 0.9, epsilon: 1e-8 },
            None,
        ),
    ];
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (loss, n_out, optimizer, clip_norm) in rows.clone() {
            let shown = format!("{} with {}, {threads} threads", loss.name(), optimizer.name());
            let batch_size = BatchSize::Rows(BATCH);
            let config = TrainConfig {
                optimizer,
                clip_norm,
                batch_size,
                l2: 1e-4,
                epochs: 1,
                ..TrainConfig::default()
            };
            let plain = |n_in: usize| network(n_in, n_out, loss.clone());
            assert_eq!(pool.install(|| allocations(plain, &config)), 0, "{shown}");
            let dense = |n_in: usize| dense(n_in, n_out, loss.clone());
            assert_eq!(pool.install(|| allocations(dense, &config)), 0, "{shown}, dense");
            let numbers = |n_in: usize| numbers(n_in, n_out, loss.clone());
            assert_eq!(pool.install(|| allocations(numbers, &config)), 0, "{shown}, numbers");
            for batches in [Batches::Shared, Batches::Own] {
                let config = TrainConfig { batches, ..config.clone() };
                let apart = |n_in: usize| apart(n_in, n_out, loss.clone());
                assert_eq!(pool.install(|| allocations(apart, &config)), 0, "{shown}, apart, {batches:?}");
                let members = |n_in: usize| members(n_in, n_out, loss.clone());
                assert_eq!(
                    pool.install(|| allocations(members, &config)),
                    0,
                    "{shown}, members, {batches:?}"
                );
            }
        }
    }
}
