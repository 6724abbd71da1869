//! Members that are trained apart are networks that were trained alone, each on the rows that it does not leave out.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::ops::ControlFlow;

use wxb::data::{Dataset, Folds, Inputs, split};
use wxb::evaluate::{Output, cache_for, evaluate, out_of_fold, predict};
use wxb::layer::side_by_side;
use wxb::ndarray::Array2;
use wxb::rng::{Purpose, stream, unit};
use wxb::trainer::{BatchSize, Run, TrainConfig, fit, fit_folds};
use wxb::{Activation, Code, Embed, Heads, Initializer, Layer, Loss, Members, Network, Optimizer, Periodic};

const K: usize = 4;
const LEVELS: usize = 3;

/// Two numbers and a category, and a number or class to predict.
fn rows(n: usize, is_class: bool) -> (Array2<f64>, Vec<f64>) {
    let mut rng = stream(5, Purpose::Sample, 0);
    let mut y = vec![];
    let x = Array2::from_shape_fn((n, 3), |(i, j)| match j {
        2 => (i % LEVELS) as f64,
        _ => 2.0 * unit(&mut rng) - 1.0,
    });
    for row in x.rows() {
        let score = row[0] - row[1] * row[1] + 0.3 * row[2];
        y.push(if is_class { f64::from(score > 0.1) } else { score });
    }
    (x, y)
}

/// Every layer that a member can have of its own.
fn layers(g: Activation) -> Vec<Layer> {
    vec![
        Layer::Embed(Embed { rest: 2, columns: 1, levels: LEVELS, width: 2 }),
        Layer::Periodic(Periodic { columns: 2, rest: 2, frequencies: 5, width: 3 }),
        Layer::Scale { n: 10 },
        Layer::Dense { n_in: 10, n_out: 7, activation: Activation::Identity },
        Layer::Blend { n: 7, activation: Activation::Mish },
        Layer::Dense { n_in: 7, n_out: 6, activation: g },
        Layer::Dense { n_in: 6, n_out: 1, activation: Activation::Identity },
    ]
}

fn folds(n: usize) -> Folds {
    Folds::new(split::folds(n, None, K, 3).unwrap()).unwrap()
}

fn side_by_side_network(g: Activation, loss: Loss) -> Network<f64> {
    let all = side_by_side(&layers(g), K).unwrap();
    let mut network = Network::with_layers(all, loss, Initializer::Auto, 1).unwrap();
    let mut rng = stream(6, Purpose::Sample, 0);
    network.params.flat.iter_mut().for_each(|w| *w += 0.2 * (unit(&mut rng) - 0.5));
    network
}

/// The network of one member.
fn alone(all: &Network<f64>, g: Activation, member: usize) -> Network<f64> {
    let mut one = Network::with_layers(layers(g), all.loss().clone(), Initializer::Auto, 1).unwrap();
    let slots = one.params.slots().to_vec();
    assert_eq!(slots.len(), all.params.slots().len());
    for (slot, of_all) in slots.iter().zip(all.params.slots()) {
        let length = slot.range().len();
        let own = &all.params.of(of_all)[member * length..][..length];
        one.params.flat[slot.range()].copy_from_slice(own);
    }
    one
}

#[test]
fn trained_apart_is_trained_alone() {
    let (x, y) = rows(40, false);
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let folds = folds(40);
    for (optimizer, g, close) in [
        (Optimizer::Sgd, Activation::Relu, 1e-10),
        (Optimizer::Momentum { beta: 0.9, averaged: false }, Activation::Gelu, 1e-10),
        // Not Adam: its epsilon stands beside a gradient that is divided by K.
        (Optimizer::Nesterov { beta: 0.9 }, Activation::Tanh, 1e-10),
    ] {
        let settings = TrainConfig { lr: 0.02, epochs: 4, l2: 0.3, l1: 0.1, ..TrainConfig::default() };
        let config = TrainConfig { optimizer, batch_size: BatchSize::Full, ..settings };
        let start = side_by_side_network(g, Loss::SquaredError);
        let mut run = Run::new(start.clone(), &config).unwrap();
        fit_folds(&mut run, &data, &folds, &config, &mut |_| ControlFlow::Continue(())).unwrap();
        for (member, (train, _)) in folds.splits().iter().enumerate() {
            let mut one = Run::new(alone(&start, g, member), &config).unwrap();
            let own = data.subset(train);
            fit(&mut one, &own, None, &config, &mut |_| ControlFlow::Continue(())).unwrap();
            let trained = alone(&run.network, g, member);
            for (found, expected) in trained.params.flat.iter().zip(&one.network.params.flat) {
                assert!((found - expected).abs() < close, "{optimizer:?}: {found}, not {expected}");
            }
        }
    }
}

/// With 42 rows the folds are not equally large.
#[test]
fn out_of_fold_is_the_member_that_has_not_seen_the_row() {
    let (x, y) = rows(42, true);
    let weights: Vec<f64> = (0..42).map(|i| 1.0 + f64::from(i % 3)).collect();
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap().with_weights(&weights).unwrap();
    let (folds, g) = (folds(42), Activation::Silu);
    let all = side_by_side_network(g, Loss::BINARY);
    let found = out_of_fold(&all, &data, &folds, &mut cache_for(&all, 3));
    assert_eq!((found.predictions.len(), found.targets.clone()), (42, y.clone()));
    let (mut loss, mut total) = (0.0, 0.0);
    for (member, (_, valid)) in folds.splits().iter().enumerate() {
        let one = alone(&all, g, member);
        let predicted = predict(&one, &Inputs::Dense(x.view()), valid, Output::Linked);
        for (&row, p) in valid.iter().zip(predicted) {
            assert!((found.predictions[row as usize] - p).abs() < 1e-12);
        }
        let own = evaluate(&one, &data.subset(valid), &mut cache_for(&one, 42));
        let weight: f64 = valid.iter().map(|&row| weights[row as usize]).sum();
        (loss, total) = (loss + own.loss * weight, total + weight);
    }
    assert!((found.loss - loss / total).abs() < 1e-12, "{} {}", found.loss, loss / total);
}

#[test]
fn what_cannot_be_trained_apart_is_refused() {
    let refused = |splits| Folds::new(splits).unwrap_err().code();
    assert_eq!(refused(vec![(vec![1], vec![0])]), Code::InvalidSetting);
    assert_eq!(refused(vec![(vec![1], vec![0]), (vec![1], vec![0])]), Code::InvalidSetting);
    assert_eq!(refused(vec![(vec![1], vec![0]), (vec![0], vec![])]), Code::EmptyData);
    let shared =
        [Layer::Members(Members { members: 2, n: 3 }), Layer::Heads(Heads { members: 2, n_in: 3, n_out: 1 })];
    assert_eq!(side_by_side(&shared, 2).unwrap_err().code(), Code::InvalidSetting);
    let (x, y) = rows(9, false);
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let three = Folds::new(split::folds(9, None, 3, 0).unwrap()).unwrap();
    let config = TrainConfig::default();
    for (folds, config) in [
        (&three, config.clone()),
        (&folds(9), TrainConfig { clip_norm: Some(1.0), ..config.clone() }),
        (&folds(9), TrainConfig { optimizer: Optimizer::Lbfgs(Default::default()), ..config }),
    ] {
        let network = side_by_side_network(Activation::Relu, Loss::SquaredError);
        let mut run = Run::new(network, &config).unwrap();
        let error = fit_folds(&mut run, &data, folds, &config, &mut |_| ControlFlow::Continue(()));
        assert_eq!(error.unwrap_err().code(), Code::InvalidSetting);
    }
}
