//! By rows on several threads and layer after layer on one are the same bits.

use super::*;
use crate::data::target::Task;
use crate::layer::{Ensemble, Heads, Layer, Members, side_by_side};
use crate::network::dense_layers;
use crate::preprocess::Groups;
use crate::recipe::{deep, realmlp, tabm};
use crate::rng::{Purpose, stream, unit};
use crate::step::{self, Keep, backward, forward, loss};
use crate::{Initializer, Loss};

const ACTIVATIONS: [Activation; 5] = [
    Activation::Relu,
    Activation::Tanh,
    Activation::Gelu,
    Activation::Mish,
    Activation::LeakyRelu { slope: 0.1 },
];

const TRAINING: Mode = Mode::Training { seed: 3, step: 11, dropout: 0.9 };

struct Case {
    sizes: &'static [usize],
    m: usize,
    dropout: f64,
    weighted: bool,
}

/// Large enough; a last layer of one unit, of a few, and of more than a panel; rows that are no multiple of anything.
const CASES: [Case; 5] = [
    Case { sizes: &[100, 130, 67, 10], m: 131, dropout: 0.0, weighted: true },
    Case { sizes: &[70, 128, 64, 1], m: 256, dropout: 0.3, weighted: false },
    Case { sizes: &[300, 200, 3], m: 49, dropout: 0.5, weighted: true },
    Case { sizes: &[40, 50, 50, 50, 50, 50, 2], m: 200, dropout: 0.1, weighted: false },
    Case { sizes: &[4000, 20, 7, 5, 33], m: 53, dropout: 0.0, weighted: false },
];

fn network<T: Real>(layers: Vec<Layer>) -> Network<T> {
    let loss = match layers.last() {
        Some(Layer::Dense { n_out: 1, .. } | Layer::Heads(Heads { n_out: 1, .. })) => {
            Loss::BinaryCrossEntropy { label_smoothing: 0.0 }
        }
        _ => Loss::CrossEntropy { label_smoothing: 0.1 },
    };
    Network::with_layers(layers, loss, Initializer::HeNormal, 5).unwrap()
}

fn dense<T: Real>(case: &Case, i: usize) -> Network<T> {
    let hidden: Vec<Activation> = (2..case.sizes.len()).map(|l| ACTIVATIONS[(i + l) % 5]).collect();
    network(dense_layers(case.sizes, &hidden, case.dropout).unwrap())
}

fn batch<T: Real>(network: &Network<T>, (m, weighted): (usize, bool), keep: Keep) -> Cache<T> {
    let mut cache = Cache::new(network, m + 3, keep);
    let mut rng = stream(9, Purpose::Sample, 1);
    cache.x.iter_mut().for_each(|x| *x = T::of(2.0 * unit(&mut rng) - 1.0));
    let classes = network.n_out().max(2);
    cache.y.iter_mut().enumerate().for_each(|(i, y)| *y = T::of((i * 7 % classes) as f64));
    // Networks side by side may have rows of their own.
    cache.apart = matches!(network.layers().last(), Some(Layer::Heads(Heads { members: 3, .. })));
    if weighted {
        cache.weights = (0..cache.rows_in(m + 3)).map(|i| T::of((i % 3) as f64)).collect();
    }
    cache
}

fn check<T: Real>(network: &Network<T>, (m, weighted): (usize, bool), mode: Mode, keep: Keep) {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut expected = batch(network, (m, weighted), keep);
    let mut expected_grads = Params::zeros(network.layers()).unwrap();
    let expected_j = pool(1).install(|| {
        forward(network, &mut expected, m, mode);
        let j = loss(network, &mut expected, m);
        backward(network, &mut expected, m, &mut expected_grads);
        j
    });
    let name = format!("{:?} {} {mode:?} {keep:?}", network.layers(), T::NAME);
    assert!(expected_grads.flat.iter().filter(|g| g.f64() != 0.0).count() > network.n_params() / 4, "{name}");
    // Members with a W in common are tasks that are not cut.
    let shares_w = Chain::new(network.layers()).is_some_and(Chain::shares_w);
    for threads in if shares_w { [2, 1, 3] } else { [2, 3, 8] } {
        let (mut cache, mut grads) =
            (batch(network, (m, weighted), keep), Params::zeros(network.layers()).unwrap());
        pool(threads).install(|| {
            assert!(Chain::of(network, &cache, m).is_some(), "{name}");
            let mut j = || step::gradient(network, &mut cache, m, mode, &mut grads);
            let j = if threads == 2 { j() } else { cpu::with_team(usize::MAX, j) };
            assert_eq!(j, expected_j, "J of {name}");
        });
        assert_eq!(grads.flat, expected_grads.flat, "{name}, {threads} threads");
        for (l, (layer, expected)) in cache.layers.iter().zip(&expected.layers).enumerate() {
            assert_eq!(layer.a[..], expected.a[..], "A of layer {l} of {name}");
            assert_eq!(layer.z[..], expected.z[..], "Z of layer {l} of {name}");
            assert_eq!(layer.mask[..], expected.mask[..], "the masks of layer {l} of {name}");
        }
    }
}

#[test]
fn by_rows_and_by_layers_are_the_same_bits() {
    for (i, case) in CASES.iter().enumerate() {
        let batch = (case.m, case.weighted);
        check::<f32>(&dense(case, i), batch, TRAINING, Keep::Needed);
        check::<f64>(&dense(case, i + 1), batch, TRAINING, Keep::AllZ);
        check::<f32>(&dense(case, i + 2), batch, Mode::Predicting, Keep::AllZ);
    }
}

#[test]
fn embeddings_before_and_blends_between_are_the_same_bits() {
    let inputs = Groups { numbers: 9, others: 2, rows: 0, levels: 0 };
    let mut layers = realmlp::layers(inputs, Task::Multiclass, 4);
    check::<f32>(&network(layers.clone()), (70, true), TRAINING, Keep::Needed);
    check::<f64>(&network(layers.clone()), (131, false), TRAINING, Keep::AllZ);
    // With an activation of the dense layers' own, and a blend without dropout.
    let is_dropout = |layer: &Layer| matches!(layer, Layer::Dropout { .. });
    layers.remove(layers.iter().position(is_dropout).unwrap());
    layers.iter_mut().for_each(|layer| {
        if let Layer::Dense { activation, n_out: 256, .. } = layer {
            *activation = Activation::Silu;
        }
    });
    check::<f32>(&network(layers), (200, true), TRAINING, Keep::Needed);
}

/// Members that share embeddings and blends, and such that share nothing, some of them with rows of their own; on odd numbers of rows
/// and of units a member's masks begin in the middle of a word.
#[test]
fn members_are_the_same_bits() {
    let inputs = Groups { numbers: 5, others: 3, rows: 2, levels: 9 };
    for (members, n_out, m) in [(2, 1, 33), (4, 1, 64), (5, 4, 17)] {
        let network_of = || deep::layers(inputs, members, n_out);
        check::<f32>(&network(network_of()), (m, true), TRAINING, Keep::Needed);
        check::<f64>(&network(network_of()), (m, false), Mode::Predicting, Keep::Needed);
    }
    for members in [3, 4] {
        let realmlp = realmlp::layers(inputs, Task::Multiclass, 4);
        let dense = dense_layers(&[100, 131, 33, 3], &[Activation::Gelu, Activation::Relu], 0.4).unwrap();
        for one in [realmlp, dense] {
            let layers = side_by_side(&one, members).unwrap();
            check::<f32>(&network(layers.clone()), (71, true), TRAINING, Keep::Needed);
            check::<f64>(&network(layers), (96, false), TRAINING, Keep::Needed);
        }
    }
}

/// Members that have W in common, and the activations of both kinds: those whose g' needs Z, and the others.
#[test]
fn ensembles_are_the_same_bits() {
    for (members, n_out, m) in [(3, 1, 131), (4, 5, 200), (5, 3, 17)] {
        for layers in [tabm::layers(21, members, n_out), tabm::mini_layers(21, members, n_out)] {
            check::<f32>(&network(layers.clone()), (m, true), TRAINING, Keep::Needed);
            check::<f64>(&network(layers), (m, false), TRAINING, Keep::Needed);
        }
    }
    let ensemble =
        |n_in, n_out, activation| Layer::Ensemble(Ensemble { members: 3, n_in, n_out, activation });
    let layers = vec![
        Layer::Members(Members { members: 3, n: 300 }),
        ensemble(300, 131, Activation::Gelu),
        Layer::Blend { n: 131, activation: Activation::Mish },
        Layer::Dropout { rate: 0.3 },
        ensemble(131, 67, Activation::Tanh),
        ensemble(67, 70, Activation::Silu),
        Layer::Dense { n_in: 70, n_out: 40, activation: Activation::Softplus },
        Layer::Heads(Heads { members: 3, n_in: 40, n_out: 3 }),
    ];
    check::<f32>(&network(layers.clone()), (257, true), TRAINING, Keep::Needed);
    check::<f64>(&network(layers), (100, false), Mode::Predicting, Keep::Needed);
}

#[test]
fn a_loss_that_is_not_a_number_is_returned() {
    let case = &CASES[0];
    let network = dense::<f32>(case, 0);
    let mut cache = batch(&network, (case.m, false), Keep::Needed);
    cache.x[5] = f32::NAN;
    let mut grads = Params::zeros(network.layers()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (j, _) = pool.install(|| step::gradient(&network, &mut cache, case.m, Mode::Predicting, &mut grads));
    assert!(j.is_nan());
    assert!(grads.flat.iter().all(|&g| g == 0.0), "the gradients stay");
}

#[test]
fn other_networks_go_layer_by_layer() {
    let is_chain = |layers: &[Layer]| Chain::new(layers).is_some();
    let dense = |n_in, n_out| Layer::Dense { n_in, n_out, activation: Activation::Identity };
    let dropout = Layer::Dropout { rate: 0.5 };
    let blend = Layer::Blend { n: 4, activation: Activation::Selu };
    assert!(is_chain(&[dense(3, 4), blend, dropout, dense(4, 1)]));
    assert!(is_chain(&[dropout, dense(4, 1)]));
    assert!(!is_chain(&[dropout]));
    assert!(!is_chain(&[dense(3, 4), dropout, dropout, dense(4, 1)]));
    assert!(!is_chain(&[dense(3, 4), dropout, blend, dense(4, 1)]));
    assert!(!is_chain(&[dense(3, 4), dropout]));
    assert!(!is_chain(&[dense(3, 4), Layer::Scale { n: 4 }, dense(4, 1)]));
    let members = Layer::Members(Members { members: 2, n: 2 });
    let heads = |members, n_out| Layer::Heads(Heads { members, n_in: 2, n_out });
    assert!(is_chain(&[members, heads(2, 2), heads(2, 1)]));
    assert!(!is_chain(&[members, dense(2, 2)]), "the members are the same");
    assert!(is_chain(&[members, heads(2, 2), dense(2, 1)]));
    let ensemble = Layer::Ensemble(Ensemble { members: 2, n_in: 2, n_out: 2, activation: Activation::Relu });
    assert!(is_chain(&[members, ensemble, heads(2, 1)]));
    assert!(is_chain(&[members, dense(2, 2), heads(2, 1)]));
    assert!(!is_chain(&[members, ensemble, heads(3, 1)]), "3 is not 2");
    assert!(!is_chain(&[dense(2, 2); MOST + 1]));
}
