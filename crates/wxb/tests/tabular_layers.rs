//! The layers of networks for tables: forward against the formulas as they stand, backward against finite differences.

use crate::slopes::{assert_agree, assert_slopes, gradient, numbers};
use wxb::step::{Cache, Keep, Mode, backward, forward, loss};
use wxb::{Activation, Embed, Initializer, Layer, Loss, Network, Params, Periodic, Real};

const M: usize = 5;
const LEVELS: usize = 7;

/// Three numbers, two inputs as they are and two categories; every kind of layer, before and after every other kind.
fn layers(g: Activation, dropout: f64) -> Vec<Layer> {
    vec![
        Layer::Embed(Embed { rest: 5, columns: 2, levels: LEVELS, width: 2 }),
        Layer::Periodic(Periodic { columns: 3, rest: 6, frequencies: 11, width: 2 }),
        Layer::Scale { n: 15 },
        Layer::Dense { n_in: 15, n_out: 9, activation: Activation::Identity },
        Layer::Blend { n: 9, activation: g },
        Layer::Dropout { rate: dropout },
        Layer::Dense { n_in: 9, n_out: 4, activation: g },
        Layer::Scale { n: 4 },
        Layer::Blend { n: 4, activation: Activation::Tanh },
        Layer::Periodic(Periodic { columns: 4, rest: 0, frequencies: 3, width: 1 }),
        Layer::Dense { n_in: 8, n_out: 2, activation: Activation::Identity },
    ]
}

/// A network whose every parameter is random, and a batch in its cache.
fn network<T: Real>(g: Activation, dropout: f64) -> (Network<T>, Cache<T>) {
    let mut network =
        Network::<T>::with_layers(layers(g, dropout), Loss::SquaredError, Initializer::LecunNormal, 3)
            .expect("they fit");
    for (theta, noise) in network.params.flat.iter_mut().zip(numbers(10_000, 1)) {
        *theta = T::of(theta.f64() + 0.3 * noise);
    }
    let mut cache = Cache::new(&network, M, Keep::Needed);
    let codes = [0.0, 6.0, 3.0, 3.0, 5.0, 1.0, 2.0, 0.0, 4.0, 6.0];
    for (i, (x, number)) in cache.x.iter_mut().zip(numbers(7 * M, 2)).enumerate() {
        *x = T::of(if i % 7 < 5 { number } else { codes[i / 7 * 2 + i % 7 - 5] });
    }
    cache.y.iter_mut().zip(numbers(2 * M, 3)).for_each(|(y, number)| *y = T::of(number));
    (network, cache)
}

/// A of the layer at index `l` from the layer before it, one formula each.
fn textbook(network: &Network<f64>, l: usize, a_in: &[f64]) -> Vec<f64> {
    let layer = network.layers()[l];
    let n_in = layer.n_in().expect("no dropout");
    let mut a = vec![];
    for x in a_in.chunks_exact(n_in) {
        match layer {
            Layer::Scale { .. } => {
                let [gamma] = network.params.tensors(l);
                a.extend(x.iter().zip(gamma).map(|(x, gamma)| gamma * x));
            }
            Layer::Blend { activation: g, .. } => {
                let [alpha] = network.params.tensors(l);
                a.extend(x.iter().zip(alpha).map(|(&z, alpha)| z + alpha * (g.apply(z) - z)));
            }
            Layer::Periodic(Periodic { columns, frequencies: f, width, .. }) => {
                let [w, beta, mix, shift] = network.params.tensors(l);
                for k in 0..columns * width {
                    let j = k / width;
                    let u = |p: usize| (std::f64::consts::TAU * w[j * f + p] * x[j] + beta[j * f + p]).cos();
                    a.push((0..f).map(|p| mix[k * f + p] * u(p)).sum::<f64>() + shift[k]);
                }
                a.extend(x);
            }
            Layer::Embed(Embed { rest, width, .. }) => {
                let [e] = network.params.tensors(l);
                a.extend(&x[..rest]);
                x[rest..].iter().for_each(|&code| a.extend(&e[code as usize * width..][..width]));
            }
            _ => unreachable!("it has a test of its own"),
        }
    }
    a
}

#[test]
fn forward_is_the_formula() {
    let (network, mut cache) = network::<f64>(Activation::Mish, 0.0);
    forward(&network, &mut cache, M, Mode::Predicting);
    let mut checked = 0;
    for (l, layer) in network.layers().iter().enumerate() {
        if matches!(layer, Layer::Dense { .. } | Layer::Dropout { .. }) {
            continue;
        }
        let a_in = if l == 0 { cache.x.to_vec() } else { cache.a(l - 1).to_vec() };
        let expected = textbook(&network, l, &a_in);
        assert_eq!(expected.len(), cache.a(l).len());
        for (a, expected) in cache.a(l).iter().zip(expected) {
            assert!((a - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{layer:?}: {a}, not {expected}");
        }
        checked += 1;
    }
    assert_eq!(checked, 7);
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    for g in
        [Activation::Selu, Activation::Mish, Activation::Gelu, Activation::Softplus, Activation::Identity]
    {
        for dropout in [0.0, 0.3] {
            let (mut network, mut cache) = network::<f64>(g, dropout);
            // The third derivative along a frequency has the factor (2π x)³.
            assert_slopes(&mut network, &mut cache, M, 3e-7, &format!("{g:?}, dropout {dropout}"));
        }
    }
}

/// A row of E that no example names has no gradient; numbers beyond the last row are the last row.
#[test]
fn categories_without_examples() {
    let (network, mut cache) = network::<f64>(Activation::Selu, 0.0);
    cache.x.iter_mut().enumerate().filter(|(i, _)| i % 7 >= 5).for_each(|(_, code)| *code = 99.0);
    forward(&network, &mut cache, M, Mode::Predicting);
    loss(&network, &mut cache, M);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    backward(&network, &mut cache, M, &mut grads);
    let [de] = grads.tensors(0);
    let (unused, last) = de.split_at(2 * (LEVELS - 1));
    assert!(unused.iter().all(|&g| g == 0.0) && last.iter().all(|&g| g != 0.0), "{de:?}");
}

/// In single precision the same network gives about the same loss and gradient.
#[test]
fn both_precisions_agree() {
    fn run<T: Real>() -> (f64, Vec<f64>) {
        let (network, mut cache) = network::<T>(Activation::Selu, 0.3);
        gradient(&network, &mut cache, M, Mode::Training { seed: 1, step: 2, dropout: 0.5 })
    }
    assert_agree(run::<f32>(), run::<f64>(), [1e-5, 2e-5]);
}

#[test]
fn layers_that_do_not_fit() {
    let out = Layer::Dense { n_in: 4, n_out: 1, activation: Activation::Identity };
    for first in [
        Layer::Scale { n: 3 },
        Layer::Scale { n: 0 },
        Layer::Blend { n: 5, activation: Activation::Selu },
        Layer::Periodic(Periodic { columns: 2, rest: 1, frequencies: 4, width: 1 }),
        Layer::Periodic(Periodic { columns: 2, rest: 0, frequencies: 0, width: 1 }),
        Layer::Periodic(Periodic {
            columns: usize::MAX,
            rest: 2,
            frequencies: usize::MAX,
            width: usize::MAX,
        }),
        Layer::Embed(Embed { rest: 2, columns: 1, levels: 3, width: 3 }),
        Layer::Embed(Embed { rest: 2, columns: 1, levels: 0, width: 2 }),
        Layer::Embed(Embed { rest: 1, columns: 1, levels: usize::MAX, width: 3 }),
    ] {
        let network = Network::<f32>::with_layers(vec![first, out], Loss::SquaredError, Initializer::Auto, 0);
        assert!(network.is_err(), "{first:?}");
    }
}
