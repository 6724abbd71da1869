//! Every layer × activation × loss × weight setting: the engine's gradient against central differences of its loss, in f64.

use crate::engine::draw::{Draw, activations, losses};
use crate::engine::{cache, distance_to_kinks, network};
use wxb::gradcheck::gradcheck;
use wxb::step::{Cache, Mode, backward, forward, loss};
use wxb::{Activation, Loss, Network, Params};

/// Which weights the rows have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weights {
    None,
    SomeZero,
}

/// J(θ + h e_i) with the masks of the first pass.
fn shifted(network: &mut Network<f64>, cache: &mut Cache<f64>, m: usize, i: usize, h: f64) -> f64 {
    let theta = network.params.flat[i];
    network.params.flat[i] = theta + h;
    forward(network, cache, m, Mode::SameMasks);
    network.params.flat[i] = theta;
    loss(network, cache, m).0
}

/// A network and a filled cache after forward, no Z close to a kink: a difference must not straddle it.
fn draw(
    case: u64,
    activation: Activation,
    of: &(Loss, usize),
    weights: Weights,
    dropout: f64,
) -> (Network<f64>, Cache<f64>, usize) {
    for attempt in 0.. {
        let mut draw = Draw::new(1 << 40 | case << 16 | attempt);
        let (sizes, m) = ([draw.size(5), draw.size(5), draw.size(4), of.1], 1 + draw.size(6));
        let book = draw.textbook(&sizes, &[activation; 2], of.0.clone());
        let mut batch = draw.batch(&book, m);
        if weights == Weights::SomeZero {
            batch.weights = draw.row_weights(m);
            batch.weights[m - 1] = 0.0;
        }
        let network = network::<f64>(&book, dropout);
        let mut cache = cache(&network, &batch, weights != Weights::None);
        forward(&network, &mut cache, m, Mode::Training { seed: case, step: 1, dropout: 1.0 });
        if distance_to_kinks(&network, &cache) > 1e-3 {
            return (network, cache, m);
        }
    }
    unreachable!("the attempts do not end")
}

fn check(case: u64, activation: Activation, of: &(Loss, usize), weights: Weights, dropout: f64) {
    let (mut network, mut cache, m) = draw(case, activation, of, weights, dropout);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    loss(&network, &mut cache, m);
    backward(&network, &mut cache, m, &mut grads);
    for (i, &g) in grads.flat.iter().enumerate() {
        // Error of the difference: h² J'''/6 ≈ 1e-10 and ε J/h ≈ 1e-11.
        let h = 1e-5;
        let (up, down) =
            (shifted(&mut network, &mut cache, m, i, h), shifted(&mut network, &mut cache, m, i, -h));
        let difference = (up - down) / (2.0 * h);
        let slot = grads.slots().iter().find(|slot| slot.range().contains(&i)).map(|slot| &slot.name);
        assert!(
            (g - difference).abs() <= 1e-8 * (1.0 + g.abs()),
            "{activation:?}, {of:?}, weights {weights:?}, dropout {dropout}, case {case}: {slot:?}: \
             {g} but the difference is {difference}"
        );
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let mut case = 0;
    for activation in activations() {
        for of in losses(2) {
            for weights in [Weights::None, Weights::SomeZero] {
                for dropout in [0.0, 0.25] {
                    check(case, activation, &of, weights, dropout);
                    case += 1;
                }
            }
        }
    }
    assert_eq!(case, 13 * 10 * 2 * 2);
}

/// The check that users run agrees: the same networks pass it, and a wrong gradient would not.
#[test]
fn gradcheck_passes_them_all() {
    for (case, activation) in activations().into_iter().enumerate() {
        for of in losses(2) {
            let (network, mut cache, m) = draw(case as u64, activation, &of, Weights::SomeZero, 0.25);
            for tensor in gradcheck(&network, &mut cache, m, Mode::SameMasks, usize::MAX, 0) {
                assert!(tensor.relative_error < 1e-6, "{activation:?}, {of:?}: {tensor:?}");
                assert_eq!(tensor.compared.0, tensor.compared.1);
            }
        }
    }
}

#[test]
fn dropout_drops_and_scales() {
    let of = (Loss::SquaredError, 2);
    let (network, cache, m) = draw(7, Activation::Softplus, &of, Weights::None, 0.5);
    let n = network.sizes()[1];
    // Layer 0 is dense, layer 1 its dropout: every number is 0 or doubled.
    let (a, dropped) = (&cache.a(0)[..m * n], &cache.a(1)[..m * n]);
    assert!(dropped.iter().zip(a).all(|(&d, &a)| d == 0.0 || d == 2.0 * a));
    assert!(dropped.contains(&0.0) && dropped.iter().any(|&d| d != 0.0), "{dropped:?}");
}
