//! How far the members of a model are apart in what they predict: a sign of how little the training rows say about a row.

use crate::data::Inputs;
use crate::evaluate::cache_for;
use crate::network::Network;
use crate::real::Real;
use crate::step::{Mode, forward};

/// What each member predicts for some rows (k, rows.len(), n_L), after the link; one member where the network has none.
pub fn predict_members<T: Real>(network: &Network<T>, inputs: &Inputs<'_, T>, rows: &[u32]) -> Vec<f64> {
    let (n, members) = (network.n_out(), network.members());
    let mut cache = cache_for(network, rows.len());
    let mut predictions = vec![0.0; members * rows.len() * n];
    let mut done = 0;
    for some in rows.chunks(cache.capacity()) {
        let m = some.len();
        inputs.gather(some, &mut cache.x[..m * network.n_in()]);
        forward(network, &mut cache, m, Mode::Predicting);
        let z = &mut cache.logits_mut()[..members * m * n];
        z.chunks_exact_mut(n).for_each(|z| network.loss().apply_link(z));
        let all = predictions.chunks_exact_mut(rows.len() * n);
        for (of_member, z) in all.zip(z.chunks_exact(m * n)) {
            let into = &mut of_member[done * n..(done + m) * n];
            into.iter_mut().zip(z).for_each(|(into, z)| *into = z.f64());
        }
        done += m;
    }
    predictions
}

/// The standard deviation of weighted values, for many places at once, value by value (West 1979).
#[derive(Clone, Debug)]
pub struct Spread {
    weight: f64,
    mean: Vec<f64>,
    /// Σ w (v − mean)².
    squares: Vec<f64>,
}

impl Spread {
    /// Of so many places, without a value yet.
    pub fn new(places: usize) -> Self {
        Self { weight: 0.0, mean: vec![0.0; places], squares: vec![0.0; places] }
    }

    /// One more value for each place. A weight of 0 changes nothing.
    pub fn add(&mut self, weight: f64, values: &[f64]) {
        if weight <= 0.0 {
            return;
        }
        self.weight += weight;
        let share = weight / self.weight;
        for ((mean, squares), v) in self.mean.iter_mut().zip(&mut self.squares).zip(values) {
            let off = v - *mean;
            *mean += share * off;
            *squares += weight * off * (v - *mean);
        }
    }

    /// √(Σ w (v − mean)² / Σ w) of each place: the members are all there are, and not a sample of them.
    pub fn std(&self) -> Vec<f64> {
        self.squares.iter().map(|squares| (squares / self.weight).sqrt()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Heads, Layer, Members};
    use crate::{Loss, Network};

    /// By hand: 1, 2 and 4 with weights ½, ¼ and ¼ have the mean 2 and the variance ½ + 0 + 1.
    #[test]
    fn of_weighted_values() {
        let mut spread = Spread::new(2);
        for (weight, v) in [(0.5, 1.0), (0.25, 2.0), (0.0, 100.0), (0.25, 4.0)] {
            spread.add(weight, &[v, 1e9]);
        }
        let std = spread.std();
        assert!((std[0] - 1.5_f64.sqrt()).abs() < 1e-15, "{std:?}");
        assert_eq!(std[1], 0.0);
    }

    /// Two heads on one input: x and 1 − 2x.
    #[test]
    fn each_member_predicts() {
        let layers = vec![
            Layer::Members(Members { members: 2, n: 1 }),
            Layer::Heads(Heads { members: 2, n_in: 1, n_out: 1 }),
        ];
        let flat = vec![1.0, -2.0, 0.0, 1.0];
        let network = Network::<f64>::from_flat(layers, Loss::SquaredError, flat).unwrap();
        let x = ndarray::Array2::from_shape_fn((600, 1), |(i, _)| i as f64);
        let rows: Vec<u32> = (0..600).rev().collect();
        let found = predict_members(&network, &Inputs::Dense(x.view()), &rows);
        let x = || rows.iter().map(|&row| f64::from(row));
        let expected: Vec<f64> = x().chain(x().map(|x| 1.0 - 2.0 * x)).collect();
        assert_eq!(found, expected);
    }
}
