//! Predictions of a network on many rows, and the scores of them.

use crate::data::{Dataset, Inputs};
use crate::loss::Loss;
use crate::metrics::{self, Scores};
use crate::network::Network;
use crate::real::Real;
use crate::step::{Cache, Keep, Mode, average, forward, loss};

/// Rows that go through the network at a time, those of all members together: enough for the products to reach their
/// speed, and small enough for the activations of a wide layer to stay in cache.
const ROWS: usize = 512;

/// Whether the logits are turned into predictions by the loss's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Z_L.
    Logits,
    /// Probabilities, rates, or values.
    Linked,
}

/// The outputs (rows.len(), n_L) for some rows, row-major; those of the members' mean where there are members. Values of a
/// regression are on the scale of its targets.
pub fn predict<T: Real>(
    network: &Network<T>,
    inputs: &Inputs<'_, T>,
    rows: &[u32],
    output: Output,
) -> Vec<f64> {
    let n = network.n_out();
    let mut cache = cache_for(network, rows.len());
    let mut predictions = Vec::with_capacity(rows.len() * n);
    for rows in rows.chunks(cache.capacity()) {
        let m = rows.len();
        inputs.gather(rows, &mut cache.x[..m * network.n_in()]);
        forward(network, &mut cache, m, Mode::Predicting);
        average(network, &mut cache, m);
        collect(network, &mut cache, m, output, &mut predictions);
    }
    predictions
}

/// A cache for the evaluation of so many rows, some at a time.
pub fn cache_for<T: Real>(network: &Network<T>, rows: usize) -> Cache<T> {
    Cache::new(network, ROWS.div_ceil(network.members()).min(rows).max(1), Keep::Needed)
}

fn collect<T: Real>(
    network: &Network<T>,
    cache: &mut Cache<T>,
    m: usize,
    output: Output,
    into: &mut Vec<f64>,
) {
    let n = network.n_out();
    for z in cache.logits_mut()[..m * n].chunks_exact_mut(n) {
        if output == Output::Linked {
            network.loss().apply_link(z);
        }
        into.extend(z.iter().map(|z| z.f64()));
    }
}

/// Loss, predictions and targets of a data set, in the data's units.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// J on all rows, on the scale of the network's targets.
    pub loss: f64,
    /// (m, n_L) after the link, row-major.
    pub predictions: Vec<f64>,
    /// (m, n_targets), row-major.
    pub targets: Vec<f64>,
    /// (m), if the data has weights.
    pub weights: Option<Vec<f64>>,
    kind: Loss,
    n_out: usize,
}

/// J, predictions and targets of all rows of a data set, those of the members' mean where there are members. The cache holds
/// a batch at a time.
pub fn evaluate<T: Real>(network: &Network<T>, data: &Dataset<'_, T>, cache: &mut Cache<T>) -> Evaluation {
    let (mut loss_sum, mut weight_sum) = (0.0, 0.0);
    let mut predictions = Vec::with_capacity(data.len() * network.n_out());
    for rows in data.rows().chunks(cache.capacity()) {
        let m = rows.len();
        data.load(rows, cache);
        forward(network, cache, m, Mode::Predicting);
        average(network, cache, m);
        let (j, weight) = loss(network, cache, m);
        loss_sum += j * weight;
        weight_sum += weight;
        collect(network, cache, m, Output::Linked, &mut predictions);
    }
    let (mean, std) = data.scale();
    let units = |v: &mut f64| *v = mean + std * *v;
    let mut targets: Vec<f64> =
        data.rows().iter().flat_map(|&row| data.target(row)).map(|y| y.f64()).collect();
    if (mean, std) != (0.0, 1.0) {
        predictions.iter_mut().for_each(units);
        targets.iter_mut().for_each(units);
    }
    let weights = data.is_weighted().then(|| data.rows().iter().map(|&row| data.weight(row).f64()).collect());
    let (kind, n_out) = (network.loss().clone(), network.n_out());
    Evaluation { loss: loss_sum / weight_sum, predictions, targets, weights, kind, n_out }
}

impl Evaluation {
    /// Every metric that is defined for the loss's task.
    pub fn scores(&self) -> Scores {
        let weights = self.weights.as_deref();
        let classes = || self.targets.iter().map(|&y| y as u32).collect::<Vec<_>>();
        match &self.kind {
            Loss::BinaryCrossEntropy { .. } if self.n_out == 1 => {
                metrics::classification(&self.class_probabilities(), 2, &classes(), weights)
            }
            Loss::CrossEntropy { .. } => {
                metrics::classification(&self.predictions, self.n_out, &classes(), weights)
            }
            Loss::Quantile { levels } => {
                metrics::quantiles(&self.predictions, levels, &self.targets, weights)
            }
            _ if self.n_out == 1 => metrics::regression(&self.predictions, &self.targets, weights),
            _ => Scores::default(), // several targets: the loss says it
        }
    }

    /// The probability of each class (m, C), row-major: two columns for one logit.
    pub fn class_probabilities(&self) -> Vec<f64> {
        match self.kind {
            Loss::BinaryCrossEntropy { .. } => both_classes(&self.predictions),
            _ => self.predictions.clone(),
        }
    }
}

/// (1 − p, p) for each p: the probabilities (m, 2) of both classes from those of the positive one.
pub fn both_classes(positive: &[f64]) -> Vec<f64> {
    positive.iter().flat_map(|&p| [1.0 - p, p]).collect()
}
