//! Predictions of a network on many rows, and the scores of them.

use crate::calibration::Calibration;
use crate::cpu;
use crate::data::{Dataset, Folds, Inputs};
use crate::loss::Loss;
use crate::metrics::{self, Metric, Scores};
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
    linked(network, &mut cache.logits_mut()[..m * network.n_out()], output, into);
}

/// Logits (m, n_L) as they are asked for.
fn linked<T: Real>(network: &Network<T>, z: &mut [T], output: Output, into: &mut Vec<f64>) {
    for z in z.chunks_exact_mut(network.n_out()) {
        if output == Output::Linked {
            network.loss().apply_link(z);
            uncross(network.loss(), z);
        }
        into.extend(z.iter().map(|z| z.f64()));
    }
}

/// Quantiles of a row that cross are put in order, which brings each of them closer to the true one (Chernozhukov,
/// Fernández-Val and Galichon 2010).
fn uncross<T: Real>(loss: &Loss, z: &mut [T]) {
    if let Loss::Quantile { .. } = loss {
        z.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
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
    pub(crate) kind: Loss,
    pub(crate) n_out: usize,
    /// A number v of the network stands for `mean + std · v` in the data's units.
    scale: (f64, f64),
}

/// J, predictions and targets of all rows of a data set, those of the members' mean where there are members. Predictions are
/// clamped to the data's range if it has one, and J is that of the clamped ones. The cache holds a batch at a time.
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
    in_units(network, data, data.rows(), (loss_sum / weight_sum, predictions))
}

/// J, predictions and targets of all rows that a member leaves out, in the order of the rows, each predicted by that member
/// alone.
pub fn out_of_fold<T: Real>(
    network: &Network<T>,
    data: &Dataset<'_, T>,
    folds: &Folds,
    cache: &mut Cache<T>,
) -> Evaluation {
    let (rows, n) = (folds.left_out(), network.n_out());
    let place = |row: u32| rows.binary_search(&row).expect("every row that is left out is among them");
    let longest = folds.splits().iter().map(|(_, valid)| valid.len()).max().unwrap_or(0);
    let mut z = vec![T::ZERO; rows.len() * n];
    let mut piece = vec![];
    for start in (0..longest).step_by(cache.capacity()) {
        let m = cache.capacity().min(longest - start);
        piece.clear();
        for (_, valid) in folds.splits() {
            // The last row of a shorter fold stands for those that it lacks.
            piece.extend((start..start + m).map(|i| valid[i.min(valid.len() - 1)]));
        }
        data.load_apart(&piece, cache);
        forward(network, cache, m, Mode::Predicting);
        for (&row, logits) in piece.iter().zip(cache.logits().chunks_exact(n)) {
            z[place(row) * n..][..n].copy_from_slice(logits);
        }
    }
    cost_and_predictions(network, data, &rows, &mut z)
}

/// The evaluation of the logits (rows.len(), n_L) of some rows.
fn cost_and_predictions<T: Real>(
    network: &Network<T>,
    data: &Dataset<'_, T>,
    rows: &[u32],
    z: &mut [T],
) -> Evaluation {
    let y: Vec<T> = rows.iter().flat_map(|&row| data.target(row)).copied().collect();
    let weights: Vec<T> = rows.iter().map(|&row| data.weight(row)).collect();
    let (mut dz, mut row_loss) = (vec![T::ZERO; z.len()], vec![T::ZERO; rows.len()]);
    cpu::loss(network.loss(), network.n_out(), [z, &y, &weights], T::ONE, &mut dz, &mut row_loss);
    let sum = |values: &[T]| values.iter().map(|v| v.f64()).sum::<f64>();
    let j = sum(&row_loss) / sum(&weights);
    let mut predictions = vec![];
    linked(network, z, Output::Linked, &mut predictions);
    in_units(network, data, rows, (j, predictions))
}

/// Predictions and targets in the data's units.
fn in_units<T: Real>(
    network: &Network<T>,
    data: &Dataset<'_, T>,
    rows: &[u32],
    (j, mut predictions): (f64, Vec<f64>),
) -> Evaluation {
    let scale @ (mean, std) = data.scale();
    let units = |v: &mut f64| *v = mean + std * *v;
    let mut targets: Vec<f64> = rows.iter().flat_map(|&row| data.target(row)).map(|y| y.f64()).collect();
    if (mean, std) != (0.0, 1.0) {
        predictions.iter_mut().for_each(units);
        targets.iter_mut().for_each(units);
    }
    let weights = data.is_weighted().then(|| rows.iter().map(|&row| data.weight(row).f64()).collect());
    let (kind, n_out) = (network.loss().clone(), network.n_out());
    let all = Evaluation { loss: j, predictions, targets, weights, kind, n_out, scale };
    match data.range() {
        Some(range) => all.clamped(range),
        None => all,
    }
}

impl Evaluation {
    /// Of predictions (m, n_out) that were made elsewhere; targets (m), weights (m) or none.
    pub fn new(
        loss: Loss,
        n_out: usize,
        predictions: Vec<f64>,
        targets: Vec<f64>,
        weights: Option<Vec<f64>>,
    ) -> Self {
        let empty = Self {
            loss: f64::NAN,
            predictions: vec![],
            targets,
            weights,
            kind: loss,
            n_out,
            scale: (0.0, 1.0),
        };
        empty.with(predictions)
    }

    /// Every metric that is defined for the loss's task.
    pub fn scores(&self) -> Scores {
        self.scores_of(&Metric::ALL)
    }

    /// One metric; `None` if it is undefined on the data or judges another task. Others are not computed.
    pub fn score(&self, metric: Metric) -> Option<f64> {
        self.scores_of(&[metric]).get(metric)
    }

    /// Whether a metric tells predictions of these rows apart: where all rows are of one class, those that compare classes do not.
    pub fn tells(&self, metric: Metric) -> bool {
        let compares = matches!(metric, Metric::Auc | Metric::F1 | Metric::BalancedAccuracy);
        !(compares && self.is_of_classes()) || self.targets.windows(2).any(|pair| pair[0] != pair[1])
    }

    fn scores_of(&self, wanted: &[Metric]) -> Scores {
        let Self { predictions, targets, n_out, .. } = self;
        let weights = self.weights.as_deref();
        let classes = || targets.iter().map(|&y| y as u32).collect::<Vec<_>>();
        match &self.kind {
            Loss::BinaryCrossEntropy { .. } if *n_out == 1 => {
                metrics::classification_of(wanted, &self.class_probabilities(), 2, &classes(), weights)
            }
            Loss::CrossEntropy { .. } => {
                metrics::classification_of(wanted, predictions, *n_out, &classes(), weights)
            }
            Loss::Quantile { levels } => metrics::quantiles_of(wanted, predictions, levels, targets, weights),
            _ if *n_out == 1 => metrics::regression_of(wanted, predictions, targets, weights),
            _ => Scores::default(), // several targets: the loss says it
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.predictions.len() / self.n_out
    }

    /// [`score`](Evaluation::score) of some of the rows, named by their place.
    pub fn score_of(&self, metric: Metric, keep: impl Fn(usize) -> bool) -> Option<f64> {
        let of = |values: &[f64], width: usize| {
            let mut kept = Vec::with_capacity(values.len());
            let rows = values.chunks_exact(width).enumerate().filter(|(row, _)| keep(*row));
            rows.for_each(|(_, values)| kept.extend_from_slice(values));
            kept
        };
        let some = Evaluation {
            loss: f64::NAN,
            predictions: of(&self.predictions, self.n_out),
            targets: of(&self.targets, self.targets.len() / self.rows()),
            weights: self.weights.as_ref().map(|weights| of(weights, 1)),
            kind: self.kind.clone(),
            ..*self
        };
        some.score(metric)
    }

    /// The same with other weights of the rows, and J by them.
    #[must_use]
    pub fn weighed(&self, weights: Option<Vec<f64>>) -> Evaluation {
        Evaluation { weights, ..self.clone() }.with(self.predictions.clone())
    }

    /// The mean of several predictions of the same rows, each with its share.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn mean(parts: &[(f64, &Evaluation)]) -> Evaluation {
        let (_, first) = parts[0];
        let mut predictions = vec![0.0; first.predictions.len()];
        for (share, part) in parts {
            predictions.iter_mut().zip(&part.predictions).for_each(|(mean, p)| *mean += share * p);
        }
        first.with(predictions)
    }

    /// The same with probabilities p^(1/T), made to add up to 1 again: the logits divided by the temperature T. Numbers stay.
    #[must_use]
    pub fn calibrated(&self, temperature: f64) -> Evaluation {
        let mut predictions = self.predictions.clone();
        calibrate(&self.kind, self.n_out, temperature, &mut predictions);
        self.with(predictions)
    }

    /// The same with corrected probabilities.
    #[must_use]
    pub fn corrected(&self, calibration: &Calibration) -> Evaluation {
        let mut predictions = self.predictions.clone();
        calibration.apply(&self.kind, self.n_out, &mut predictions);
        self.with(predictions)
    }

    /// The same with every prediction in a range.
    fn clamped(&self, (low, high): (f64, f64)) -> Evaluation {
        self.with(self.predictions.iter().map(|p| p.clamp(low, high)).collect())
    }

    /// Whether the predictions are probabilities of classes.
    pub fn is_of_classes(&self) -> bool {
        is_of_classes(&self.kind)
    }

    /// How well each row is predicted: the probability of its class, or prediction minus target.
    pub fn fits(&self) -> Vec<f64> {
        self.fits_of(&self.predictions)
    }

    /// [`fits`](Evaluation::fits) of the predictions with a temperature ([`calibrated`](Evaluation::calibrated)).
    pub fn fits_at(&self, temperature: f64) -> Vec<f64> {
        let mut predictions = self.predictions.clone();
        calibrate(&self.kind, self.n_out, temperature, &mut predictions);
        self.fits_of(&predictions)
    }

    fn fits_of(&self, predictions: &[f64]) -> Vec<f64> {
        let rows = predictions.chunks_exact(self.n_out).zip(&self.targets);
        match self.kind {
            Loss::BinaryCrossEntropy { .. } => {
                rows.map(|(p, &y)| if y == 1.0 { p[0] } else { 1.0 - p[0] }).collect()
            }
            Loss::CrossEntropy { .. } => rows.map(|(p, &y)| p[y as usize]).collect(),
            _ => rows.map(|(p, &y)| p[0] - y).collect(),
        }
    }

    /// Other predictions of the same rows, and J of them.
    pub(crate) fn with(&self, predictions: Vec<f64>) -> Evaluation {
        let (mean, std) = self.scale;
        let as_learnt = |v: &f64| (v - mean) / std;
        let mut z: Vec<f64> = predictions.iter().map(as_learnt).collect();
        let y: Vec<f64> = self.targets.iter().map(as_learnt).collect();
        self.kind.undo_link(&mut z);
        let rows = z.len() / self.n_out;
        let (mut dz, mut row_loss) = (vec![0.0; z.len()], vec![0.0; rows]);
        let weights = self.weights.as_deref().unwrap_or(&[]);
        cpu::loss(&self.kind, self.n_out, [&z, &y, weights], 1.0, &mut dz, &mut row_loss);
        let total = if weights.is_empty() { rows as f64 } else { weights.iter().sum() };
        Evaluation { loss: row_loss.iter().sum::<f64>() / total, predictions, ..self.clone() }
    }

    /// The probability of each class (m, C), row-major: two columns for one logit.
    pub fn class_probabilities(&self) -> Vec<f64> {
        match self.kind {
            Loss::BinaryCrossEntropy { .. } => both_classes(&self.predictions),
            _ => self.predictions.clone(),
        }
    }
}

/// Whether predictions are probabilities of classes.
pub(crate) fn is_of_classes(loss: &Loss) -> bool {
    matches!(loss, Loss::BinaryCrossEntropy { .. } | Loss::CrossEntropy { .. })
}

/// Probabilities (m, n) become p^(1/T), made to add up to 1 again; predictions of numbers stay.
pub fn calibrate(loss: &Loss, n: usize, temperature: f64, predictions: &mut [f64]) {
    if temperature == 1.0 || !is_of_classes(loss) {
        return;
    }
    loss.undo_link(predictions);
    predictions.iter_mut().for_each(|z| *z /= temperature);
    predictions.chunks_exact_mut(n).for_each(|z| loss.apply_link(z));
}

/// (1 − p, p) for each p: the probabilities (m, 2) of both classes from those of the positive one.
pub fn both_classes(positive: &[f64]) -> Vec<f64> {
    positive.iter().flat_map(|&p| [1.0 - p, p]).collect()
}
