//! The two precisions: `f32` is the product's, `f64` the same code at double width.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::cpu::lanes::Vectors;
use crate::math;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Transcendental functions are those of `math.rs`: the same bits on every machine, in vectors or not.
pub trait Real:
    sealed::Sealed
    + Vectors
    + Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + 'static
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The distance from 1 to the next number.
    const EPSILON: Self;
    /// A number whose square is far from the denormal ones: 2⁻⁵⁰, in double width 2⁻⁴⁰⁰.
    const VANISHING: Self;

    /// The nearest number of this precision.
    fn of(value: f64) -> Self;
    /// The same number at double width.
    fn f64(self) -> f64;
    /// The bytes, little-endian, appended to `out`.
    fn write_le(self, out: &mut Vec<u8>);
    /// The number in the first `size_of::<Self>()` bytes, little-endian.
    fn read_le(bytes: &[u8]) -> Self;

    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, exact near 0.
    fn exp_m1(self) -> Self;
    /// ln x.
    fn ln(self) -> Self;
    /// ln(1 + x) for 0 ≤ x ≤ 1, exact near 0.
    fn ln_1p_unit(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// (sin 2πx, cos 2πx).
    fn sin_cos_turns(self) -> (Self, Self);
    /// The error function erf x.
    fn erf(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// The larger of two numbers (of the two, the one that is not NaN).
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers (of the two, the one that is not NaN).
    fn min(self, other: Self) -> Self;
    /// `self · a + b` with one rounding.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// 0 where |x| is less than `least`. With denormal numbers an Intel processor calculates some hundred cycles.
    #[inline(always)]
    fn or_zero(self, least: Self) -> Self {
        if self.abs() < least { Self::ZERO } else { self }
    }
}

macro_rules! real {
    ($t:ident, $math:ident, $vanishing:expr) => {
        impl Real for $t {
            const NAME: &'static str = stringify!($t);
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;
            const VANISHING: Self = $vanishing;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                self as f64
            }
            fn write_le(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn read_le(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$t>()];
                raw.copy_from_slice(&bytes[..size_of::<$t>()]);
                $t::from_le_bytes(raw)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                math::$math::exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                math::$math::exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                math::$math::ln(self)
            }
            #[inline(always)]
            fn ln_1p_unit(self) -> Self {
                math::$math::ln_1p_unit(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                math::$math::tanh(self)
            }
            #[inline(always)]
            fn sin_cos_turns(self) -> (Self, Self) {
                math::$math::sin_cos_turns(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                math::$math::erf(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $t::min(self, other)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
        }
    };
}
real!(f32, single, f32::from_bits((127 - 50) << 23));
real!(f64, double, f64::from_bits((1023 - 400) << 52));
