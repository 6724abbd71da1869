//! g and g', side by side.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::real::Real;

/// The elementwise function g of a layer, A = g(Z).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// g(z) = z.
    Identity,
    /// g(z) = 1 / (1 + e⁻ᶻ).
    Sigmoid,
    /// g(z) = tanh z.
    Tanh,
    /// g(z) = max(0, z).
    Relu,
    /// g(z) = z for z > 0, `slope` · z otherwise (Maas, Hannun and Ng 2013).
    LeakyRelu {
        /// Slope for z ≤ 0, at least 0.
        slope: f64,
    },
    /// g(z) = z for z > 0, `alpha` (eᶻ − 1) otherwise (Clevert, Unterthiner and Hochreiter 2016).
    Elu {
        /// Minus the limit at −∞, above 0.
        alpha: f64,
    },
    /// g(z) = λ ELU(z) with the constants of Klambauer et al. 2017.
    Selu,
    /// g(z) = z Φ(z), Φ the normal distribution function, exact (Hendrycks and Gimpel 2016).
    Gelu,
    /// g(z) = z σ(z), also called swish (Elfwing, Uchibe and Doya 2018).
    Silu,
    /// g(z) = z tanh(ln(1 + eᶻ)) (Misra 2020).
    Mish,
    /// g(z) = ln(1 + eᶻ).
    Softplus,
}

use Activation::{Elu, Gelu, Identity, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh};

// Klambauer et al. 2017, appendix: the fixed point of mean 0 and variance 1.
const SELU_LAMBDA: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// `$body` with `$g` a constant, one copy for each activation: the `match` is outside of the loop in `$body`, and the
/// one inside of `$g.apply` folds away.
macro_rules! for_each_activation {
    ($self:ident, $g:ident => $body:expr) => {
        for_each_activation!(@arms $self, $g, $body;
            Identity, Sigmoid, Tanh, Relu, LeakyRelu { slope }, Elu { alpha }, Selu, Gelu, Silu, Mish, Softplus)
    };
    (@arms $self:ident, $g:ident, $body:expr; $($variant:ident $({ $constant:ident })?),*) => {
        match $self {
            $($variant $({ $constant })? => {
                let $g = $variant $({ $constant })?;
                $body
            })*
        }
    };
}

impl Activation {
    /// Every activation with its usual constants.
    pub const ALL: [Activation; 11] = [
        Identity,
        Sigmoid,
        Tanh,
        Relu,
        LeakyRelu { slope: 0.01 },
        Elu { alpha: 1.0 },
        Selu,
        Gelu,
        Silu,
        Mish,
        Softplus,
    ];

    /// The name on the command line and in files: `"leaky_relu"`.
    pub fn name(self) -> &'static str {
        match self {
            Identity => "identity",
            Sigmoid => "sigmoid",
            Tanh => "tanh",
            Relu => "relu",
            LeakyRelu { .. } => "leaky_relu",
            Elu { .. } => "elu",
            Selu => "selu",
            Gelu => "gelu",
            Silu => "silu",
            Mish => "mish",
            Softplus => "softplus",
        }
    }

    /// g(z). A NaN stays a NaN, so that a diverged layer is seen.
    #[inline(always)]
    pub fn apply<T: Real>(self, z: T) -> T {
        match self {
            Identity => z,
            Sigmoid => sigmoid(z),
            Tanh => z.tanh(),
            Relu => select(z < T::ZERO, T::ZERO, kept(z)),
            LeakyRelu { slope } => select(z < T::ZERO, T::of(slope) * z, kept(z)),
            Elu { alpha } => elu(z, T::of(alpha)),
            Selu => T::of(SELU_LAMBDA) * elu(z, T::of(SELU_ALPHA)),
            Gelu => z * normal_cdf(z),
            Silu => z * sigmoid(z),
            Mish => z * mish_parts(z)[0],
            Softplus => softplus(z),
        }
    }

    /// g'(z), from z and a = g(z). Only where [`Activation::needs_z`] is z read; elsewhere `a` says it all.
    #[inline(always)]
    pub fn derivative<T: Real>(self, z: T, a: T) -> T {
        match self {
            Identity => T::ONE,
            Sigmoid => a * (T::ONE - a),
            Tanh => T::ONE - a * a,
            Relu => select(a > T::ZERO, T::ONE, T::ZERO),
            LeakyRelu { slope } => select(a > T::ZERO, T::ONE, T::of(slope)),
            Elu { alpha } => select(a > T::ZERO, T::ONE, a + T::of(alpha)),
            Selu => select(a > T::ZERO, T::of(SELU_LAMBDA), a + T::of(SELU_LAMBDA * SELU_ALPHA)),
            Gelu => normal_cdf(z) + z * normal_density(z),
            Silu => {
                let s = sigmoid(z);
                s + a * (T::ONE - s)
            }
            Mish => {
                let [t, rest, s] = mish_parts(z);
                t + z * rest * s
            }
            Softplus => -(-a).exp_m1(), // σ(z) = 1 − e^(−softplus(z))
        }
    }

    /// z becomes g(z).
    // `for`, not `for_each`: a closure among eleven arms is a call, and what is called is no vector code.
    #[inline(always)]
    pub fn apply_all<T: Real>(self, z: &mut [T]) {
        for_each_activation!(self, g => for z in z {
            *z = g.apply(*z);
        });
    }

    /// g(z) into `a` and g'(z) into `slope`; all of one shape.
    #[inline(always)]
    pub fn apply_with_slope<T: Real>(self, z: &[T], a: &mut [T], slope: &mut [T]) {
        debug_assert!(z.len() == a.len() && z.len() == slope.len());
        for_each_activation!(self, g => for ((&z, a), slope) in z.iter().zip(a).zip(slope) {
            *a = g.apply(z);
            *slope = g.derivative(z, *a);
        });
    }

    /// dz ⊙ g'(z) in place of dz; z, a = g(z) and dz of one shape. z may be a where [`Activation::needs_z`] is false.
    #[inline(always)]
    pub fn multiply_by_derivative<T: Real>(self, z: &[T], a: &[T], dz: &mut [T]) {
        debug_assert!(z.len() == dz.len() && a.len() == dz.len());
        for_each_activation!(self, g => for ((dz, &z), &a) in dz.iter_mut().zip(z).zip(a) {
            *dz *= g.derivative(z, a);
        });
    }

    /// Whether g' cannot be computed from a alone, so that the cache keeps Z too.
    pub fn needs_z(self) -> bool {
        matches!(self, Gelu | Silu | Mish)
    }

    /// Whether the constants are in their range.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`].
    pub fn check(self) -> Result<()> {
        let bad = |problem: &str| Err(Error::new(Code::InvalidSetting, problem));
        match self {
            LeakyRelu { slope } if !(0.0..=1.0).contains(&slope) => {
                bad(&format!("the slope of leaky_relu is {slope}, not in 0 to 1"))
            }
            Elu { alpha } if !(alpha > 0.0 && alpha.is_finite()) => {
                bad(&format!("the alpha of elu is {alpha}, not above 0"))
            }
            _ => Ok(()),
        }
    }
}

/// z; and 0 for −0. The compiler does not see that it is z, so that a loop in place writes every number: else a ReLU
/// becomes masked stores, 13 cycles a vector on Zen 1.
#[inline(always)]
fn kept<T: Real>(z: T) -> T {
    z + T::ZERO
}

#[inline(always)]
fn select<T: Real>(condition: bool, yes: T, no: T) -> T {
    if condition { yes } else { no }
}

/// σ(z) = 1 / (1 + e⁻ᶻ), without overflow for any z.
///
/// ```
/// assert_eq!(wxb::activation::sigmoid(0.0_f64), 0.5);
/// assert_eq!(wxb::activation::sigmoid(-1000.0_f64), 0.0);
/// ```
#[inline(always)]
pub fn sigmoid<T: Real>(z: T) -> T {
    sigmoid_of(z, (-z.abs()).exp())
}

/// σ(z) from e = e^(−|z|).
#[inline(always)]
pub(crate) fn sigmoid_of<T: Real>(z: T, e: T) -> T {
    select(z < T::ZERO, e, T::ONE) / (T::ONE + e)
}

/// ln(1 + eᶻ) = max(z, 0) + ln(1 + e^(−|z|)), without overflow for any z.
#[inline(always)]
pub fn softplus<T: Real>(z: T) -> T {
    softplus_of(z, (-z.abs()).exp())
}

/// softplus(z) from e = e^(−|z|).
#[inline(always)]
pub(crate) fn softplus_of<T: Real>(z: T, e: T) -> T {
    select(z < T::ZERO, T::ZERO, z) + e.ln_1p_unit()
}

#[inline(always)]
fn elu<T: Real>(z: T, alpha: T) -> T {
    select(z < T::ZERO, alpha * z.exp_m1(), kept(z))
}

/// t = tanh(ln(1 + eᶻ)), 1 − t² and σ(z). With n = (1 + eᶻ)² − 1 and w = 2, for z ≥ 0 times e^(−2z), and d = n + w:
/// t = n/d,  1 − t² = w (d + n)/d²,  σ(z) = s/c with c = 1 + e^(−|z|). The one division is 1/(c d).
#[inline(always)]
fn mish_parts<T: Real>(z: T) -> [T; 3] {
    let (e, two) = ((-z.abs()).exp(), T::of(2.0));
    let negative = z < T::ZERO;
    let n = select(negative, e * (e + two), T::ONE + two * e);
    let w = select(negative, two, two * (e * e));
    let (c, d) = (T::ONE + e, n + w);
    let inverse = T::ONE / (c * d);
    let (of_c, of_d) = (d * inverse, c * inverse);
    [n * of_d, w * (d + n) * (of_d * of_d), select(negative, e, T::ONE) * of_c]
}

/// Φ(z) = (1 + erf(z/√2)) / 2.
#[inline(always)]
fn normal_cdf<T: Real>(z: T) -> T {
    T::of(0.5) * (T::ONE + (z * T::of(std::f64::consts::FRAC_1_SQRT_2)).erf())
}

/// φ(z) = e^(−z²/2) / √(2π).
#[inline(always)]
fn normal_density<T: Real>(z: T) -> T {
    T::of(0.398_942_280_401_432_7) * (T::of(-0.5) * z * z).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivative_is_the_slope() {
        for g in Activation::ALL {
            for z in [-3.0, -0.7, -0.01, 0.02, 0.5, 2.5_f64] {
                let h = 1e-6;
                let slope = (g.apply(z + h) - g.apply(z - h)) / (2.0 * h);
                let d = g.derivative(z, g.apply(z));
                assert!((d - slope).abs() < 1e-8, "{g:?} at {z}: {d} but the slope is {slope}");
            }
        }
    }

    /// Lengths below, at and above the widths of vectors.
    #[test]
    fn loops_give_the_bits_of_single_calls() {
        fn check<T: Real>(g: Activation, n: usize) {
            let z: Vec<T> = (0..n).map(|i| T::of((i as f64 - n as f64 / 2.0) * 0.37)).collect();
            let dz: Vec<T> = (0..n).map(|i| T::of(1.0 - i as f64 / 7.0)).collect();
            let (mut a, mut product) = (z.clone(), dz.clone());
            g.apply_all(&mut a);
            g.multiply_by_derivative(if g.needs_z() { &z } else { &a }, &a, &mut product);
            for i in 0..n {
                assert_eq!(a[i].f64().to_bits(), g.apply(z[i]).f64().to_bits(), "{g:?} at {}", z[i]);
                let expected = dz[i] * g.derivative(z[i], a[i]);
                assert_eq!(product[i].f64().to_bits(), expected.f64().to_bits(), "{g:?}' at {}", z[i]);
            }
        }
        for g in Activation::ALL {
            for n in [0, 1, 3, 4, 7, 8, 9, 16, 31, 37] {
                check::<f32>(g, n);
                check::<f64>(g, n);
            }
        }
    }

    #[test]
    fn no_overflow_far_out_and_nan_stays() {
        for g in Activation::ALL {
            for z in [-1e4, 1e4_f64] {
                let a = g.apply(z);
                assert!(a.is_finite() && g.derivative(z, a).is_finite(), "{g:?} at {z}: {a}");
            }
            assert!(g.apply(f32::NAN).is_nan(), "{g:?} hides a NaN");
        }
    }
}
