//! Numbers as quantiles of a standard normal distribution ([`Scaling::Normal`](super::Scaling)).

use rand_distr::{Distribution, StandardNormal};

use super::number::MAX_KNOTS;
use super::stats::quantile;
use crate::rng::{Purpose, stream};

/// Φ⁻¹ of the share of the training rows below x, within ±5.199; NaN stays NaN.
///
/// Where quantiles are equal, the share is the mean of what is found from below and from above, as in scikit-learn.
pub(super) fn normal(x: f64, at: &[f64]) -> f64 {
    // scikit-learn's: p beyond 1e-7 of 0 or 1 is cut.
    const LARGEST: f64 = 5.199337582605575;
    if x.is_nan() {
        return x;
    }
    let last = at.len() - 1;
    let p = if x <= at[0] {
        0.0
    } else if x >= at[last] {
        1.0
    } else {
        // The last quantile that is not above x, and the first that is not below; they differ where none is x, or many.
        let (below, above) = (at.partition_point(|&q| q <= x) - 1, at.partition_point(|&q| q < x));
        let share = match at[above] - at[below] {
            0.0 => 0.5,
            gap => (x - at[below]) / gap,
        };
        (below as f64 + (above as f64 - below as f64) * share) / last as f64
    };
    normal_quantile(p).clamp(-LARGEST, LARGEST)
}

/// K = n/30 quantiles, within 10 … 1000, of the values with a little noise: a value of many rows then covers a range of
/// levels, and its middle is found even where it is the smallest or the largest one.
pub(super) fn noisy_quantiles(sorted: &[f64], std: f64) -> Vec<f64> {
    /// In standard deviations of the column.
    const NOISE: f64 = 1e-5;
    let mut rng = stream(0, Purpose::Sample, 0);
    let noise = |x: &f64| {
        let normal: f64 = StandardNormal.sample(&mut rng);
        x + NOISE * std * normal
    };
    let mut noisy: Vec<f64> = sorted.iter().map(noise).collect();
    noisy.sort_unstable_by(f64::total_cmp);
    let knots = (sorted.len() / 30).clamp(10, MAX_KNOTS);
    (0..knots).map(|k| quantile(&noisy, k as f64 / (knots - 1) as f64)).collect()
}

/// Φ⁻¹(p) by rational functions (Wichura 1988, algorithm AS 241), to 14 digits: for every cell, where bisection
/// would take 80 steps; ±∞ for 0 and 1.
fn normal_quantile(p: f64) -> f64 {
    let ratio = |above: &[f64; 8], below: &[f64; 8], r: f64| {
        let of = |c: &[f64; 8]| c.iter().fold(0.0, |sum, c| sum * r + c);
        of(above) / of(below)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, &CENTRE_BELOW, 0.180625 - q * q);
    }
    let r = (-libm::log(p.min(1.0 - p))).sqrt();
    let z = if r <= 5.0 {
        ratio(&TAIL, &TAIL_BELOW, r - 1.6)
    } else if r.is_finite() {
        ratio(&FAR, &FAR_BELOW, r - 5.0)
    } else {
        r
    };
    z.copysign(q)
}

// The coefficients above and below each line of a fraction, the highest power first.
const CENTRE: [f64; 8] = [
    2_509.080_928_730_122_7,
    33_430.575_583_588_13,
    67_265.770_927_008_7,
    45_921.953_931_549_87,
    13_731.693_765_509_46,
    1_971.590_950_306_551_3,
    133.141_667_891_784_38,
    3.387_132_872_796_366_5,
];
const CENTRE_BELOW: [f64; 8] = [
    5_226.495_278_852_854,
    28_729.085_735_721_943,
    39_307.895_800_092_71,
    21_213.794_301_586_597,
    5_394.196_021_424_751,
    687.187_007_492_057_9,
    42.313_330_701_600_91,
    1.0,
];
const TAIL: [f64; 8] = [
    0.000_774_545_014_278_341_4,
    0.022_723_844_989_269_184,
    0.241_780_725_177_450_6,
    1.270_458_252_452_368_4,
    3.647_848_324_763_204_5,
    5.769_497_221_460_691,
    4.630_337_846_156_546,
    1.423_437_110_749_683_5,
];
const TAIL_BELOW: [f64; 8] = [
    1.050_750_071_644_416_9e-9,
    0.000_547_593_808_499_534_5,
    0.015_198_666_563_616_457,
    0.148_103_976_427_480_08,
    0.689_767_334_985_1,
    1.676_384_830_183_803_8,
    2.053_191_626_637_759,
    1.0,
];
const FAR: [f64; 8] = [
    2.010_334_399_292_288_1e-7,
    2.711_555_568_743_487_6e-5,
    0.001_242_660_947_388_078_4,
    0.026_532_189_526_576_124,
    0.296_560_571_828_504_87,
    1.784_826_539_917_291_3,
    5.463_784_911_164_114,
    6.657_904_643_501_103,
];
const FAR_BELOW: [f64; 8] = [
    2.044_263_103_389_939_7e-15,
    1.421_511_758_316_446e-7,
    1.846_318_317_510_054_8e-5,
    0.000_786_869_131_145_613_3,
    0.014_875_361_290_850_615,
    0.136_929_880_922_735_8,
    0.599_832_206_555_888,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.norm.ppf
    #[test]
    fn normal_quantiles_are_scipys() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959963984540054),
            (0.3, -0.5244005127080409),
            (0.0005, -3.290526731491926),
            (1e-7, -5.1993375821928165),
            (1e-12, -7.034483825301131),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-13, "{p}");
        }
        assert_eq!([0.0, 1.0].map(normal_quantile), [f64::NEG_INFINITY, f64::INFINITY]);
    }
}
