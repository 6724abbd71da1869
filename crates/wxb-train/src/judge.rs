//! The result beside a baseline.

use wxb::data::target::{Target, Task};
use wxb::evaluate::Evaluation;
use wxb::metrics::{self, Metric, Scores};
use wxb::{Loss, Real};

use wxb::data::Dataset;

use super::number::{measure, metric_label};

/// What somebody would predict who knows the training targets only.
pub struct Baseline {
    /// In words: `always "no"`.
    pub name: String,
    /// How it does.
    pub scores: Scores,
}

/// What the baseline knows: class shares, or the constant that it predicts.
#[derive(Clone, Debug, PartialEq)]
pub struct Prior(pub Vec<f64>);

impl Prior {
    /// From the training rows: class shares; the quantiles for a quantile loss; else the mean.
    pub fn of<T: Real>(train: &Dataset<'_, T>, target: &Target, loss: &Loss) -> Self {
        let weights: Vec<f64> = train.rows().iter().map(|&row| train.weight(row).f64()).collect();
        let weights = train.is_weighted().then_some(weights.as_slice());
        let y: Vec<f64> = train.rows().iter().map(|&row| target.decode(train.target(row)[0].f64())).collect();
        match (target.task(), loss) {
            (Task::Regression, Loss::Quantile { levels }) => Self(quantiles(y, levels)),
            (Task::Regression, _) => Self(vec![metrics::mean(&y, weights)]),
            _ => {
                let classes: Vec<u32> = y.iter().map(|&y| y as u32).collect();
                Self(metrics::priors(&classes, target.labels().len(), weights))
            }
        }
    }

    /// How it does on what was evaluated.
    pub fn baseline(&self, target: &Target, evaluation: &Evaluation, loss: &Loss) -> Baseline {
        let (y, weights) = (&evaluation.targets, evaluation.weights.as_deref());
        match (target.task(), loss) {
            (Task::Regression, Loss::Quantile { levels }) => {
                let predicted: Vec<f64> = y.iter().flat_map(|_| self.0.iter().copied()).collect();
                let scores = metrics::quantiles(&predicted, levels, y, weights);
                Baseline { name: "the training quantiles".into(), scores }
            }
            (Task::Regression, _) => {
                let scores = metrics::regression_baseline(self.0[0], y, weights);
                Baseline { name: "the training mean".into(), scores }
            }
            _ => {
                let classes: Vec<u32> = y.iter().map(|&y| y as u32).collect();
                let scores = metrics::classification_baseline(&self.0, &classes, weights);
                let most = metrics::predicted_class(&self.0);
                Baseline { name: format!("always \"{}\"", target.labels()[most]), scores }
            }
        }
    }
}

/// The empirical quantiles, between neighbours linearly (NumPy's default).
fn quantiles(mut y: Vec<f64>, levels: &[f64]) -> Vec<f64> {
    y.sort_unstable_by(f64::total_cmp);
    let at = |level: f64| {
        let place = level * (y.len() - 1) as f64;
        let (low, share) = (place.floor() as usize, place.fract());
        let high = (low + 1).min(y.len() - 1);
        y[low] + share * (y[high] - y[low])
    };
    levels.iter().map(|&level| at(level)).collect()
}

/// The metrics that the result line names, the most telling first.
pub fn headline(loss: &Loss) -> &'static [Metric] {
    match loss {
        Loss::BinaryCrossEntropy { .. } => &[Metric::Auc, Metric::Accuracy, Metric::LogLoss],
        Loss::CrossEntropy { .. } => &[Metric::Accuracy, Metric::LogLoss, Metric::Auc],
        Loss::Poisson => &[Metric::PoissonDeviance, Metric::Rmse, Metric::Mae],
        Loss::Quantile { .. } => &[Metric::Pinball, Metric::Mae],
        _ => &[Metric::R2, Metric::Rmse, Metric::Mae],
    }
}

/// `auc 0.8460  accuracy 0.803  log-loss 0.412`: those of the metrics that are defined.
pub fn sentence(scores: &Scores, metrics: &[Metric]) -> String {
    let parts = metrics.iter().filter_map(|&metric| {
        let value = scores.get(metric)?;
        Some(format!("{} {}", metric_label(metric), measure(value)))
    });
    parts.collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [0.1, 0.5, 0.9])
        let found = quantiles(vec![8.0, 1.0, 4.0, 2.0], &[0.1, 0.5, 0.9]);
        for (found, expected) in found.iter().zip([1.3, 3.0, 6.8]) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
    }
}
