//! Metrics of probabilities.

use super::rank::Ranking;
use super::{Metric, Scores, Weights};

const ECE_BINS: usize = 15;

/// Probabilities of C classes: a row of C for every example, or one row for all of them.
#[derive(Clone, Copy)]
struct Predicted<'a> {
    proba: &'a [f64],
    classes: usize,
    stride: usize,
    y: &'a [u32],
    weights: Weights<'a>,
}

impl Predicted<'_> {
    fn row(&self, i: usize) -> &[f64] {
        &self.proba[i * self.stride..][..self.classes]
    }

    fn mean(&self, f: impl Fn(&[f64], usize) -> f64) -> Option<f64> {
        self.weights.mean(self.y.len(), |i| Some(f(self.row(i), self.y[i] as usize)))
    }

    fn auc(&self) -> Option<f64> {
        let mut ranking = Ranking::default();
        let mut against_rest = |class: usize| {
            let is_positive = |i: usize| self.y[i] as usize == class;
            ranking.auc(self.y.len(), |i| self.row(i)[class], is_positive, self.weights)
        };
        match self.classes {
            2 => against_rest(1),
            classes => mean_of((0..classes).filter_map(against_rest)),
        }
    }

    fn ece(&self) -> Option<f64> {
        let bins = self.bins(ECE_BINS, |i| predicted_class(self.row(i)));
        let total: f64 = bins.iter().map(|bin| bin.weight).sum();
        let gaps: f64 = bins.iter().map(|bin| bin.weight * (bin.observed - bin.predicted).abs()).sum();
        (total > 0.0).then(|| gaps / total)
    }

    /// The rows by the probability that each gives a class of its own; bins without a row are left out.
    fn bins(&self, count: usize, class_of: impl Fn(usize) -> usize) -> Vec<Reliability> {
        let edge = |bin: usize| bin as f64 / count as f64;
        let empty = |bin| Reliability { from: edge(bin), to: edge(bin + 1), ..Reliability::default() };
        let mut bins: Vec<Reliability> = (0..count).map(empty).collect();
        for (i, &y) in self.y.iter().enumerate() {
            let class = class_of(i);
            let (p, w) = (self.row(i)[class], self.weights.get(i));
            // Bins are open below and closed above: 1 belongs to the last one.
            let bin = &mut bins[((p * count as f64).ceil() as usize).clamp(1, count) - 1];
            bin.weight += w;
            bin.observed += if class == y as usize { w } else { 0.0 };
            bin.predicted += w * p;
        }
        bins.retain(|bin| bin.weight > 0.0);
        for bin in &mut bins {
            bin.observed /= bin.weight;
            bin.predicted /= bin.weight;
        }
        bins
    }

    /// (C, C) sums of weights: true class, predicted class.
    fn confusion(&self) -> Vec<f64> {
        let mut confusion = vec![0.0; self.classes * self.classes];
        for (i, &y) in self.y.iter().enumerate() {
            confusion[y as usize * self.classes + predicted_class(self.row(i))] += self.weights.get(i);
        }
        confusion
    }

    fn scores(&self, wanted: &[Metric]) -> Scores {
        Scores::of(wanted, |metric| self.score(metric))
    }

    fn score(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::LogLoss => self.mean(|p, y| -libm::log(p[y].clamp(f64::EPSILON, 1.0 - f64::EPSILON))),
            Metric::Auc => self.auc(),
            Metric::Accuracy => self.mean(|p, y| f64::from(u8::from(predicted_class(p) == y))),
            Metric::BalancedAccuracy => balanced_accuracy(&self.confusion(), self.classes),
            Metric::F1 => f1(&self.confusion(), self.classes),
            Metric::Brier => self.mean(brier),
            Metric::Ece => self.ece(),
            Metric::Rmse
            | Metric::Mae
            | Metric::R2
            | Metric::Mape
            | Metric::Pinball
            | Metric::PoissonDeviance => None,
        }
    }
}

fn brier(p: &[f64], y: usize) -> f64 {
    match p.len() {
        2 => (p[1] - y as f64) * (p[1] - y as f64),
        _ => p.iter().enumerate().map(|(c, p)| p - f64::from(u8::from(c == y))).map(|d| d * d).sum(),
    }
}

/// The rows whose probability lies between two numbers, `from` left out: what was predicted, and what came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reliability {
    /// The lower edge.
    pub from: f64,
    /// The upper edge.
    pub to: f64,
    /// Rows, or with weights their sum.
    pub weight: f64,
    /// The mean probability.
    pub predicted: f64,
    /// The share of rows whose class it was.
    pub observed: f64,
}

/// How often what was given a probability comes, in ten bins of it: of the positive class where there are two, else of the most
/// probable one. Arguments as of [`classification`]; bins without a row are left out.
pub fn reliability(proba: &[f64], classes: usize, y: &[u32], weights: Option<&[f64]>) -> Vec<Reliability> {
    const BINS: usize = 10;
    let predicted = Predicted { proba, classes, stride: classes, y, weights: Weights(weights) };
    predicted.bins(BINS, |i| if classes == 2 { 1 } else { predicted_class(predicted.row(i)) })
}

/// The most probable class; of equal ones the first.
pub fn predicted_class(proba: &[f64]) -> usize {
    let mut best = 0;
    for (class, &p) in proba.iter().enumerate() {
        if p > proba[best] {
            best = class;
        }
    }
    best
}

/// Scores probabilities (m, C), row-major and finite, against classes 0 … C − 1. Of two classes, 1 is the positive
/// one.
///
/// ```
/// use wxb::metrics::{Metric, classification};
/// let scores = classification(&[0.9, 0.1, 0.2, 0.8], 2, &[0, 1], None);
/// assert_eq!(scores.get(Metric::Accuracy), Some(1.0));
/// ```
///
/// # Panics
/// If the lengths do not belong together.
pub fn classification(proba: &[f64], classes: usize, y: &[u32], weights: Option<&[f64]>) -> Scores {
    classification_of(&Metric::ALL, proba, classes, y, weights)
}

/// [`classification`] by some metrics alone: an AUC sorts the rows once for each class.
pub fn classification_of(
    wanted: &[Metric],
    proba: &[f64],
    classes: usize,
    y: &[u32],
    weights: Option<&[f64]>,
) -> Scores {
    predicted(proba, classes, y, weights).scores(wanted)
}

/// The scores of predicting the same probabilities (those of the training rows, [`priors`]) for every row.
///
/// # Panics
/// If a class is none of the priors'.
pub fn classification_baseline(priors: &[f64], y: &[u32], weights: Option<&[f64]>) -> Scores {
    assert_weights(y.len(), weights);
    let every_row =
        Predicted { proba: priors, classes: priors.len(), stride: 0, y, weights: Weights(weights) };
    every_row.scores(&Metric::ALL)
}

/// The confusion matrix (C, C), row-major: sums of weights by true class and predicted class.
///
/// # Panics
/// If the lengths do not belong together.
pub fn confusion(proba: &[f64], classes: usize, y: &[u32], weights: Option<&[f64]>) -> Vec<f64> {
    predicted(proba, classes, y, weights).confusion()
}

/// The share of each class.
///
/// # Panics
/// If a class is not below `classes`, or the weights have another length.
pub fn priors(y: &[u32], classes: usize, weights: Option<&[f64]>) -> Vec<f64> {
    assert_weights(y.len(), weights);
    let mut sums = vec![0.0; classes];
    y.iter().enumerate().for_each(|(i, &class)| sums[class as usize] += Weights(weights).get(i));
    let total: f64 = sums.iter().sum();
    sums.iter().map(|sum| if total > 0.0 { sum / total } else { 0.0 }).collect()
}

fn predicted<'a>(
    proba: &'a [f64],
    classes: usize,
    y: &'a [u32],
    weights: Option<&'a [f64]>,
) -> Predicted<'a> {
    assert_eq!(proba.len(), y.len() * classes, "probabilities must be (rows, classes)");
    assert_weights(y.len(), weights);
    Predicted { proba, classes, stride: classes, y, weights: Weights(weights) }
}

fn assert_weights(rows: usize, weights: Option<&[f64]>) {
    assert!(weights.is_none_or(|w| w.len() == rows), "one weight per row");
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
    (n > 0.0).then(|| sum / n)
}

fn balanced_accuracy(confusion: &[f64], classes: usize) -> Option<f64> {
    let recall = |class: usize| {
        let row = &confusion[class * classes..][..classes];
        let total: f64 = row.iter().sum();
        (total > 0.0).then(|| row[class] / total)
    };
    mean_of((0..classes).filter_map(recall))
}

fn f1(confusion: &[f64], classes: usize) -> Option<f64> {
    let of_class = |class: usize| {
        let hits = confusion[class * classes + class];
        let truly: f64 = confusion[class * classes..][..classes].iter().sum();
        let predicted: f64 = (0..classes).map(|row| confusion[row * classes + class]).sum();
        (truly + predicted > 0.0).then(|| 2.0 * hits / (truly + predicted))
    };
    match classes {
        2 => of_class(1),
        _ => mean_of((0..classes).filter_map(of_class)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four rows of two classes and of three: edges belong to the bin below, weights count.
    #[test]
    fn reliability_by_hand() {
        let two = [0.9, 0.1, 0.95, 0.05, 0.2, 0.8, 0.3, 0.7];
        let bins = reliability(&two, 2, &[0, 1, 1, 1], Some(&[1.0, 3.0, 1.0, 1.0]));
        let expected = [(0.0, 0.1, 4.0, 0.0625, 0.75), (0.6, 0.7, 1.0, 0.7, 1.0), (0.7, 0.8, 1.0, 0.8, 1.0)];
        assert_eq!(bins.len(), expected.len());
        for (bin, (from, to, weight, predicted, observed)) in bins.iter().zip(expected) {
            let found = [bin.from, bin.to, bin.weight, bin.predicted, bin.observed];
            let wanted = [from, to, weight, predicted, observed];
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{bin:?}, not {wanted:?}");
        }
        let three = [0.5, 0.3, 0.2, 0.1, 0.45, 0.45];
        let bins = reliability(&three, 3, &[0, 2], None);
        assert_eq!((bins.len(), bins[0].weight, bins[0].observed), (1, 2.0, 0.5));
    }
}
