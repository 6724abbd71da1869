//! How much better one prediction is than another, and how far another sample of rows would have it otherwise.

use crate::evaluate::Evaluation;
use crate::metrics::Metric;

/// By how much a metric is better, and the standard error of that.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    /// Positive where the first prediction is the better one.
    pub mean: f64,
    /// Of the choice of the rows.
    pub error: f64,
}

/// Groups that the rows are left out by.
const GROUPS: usize = 20;

/// What `a` gains over `b` in a metric on the same rows; `None` where it is not defined.
///
/// The standard error is that of the jackknife over G groups of rows (Quenouille 1956, Tukey 1958): with d_g the difference
/// without group g, √((G − 1)/G Σ_g (d_g − mean d)²). It takes any metric, AUC and R² too; where there is a row for each group
/// and the metric is a mean over the rows, it is s/√n of the rows' differences.
pub fn difference(a: &Evaluation, b: &Evaluation, metric: Metric) -> Option<Difference> {
    let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
    let gain = |a: f64, b: f64| Some(sign * (a - b)).filter(|d: &f64| d.is_finite());
    let groups = Some(a.rows().min(GROUPS)).filter(|&groups| groups > 1)?;
    let without = |g: usize| {
        let keep = |row: usize| row % groups != g;
        gain(a.score_of(metric, keep)?, b.score_of(metric, keep)?)
    };
    let mean = gain(a.score(metric)?, b.score(metric)?)?;
    let left_out = (0..groups).map(without).collect::<Option<Vec<f64>>>()?;
    let n = groups as f64;
    let middle = left_out.iter().sum::<f64>() / n;
    let squares: f64 = left_out.iter().map(|d| (d - middle).powi(2)).sum();
    Some(Difference { mean, error: ((n - 1.0) / n * squares).sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loss;

    fn errors(values: &[f64]) -> Evaluation {
        Evaluation::new(Loss::SquaredError, 1, values.to_vec(), vec![0.0; values.len()], None)
    }

    /// By hand: absolute errors 1 2 3 6 and 2 2 5 5 differ by 1 0 2 −1, whose mean is 0.5 and s² = 5/3.
    #[test]
    fn of_a_mean_over_the_rows() {
        let (a, b) = (errors(&[1.0, -2.0, 3.0, 6.0]), errors(&[2.0, 2.0, -5.0, 5.0]));
        let found = difference(&a, &b, Metric::Mae).unwrap();
        assert!((found.mean - 0.5).abs() < 1e-12, "{found:?}");
        assert!((found.error - (5.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12, "{found:?}");
        assert!((difference(&b, &a, Metric::Mae).unwrap().mean + 0.5).abs() < 1e-12);
        assert_eq!(difference(&a, &b, Metric::Auc), None);
    }

    /// More rows than groups: 40 rows that are better by 2 and by 0 in turn. The groups are alternately of one kind, so that
    /// the error is that of 20 means of two rows, 0 and 2: √(20/19 / 20).
    #[test]
    fn of_groups() {
        let a = errors(&[1.0; 40]);
        let b = errors(&(0..40).map(|row| if row % 2 == 0 { 3.0 } else { 1.0 }).collect::<Vec<_>>());
        let found = difference(&a, &b, Metric::Mae).unwrap();
        assert!((found.mean - 1.0).abs() < 1e-12, "{found:?}");
        assert!((found.error - (1.0_f64 / 19.0).sqrt()).abs() < 1e-12, "{found:?}");
    }
}
