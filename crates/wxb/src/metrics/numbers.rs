//! Metrics of predicted numbers.

use super::{Metric, Scores, Weights};

/// Predicted numbers: a row of as many as there are levels for every example, or one row for all of them.
#[derive(Clone, Copy)]
struct Predicted<'a> {
    values: &'a [f64],
    levels: &'a [f64],
    stride: usize,
    /// The level that is judged as the prediction.
    middle: usize,
    y: &'a [f64],
    weights: Weights<'a>,
}

/// The level of a prediction that is no quantile: half the absolute error is its pinball loss.
const MEDIAN: [f64; 1] = [0.5];

/// Scores numbers against numbers, one per row.
///
/// # Panics
/// If the lengths do not belong together.
pub fn regression(predicted: &[f64], y: &[f64], weights: Option<&[f64]>) -> Scores {
    regression_of(&Metric::ALL, predicted, y, weights)
}

/// [`regression`] by some metrics alone.
pub fn regression_of(wanted: &[Metric], predicted: &[f64], y: &[f64], weights: Option<&[f64]>) -> Scores {
    assert_eq!(predicted.len(), y.len(), "one prediction per row");
    Predicted { values: predicted, levels: &MEDIAN, stride: 1, middle: 0, y, weights: Weights(weights) }
        .scores(wanted)
}

/// The scores of predicting the same number (the mean of the training rows) for every row.
///
/// # Panics
/// If the weights have another length.
pub fn regression_baseline(mean: f64, y: &[f64], weights: Option<&[f64]>) -> Scores {
    Predicted { values: &[mean], levels: &MEDIAN, stride: 0, middle: 0, y, weights: Weights(weights) }
        .scores(&Metric::ALL)
}

/// Scores quantiles (m, K), row-major, against numbers. The pinball loss is the mean over the K levels; the other
/// metrics judge the quantile whose level is nearest to ½.
///
/// # Panics
/// If there is no level, or the lengths do not belong together.
pub fn quantiles(predicted: &[f64], levels: &[f64], y: &[f64], weights: Option<&[f64]>) -> Scores {
    quantiles_of(&Metric::ALL, predicted, levels, y, weights)
}

/// [`quantiles`] by some metrics alone.
pub fn quantiles_of(
    wanted: &[Metric],
    predicted: &[f64],
    levels: &[f64],
    y: &[f64],
    weights: Option<&[f64]>,
) -> Scores {
    let stride = levels.len();
    assert_eq!(predicted.len(), y.len() * stride, "predictions must be (rows, levels)");
    let distance = |level: &f64| (level - 0.5).abs();
    let nearest = (0..stride).min_by(|&a, &b| distance(&levels[a]).total_cmp(&distance(&levels[b])));
    let middle = nearest.expect("a quantile model has at least one level");
    Predicted { values: predicted, levels, stride, middle, y, weights: Weights(weights) }.scores(wanted)
}

/// The weighted mean; 0 without rows.
///
/// # Panics
/// If the weights have another length.
pub fn mean(y: &[f64], weights: Option<&[f64]>) -> f64 {
    assert_weights(y, weights);
    Weights(weights).mean(y.len(), |i| Some(y[i])).unwrap_or(0.0)
}

fn assert_weights(y: &[f64], weights: Option<&[f64]>) {
    assert!(weights.is_none_or(|w| w.len() == y.len()), "one weight per row");
}

impl Predicted<'_> {
    /// The prediction of row i.
    fn p(&self, i: usize) -> f64 {
        self.values[i * self.stride + self.middle]
    }

    fn mean(&self, f: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        self.weights.mean(self.y.len(), f)
    }

    fn scores(&self, wanted: &[Metric]) -> Scores {
        assert_weights(self.y, self.weights.0);
        Scores::of(wanted, |metric| self.score(metric))
    }

    fn score(&self, metric: Metric) -> Option<f64> {
        let Self { levels, y, .. } = *self;
        match metric {
            Metric::Rmse => self.squared_error().map(f64::sqrt),
            Metric::Mae => self.mean(|i| Some((self.p(i) - y[i]).abs())),
            Metric::R2 => {
                let variance = self.variance().filter(|&variance| variance > 0.0)?;
                Some(1.0 - self.squared_error()? / variance)
            }
            Metric::Mape => self.mean(|i| (y[i] != 0.0).then(|| ((self.p(i) - y[i]) / y[i]).abs())),
            Metric::Pinball => self.mean(|i| Some(self.pinball(i) / levels.len() as f64)),
            Metric::PoissonDeviance if self.is_count() => {
                self.mean(|i| Some(poisson_deviance(y[i], self.p(i))))
            }
            Metric::PoissonDeviance
            | Metric::LogLoss
            | Metric::Auc
            | Metric::Accuracy
            | Metric::BalancedAccuracy
            | Metric::F1
            | Metric::Brier
            | Metric::Ece => None,
        }
    }

    fn squared_error(&self) -> Option<f64> {
        self.mean(|i| Some((self.p(i) - self.y[i]) * (self.p(i) - self.y[i])))
    }

    fn variance(&self) -> Option<f64> {
        let y_mean = mean(self.y, self.weights.0);
        self.mean(|i| Some((self.y[i] - y_mean) * (self.y[i] - y_mean)))
    }

    /// The sum over the levels.
    fn pinball(&self, i: usize) -> f64 {
        let of_row = &self.values[i * self.stride..][..self.levels.len()];
        self.levels.iter().zip(of_row).map(|(&level, &p)| pinball(level, self.y[i], p)).sum()
    }

    fn is_count(&self) -> bool {
        (0..self.y.len()).all(|i| self.weights.get(i) == 0.0 || self.y[i] >= 0.0 && self.p(i) > 0.0)
    }
}

fn pinball(level: f64, y: f64, p: f64) -> f64 {
    let d = y - p;
    if d >= 0.0 { level * d } else { (level - 1.0) * d }
}

/// 2 (y ln(y/p) − y + p), the first term 0 for y = 0.
fn poisson_deviance(y: f64, p: f64) -> f64 {
    let log_term = if y > 0.0 { y * libm::log(y / p) } else { 0.0 };
    2.0 * (log_term - y + p)
}
