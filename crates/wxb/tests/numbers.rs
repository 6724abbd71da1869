//! Numbers as places among bins, and embedded in pieces: forward against the formulas as they stand, backward against finite
//! differences, and the edges that the data tells.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::f64::consts::TAU;
use std::ops::ControlFlow;

use crate::slopes::{assert_agree, assert_slopes, gradient, numbers};
use wxb::data::{Dataset, Inputs};
use wxb::init::fit_edges;
use wxb::layer::Role;
use wxb::model_file::Checkpoint;
use wxb::ndarray::ArrayView2;
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{BatchSize, Run, TrainConfig, fit};
use wxb::{Activation, Bins, Initializer, Layer, Loss, Network, Piecewise, Plr, Real};

const M: usize = 9;

fn dense(n_in: usize, n_out: usize, activation: Activation) -> Layer {
    Layer::Dense { n_in, n_out, activation }
}

fn bins(columns: usize, rest: usize, bins: usize) -> Bins {
    Bins { columns, rest, bins }
}

/// Each layer first, in the middle and after another of its kind, with and without other inputs.
fn layers() -> Vec<Layer> {
    vec![
        Layer::Piecewise(Piecewise { bins: bins(2, 3, 4), width: 3 }),
        dense(9, 5, Activation::Tanh),
        Layer::Bins(bins(3, 2, 5)),
        Layer::Scale { n: 17 },
        Layer::Piecewise(Piecewise { bins: bins(2, 15, 1), width: 2 }),
        Layer::Plr(Plr { columns: 3, rest: 16, frequencies: 11, width: 2 }),
        dense(22, 6, Activation::Gelu),
        Layer::Plr(Plr { columns: 6, rest: 0, frequencies: 3, width: 1 }),
        Layer::Bins(bins(6, 0, 3)),
        dense(18, 2, Activation::Identity),
    ]
}

/// A network whose every parameter is random, edges too; the second column of the first layer has two bins alone.
fn network<T: Real>() -> (Network<T>, Cache<T>) {
    let mut network =
        Network::<T>::with_layers(layers(), Loss::SquaredError, Initializer::LecunNormal, 3).unwrap();
    for (theta, noise) in network.params.flat.iter_mut().zip(numbers(10_000, 1)) {
        *theta = T::of(theta.f64() + 0.25 * noise);
    }
    let [_, _, _, edges] = network.params.tensors_mut(0);
    edges[5..].copy_from_slice(&[-1.0, 0.25, 2.0, 2.0, 2.0].map(T::of));
    let mut cache = Cache::new(&network, M, Keep::Needed);
    // Some beyond the edges.
    cache.x.iter_mut().zip(numbers(5 * M, 2)).for_each(|(x, number)| *x = T::of(2.5 * number));
    cache.y.iter_mut().zip(numbers(2 * M, 3)).for_each(|(y, number)| *y = T::of(number));
    (network, cache)
}

/// p of a number, from the edges that differ.
fn place(x: f64, edges: &[f64]) -> Vec<f64> {
    let mut different = edges.to_vec();
    different.dedup();
    let last = different.len() - 2;
    let mut p = vec![0.0; edges.len() - 1];
    for (t, pair) in different.windows(2).enumerate() {
        p[t] = (x - pair[0]) / (pair[1] - pair[0]);
        p[t] = if t > 0 { p[t].max(0.0) } else { p[t] };
        p[t] = if t < last { p[t].min(1.0) } else { p[t] };
    }
    p
}

/// A of the layer at index `l` from the layer before it, one formula each.
fn textbook(network: &Network<f64>, l: usize, a_in: &[f64]) -> Vec<f64> {
    let layer = network.layers()[l];
    let mut a = vec![];
    for x in a_in.chunks_exact(layer.n_in().unwrap()) {
        match layer {
            Layer::Bins(Bins { columns, bins, .. }) => {
                let [edges] = network.params.tensors(l);
                let of_column = |j: usize| place(x[j], &edges[j * (bins + 1)..(j + 1) * (bins + 1)]);
                a.extend((0..columns).flat_map(of_column));
                a.extend(&x[columns..]);
            }
            Layer::Piecewise(Piecewise { bins: Bins { columns, bins, .. }, width }) => {
                let [w, b, v, edges] = network.params.tensors(l);
                for k in 0..columns * width {
                    let j = k / width;
                    let p = place(x[j], &edges[j * (bins + 1)..(j + 1) * (bins + 1)]);
                    a.push(w[k] * x[j] + b[k] + (0..bins).map(|t| v[k * bins + t] * p[t]).sum::<f64>());
                }
                a.extend(&x[columns..]);
            }
            Layer::Plr(Plr { columns, frequencies: f, width, .. }) => {
                let [w, mix, shift] = network.params.tensors(l);
                for k in 0..columns * width {
                    let j = k / width;
                    let angle = |p: usize| TAU * w[j * f + p] * x[j];
                    let cos = (0..f).map(|p| mix[2 * k * f + p] * angle(p).cos()).sum::<f64>();
                    let sin = (0..f).map(|p| mix[(2 * k + 1) * f + p] * angle(p).sin()).sum::<f64>();
                    a.push((cos + sin + shift[k]).max(0.0));
                }
                a.extend(&x[columns..]);
            }
            _ => return vec![],
        }
    }
    a
}

#[test]
fn forward_is_the_formulas() {
    let (network, mut cache) = network::<f64>();
    forward(&network, &mut cache, M, Mode::Predicting);
    let mut checked = 0;
    for l in 0..network.layers().len() {
        let a_in = if l == 0 { &cache.x } else { cache.a(l - 1) };
        let expected = textbook(&network, l, a_in);
        for (a, expected) in cache.a(l).iter().zip(&expected) {
            assert!((a - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{l}: {a}, not {expected}");
        }
        checked += usize::from(expected.len() == cache.a(l).len());
    }
    assert_eq!(checked, 6);
}

/// A place of one, two and three bins, at, inside and beyond the edges.
#[test]
fn places_by_hand() {
    let layers = vec![Layer::Bins(bins(3, 1, 3)), dense(10, 1, Activation::Identity)];
    let mut network = Network::<f64>::with_layers(layers, Loss::SquaredError, Initializer::Auto, 1).unwrap();
    let [edges] = network.params.tensors_mut(0);
    edges.copy_from_slice(&[0.0, 2.0, 2.0, 2.0, 0.0, 1.0, 3.0, 3.0, 0.0, 1.0, 2.0, 4.0]);
    for (x, expected) in [
        (-1.0, [-0.5, 0.0, 0.0, -1.0, 0.0, 0.0, -1.0, 0.0, 0.0]),
        (0.0, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (1.0, [0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        (1.5, [0.75, 0.0, 0.0, 1.0, 0.25, 0.0, 1.0, 0.5, 0.0]),
        (6.0, [3.0, 0.0, 0.0, 1.0, 2.5, 0.0, 1.0, 1.0, 2.0]),
    ] {
        let mut cache = Cache::new(&network, 1, Keep::Needed);
        cache.x.copy_from_slice(&[x, x, x, 7.0]);
        forward(&network, &mut cache, 1, Mode::Predicting);
        assert_eq!(cache.a(0)[..9], expected, "{x}");
        assert_eq!(cache.a(0)[9], 7.0);
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let (mut network, mut cache) = network::<f64>();
    // The third derivative along a frequency has the factor (2π x)³.
    assert_slopes(&mut network, &mut cache, M, 1e-6, "bins");
}

#[test]
fn both_precisions_agree() {
    fn run<T: Real>() -> (f64, Vec<f64>) {
        let (network, mut cache) = network::<T>();
        gradient(&network, &mut cache, M, Mode::Predicting)
    }
    assert_agree(run::<f32>(), run::<f64>(), [1e-4, 1e-3]);
}

/// The quantiles of a column, those of one with three values, and of one with a single value.
#[test]
fn edges_by_hand() {
    let layers = vec![
        Layer::Scale { n: 4 },
        Layer::Piecewise(Piecewise { bins: bins(3, 1, 4), width: 2 }),
        dense(7, 1, Activation::Identity),
    ];
    let mut network = Network::<f64>::with_layers(layers, Loss::SquaredError, Initializer::Auto, 1).unwrap();
    let even = [-3.0, -1.5, 0.0, 1.5, 3.0];
    let edges = |network: &Network<f64>| {
        let [_, _, v, edges] = network.params.tensors(1);
        assert!(v.iter().all(|&v| v == 0.0));
        edges.to_vec()
    };
    assert_eq!(edges(&network), [even; 3].concat());
    // 0 … 8 in another order; 1, 1, 1, 2, 2, 2, 5, 5, 5; 3.
    let row = |i: usize| [(i * 4 % 9) as f64, [1.0, 2.0, 5.0][i % 3], 3.0, 100.0];
    let x: Vec<f64> = (0..9).flat_map(row).collect();
    let data =
        Dataset::new(Inputs::Dense(ArrayView2::from_shape((9, 4), &x).unwrap()), &[0.0; 9], 1).unwrap();
    fit_edges(&mut network, &data, 0).unwrap();
    let expected = [[0.0, 2.0, 4.0, 6.0, 8.0], [1.0, 2.0, 5.0, 5.0, 5.0], [3.0; 5]];
    assert_eq!(edges(&network), expected.concat());
}

/// A run of a network wide enough that all of its passes are split.
fn train(first: Layer, threads: usize, epochs: u64, run: Option<Run<f32>>) -> Run<f32> {
    const ROWS: usize = 900;
    let x: Vec<f32> = numbers(ROWS * 8, 7).map(|x| x as f32).collect();
    let y: Vec<f32> = x.chunks_exact(8).map(|x| ((4.0 * x[0]).sin() > 0.2) as u8 as f32).collect();
    let data = Dataset::new(Inputs::Dense(ArrayView2::from_shape((ROWS, 8), &x).unwrap()), &y, 1).unwrap();
    let n_in = first.n_out(8);
    let layers = vec![first, dense(n_in, 32, Activation::Relu), dense(32, 1, Activation::Identity)];
    let mut network = Network::with_layers(layers, Loss::BINARY, Initializer::Auto, 1).unwrap();
    let config = TrainConfig { batch_size: BatchSize::Rows(300), epochs, lr: 0.01, ..TrainConfig::default() };
    let (train, valid) =
        (data.subset(&(0..600).collect::<Vec<_>>()), data.subset(&(600..900).collect::<Vec<_>>()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        fit_edges(&mut network, &train, 0).unwrap();
        let mut run = run.unwrap_or_else(|| Run::new(network, &config).unwrap());
        fit(&mut run, &train, Some(&valid), &config, &mut |_| ControlFlow::Continue(())).unwrap();
        run
    })
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_after_a_break() {
    for first in [
        Layer::Bins(bins(6, 2, 24)),
        Layer::Piecewise(Piecewise { bins: bins(6, 2, 24), width: 8 }),
        Layer::Plr(Plr { columns: 6, rest: 2, frequencies: 24, width: 8 }),
    ] {
        let whole = train(first, 1, 12, None);
        assert_eq!(whole, train(first, 2, 12, None), "{first:?}");
        assert_eq!(whole, train(first, 3, 12, None), "{first:?}");
        let bytes = Checkpoint::to_bytes(&train(first, 2, 5, None), &serde_json::Value::Null);
        let run = Checkpoint::from_bytes(&bytes).unwrap().run;
        assert_eq!(whole, train(first, 1, 12, Some(run)), "{first:?}");
        assert!(whole.history[11].train_loss < whole.history[0].train_loss, "{first:?}");
        for slot in whole.network.params.slots().iter().filter(|slot| slot.role == Role::Edge) {
            let edges = whole.network.params.of(slot);
            assert!(edges.chunks_exact(25).all(|edges| edges.is_sorted_by(|a, b| a < b)), "{edges:?}");
        }
    }
}

#[test]
fn layers_that_do_not_fit() {
    for first in [
        Layer::Bins(bins(2, 1, 3)),
        Layer::Bins(bins(0, 7, 3)),
        Layer::Bins(bins(2, 1, 0)),
        Layer::Bins(bins(usize::MAX, 1, usize::MAX)),
        Layer::Piecewise(Piecewise { bins: bins(2, 1, 3), width: 0 }),
        Layer::Piecewise(Piecewise { bins: bins(2, 1, usize::MAX), width: 3 }),
        Layer::Plr(Plr { columns: 2, rest: 1, frequencies: 0, width: 3 }),
        Layer::Plr(Plr { columns: 2, rest: 1, frequencies: usize::MAX, width: 3 }),
        Layer::Plr(Plr { columns: 0, rest: 7, frequencies: 2, width: 3 }),
    ] {
        let out = dense(7, 1, Activation::Identity);
        let layers = vec![
            first,
            if first == Layer::Bins(bins(2, 1, 3)) { dense(6, 1, Activation::Identity) } else { out },
        ];
        let network = Network::<f32>::with_layers(layers, Loss::SquaredError, Initializer::Auto, 0);
        assert!(network.is_err(), "{first:?}");
    }
}
