//! The gradient from backward against central differences of the loss, in double precision.

use rand_core::Rng;

use crate::network::Network;
use crate::rng::{Purpose, below, stream};
use crate::step::{Cache, Mode, backward, forward, loss};

/// How large a step the differences take. The error of (J(θ + h) − J(θ − h)) / 2h is h² J'''/6 from the curvature
/// and ε J / h from rounding; for ε = 2⁻⁵³ both are small near the cube root of ε.
const H: f64 = 1e-5;

/// The rounding of J moves a difference by about 2⁻⁵³ |J| / h = 10⁻¹¹ |J|: 10⁻⁷ of this.
const FLOOR: f64 = 1e-4;

/// One tensor's comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorCheck {
    /// `"W1"`, `"b1"`, …
    pub name: String,
    /// How many of its numbers were compared, and how many it has.
    pub compared: (usize, usize),
    /// The Euclidean norm of the compared analytic gradient.
    pub norm: f64,
    /// ‖analytic − numeric‖ / (‖analytic‖ + ‖numeric‖), the divisor at least 10⁻⁴ max(1, |J|): below that a numeric
    /// gradient is little but the rounding of J.
    pub relative_error: f64,
    /// The compared number with the largest difference: its index, analytic and numeric.
    pub worst: (usize, f64, f64),
}

/// Compares up to `per_tensor` numbers of every learned tensor (chosen by the seed) on the batch of `m` rows that lies in
/// the cache. Dropout keeps the masks of the cache's last training pass; without one, draw them by a forward pass.
pub fn gradcheck(
    network: &Network<f64>,
    cache: &mut Cache<f64>,
    m: usize,
    mode: Mode,
    per_tensor: usize,
    seed: u64,
) -> Vec<TensorCheck> {
    let checks = gradcheck_until(network, cache, m, mode, (per_tensor, seed), &mut || false);
    checks.expect("nobody breaks it off")
}

/// The same, `None` if it is broken off, which is asked before each number.
pub fn gradcheck_until(
    network: &Network<f64>,
    cache: &mut Cache<f64>,
    m: usize,
    mode: Mode,
    (per_tensor, seed): (usize, u64),
    breaks_off: &mut dyn FnMut() -> bool,
) -> Option<Vec<TensorCheck>> {
    let mut network = network.clone();
    let mut grads = network.params.clone();
    forward(&network, cache, m, mode);
    let (j, _) = loss(&network, cache, m);
    backward(&network, cache, m, &mut grads);
    let learned = network.params.slots().iter().filter(|slot| slot.role.is_learned());
    let slots: Vec<_> = learned.cloned().collect();
    let mut rng = stream(seed, Purpose::Sample, 0);
    let mut checks = Vec::new();
    for slot in slots {
        let mut pairs = vec![];
        for i in sample(&mut rng, slot.range().len(), per_tensor) {
            if breaks_off() {
                return None;
            }
            let analytic = grads.of(&slot)[i];
            pairs.push((i, analytic, nearest(&mut network, cache, m, mode, (slot.offset + i, analytic))));
        }
        checks.push(compare(slot.name.clone(), &pairs, slot.range().len(), FLOOR * j.abs().max(1.0)));
    }
    Some(checks)
}

/// The difference in one parameter. In a network of many ReLUs some kink lies within nearly every step, and takes its part of
/// the difference: where that is off, a hundredth of the step is tried, in which there are a hundredth of the kinks. A wrong
/// gradient is wrong for both.
fn nearest(
    network: &mut Network<f64>,
    cache: &mut Cache<f64>,
    m: usize,
    mode: Mode,
    (at, analytic): (usize, f64),
) -> f64 {
    let off = |numeric: f64| (numeric - analytic).abs();
    let numeric = difference(network, cache, m, mode, (at, H));
    if off(numeric) <= OFF * analytic.abs().max(FLOOR) {
        return numeric;
    }
    let closer = difference(network, cache, m, mode, (at, 0.01 * H));
    if off(closer) < off(numeric) { closer } else { numeric }
}

/// The share of a derivative that curvature and rounding explain.
const OFF: f64 = 1e-6;

/// (J(θ + h) − J(θ − h)) / 2h in one parameter.
fn difference(
    network: &mut Network<f64>,
    cache: &mut Cache<f64>,
    m: usize,
    mode: Mode,
    (at, h): (usize, f64),
) -> f64 {
    // The masks of the first pass stay.
    let mode = if mode == Mode::Predicting { mode } else { Mode::SameMasks };
    let theta = network.params.flat[at];
    let step = h * theta.abs().max(1.0);
    let (up, down) = (theta + step, theta - step);
    let [above, below] = [up, down].map(|theta| {
        network.params.flat[at] = theta;
        forward(network, cache, m, mode);
        loss(network, cache, m).0
    });
    network.params.flat[at] = theta;
    (above - below) / (up - down)
}

fn compare(name: String, pairs: &[(usize, f64, f64)], length: usize, floor: f64) -> TensorCheck {
    let norm =
        |value: fn(&(usize, f64, f64)) -> f64| pairs.iter().map(|p| value(p) * value(p)).sum::<f64>().sqrt();
    let (analytic, numeric, difference) = (norm(|p| p.1), norm(|p| p.2), norm(|p| p.1 - p.2));
    let by_difference =
        |a: &&(usize, f64, f64), b: &&(usize, f64, f64)| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs());
    TensorCheck {
        name,
        compared: (pairs.len(), length),
        norm: analytic,
        relative_error: difference / (analytic + numeric).max(floor),
        worst: pairs.iter().max_by(by_difference).copied().unwrap_or((0, 0.0, 0.0)),
    }
}

/// Up to `count` distinct indices below `length`, ascending (Floyd's sampling).
fn sample(rng: &mut impl Rng, length: usize, count: usize) -> Vec<usize> {
    if count >= length {
        return (0..length).collect();
    }
    let mut chosen = std::collections::BTreeSet::new();
    for top in length - count..length {
        let i = below(rng, top as u32 + 1) as usize;
        chosen.insert(if chosen.contains(&i) { top } else { i });
    }
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Keep;
    use crate::{Activation, Initializer, Loss};

    /// A gradient that is wrong by a thousandth is not found to be right by the smaller step.
    #[test]
    fn a_wrong_gradient_is_no_kink() {
        let mut network =
            Network::new(&[3, 16, 2], Activation::Relu, Loss::SquaredError, Initializer::Auto, 1).unwrap();
        let mut cache = Cache::new(&network, 8, Keep::Needed);
        cache.x.iter_mut().enumerate().for_each(|(i, x)| *x = ((i * 7) % 11) as f64 / 5.0 - 1.0);
        cache.y.iter_mut().enumerate().for_each(|(i, y)| *y = ((i * 5) % 7) as f64 / 3.0 - 1.0);
        let mut grads = network.params.clone();
        forward(&network, &mut cache, 8, Mode::Predicting);
        loss(&network, &mut cache, 8);
        backward(&network, &mut cache, 8, &mut grads);
        let at = grads.flat.len() - 1;
        let right = grads.flat[at];
        for analytic in [1.001 * right, right] {
            let numeric = nearest(&mut network, &mut cache, 8, Mode::Predicting, (at, analytic));
            assert!((numeric - right).abs() < 1e-7 * right.abs(), "{numeric} for {right}");
        }
    }
}
