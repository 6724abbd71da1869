//! A column of numbers: scaled, the median where it is missing.

use serde::{Deserialize, Serialize};

use super::normal::{noisy_quantiles, normal};
use super::stats::{Moments, normal_score, quantile};
use super::{Categories, PreprocessConfig, Scale};

/// Where the tails of [`Scaling::LogTails`] begin, in standard deviations.
const KNEE: f64 = 8.0;
/// Most quantiles of [`Scaling::Quantile`] and [`Scaling::Normal`].
pub(super) const MAX_KNOTS: usize = 1000;
/// What any scaling is cut to, so that a cell far outside of what was trained stays finite in f32.
const CUT: f64 = 1e30;

/// How a number x becomes an input z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// z = (x − shift) / unit.
    Affine {
        /// The x that becomes 0.
        shift: f64,
        /// The length that becomes 1.
        unit: f64,
    },
    /// u = (x − shift) / unit; z = u for |u| ≤ knee, and ±knee (1 + ln(|u|/knee)) beyond: an outlier remains one,
    /// in its order, but 1000 standard deviations become 47 of them, and a column without outliers is standardised
    /// and nothing else. (Bounded forms, z/√(1 + (z/3)²), lose what a long tail says: on flight delays the R² of
    /// an arrival delay falls from 0.96 to 0.89.)
    LogTails {
        /// The x that becomes 0.
        shift: f64,
        /// The length that becomes 1.
        unit: f64,
        /// The |z| from which on the scale is logarithmic.
        knee: f64,
    },
    /// u = (x − shift) / unit, z = u / √(1 + (u/3)²): within ±3, and hardly bent near 0 (Holzmüller, Grinsztajn and
    /// Steinwart 2024).
    Smooth {
        /// The x that becomes 0.
        shift: f64,
        /// The length that becomes nearly 1.
        unit: f64,
    },
    /// Linear between the knots (at, score), constant beyond the first and the last.
    Quantile {
        /// The knots' x, strictly ascending: quantiles of the training rows.
        at: Vec<f64>,
        /// The knots' z, ascending: the standard normal quantiles of the same levels.
        score: Vec<f64>,
    },
    /// z = Φ⁻¹(p), p the share of the training rows below x: linear between quantiles of evenly spaced levels, 0 and 1
    /// beyond them, and z cut to ±5.199. Numbers that are equal in many rows get the middle of their shares. It is what
    /// scikit-learn's `QuantileTransformer(output_distribution="normal")` does.
    Normal {
        /// The quantiles at the levels 0, 1/(K − 1), …, 1, ascending.
        at: Vec<f64>,
    },
}

impl Scaling {
    /// Fits the scaling to a column that is not constant. `sorted` are its values, ascending, without missing ones.
    pub(super) fn fit(config: &PreprocessConfig, moments: &Moments, sorted: &[f64]) -> Self {
        let affine = |shift, unit| Scaling::Affine { shift, unit };
        if let Some(divisor) = config.divide_by {
            return affine(0.0, divisor);
        }
        let spread = positive_or(moments.std, moments.max - moments.min);
        match config.scale {
            Scale::None => affine(0.0, 1.0),
            Scale::Standard => affine(moments.mean, spread),
            Scale::MinMax => affine(moments.min, moments.max - moments.min),
            Scale::Robust => {
                let range = quantile(sorted, 0.75) - quantile(sorted, 0.25);
                affine(quantile(sorted, 0.5), positive_or(range, spread))
            }
            Scale::Quantile => quantile_knots(sorted),
            Scale::Smooth => Scaling::smooth(sorted),
            Scale::Normal => Scaling::Normal { at: noisy_quantiles(sorted, moments.std) },
            Scale::Auto => Scaling::LogTails { shift: moments.mean, unit: spread, knee: KNEE },
        }
    }

    /// [`Scaling::Smooth`] of ascending values that are not all the same: the median becomes 0, the interquartile range 1;
    /// where that is 0, half the whole range.
    pub(super) fn smooth(sorted: &[f64]) -> Self {
        let quartiles = quantile(sorted, 0.75) - quantile(sorted, 0.25);
        let half_range = 0.5 * (sorted[sorted.len() - 1] - sorted[0]);
        Scaling::Smooth { shift: quantile(sorted, 0.5), unit: positive_or(quartiles, half_range) }
    }

    /// z of x; NaN stays NaN.
    pub fn apply(&self, x: f64) -> f64 {
        match self {
            Scaling::Affine { shift, unit } => affine(x, *shift, *unit),
            Scaling::LogTails { shift, unit, knee } => log_tails(x, *shift, *unit, *knee),
            Scaling::Smooth { shift, unit } => smooth(x, *shift, *unit),
            Scaling::Quantile { at, score } => interpolate(x, at, score),
            Scaling::Normal { at } => normal(x, at),
        }
    }

    /// Whether a scaling read from a file makes sense.
    pub(super) fn is_sound(&self) -> bool {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        match self {
            // A divisor may be negative.
            Scaling::Affine { shift, unit } => shift.is_finite() && positive(unit.abs()),
            Scaling::LogTails { shift, unit, knee } => {
                shift.is_finite() && positive(*unit) && positive(*knee)
            }
            Scaling::Smooth { shift, unit } => shift.is_finite() && positive(*unit),
            Scaling::Quantile { at, score } => {
                at.len() == score.len()
                    && (2..=MAX_KNOTS).contains(&at.len())
                    && at.iter().chain(score).all(|v| v.is_finite())
                    && at.is_sorted_by(|a, b| a < b)
                    && score.is_sorted()
            }
            Scaling::Normal { at } => {
                (2..=MAX_KNOTS).contains(&at.len()) && at.iter().all(|v| v.is_finite()) && at.is_sorted()
            }
        }
    }

    /// In words, with its numbers: `"standardised (mean 29.9, std 14.4)"`.
    pub fn describe(&self) -> String {
        match self {
            Scaling::Affine { shift: 0.0, unit: 1.0 } => "as it is".into(),
            Scaling::Affine { shift: 0.0, unit } => format!("divided by {unit}"),
            Scaling::Affine { shift, unit } => format!("({}) / {}", minus(*shift), short(*unit)),
            Scaling::LogTails { shift, unit, knee } => {
                format!("({}) / {}, logarithmic beyond ±{knee}", minus(*shift), short(*unit))
            }
            Scaling::Smooth { shift, unit } => {
                format!("({}) / {}, bent to stay within ±3", minus(*shift), short(*unit))
            }
            Scaling::Quantile { at, .. } | Scaling::Normal { at } => {
                format!("normal scores through {} quantiles", at.len())
            }
        }
    }
}

/// "x − 3" or "x + 3".
fn minus(shift: f64) -> String {
    format!("x {} {}", if shift < 0.0 { '+' } else { '−' }, short(shift.abs()))
}

/// Four significant digits, for people.
pub(super) fn short(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i32).clamp(0, 12) };
    let text = format!("{value:.*}", digits as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

#[inline(always)]
pub(super) fn affine(x: f64, shift: f64, unit: f64) -> f64 {
    cut((x - shift) / unit)
}

#[inline(always)]
pub(super) fn log_tails(x: f64, shift: f64, unit: f64, knee: f64) -> f64 {
    let u = affine(x, shift, unit);
    if u.abs() > knee { u.signum() * knee * (1.0 + libm::log(u.abs() / knee)) } else { u }
}

#[inline(always)]
pub(super) fn smooth(x: f64, shift: f64, unit: f64) -> f64 {
    let u = affine(x, shift, unit);
    u / (1.0 + u * u / 9.0).sqrt()
}

#[inline(always)]
fn cut(z: f64) -> f64 {
    // Not `clamp`: comparisons this way keep a NaN and compile to one minimum and one maximum.
    let z = if z > CUT { CUT } else { z };
    if z < -CUT { -CUT } else { z }
}

#[inline]
pub(super) fn interpolate(x: f64, at: &[f64], score: &[f64]) -> f64 {
    if x.is_nan() {
        return x;
    }
    match at.partition_point(|&knot| knot <= x) {
        0 => score[0],
        i if i == at.len() => score[i - 1],
        i => {
            let share = (x - at[i - 1]) / (at[i] - at[i - 1]);
            score[i - 1] + (score[i] - score[i - 1]) * share
        }
    }
}

/// Quantiles at K evenly spaced levels, from the minimum to the maximum, with their normal scores; equal
/// quantiles become one knot at their mean level. K = n/30 within 10 … 1000: 30 rows to a quantile.
fn quantile_knots(sorted: &[f64]) -> Scaling {
    let knots = (sorted.len() / 30).clamp(10, MAX_KNOTS);
    let quantiles: Vec<(f64, f64)> = (0..knots)
        .map(|k| k as f64 / (knots - 1) as f64)
        .map(|level| (quantile(sorted, level), level))
        .collect();
    let edge = 0.5 / knots as f64; // the outermost levels, 0 and 1, have infinite scores
    let (at, score) = quantiles
        .chunk_by(|a, b| a.0 == b.0)
        .map(|equal| {
            let level = equal.iter().map(|q| q.1).sum::<f64>() / equal.len() as f64;
            (equal[0].0, normal_score(level.clamp(edge, 1.0 - edge)))
        })
        .unzip();
    Scaling::Quantile { at, score }
}

fn positive_or(unit: f64, otherwise: f64) -> f64 {
    if unit > 0.0 { unit } else { otherwise }
}

/// One scaled number, and whether it is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberInput {
    /// How it is scaled.
    pub scaling: Scaling,
    /// What stands in for a missing number, before scaling: the median of the training rows, or their mean.
    pub fill: f64,
    /// Training rows in which it is missing. If there is one, a second input says where.
    pub missing: u32,
    /// Whether that input is a plan of its own, after those of the numbers ([`Encoding::Missing`](super::Encoding)).
    #[serde(default)]
    pub apart: bool,
}

impl NumberInput {
    /// Fits a column that is not constant; `sorted` as in [`Scaling::fit`].
    pub(super) fn fit(config: &PreprocessConfig, moments: &Moments, sorted: &[f64], missing: u32) -> Self {
        let apart = config.categories != Categories::Inputs;
        let as_published = matches!(config.categories, Categories::Embedded { .. });
        let fill = if as_published { moments.mean } else { quantile(sorted, 0.5) };
        Self { scaling: Scaling::fit(config, moments, sorted), fill, missing, apart }
    }

    /// 1, or 2 with the input that says where it is missing.
    pub fn width(&self) -> usize {
        1 + usize::from(self.has_indicator())
    }

    /// Whether the second input says where it is missing.
    pub fn has_indicator(&self) -> bool {
        self.missing > 0 && !self.apart
    }

    pub(super) fn is_sound(&self) -> bool {
        self.scaling.is_sound() && self.fill.is_finite()
    }
}
