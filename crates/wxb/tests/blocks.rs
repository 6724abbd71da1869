//! Batch normalisation and residual layers: forward against the formulas as they stand, backward against finite differences, and
//! the statistics that are no parameters.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::ops::ControlFlow;

use crate::slopes::{assert_agree, assert_slopes, gradient, numbers};
use wxb::data::{Dataset, Inputs};
use wxb::gradcheck::gradcheck;
use wxb::layer::Role;
use wxb::lbfgs::LbfgsConfig;
use wxb::model_file::Checkpoint;
use wxb::ndarray::ArrayView2;
use wxb::network::{Blocks, mlp};
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{BatchSize, Run, TrainConfig, fit, train_step};
use wxb::{Activation, Initializer, Layer, Loss, Members, Network, Optimizer, Real};

const M: usize = 7;

fn dense(n_in: usize, n_out: usize, activation: Activation) -> Layer {
    Layer::Dense { n_in, n_out, activation }
}

/// Each layer before and after each other kind; sources of residuals with and without an activation, one of two residuals.
fn layers(g: Activation, dropout: f64) -> Vec<Layer> {
    vec![
        dense(5, 6, g),
        Layer::BatchNorm { n: 6, activation: g },
        Layer::Residual { skip: 1 },
        Layer::Dropout { rate: dropout },
        dense(6, 6, g),
        Layer::Residual { skip: 1 },
        Layer::BatchNorm { n: 6, activation: Activation::Identity },
        dense(6, 6, Activation::Tanh),
        Layer::Residual { skip: 1 },
        Layer::Residual { skip: 6 },
        Layer::BatchNorm { n: 6, activation: Activation::Sigmoid },
        dense(6, 2, Activation::Identity),
    ]
}

/// A network whose every parameter is random, statistics too, and a batch in its cache.
fn network<T: Real>(g: Activation, dropout: f64) -> (Network<T>, Cache<T>) {
    let layers = layers(g, dropout);
    let mut network =
        Network::<T>::with_layers(layers, Loss::SquaredError, Initializer::LecunNormal, 3).unwrap();
    for (theta, noise) in network.params.flat.iter_mut().zip(numbers(10_000, 1)) {
        *theta = T::of(theta.f64() + 0.3 * noise);
    }
    let mut cache = Cache::new(&network, M, Keep::Needed);
    cache.x.iter_mut().zip(numbers(5 * M, 2)).for_each(|(x, number)| *x = T::of(number));
    cache.y.iter_mut().zip(numbers(2 * M, 3)).for_each(|(y, number)| *y = T::of(number));
    (network, cache)
}

/// A of every layer, one formula each; without dropout.
fn textbook(network: &Network<f64>, x: &[f64], is_training: bool) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = vec![];
    for (l, layer) in network.layers().iter().enumerate() {
        let a_in = all.last().map_or(x, |a| a);
        let mut a = a_in.to_vec();
        match *layer {
            Layer::Dense { n_in, n_out, activation } => {
                let (w, b) = network.params.dense(l);
                let z = |x: &[f64], j: usize| (0..n_in).map(|i| x[i] * w[i * n_out + j]).sum::<f64>() + b[j];
                let row = |x| (0..n_out).map(move |j| activation.apply(z(x, j)));
                a = a_in.chunks_exact(n_in).flat_map(row).collect();
            }
            Layer::BatchNorm { n, activation } => {
                let [gamma, beta, mean, variance] = network.params.tensors(l);
                for j in 0..n {
                    let of_unit = || a_in.iter().skip(j).step_by(n);
                    let (mut mean, mut variance) = (mean[j], variance[j]);
                    if is_training {
                        mean = of_unit().sum::<f64>() / M as f64;
                        variance = of_unit().map(|x| (x - mean).powi(2)).sum::<f64>() / M as f64;
                    }
                    for (a, x) in a.iter_mut().skip(j).step_by(n).zip(of_unit()) {
                        let z = gamma[j] * (x - mean) / (variance + 1e-5).sqrt() + beta[j];
                        *a = activation.apply(z);
                    }
                }
            }
            Layer::Residual { skip } => a.iter_mut().zip(&all[l - 1 - skip]).for_each(|(a, b)| *a += b),
            _ => {}
        }
        all.push(a);
    }
    all
}

#[test]
fn forward_is_the_formulas() {
    for (mode, is_training) in
        [(Mode::Training { seed: 1, step: 2, dropout: 1.0 }, true), (Mode::Predicting, false)]
    {
        let (network, mut cache) = network::<f64>(Activation::Gelu, 0.0);
        forward(&network, &mut cache, M, mode);
        for (l, expected) in textbook(&network, &cache.x, is_training).iter().enumerate() {
            assert_eq!(expected.len(), cache.a(l).len());
            for (a, expected) in cache.a(l).iter().zip(expected) {
                assert!((a - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{l}: {a}, not {expected}");
            }
        }
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    for g in [Activation::Selu, Activation::Mish, Activation::Tanh, Activation::Gelu, Activation::Identity] {
        for dropout in [0.0, 0.3] {
            let (mut network, mut cache) = network::<f64>(g, dropout);
            assert_slopes(&mut network, &mut cache, M, 1e-7, &format!("{g:?}, dropout {dropout}"));
        }
        // With the running statistics no row has a say in another one's numbers.
        let (network, mut cache) = network::<f64>(g, 0.0);
        for check in gradcheck(&network, &mut cache, M, Mode::Predicting, 100, 0) {
            assert!(check.relative_error < 1e-7, "{g:?}: {check:?}");
            assert!(!check.name.starts_with("mean") && !check.name.starts_with("var"), "{check:?}");
        }
    }
}

#[test]
fn both_precisions_agree() {
    fn run<T: Real>() -> (f64, Vec<f64>) {
        let (network, mut cache) = network::<T>(Activation::Selu, 0.3);
        gradient(&network, &mut cache, M, Mode::Training { seed: 1, step: 2, dropout: 0.5 })
    }
    assert_agree(run::<f32>(), run::<f64>(), [1e-5, 3e-5]);
}

/// The statistics after t steps: the mean of the batches' for ten of them, then a tenth of the newest; whatever optimizer, decay and
/// clipping there are. A batch of one row leaves them as they are.
#[test]
fn running_statistics() {
    let layers =
        vec![Layer::BatchNorm { n: 2, activation: Activation::Identity }, dense(2, 1, Activation::Identity)];
    for optimizer in [Optimizer::Sgd, Optimizer::ADAMW, Optimizer::Momentum { beta: 0.9, averaged: false }] {
        let network =
            Network::<f64>::with_layers(layers.clone(), Loss::SquaredError, Initializer::Auto, 1).unwrap();
        let config = TrainConfig {
            optimizer,
            weight_decay: Some(0.1),
            clip_norm: Some(0.01),
            l2: 0.1,
            ..TrainConfig::default()
        };
        let mut run = Run::new(network, &config).unwrap();
        let mut cache = Cache::new(&run.network, M, Keep::Needed);
        let mut grads = run.network.params.clone();
        let (mut mean, mut variance) = ([0.0, 0.0], [1.0, 1.0]);
        for t in 1..=14 {
            let m = if t == 4 { 1 } else { M };
            cache.x.iter_mut().zip(numbers(2 * M, t)).for_each(|(x, number)| *x = number);
            cache.y.iter_mut().zip(numbers(M, 100 + t)).for_each(|(y, number)| *y = number);
            train_step(&mut run, &mut grads, &mut cache, m, (&config, config.base_rates())).unwrap();
            for j in (0..2).filter(|_| m > 1) {
                let x: Vec<f64> = numbers(2 * M, t).skip(j).step_by(2).collect();
                let of_batch = x.iter().sum::<f64>() / M as f64;
                let unbiased = x.iter().map(|x| (x - of_batch).powi(2)).sum::<f64>() / (M as f64 - 1.0);
                let share = if t < 10 { 1.0 / t as f64 } else { 0.1 };
                mean[j] = (1.0 - share) * mean[j] + share * of_batch;
                variance[j] = (1.0 - share) * variance[j] + share * unbiased;
            }
            let [_, _, found, found_variance] = run.network.params.tensors(0);
            for (found, expected) in found.iter().chain(found_variance).zip(mean.iter().chain(&variance)) {
                assert!((found - expected).abs() < 1e-12, "step {t}: {found}, not {expected}");
            }
        }
    }
}

/// A run of a network wide enough that all of its passes are split.
fn train(threads: usize, epochs: u64, run: Option<Run<f32>>) -> Run<f32> {
    const ROWS: usize = 900;
    let x: Vec<f32> = numbers(ROWS * 8, 7).map(|x| x as f32).collect();
    let y: Vec<f32> = x.chunks_exact(8).map(|x| (x[0] * x[1] > 0.2) as u8 as f32).collect();
    let data = Dataset::new(Inputs::Dense(ArrayView2::from_shape((ROWS, 8), &x).unwrap()), &y, 1).unwrap();
    let blocks = Blocks { dropout: 0.1, batch_norm: true, residual: true };
    let layers = mlp(&[8, 96, 96, 96, 1], &[Activation::Silu; 3], blocks).unwrap();
    let network = Network::with_layers(layers, Loss::BINARY, Initializer::Auto, 1).unwrap();
    let config = TrainConfig { batch_size: BatchSize::Rows(300), epochs, ..TrainConfig::default() };
    let (train, valid) =
        (data.subset(&(0..600).collect::<Vec<_>>()), data.subset(&(600..900).collect::<Vec<_>>()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut run = run.unwrap_or_else(|| Run::new(network, &config).unwrap());
        fit(&mut run, &train, Some(&valid), &config, &mut |_| ControlFlow::Continue(())).unwrap();
        run
    })
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_after_a_break() {
    let whole = train(1, 8, None);
    assert_eq!(whole, train(2, 8, None));
    assert_eq!(whole, train(3, 8, None));
    let bytes = Checkpoint::to_bytes(&train(2, 3, None), &serde_json::Value::Null);
    let run = Checkpoint::from_bytes(&bytes).unwrap().run;
    assert_eq!(whole, train(1, 8, Some(run)));
    assert!(whole.history[7].valid_loss < whole.history[0].valid_loss, "{:?}", whole.history);
}

/// Statistics are neither learned nor counted as such, and are part of the best weights.
#[test]
fn statistics_are_no_parameters() {
    let run = train(1, 2, None);
    let network = run.best_network();
    let told: Vec<_> = network.params.slots().iter().filter(|slot| !slot.role.is_learned()).collect();
    let names: Vec<&str> = told.iter().map(|slot| slot.name.as_str()).collect();
    assert_eq!(names, ["mean1", "variance1", "mean2", "variance2", "mean3", "variance3"]);
    assert_eq!(network.n_params() + 3 * 2 * 96, network.params.flat.len());
    let of_start = |role: Role| if role == Role::Variance { 1.0 } else { 0.0 };
    assert!(told.iter().all(|slot| network.params.of(slot).iter().all(|&v| v != of_start(slot.role))));
    assert_eq!(network.layers().iter().map(Layer::parameters).sum::<u64>(), network.n_params() as u64);
}

#[test]
fn blocks_of_an_mlp() {
    let g = Activation::Relu;
    let blocks = Blocks { dropout: 0.2, batch_norm: true, residual: true };
    let found = mlp(&[3, 4, 4, 5, 1], &[g; 3], blocks).unwrap();
    let normal = |n| Layer::BatchNorm { n, activation: g };
    let (identity, dropout) = (Activation::Identity, Layer::Dropout { rate: 0.2 });
    let expected = vec![
        dense(3, 4, identity),
        normal(4),
        dropout,
        dense(4, 4, identity),
        normal(4),
        dropout,
        Layer::Residual { skip: 3 },
        dense(4, 5, identity),
        normal(5),
        dropout,
        dense(5, 1, identity),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_does_not_fit() {
    let normal = |n| Layer::BatchNorm { n, activation: Activation::Relu };
    let (members, out) = (Layer::Members(Members { members: 2, n: 4 }), dense(4, 1, Activation::Identity));
    let (residual, hidden) = (|skip| Layer::Residual { skip }, dense(4, 4, Activation::Relu));
    for (layers, fits) in [
        (vec![normal(4), hidden, residual(1), out], true),
        (vec![normal(4), members, hidden, residual(1), out], true),
        (vec![normal(3), out], false),
        (vec![normal(0), out], false),
        (vec![members, normal(4), out], false),
        (vec![residual(1), out], false),
        (vec![hidden, residual(0), out], false),
        (vec![hidden, residual(1), out], false),
        (vec![hidden, hidden, residual(usize::MAX), out], false),
        (vec![hidden, members, residual(1), out], false),
        (vec![dense(4, 3, Activation::Relu), dense(3, 4, Activation::Relu), residual(1), out], false),
    ] {
        let network = Network::<f32>::with_layers(layers.clone(), Loss::SquaredError, Initializer::Auto, 0);
        assert_eq!(network.is_ok(), fits, "{layers:?}");
    }
    let layers = vec![normal(4), out];
    let network = Network::<f32>::from_flat(layers.clone(), Loss::SquaredError, vec![-1.0; 21]);
    assert!(network.unwrap_err().to_string().contains("variance"));
    let network = Network::<f32>::with_layers(layers, Loss::SquaredError, Initializer::Auto, 0).unwrap();
    let config =
        TrainConfig { optimizer: Optimizer::Lbfgs(LbfgsConfig::default()), ..TrainConfig::default() };
    let mut run = Run::new(network, &config).unwrap();
    let x = [0.0_f32; 8];
    let data =
        Dataset::new(Inputs::Dense(ArrayView2::from_shape((2, 4), &x).unwrap()), &[0.0, 1.0], 1).unwrap();
    let error = fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("batch normalisation and lbfgs"), "{error}");
}
