//! The functions of `crates/wxb/src/math.rs` through `Real`: errors in units in the last place, and special values.

use std::collections::BTreeMap;

use serde::Deserialize;
use wxb::Real;

/// A function in both widths, `libm`'s in f64, and the largest errors that math.rs states.
struct Row {
    name: &'static str,
    single: fn(f32) -> f32,
    double: fn(f64) -> f64,
    libm: fn(f64) -> f64,
    limits: [f64; 2],
    /// Where it is defined.
    domain: [f64; 2],
}

const ALL: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

macro_rules! row {
    ($name:ident, $libm:ident, $limits:expr, $domain:expr) => {
        Row {
            name: stringify!($name),
            single: |x| Real::$name(x),
            double: |x| Real::$name(x),
            libm: libm::$libm,
            limits: $limits,
            domain: $domain,
        }
    };
}

const ROWS: [Row; 6] = [
    row!(exp, exp, [0.92, 0.85], ALL),
    row!(exp_m1, expm1, [1.24, 1.13], ALL),
    row!(ln, log, [0.84, 0.77], ALL),
    row!(tanh, tanh, [1.31, 1.27], ALL),
    row!(erf, erf, [1.18, 1.17], ALL),
    row!(ln_1p_unit, log1p, [1.41, 1.36], [0.0, 1.0]),
];

/// The error of `got` in units in the last place of an f32.
fn error(got: f32, exact: f64) -> f64 {
    if exact.is_nan() || exact == 0.0 || (exact as f32).is_infinite() {
        let same = got.to_bits() == (exact as f32).to_bits() || got.is_nan() && exact.is_nan();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let exponent = exact.abs().max(f32::MIN_POSITIVE.into()).to_bits() >> 52;
    (f64::from(got) - exact).abs() / f64::from_bits((exponent - 23) << 52)
}

#[test]
fn every_1009th_f32() {
    for Row { name, single, libm, limits, domain, .. } in ROWS {
        for bits in (0..=u32::MAX).step_by(1009) {
            let x = f32::from_bits(bits);
            if f64::from(x) < domain[0] || f64::from(x) > domain[1] {
                continue;
            }
            let (got, exact) = (single(x), libm(x.into()));
            // A denormal eˣ is 0.
            let exact = if name == "exp" && exact < f32::MIN_POSITIVE.into() { 0.0 } else { exact };
            let error = error(got, exact);
            assert!(error <= limits[0], "{name}({x:e}) is {got:e}, not {exact:e}: {error} ulp");
        }
    }
}

#[derive(Deserialize)]
struct Kept {
    values: BTreeMap<String, Vec<[String; 3]>>,
}

#[test]
fn values_of_mpmath_in_f64() {
    let kept: Kept = serde_json::from_str(include_str!("../../../testdata/math/math.json")).expect("JSON");
    assert_eq!(kept.values.len(), ROWS.len());
    for Row { name, double, limits, .. } in ROWS {
        for row in &kept.values[name] {
            let [x, rounded, rest] = row.each_ref().map(|text| text.parse::<f64>().expect("a number"));
            if name == "exp" && rounded < f64::MIN_POSITIVE {
                assert_eq!(double(x), 0.0, "{name}({x:e})");
                continue;
            }
            let ulp = rounded.abs().next_up() - rounded.abs();
            let error = ((double(x) - rounded) / ulp - rest).abs();
            assert!(error <= limits[1], "{name}({x:e}) is {:e}, not {rounded:e}: {error} ulp", double(x));
        }
    }
}

#[test]
fn special_values() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    // At 0, −0, 1/0, −1/0, −1 and −2.
    let rows = [
        ("exp", [1.0, 1.0, inf, 0.0, (-1.0_f64).exp(), (-2.0_f64).exp()]),
        ("exp_m1", [0.0, -0.0, inf, -1.0, (-1.0_f64).exp_m1(), (-2.0_f64).exp_m1()]),
        ("ln", [-inf, -inf, inf, nan, nan, nan]),
        ("tanh", [0.0, -0.0, 1.0, -1.0, (-1.0_f64).tanh(), (-2.0_f64).tanh()]),
        ("erf", [0.0, -0.0, 1.0, -1.0, -0.842_700_792_949_714_9, -0.995_322_265_018_952_7]),
    ];
    let of_all = ROWS.iter().filter(|row| row.domain == ALL);
    assert_eq!(of_all.clone().count(), rows.len());
    for (Row { name, single, double, .. }, (named, expected)) in of_all.zip(rows) {
        assert_eq!(*name, named);
        for (x, expected) in [0.0, -0.0, inf, -inf, -1.0, -2.0].into_iter().zip(expected) {
            for (got, tolerance) in [(double(x), 1e-15), (single(x as f32).into(), 1e-7)] {
                let close = got == expected || (got - expected).abs() <= tolerance;
                let same_sign = got.is_sign_negative() == expected.is_sign_negative();
                assert!(close && same_sign || got.is_nan() && expected.is_nan(), "{name}({x}) is {got}");
            }
        }
    }
    for Row { name, single, double, .. } in ROWS {
        assert!(single(f32::NAN).is_nan() && double(nan).is_nan(), "{name} hides a NaN");
    }
}

/// Results that are denormal, and arguments that are.
#[test]
fn ends_of_the_range() {
    let rows = [
        (Real::exp(-708.396_418_532_264_f64), f64::MIN_POSITIVE),
        (Real::exp(-708.396_418_532_264_2_f64), 0.0),
        (Real::exp(709.782_712_893_384_f64), f64::MAX), // within 1e-12
        (Real::exp(709.782_712_893_385_f64), f64::INFINITY),
        (Real::exp(-87.336_54_f32).into(), 1.175_499_675_756_452e-38),
        (Real::exp(-87.336_55_f32).into(), 0.0),
        (Real::exp(88.722_84_f32).into(), f64::INFINITY),
        (Real::ln(5e-324_f64), -744.440_071_921_381_2),
        (Real::tanh(5e-324_f64), 5e-324),
        (Real::exp_m1(-1e-310_f64), -1e-310),
        (Real::ln_1p_unit(1e-310_f64), 1e-310),
        (Real::ln_1p_unit(1.0_f64), std::f64::consts::LN_2),
        (Real::exp_m1(1e300_f64), f64::INFINITY),
    ];
    for (i, (got, expected)) in rows.into_iter().enumerate() {
        assert!(
            got == expected || (got / expected - 1.0).abs() < 1e-12,
            "row {i}: {got:e}, not {expected:e}"
        );
    }
}

/// Sine and cosine of turns, against libm in f64: all quarters, many turns, and the exact places.
#[test]
fn sines_of_turns() {
    let (mut worst_single, mut worst_double) = (0.0_f64, 0.0_f64);
    for i in -40_000..=40_000_i32 {
        let x = f64::from(i) / 8192.0 * 1.7 + f64::from(i % 7) * 1e-4;
        let single = x as f32;
        // Within a quarter of a turn the argument's own rounding does not count.
        let of = |x: f64| {
            let quarters = (4.0 * x).round();
            let r = std::f64::consts::TAU * (x - quarters / 4.0);
            let (s, c) = (libm::sin(r), libm::cos(r));
            [(s, c), (c, -s), (-s, -c), (-c, s)][(quarters as i64).rem_euclid(4) as usize]
        };
        let ((s, c), (s1, c1)) = (Real::sin_cos_turns(single), of(single.into()));
        worst_single = worst_single.max((f64::from(s) - s1).abs()).max((f64::from(c) - c1).abs());
        let ((s, c), (s2, c2)) = (Real::sin_cos_turns(x), of(x));
        worst_double = worst_double.max((s - s2).abs()).max((c - c2).abs());
    }
    assert!(worst_single < 1.1e-7 && worst_double < 2.5e-16, "{worst_single:e} {worst_double:e}");
    for (x, expected) in
        [(0.0, (0.0, 1.0)), (0.25, (1.0, 0.0)), (-0.5, (0.0, -1.0)), (1e6 + 0.75, (-1.0, 0.0))]
    {
        let (s, c) = Real::sin_cos_turns(x);
        assert_eq!((s.abs() * f64::signum(s + 0.0), c + 0.0), expected, "{x}");
    }
}
