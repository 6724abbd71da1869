//! Metrics of predicted numbers.

use super::{Metric, Scores, Weights};

/// Scores numbers against numbers, one per row.
///
/// # Panics
/// If the lengths do not belong together.
pub fn regression(predicted: &[f64], y: &[f64], weights: Option<&[f64]>) -> Scores {
    assert_eq!(predicted.len(), y.len(), "one prediction per row");
    scores(|i| predicted[i], |i, _| predicted[i], &[0.5], y, weights)
}

/// The scores of predicting the same number (the mean of the training rows) for every row.
///
/// # Panics
/// If the weights have another length.
pub fn regression_baseline(mean: f64, y: &[f64], weights: Option<&[f64]>) -> Scores {
    scores(|_| mean, |_, _| mean, &[0.5], y, weights)
}

/// Scores quantiles (m, K), row-major, against numbers. The pinball loss is the mean over the K levels; the other
/// metrics judge the quantile whose level is nearest to ½.
///
/// # Panics
/// If there is no level, or the lengths do not belong together.
pub fn quantiles(predicted: &[f64], levels: &[f64], y: &[f64], weights: Option<&[f64]>) -> Scores {
    let k = levels.len();
    assert_eq!(predicted.len(), y.len() * k, "predictions must be (rows, levels)");
    let distance = |level: &f64| (level - 0.5).abs();
    let nearest = (0..k).min_by(|&a, &b| distance(&levels[a]).total_cmp(&distance(&levels[b])));
    let middle = nearest.expect("a quantile model has at least one level");
    scores(|i| predicted[i * k + middle], |i, q| predicted[i * k + q], levels, y, weights)
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

/// `p(i)` is the prediction of row i, `quantile(i, q)` that of level q.
fn scores(
    p: impl Fn(usize) -> f64,
    quantile: impl Fn(usize, usize) -> f64,
    levels: &[f64],
    y: &[f64],
    weights: Option<&[f64]>,
) -> Scores {
    assert_weights(y, weights);
    let mean_over = |f: &dyn Fn(usize) -> Option<f64>| Weights(weights).mean(y.len(), f);
    let squared_error = mean_over(&|i| Some((p(i) - y[i]) * (p(i) - y[i])));
    let y_mean = mean(y, weights);
    let variance = mean_over(&|i| Some((y[i] - y_mean) * (y[i] - y_mean))).filter(|&v| v > 0.0);
    let pinball_of = |i: usize| -> f64 {
        levels.iter().enumerate().map(|(q, &level)| pinball(level, y[i], quantile(i, q))).sum()
    };
    let is_count = (0..y.len()).all(|i| Weights(weights).get(i) == 0.0 || y[i] >= 0.0 && p(i) > 0.0);
    Scores::of([
        (Metric::Rmse, squared_error.map(f64::sqrt)),
        (Metric::Mae, mean_over(&|i| Some((p(i) - y[i]).abs()))),
        (Metric::R2, squared_error.zip(variance).map(|(error, variance)| 1.0 - error / variance)),
        (Metric::Mape, mean_over(&|i| (y[i] != 0.0).then(|| ((p(i) - y[i]) / y[i]).abs()))),
        (Metric::Pinball, mean_over(&|i| Some(pinball_of(i) / levels.len() as f64))),
        (
            Metric::PoissonDeviance,
            if is_count { mean_over(&|i| Some(poisson_deviance(y[i], p(i)))) } else { None },
        ),
    ])
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
