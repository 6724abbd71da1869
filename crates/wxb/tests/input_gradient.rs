//! dX, which training does not want, against central differences: dense networks, and the recipes with their embeddings,
//! blends and members.
#![allow(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

use wxb::layer::{Embed, Ensemble, Heads, Layer, Members, Periodic};
use wxb::network::dense_layers;
use wxb::step::{Cache, Keep, Mode, backward, forward, loss};
use wxb::{Activation, Initializer, Loss, Network};

const M: usize = 5;

/// `numbers`: how many inputs, from the first on, are no indices.
fn check(what: &str, layers: Vec<Layer>, numbers: usize) {
    let mut network = Network::<f64>::with_layers(layers, Loss::SOFTMAX, Initializer::Auto, 3).unwrap();
    let theta = network.params.flat.iter_mut().enumerate();
    theta.for_each(|(i, theta)| *theta += 0.3 * (1.0 + 5.0 * i as f64).sin());
    let n = network.n_in();
    let mut cache = Cache::new(&network, M, Keep::Needed);
    cache.with_dx = true;
    let input = |i: usize| if i % n < numbers { (i as f64).cos() } else { (i % 3) as f64 };
    let x: Vec<f64> = (0..M * n).map(input).collect();
    cache.x[..M * n].copy_from_slice(&x);
    (0..M).for_each(|row| cache.y[row] = (row % 3) as f64);
    let cost = |cache: &mut Cache<f64>, i: usize, step: f64| {
        cache.x[..M * n].copy_from_slice(&x);
        cache.x[i] += step;
        forward(&network, cache, M, Mode::Predicting);
        loss(&network, cache, M).0
    };
    let mut grads = network.params.clone();
    cost(&mut cache, 0, 0.0);
    backward(&network, &mut cache, M, &mut grads);
    let dx = cache.dx(M).to_vec();
    assert_eq!(dx.len(), M * n, "{what}");
    const STEP: f64 = 1e-5;
    for i in (0..M * n).filter(|i| i % n < numbers) {
        let expected = (cost(&mut cache, i, STEP) - cost(&mut cache, i, -STEP)) / (2.0 * STEP);
        assert!((dx[i] - expected).abs() < 1e-8, "{what}, {i}: {} is not {expected}", dx[i]);
    }
}

#[test]
fn dx() {
    let dense = |n_in, n_out, activation| Layer::Dense { n_in, n_out, activation };
    let identity = Activation::Identity;
    check("softmax regression", vec![dense(4, 3, identity)], 4);
    check("dense", dense_layers(&[4, 6, 5, 3], &[Activation::Tanh, Activation::Mish], 0.2).unwrap(), 4);
    let waves = Periodic { columns: 3, rest: 2, frequencies: 4, width: 2 };
    check("waves", vec![Layer::Periodic(waves), dense(waves.n_out(), 3, identity)], 5);
    check("scale", vec![Layer::Scale { n: 4 }, dense(4, 3, identity)], 4);
    let embed = Embed { rest: 3, columns: 2, levels: 3, width: 2 };
    check("embedding", vec![Layer::Embed(embed), dense(7, 3, identity)], 3);
    let members = Members { members: 3, n: 4 };
    let heads = |n_in, n_out| Layer::Heads(Heads { members: 3, n_in, n_out });
    let blend = Layer::Blend { n: 6, activation: Activation::Mish };
    check("members", vec![Layer::Members(members), heads(4, 3)], 4);
    let deep = vec![Layer::Members(members), Layer::MemberScale(members), heads(4, 6), blend, heads(6, 3)];
    check("deep", deep, 4);
    let shared = Ensemble { members: 3, n_in: 4, n_out: 6, activation: Activation::Relu };
    check("tabm", vec![Layer::Members(members), Layer::Ensemble(shared), heads(6, 3)], 4);
}
