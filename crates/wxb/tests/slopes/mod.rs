//! Made-up numbers, and every gradient of a network against central differences.

use wxb::rng::{Purpose, stream, unit};
use wxb::step::{Cache, Mode, backward, forward, loss};
use wxb::{Network, Params, Real};

/// Numbers in −1.5 to 1.5.
pub fn numbers(n: usize, seed: u64) -> impl Iterator<Item = f64> {
    let mut rng = stream(seed, Purpose::Sample, 0);
    (0..n).map(move |_| 3.0 * unit(&mut rng) - 1.5)
}

/// Asserts that what is not learned has no gradient, and that every other gradient of the batch of `m` rows in the cache is (J(θ + h) − J(θ − h)) / 2h, within `tolerance` (1 + |it|).
pub fn assert_slopes(
    network: &mut Network<f64>,
    cache: &mut Cache<f64>,
    m: usize,
    tolerance: f64,
    name: &str,
) {
    forward(network, cache, m, Mode::Training { seed: 1, step: 2, dropout: 1.0 });
    loss(network, cache, m);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    backward(network, cache, m, &mut grads);
    for (i, &gradient) in grads.flat.iter().enumerate() {
        let slot = grads.slots().iter().find(|slot| slot.range().contains(&i)).expect("slots cover all");
        if !slot.role.is_learned() {
            assert_eq!(gradient, 0.0, "{name}, {}", slot.name);
            continue;
        }
        let h = 1e-5;
        let mut at = |shift: f64| {
            let theta = network.params.flat[i];
            network.params.flat[i] = theta + shift;
            forward(network, cache, m, Mode::SameMasks);
            network.params.flat[i] = theta;
            loss(network, cache, m).0
        };
        let difference = (at(h) - at(-h)) / (2.0 * h);
        assert!(
            (gradient - difference).abs() <= tolerance * (1.0 + gradient.abs()),
            "{name}, {}: {gradient} but the difference is {difference}",
            slot.name
        );
    }
}

/// J and its gradient for the first `m` rows of the cache.
pub fn gradient<T: Real>(
    network: &Network<T>,
    cache: &mut Cache<T>,
    m: usize,
    mode: Mode,
) -> (f64, Vec<f64>) {
    forward(network, cache, m, mode);
    let (j, _) = loss(network, cache, m);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    grads.flat.fill(T::ONE); // whatever was there before
    backward(network, cache, m, &mut grads);
    (j, grads.flat.iter().map(|g| g.f64()).collect())
}

/// Asserts that J and gradient of single precision are those of double precision, within a share of J and of the gradient's norm.
pub fn assert_agree(single: (f64, Vec<f64>), double: (f64, Vec<f64>), [of_loss, of_gradient]: [f64; 2]) {
    let ((j32, g32), (j64, g64)) = (single, double);
    assert!((j32 - j64).abs() < of_loss * j64, "{j32} {j64}");
    let norm = g64.iter().map(|g| g * g).sum::<f64>().sqrt();
    let distance = g32.iter().zip(&g64).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    assert!(distance < of_gradient * norm, "{distance} {norm}");
}
