//! The trainer: resumed runs, weights, threads, best weights, divergence, health.
#![allow(clippy::unwrap_used, reason = "what tests share may fail a test, too")]

use std::ops::ControlFlow;

use wxb::data::{Dataset, Inputs};
use wxb::evaluate::{cache_for, evaluate};
use wxb::health::{Verdict, examine};
use wxb::lbfgs::LbfgsConfig;
use wxb::metrics::Metric;
use wxb::model_file::Checkpoint;
use wxb::ndarray::{Array2, ArrayView1};
use wxb::network::dense_layers;
use wxb::rng::{Purpose, stream, unit};
use wxb::trainer::{BatchSize, Event, Run, Stop, TrainConfig, fit};
use wxb::{Activation, Initializer, Loss, Network, Optimizer, Real, Schedule};

/// Two inputs, one class inside a ring of the other; 101 rows, so that the last batch is a smaller one.
fn ring<T: Real>() -> (Array2<T>, Vec<T>) {
    let mut rng = stream(5, Purpose::Sample, 0);
    let x = Array2::from_shape_fn((101, 2), |_| T::of(2.0 * unit(&mut rng) - 1.0));
    let inside = |row: ArrayView1<T>| row[0].f64().powi(2) + row[1].f64().powi(2) < 0.5;
    let y = x.rows().into_iter().map(|row| T::of(f64::from(inside(row)))).collect();
    (x, y)
}

fn network<T: Real>(dropout: f64) -> Network<T> {
    let layers = dense_layers(&[2, 9, 7, 1], &[Activation::Relu, Activation::Gelu], dropout).unwrap();
    Network::with_layers(layers, Loss::BINARY, Initializer::Auto, 1).unwrap()
}

fn config(optimizer: Optimizer) -> TrainConfig {
    TrainConfig { optimizer, lr: 0.01, epochs: 6, batch_size: BatchSize::Rows(16), ..TrainConfig::default() }
}

/// Trains; breaks off after `stop_after` steps, writes and reads a checkpoint, and goes on.
fn train(config: &TrainConfig, dropout: f64, stop_after: Option<usize>) -> Run<f32> {
    let (x, y) = ring();
    let all = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let (train, valid) =
        (all.subset(&(0..80).collect::<Vec<_>>()), all.subset(&(80..101).collect::<Vec<_>>()));
    let mut run = Run::new(network(dropout), config).unwrap();
    if let Some(limit) = stop_after {
        let mut steps = 0;
        let stop = fit(&mut run, &train, Some(&valid), config, &mut |event| {
            steps += usize::from(matches!(event, Event::Step { .. }));
            if steps >= limit { ControlFlow::Break(Stop::Interrupted) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stop, Ok(Stop::Interrupted | Stop::Converged { .. })), "{stop:?}");
        let bytes = Checkpoint::to_bytes(&run, &serde_json::json!({ "seed": 0 }));
        run = Checkpoint::from_bytes(&bytes).unwrap().run;
    }
    fit(&mut run, &train, Some(&valid), config, &mut |_| ControlFlow::Continue(())).unwrap();
    run
}

#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    let averaged = Optimizer::Momentum { beta: 0.9, averaged: true };
    let optimizers = [
        Optimizer::Sgd,
        averaged,
        Optimizer::Nesterov { beta: 0.9 },
        Optimizer::RmsProp { rho: 0.9, epsilon: 1e-8 },
        Optimizer::ADAM,
        Optimizer::ADAMW,
    ];
    for optimizer in optimizers {
        let config = TrainConfig { schedule: Schedule::Cosine { warmup: 0.1 }, ..config(optimizer) };
        let whole = train(&config, 0.2, None);
        for stop_after in [1, 3, 5, 6, 17, 29] {
            assert_eq!(
                train(&config, 0.2, Some(stop_after)),
                whole,
                "{optimizer:?} broken off after {stop_after}"
            );
        }
    }
}

#[test]
fn a_resumed_lbfgs_ends_with_the_same_bits() {
    let config = TrainConfig { epochs: 30, ..config(Optimizer::Lbfgs(LbfgsConfig::default())) };
    let whole = train(&config, 0.0, None);
    for stop_after in [1, 7, 22] {
        assert_eq!(train(&config, 0.0, Some(stop_after)), whole, "broken off after {stop_after}");
    }
}

/// Its passes are without masks: the layers would be as if they were not there.
#[test]
fn dropout_is_not_for_lbfgs() {
    let (x, y) = ring::<f64>();
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let lbfgs = config(Optimizer::Lbfgs(LbfgsConfig::default()));
    for (config, dropout, fits) in
        [(&lbfgs, 0.1, false), (&lbfgs, 0.0, true), (&config(Optimizer::ADAM), 0.1, true)]
    {
        let mut run = Run::new(network(dropout), config).unwrap();
        let stop = fit(&mut run, &data, None, config, &mut |_| ControlFlow::Break(Stop::Interrupted));
        assert_eq!(stop.is_ok(), fits, "{:?}, dropout {dropout}", config.optimizer);
    }
}

/// A run that is over stays over: early stopping, convergence and the epoch limit, each saved and loaded again.
#[test]
fn a_finished_run_does_not_go_on() {
    let lbfgs = Optimizer::Lbfgs(LbfgsConfig { gradient_tolerance: 1e-2, ..LbfgsConfig::default() });
    let configs = [
        TrainConfig { lr: 0.3, epochs: 500, patience: Some(4), ..config(Optimizer::ADAM) },
        TrainConfig { epochs: 500, ..config(lbfgs) },
        config(Optimizer::ADAM),
    ];
    for config in configs {
        let whole = train(&config, 0.0, None);
        assert_eq!(train(&config, 0.0, Some(whole.step as usize)), whole, "{config:?}");
    }
}

#[test]
fn ten_epochs_are_five_and_five() {
    let of = |epochs| TrainConfig { epochs, ..config(Optimizer::ADAM) };
    let (x, y) = ring();
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let mut pieces = Run::new(network::<f32>(0.0), &of(5)).unwrap();
    let mut whole = pieces.clone();
    let go_on = &mut |_: Event<'_, f32>| ControlFlow::Continue(());
    fit(&mut pieces, &data, None, &of(5), go_on).unwrap();
    fit(&mut pieces, &data, None, &of(10), go_on).unwrap();
    fit(&mut whole, &data, None, &of(10), go_on).unwrap();
    assert_eq!(pieces, whole);
}

#[test]
fn threads_do_not_change_a_bit() {
    let (x, y) = ring();
    // Wide enough that every kernel splits its work.
    let wide = || {
        Network::<f32>::new(&[2, 300, 300, 1], Activation::Tanh, Loss::BINARY, Initializer::Auto, 1).unwrap()
    };
    let config = TrainConfig { batch_size: BatchSize::Full, ..config(Optimizer::ADAM) };
    let train_on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut run = Run::new(wide(), &config).unwrap();
        pool.install(|| {
            let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
            fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(())).unwrap();
        });
        run
    };
    let one = train_on(1);
    for threads in [2, 3, 5] {
        assert_eq!(train_on(threads), one, "{threads} threads");
    }
}

#[test]
fn weight_one_is_no_weight_and_weight_zero_is_absence() {
    let (x, y) = ring::<f32>();
    let config = TrainConfig { l2: 0.1, l1: 0.01, clip_norm: Some(0.5), ..config(Optimizer::ADAM) };
    let trained = |weights: Option<&[f32]>, rows: &[u32]| {
        let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
        let data = if let Some(weights) = weights { data.with_weights(weights).unwrap() } else { data };
        let mut run = Run::new(network::<f32>(0.0), &config).unwrap();
        fit(&mut run, &data.subset(rows), None, &config, &mut |_| ControlFlow::Continue(())).unwrap();
        run
    };
    let all: Vec<u32> = (0..101).collect();
    assert_eq!(trained(Some(&[1.0; 101]), &all), trained(None, &all));
    let third: Vec<f32> = (0..101).map(|row| f32::from(row % 3 != 0)).collect();
    let present: Vec<u32> = all.iter().copied().filter(|row| row % 3 != 0).collect();
    assert_eq!(trained(Some(&third), &all), trained(None, &present));
}

#[test]
fn weights_of_the_training_rows_do_not_count_the_validation_rows() {
    let (x, y) = ring::<f32>();
    let weights: Vec<f32> = y.iter().map(|&y| 1.0 + 9.0 * y).collect();
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let (rows, held): (Vec<u32>, Vec<u32>) = ((0..40).collect(), (40..101).collect());
    let (train, valid) = (data.clone().with_weights(&weights).unwrap().subset(&rows), data.subset(&held));
    let config = config(Optimizer::ADAM);
    let mut run = Run::new(network::<f32>(0.0), &config).unwrap();
    fit(&mut run, &train, Some(&valid), &config, &mut |_| ControlFlow::Continue(())).unwrap();
    let alone = evaluate(&run.network, &valid, &mut cache_for(&run.network, held.len()));
    assert_eq!(run.history.last().unwrap().valid_loss, Some(alone.loss));
}

#[test]
fn the_best_epoch_is_handed_out_also_at_the_epoch_limit() {
    // A learning rate so large that the validation loss does not fall monotonically.
    let config = TrainConfig { lr: 0.3, epochs: 25, ..config(Optimizer::ADAM) };
    let run = train(&config, 0.0, None);
    let losses: Vec<f64> = run.history.iter().map(|record| record.valid_loss.unwrap()).collect();
    let best = (0..25).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!(run.best.epoch, best as u64 + 1);
    assert!(best < 24, "the last epoch is the best: the test shows nothing");
    let shorter = train(&TrainConfig { epochs: best as u64 + 1, ..config }, 0.0, None);
    assert_eq!(run.best_network(), shorter.network);
}

/// The time is up in the first epoch: it ends there, and is judged.
#[test]
fn an_epoch_that_there_is_no_time_for_is_cut() {
    let (x, y) = ring::<f32>();
    let all = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let valid = all.subset(&(80..101).collect::<Vec<_>>());
    for valid in [None, Some(&valid)] {
        let mut run = Run::new(network(0.0), &config(Optimizer::ADAM)).unwrap();
        let start = run.network.params.flat.to_vec();
        let stop = fit(&mut run, &all, valid, &config(Optimizer::ADAM), &mut |event| match event {
            Event::Step { of: (2, 7), .. } => ControlFlow::Break(Stop::TimeIsUp),
            _ => ControlFlow::Continue(()),
        });
        assert_eq!(stop.unwrap(), Stop::TimeIsUp);
        let [epoch] = &run.history[..] else { panic!("{:?}", run.history) };
        assert_eq!((epoch.step, epoch.valid_loss.is_some(), run.best.epoch), (2, valid.is_some(), 1));
        assert_eq!(run.best.flat[..], run.network.params.flat[..]);
        assert_ne!(run.best.flat[..], start[..]);
    }
}

/// Validation rows of one class have no AUC and no F1, whatever is predicted: the loss decides.
#[test]
fn a_metric_that_tells_nothing_decides_nothing() {
    let (x, y) = ring::<f32>();
    let all = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let outside: Vec<u32> = (0..101).filter(|&row| y[row as usize] == 0.0).collect();
    let valid = all.subset(&outside);
    for metric in [Metric::Auc, Metric::F1, Metric::BalancedAccuracy] {
        let with = |metric, stop_on_metric| {
            let config = TrainConfig { metric, stop_on_metric, ..config(Optimizer::ADAM) };
            let mut run = Run::new(network(0.0), &config).unwrap();
            fit(&mut run, &all, Some(&valid), &config, &mut |_| ControlFlow::Continue(())).unwrap();
            run
        };
        let (by_metric, by_loss) = (with(Some(metric), true), with(None, false));
        assert!(by_metric.history.iter().all(|epoch| epoch.valid_metric.is_none()));
        assert_eq!(by_metric.history, by_loss.history);
        let evaluation = evaluate(&by_loss.network, &valid, &mut cache_for(&by_loss.network, 101));
        assert!(!evaluation.tells(metric) && evaluation.tells(Metric::LogLoss));
    }
}

#[test]
fn early_stopping_waits_its_patience() {
    let config = TrainConfig { lr: 0.3, epochs: 500, patience: Some(4), ..config(Optimizer::ADAM) };
    let run = train(&config, 0.0, None);
    assert!(run.epoch < 500);
    assert_eq!(run.epoch, run.best.epoch + 4);
}

#[test]
fn a_diverged_run_says_where_and_keeps_finite_weights() {
    let (x, y) = ring::<f32>();
    let huge: Vec<f32> = y.iter().map(|y| y * 1e30).collect();
    let data = Dataset::new(Inputs::Dense(x.view()), &huge, 1).unwrap();
    let network =
        Network::new(&[2, 8, 1], Activation::Relu, Loss::SquaredError, Initializer::Auto, 1).unwrap();
    let config = config(Optimizer::Sgd);
    let mut run = Run::new(network, &config).unwrap();
    let stop = fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(())).unwrap();
    let Stop::Diverged(divergence) = stop else { panic!("{stop:?}") };
    assert_eq!((divergence.epoch, divergence.batch), (1, 1));
    assert_eq!(divergence.tensor, "the loss");
    assert!(run.best_network().params.first_non_finite().is_none());

    let (x, y) = ring::<f32>();
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let config = TrainConfig { lr: 1e30, ..config };
    let mut run = Run::new(self::network(0.0), &config).unwrap();
    let stop = fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(())).unwrap();
    let Stop::Diverged(divergence) = stop else { panic!("{stop:?}") };
    // After a step W is about 1e29: Z of layer 1 is still below 3e38, the product with the next W is not.
    assert_eq!((divergence.epoch, divergence.tensor.as_str()), (1, "Z of layer 2"));
    assert!(run.best_network().params.first_non_finite().is_none());
}

#[test]
fn health_sees_symmetry_death_and_saturation() {
    let (x, y) = ring::<f32>();
    let data = Dataset::new(Inputs::Dense(x.view()), &y, 1).unwrap();
    let verdicts = |activation, init, bias: f32, scale: f32| {
        let mut network = Network::<f32>::new(&[2, 6, 1], activation, Loss::BINARY, init, 1).unwrap();
        let (w, b) = network.params.dense_mut(0);
        w.iter_mut().for_each(|w| *w *= scale);
        b.fill(bias);
        let config = config(Optimizer::ADAM);
        let run = Run::new(network, &config).unwrap();
        examine(&run, &data, &config).iter().map(|layer| layer.verdict).collect::<Vec<_>>()
    };
    use Verdict::{Healthy, ManyDead, Saturated, Symmetric};
    assert_eq!(verdicts(Activation::Tanh, Initializer::Auto, 0.0, 1.0), [Healthy, Healthy]);
    assert_eq!(verdicts(Activation::Tanh, Initializer::Zeros, 0.0, 1.0)[0], Symmetric);
    assert_eq!(verdicts(Activation::Relu, Initializer::Auto, -50.0, 1.0)[0], ManyDead);
    assert_eq!(verdicts(Activation::Tanh, Initializer::Auto, 50.0, 1.0)[0], Saturated);
}
