//! Layers of members: forward against the formulas as they stand, backward against finite differences, and the mean of their
//! predictions.

use crate::slopes::{assert_agree, assert_slopes, gradient, numbers};
use wxb::step::{Cache, Keep, Mode, average, backward, forward, loss};
use wxb::{Activation, Ensemble, Heads, Initializer, Layer, Loss, Members, Network, Params, Real};

const M: usize = 5;
const K: usize = 3;
const N_IN: usize = 4;

fn ensemble(n_in: usize, n_out: usize, activation: Activation) -> Layer {
    Layer::Ensemble(Ensemble { members: K, n_in, n_out, activation })
}

/// Every layer of members, after and before layers that know of none; in front of the members a layer that all share.
fn layers(g: Activation, n_out: usize, heads: bool) -> Vec<Layer> {
    let last = match heads {
        true => Layer::Heads(Heads { members: K, n_in: 8, n_out }),
        false => Layer::Dense { n_in: 8, n_out, activation: Activation::Identity },
    };
    vec![
        Layer::Dense { n_in: N_IN, n_out: 6, activation: g },
        Layer::Members(Members { members: K, n: 6 }),
        Layer::MemberScale(Members { members: K, n: 6 }),
        ensemble(6, 7, g),
        Layer::Dropout { rate: 0.3 },
        ensemble(7, 2, Activation::Tanh),
        ensemble(2, 19, g),
        Layer::Dense { n_in: 19, n_out: 8, activation: g },
        Layer::Blend { n: 8, activation: Activation::Selu },
        Layer::Scale { n: 8 },
        last,
    ]
}

/// A network whose every parameter is random, and a batch in its cache; `apart`: with rows of its own for each member.
fn network<T: Real>(layers: Vec<Layer>, loss: Loss, apart: bool) -> (Network<T>, Cache<T>) {
    let mut network = Network::<T>::with_layers(layers, loss, Initializer::LecunNormal, 3).expect("they fit");
    for (theta, noise) in network.params.flat.iter_mut().zip(numbers(10_000, 1)) {
        *theta = T::of(theta.f64() + 0.3 * noise);
    }
    let mut cache = Cache::new(&network, M + 1, Keep::Needed);
    cache.apart = apart;
    let rows = cache.rows_in(M);
    assert_eq!(rows, if apart { K * M } else { M });
    cache.x.iter_mut().zip(numbers(rows * N_IN, 2)).for_each(|(x, number)| *x = T::of(number));
    let targets = rows * network.n_targets();
    let is_class = matches!(network.loss(), Loss::CrossEntropy { .. });
    let target = |(i, number): (usize, f64)| if is_class { (i % 2) as f64 } else { number };
    cache.y.iter_mut().zip(numbers(targets, 3).enumerate().map(target)).for_each(|(y, t)| *y = T::of(t));
    cache.weights = (0..rows).map(|i| T::of(0.5 + (i % 4) as f64)).collect();
    (network, cache)
}

/// A of member `i` of the layer at index `l` for one row, one formula each.
fn textbook(network: &Network<f64>, l: usize, i: usize, x: &[f64]) -> Vec<f64> {
    match network.layers()[l] {
        Layer::MemberScale(Members { n, .. }) => {
            let [r] = network.params.tensors(l);
            (0..n).map(|j| r[i * n + j] * x[j]).collect()
        }
        Layer::Ensemble(Ensemble { n_in, n_out, activation: g, .. }) => {
            let [r, w, s, b] = network.params.tensors(l);
            let sum = |j: usize| (0..n_in).map(|p| r[i * n_in + p] * x[p] * w[p * n_out + j]).sum::<f64>();
            (0..n_out).map(|j| g.apply(s[i * n_out + j] * sum(j) + b[i * n_out + j])).collect()
        }
        Layer::Heads(Heads { n_in, n_out, .. }) => {
            let [w, b] = network.params.tensors(l);
            let w = &w[i * n_in * n_out..];
            (0..n_out)
                .map(|j| (0..n_in).map(|p| x[p] * w[p * n_out + j]).sum::<f64>() + b[i * n_out + j])
                .collect()
        }
        _ => x.to_vec(), // Members: the row as it is
    }
}

#[test]
fn forward_is_the_formula() {
    for apart in [false, true] {
        let layers = layers(Activation::Mish, 2, true);
        let (network, mut cache) = network::<f64>(layers, Loss::SquaredError, apart);
        forward(&network, &mut cache, M, Mode::Predicting);
        for (l, layer) in network.layers().iter().enumerate() {
            let Some(n_in) = layer.n_in().filter(|_| layer.members().is_some()) else { continue };
            let n_out = layer.n_out(n_in);
            let shared = matches!(layer, Layer::Members(_)) && !apart;
            for row in 0..K * M {
                let from = if shared { row % M } else { row };
                let expected = textbook(&network, l, row / M, &cache.a(l - 1)[from * n_in..][..n_in]);
                for (a, expected) in cache.a(l)[row * n_out..][..n_out].iter().zip(expected) {
                    assert!(
                        (a - expected).abs() < 1e-13 * (1.0 + expected.abs()),
                        "{layer:?}: {a}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    for (g, heads) in [
        (Activation::Mish, true),
        (Activation::Tanh, false),
        (Activation::Selu, true),
        (Activation::Identity, false),
    ] {
        for (apart, kind, n_out) in [(false, Loss::SquaredError, 2), (true, Loss::SOFTMAX, 5)] {
            let (mut network, mut cache) = network::<f64>(layers(g, n_out, heads), kind, apart);
            assert_slopes(&mut network, &mut cache, M, 1e-8, &format!("{g:?}, apart {apart}"));
        }
    }
}

/// The members' own rows: as if each were alone with them, so that the same rows for all are the shared batch.
#[test]
fn rows_of_their_own() {
    let layers = || layers(Activation::Selu, 2, true);
    let (network, mut shared) = network::<f64>(layers(), Loss::SquaredError, false);
    let (_, mut apart) = self::network::<f64>(layers(), Loss::SquaredError, true);
    for i in 0..K {
        apart.x[i * M * N_IN..][..M * N_IN].copy_from_slice(&shared.x[..M * N_IN]);
        apart.y[i * M * 2..][..M * 2].copy_from_slice(&shared.y[..M * 2]);
        apart.weights[i * M..][..M].copy_from_slice(&shared.weights[..M]);
    }
    let run = |cache: &mut Cache<f64>| {
        forward(&network, cache, M, Mode::Training { seed: 1, step: 2, dropout: 1.0 });
        let (j, weight) = loss(&network, cache, M);
        let mut grads = Params::zeros(network.layers()).expect("the same layers");
        backward(&network, cache, M, &mut grads);
        (j, weight, grads.flat)
    };
    let ((j, weight, g), (j_apart, weight_apart, g_apart)) = (run(&mut shared), run(&mut apart));
    assert!((j - j_apart).abs() < 1e-14 * j && (weight - weight_apart).abs() < 1e-12, "{j} {j_apart}");
    // Σ w of the examples, not of the members' rows.
    assert_eq!(weight, shared.weights.iter().sum::<f64>());
    assert!(g.iter().zip(&g_apart).all(|(a, b)| (a - b).abs() < 1e-13 * (1.0 + a.abs())));
}

/// The prediction is the mean of the members' probabilities, and the loss then that of the mean.
#[test]
fn predictions_are_averaged() {
    for (kind, n_out) in [(Loss::SOFTMAX, 3), (Loss::SquaredError, 2), (Loss::Poisson, 1), (Loss::BINARY, 1)]
    {
        let (network, mut cache) = network::<f64>(layers(Activation::Tanh, n_out, true), kind.clone(), false);
        if kind == Loss::Poisson || kind == Loss::BINARY {
            cache.y.iter_mut().for_each(|y| *y = f64::from(u8::from(*y > 0.0)));
        }
        forward(&network, &mut cache, M, Mode::Predicting);
        let mut each = cache.logits()[..K * M * n_out].to_vec();
        each.chunks_exact_mut(n_out).for_each(|z| network.loss().apply_link(z));
        average(&network, &mut cache, M);
        average(&network, &mut cache, M); // the second one changes nothing
        let (j, weight) = loss(&network, &mut cache, M);
        let mut mean = cache.logits()[..M * n_out].to_vec();
        mean.chunks_exact_mut(n_out).for_each(|z| network.loss().apply_link(z));
        for (at, p) in mean.iter().enumerate() {
            let expected = (0..K).map(|i| each[i * M * n_out + at]).sum::<f64>() / K as f64;
            assert!((p - expected).abs() < 1e-13, "{kind:?}: {p}, not {expected}");
        }
        if kind == Loss::SOFTMAX {
            let of_row = |row: usize| -cache.weights[row] * mean[row * n_out + cache.y[row] as usize].ln();
            let expected = (0..M).map(of_row).sum::<f64>() / weight;
            assert!((j - expected).abs() < 1e-13, "{j}, not {expected}");
        }
    }
}

#[test]
fn a_certain_ensemble_stays_finite() {
    for kind in [Loss::SOFTMAX, Loss::BINARY] {
        let mut z = [0.0_f32, 1.0];
        kind.undo_link(&mut z);
        assert!(z.iter().all(|z| z.is_finite()) && z[0] < -30.0, "{z:?}");
    }
}

/// The same bits on one thread and on several, in a network large enough for all of its passes to be split.
#[test]
fn threads_do_not_change_a_bit() {
    const ROWS: usize = 120;
    let layers = vec![
        Layer::Members(Members { members: 16, n: 20 }),
        Layer::Ensemble(Ensemble { members: 16, n_in: 20, n_out: 70, activation: Activation::Gelu }),
        Layer::Ensemble(Ensemble { members: 16, n_in: 70, n_out: 90, activation: Activation::Relu }),
        Layer::Dropout { rate: 0.3 },
        Layer::Heads(Heads { members: 16, n_in: 90, n_out: 2 }),
    ];
    let network = Network::<f32>::with_layers(layers, Loss::SOFTMAX, Initializer::Auto, 3).expect("they fit");
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("there are threads");
        pool.install(|| {
            let mut cache = Cache::new(&network, ROWS, Keep::Needed);
            cache.apart = true;
            cache.x.iter_mut().zip(numbers(100_000, 4)).for_each(|(x, number)| *x = number as f32);
            forward(&network, &mut cache, ROWS, Mode::Training { seed: 1, step: 2, dropout: 1.0 });
            let (j, _) = loss(&network, &mut cache, ROWS);
            let mut grads = Params::zeros(network.layers()).expect("the same layers");
            backward(&network, &mut cache, ROWS, &mut grads);
            average(&network, &mut cache, ROWS);
            (j, grads.flat, cache.logits()[..ROWS * 2].to_vec())
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

#[test]
fn both_precisions_agree() {
    fn run<T: Real>() -> (f64, Vec<f64>) {
        let (network, mut cache) = network::<T>(layers(Activation::Selu, 2, true), Loss::SquaredError, true);
        gradient(&network, &mut cache, M, Mode::Training { seed: 1, step: 2, dropout: 0.5 })
    }
    assert_agree(run::<f32>(), run::<f64>(), [1e-5, 2e-5]);
}

/// What is no number must not become a prediction by being averaged.
#[test]
fn a_mean_of_nan_is_nan() {
    for (kind, n_out) in [(Loss::SOFTMAX, 2), (Loss::BINARY, 1), (Loss::SquaredError, 2)] {
        let (mut network, mut cache) = network::<f32>(layers(Activation::Selu, n_out, true), kind, false);
        network.params.flat.fill(f32::NAN);
        forward(&network, &mut cache, M, Mode::Predicting);
        average(&network, &mut cache, M);
        assert!(cache.logits()[..M * n_out].iter().all(|z| z.is_nan()), "{}", network.loss().name());
    }
}

#[test]
fn layers_that_do_not_fit() {
    let members = |members, n| Layer::Members(Members { members, n });
    let heads = |members, n_in| Layer::Heads(Heads { members, n_in, n_out: 1 });
    for layers in [
        vec![heads(K, 4)],
        vec![members(2, 4), heads(K, 4)],
        vec![members(0, 4), heads(0, 4)],
        vec![members(1 << 40, 4), heads(1 << 40, 4)],
        vec![members(K, 0), heads(K, 0)],
        vec![members(K, 4), members(K, 4), heads(K, 4)],
        vec![members(K, 4), heads(K, 5)],
        vec![members(K, 4), heads(K, 4), heads(K, 1), Layer::MemberScale(Members { members: K, n: 1 })],
        vec![members(K, 4), ensemble(4, 0, Activation::Relu), heads(K, 4)],
        vec![members(K, 4), ensemble(4, usize::MAX, Activation::Relu), heads(K, usize::MAX)],
        vec![members(K, 4), ensemble(4, 1, Activation::Identity)],
    ] {
        let network = Network::<f32>::with_layers(layers.clone(), Loss::SquaredError, Initializer::Auto, 0);
        assert!(network.is_err(), "{layers:?}");
    }
}
