//! Statistics of one column; NaN is missing and does not count.

use crate::error::{Code, Error, Result};

/// Numbers beyond this are refused: their squares, summed, must stay finite.
const LARGEST: f64 = 1e100;

/// Mean, population standard deviation and range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// The mean; 0 without values.
    pub mean: f64,
    /// √(mean of (x − mean)²).
    pub std: f64,
    /// The smallest value; +∞ without values.
    pub min: f64,
    /// The largest value; −∞ without values.
    pub max: f64,
    /// How many are not missing.
    pub present: usize,
}

impl Moments {
    /// Of the values that are not NaN, summed in their order.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let values = values.filter(|v| !v.is_nan());
        let (mut sum, mut present) = (0.0, 0usize);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in values.clone() {
            sum += v;
            present += 1;
            (min, max) = (min.min(v), max.max(v));
        }
        let n = present.max(1) as f64;
        // Rounding may carry the mean of equal values past them.
        let mean = if present == 0 { 0.0 } else { (sum / n).clamp(min, max) };
        let squares: f64 = values.map(|v| (v - mean) * (v - mean)).sum();
        Self { mean, std: (squares / n).sqrt(), min, max, present }
    }

    /// Whether all values are the same, or there is none.
    pub fn is_constant(&self) -> bool {
        self.present == 0 || self.min == self.max
    }
}

/// Refuses infinite and absurdly large numbers in the given rows.
///
/// # Errors
/// [`Code::NumberTooLarge`] with the first such row.
pub fn check_sizes(what: &str, values: &[f64], rows: &[u32]) -> Result<()> {
    match rows.iter().find(|&&r| values[r as usize].abs() > LARGEST) {
        None => Ok(()),
        Some(&r) => Err(too_large(what, values[r as usize], r as usize)),
    }
}

/// As [`check_sizes`], for all rows.
pub(super) fn check_all_sizes(what: &str, values: impl Iterator<Item = f64>) -> Result<()> {
    for (row, value) in values.enumerate() {
        if value.abs() > LARGEST {
            return Err(too_large(what, value, row));
        }
    }
    Ok(())
}

pub(super) fn too_large(what: &str, value: f64, row: usize) -> Error {
    let shown = if value.is_infinite() { "infinite".into() } else { format!("{value:e}, beyond 1e100") };
    Error::new(Code::NumberTooLarge, format!("{what} is {shown} in data row {}", row + 1))
        .hint("if it marks a missing value, declare it with --na")
}

/// The quantile of ascending values, linear between neighbours (the usual definition, R's type 7).
pub(crate) fn quantile(sorted: &[f64], level: f64) -> f64 {
    let position = level * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (a, b) = (sorted[below], sorted[above]);
    // The minimum: b − a may be rounded up, and quantiles must ascend with their level.
    (a + (b - a) * (position - below as f64)).min(b)
}

/// Φ⁻¹(p), by bisection of Φ(z) = erfc(−z/√2)/2: exact to the last bits, and only fitted tables need it.
pub(super) fn normal_score(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0f64, 40.0);
    for _ in 0..80 {
        let z = 0.5 * (low + high);
        if 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2) < p { low = z } else { high = z }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_skip_the_missing() {
        let m = Moments::of([1.0, f64::NAN, 3.0].into_iter());
        assert_eq!((m.mean, m.std, m.min, m.max, m.present), (2.0, 1.0, 1.0, 3.0, 2));
        assert!(Moments::of([0.1; 7].into_iter()).is_constant());
        assert_eq!(Moments::of([0.1; 7].into_iter()).std, 0.0);
        assert!(Moments::of([f64::NAN].into_iter()).is_constant());
    }

    /// numpy.quantile([1, 2, 4, 8], q)
    #[test]
    fn quantiles_are_numpys() {
        for (level, value) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (0.75, 5.0), (1.0, 8.0)] {
            assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], level), value);
        }
    }

    /// scipy.stats.norm.ppf
    #[test]
    fn normal_scores_are_scipys() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959963984540054), (0.0005, -3.290526731491926)] {
            assert!((normal_score(p) - z).abs() < 1e-13, "{p}");
        }
    }
}
