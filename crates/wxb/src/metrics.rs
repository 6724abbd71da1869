//! Metrics, with the definitions of scikit-learn where it has them. All take sample weights; weights of 1 give the
//! bits of none, since the same code sums them. What is undefined on the data (an AUC with one class) is left out.
//!
//! Sums run over the rows in their order, in f64.

mod classes;
mod numbers;
mod rank;

pub(crate) use classes::classification_of;
pub use classes::{
    Reliability, classification, classification_baseline, confusion, predicted_class, priors, reliability,
};
pub use numbers::{mean, quantiles, regression, regression_baseline};
pub(crate) use numbers::{quantiles_of, regression_of};

/// A number that says how good predictions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean of −ln(probability of the true class), the probability cut to ε … 1 − ε with ε = 2⁻⁵².
    LogLoss,
    /// The chance that a row of the class is ranked above a row of another one, ties counting half; with more than
    /// two classes the mean over the classes that occur, each against the rest.
    Auc,
    /// The share of rows whose most probable class is the true one.
    Accuracy,
    /// The mean over the classes that occur of the share of their rows that are recognised.
    BalancedAccuracy,
    /// 2 TP / (2 TP + FP + FN) of the positive class; with more than two classes the mean over those that occur or
    /// are predicted.
    F1,
    /// Mean of (p − y)² for the positive class; with more than two classes, summed over the classes.
    Brier,
    /// Expected calibration error: rows sorted into 15 bins of equal width by the probability of their most
    /// probable class; the mean over the rows of |share recognised − mean probability| of their bin.
    Ece,
    /// √(mean of (p − y)²).
    Rmse,
    /// Mean of |p − y|.
    Mae,
    /// 1 − Σ(p − y)² / Σ(y − mean y)².
    R2,
    /// Mean of |p − y| / |y| over the rows with y ≠ 0, as a fraction (0.1 is 10 %).
    Mape,
    /// Mean of max(q (y − p), (q − 1)(y − p)); the mean over the quantiles q if there are several. q = ½ for a
    /// model of the mean, which is half the absolute error.
    Pinball,
    /// Mean of 2 (y ln(y/p) − y + p), for y ≥ 0 and p > 0.
    PoissonDeviance,
}

impl Metric {
    /// Every metric, in the order they are printed.
    pub const ALL: [Metric; 13] = [
        Metric::LogLoss,
        Metric::Auc,
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::F1,
        Metric::Brier,
        Metric::Ece,
        Metric::Rmse,
        Metric::Mae,
        Metric::R2,
        Metric::Mape,
        Metric::Pinball,
        Metric::PoissonDeviance,
    ];

    /// The key it has in JSON and on the command line: `"log_loss"`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::LogLoss => "log_loss",
            Metric::Auc => "auc",
            Metric::Accuracy => "accuracy",
            Metric::BalancedAccuracy => "balanced_accuracy",
            Metric::F1 => "f1",
            Metric::Brier => "brier",
            Metric::Ece => "ece",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::R2 => "r2",
            Metric::Mape => "mape",
            Metric::Pinball => "pinball",
            Metric::PoissonDeviance => "poisson_deviance",
        }
    }

    /// The metric of a name, in which a hyphen is as good as an underscore.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        use Metric::{Accuracy, Auc, BalancedAccuracy, F1, R2};
        matches!(self, Auc | Accuracy | BalancedAccuracy | F1 | R2)
    }

    /// Whether it judges probabilities of classes (else numbers).
    pub fn is_for_classes(self) -> bool {
        use Metric::{Accuracy, Auc, BalancedAccuracy, Brier, Ece, F1, LogLoss};
        matches!(self, LogLoss | Auc | Accuracy | BalancedAccuracy | F1 | Brier | Ece)
    }
}

/// Metrics with their values, in the order of [`Metric::ALL`]; all values are finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores(Vec<(Metric, f64)>);

impl Scores {
    /// Those of some metrics that have a value.
    fn of(wanted: &[Metric], value: impl Fn(Metric) -> Option<f64>) -> Self {
        let defined = wanted.iter().filter_map(|&metric| Some((metric, value(metric)?)));
        Self(defined.filter(|(_, value)| value.is_finite()).collect())
    }

    /// The value of a metric; `None` if it is undefined on the data or judges another task.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value)
    }

    /// Metrics and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> {
        self.0.iter().copied()
    }
}

/// The weight of each row; 1 without weights.
#[derive(Clone, Copy)]
struct Weights<'a>(Option<&'a [f64]>);

impl Weights<'_> {
    fn get(self, row: usize) -> f64 {
        self.0.map_or(1.0, |w| w[row])
    }

    /// Σ wᵢ fᵢ / Σ wᵢ over the rows where f is defined; `None` if their weights sum to 0.
    fn mean(self, rows: usize, f: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for row in 0..rows {
            if let Some(value) = f(row) {
                sum += self.get(row) * value;
                total += self.get(row);
            }
        }
        (total > 0.0).then(|| sum / total)
    }
}
