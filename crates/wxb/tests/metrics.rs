//! Metrics against scikit-learn's values (`testdata/metrics.json`, made by `testdata/make_metrics.py`).
#![allow(clippy::unwrap_used, reason = "a test that cannot read its cases fails")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use wxb::metrics::{
    Metric, Scores, classification, classification_baseline, confusion, mean, predicted_class, priors,
    quantiles, regression, regression_baseline,
};

#[derive(Deserialize)]
struct Cases {
    classification: Vec<Case<u32>>,
    regression: Vec<Case<f64>>,
}

#[derive(Deserialize)]
struct Case<Y> {
    name: String,
    classes: Option<usize>,
    levels: Option<Vec<f64>>,
    predicted: Vec<f64>,
    y: Vec<Y>,
    weights: Option<Vec<f64>>,
    confusion: Option<Vec<f64>>,
    scores: BTreeMap<String, f64>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("../../../testdata/metrics.json")).unwrap()
}

/// The same metrics, and the same values.
fn check(name: &str, scores: &Scores, expected: &BTreeMap<String, f64>) {
    let found: BTreeMap<String, f64> = scores.iter().map(|(m, v)| (m.name().to_owned(), v)).collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
    for (metric, value) in found {
        let error = (value - expected[&metric]).abs() / expected[&metric].abs().max(1.0);
        assert!(error < 1e-12, "{name}: {metric} is {value}, not {}", expected[&metric]);
    }
}

#[test]
fn classes_are_scored_as_by_scikit_learn() {
    for case in cases().classification {
        let (classes, weights) = (case.classes.unwrap(), case.weights.as_deref());
        check(&case.name, &classification(&case.predicted, classes, &case.y, weights), &case.scores);
        let confusion = confusion(&case.predicted, classes, &case.y, weights);
        let expected = case.confusion.unwrap();
        assert!(confusion.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{}", case.name);
    }
}

#[test]
fn numbers_are_scored_as_by_scikit_learn() {
    for case in cases().regression {
        let weights = case.weights.as_deref();
        let scores = match &case.levels {
            Some(levels) => quantiles(&case.predicted, levels, &case.y, weights),
            None => regression(&case.predicted, &case.y, weights),
        };
        check(&case.name, &scores, &case.scores);
    }
}

#[test]
fn names_are_read_back() {
    for metric in Metric::ALL {
        assert_eq!(Metric::parse(metric.name()), Some(metric));
        assert_eq!(serde_json::to_string(&metric).unwrap(), format!("{:?}", metric.name()));
    }
    assert_eq!(Metric::parse("log-loss"), Some(Metric::LogLoss));
    assert_eq!(Metric::parse("AUC"), None);
}

/// Rows that say nothing leave a metric out instead of making it NaN.
#[test]
fn the_undefined_is_left_out() {
    let shown = |scores: &Scores| scores.iter().map(|(m, _)| m.name()).collect::<Vec<_>>().join(" ");
    let no_rows = classification(&[], 3, &[], None);
    assert_eq!(shown(&no_rows), "");
    assert_eq!(shown(&regression(&[], &[], None)), "");
    assert_eq!(shown(&regression(&[1.0], &[2.0], Some(&[0.0]))), "");
    assert_eq!(shown(&regression(&[1.0, -2.0], &[0.0, 0.0], None)), "rmse mae pinball");
    let negatives = classification(&[0.9, 0.1, 0.8, 0.2], 2, &[0, 0], None);
    assert_eq!(shown(&negatives), "log_loss accuracy balanced_accuracy brier ece");
}

#[test]
fn baselines_predict_the_same_for_all() {
    let y = [1, 0, 1, 1];
    let shares = priors(&y, 2, None);
    assert_eq!(shares, [0.25, 0.75]);
    assert_eq!(priors(&y, 2, Some(&[1.0, 3.0, 0.0, 0.0])), [0.75, 0.25]);
    let scores = classification_baseline(&shares, &y, None);
    assert_eq!(scores, classification(&shares.repeat(4), 2, &y, None));
    assert_eq!(scores.get(Metric::Accuracy), Some(0.75));
    assert_eq!(scores.get(Metric::Auc), Some(0.5));
    let y = [1.0, 2.0, 6.0];
    assert_eq!(mean(&y, None), 3.0);
    assert_eq!(regression_baseline(3.0, &y, None), regression(&[3.0; 3], &y, None));
    assert_eq!(regression_baseline(3.0, &y, None).get(Metric::R2), Some(0.0));
}

#[test]
fn the_first_of_equal_classes_is_predicted() {
    assert_eq!(predicted_class(&[0.5, 0.5]), 0);
    assert_eq!(predicted_class(&[0.2, 0.4, 0.4]), 1);
}

fn bits(scores: &Scores) -> Vec<(Metric, u64)> {
    scores.iter().map(|(metric, value)| (metric, value.to_bits())).collect()
}

/// Rows of weight 0 put between the others, and the weights.
fn with_zero_rows<V: Clone>(values: &[V], width: usize) -> Vec<V> {
    values.chunks(width).flat_map(|row| [row, row].concat()).collect()
}

proptest! {
    #[test]
    fn weights_of_1_change_no_bit_and_weight_0_is_absence(
        rows in prop::collection::vec((0u32..3, 0.01..1.0f64, 0.01..1.0f64, 0.01..1.0f64), 0..40),
    ) {
        let y: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let normal = |r: &(u32, f64, f64, f64)| [r.1, r.2, r.3].map(|p| p / (r.1 + r.2 + r.3));
        let proba: Vec<f64> = rows.iter().flat_map(normal).collect();
        let scores = bits(&classification(&proba, 3, &y, None));
        prop_assert_eq!(&bits(&classification(&proba, 3, &y, Some(&vec![1.0; y.len()]))), &scores);
        let (proba2, y2) = (with_zero_rows(&proba, 3), with_zero_rows(&y, 1));
        let weights: Vec<f64> = (0..y2.len()).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        prop_assert_eq!(&bits(&classification(&proba2, 3, &y2, Some(&weights))), &scores);

        let (p, y): (Vec<f64>, Vec<f64>) = rows.iter().map(|r| (r.1, r.2)).unzip();
        let scores = bits(&regression(&p, &y, None));
        prop_assert_eq!(&bits(&regression(&p, &y, Some(&vec![1.0; y.len()]))), &scores);
        let (p2, y2) = (with_zero_rows(&p, 1), with_zero_rows(&y, 1));
        prop_assert_eq!(&bits(&regression(&p2, &y2, Some(&weights))), &scores);
    }
}
