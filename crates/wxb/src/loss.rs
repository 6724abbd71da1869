//! Losses. A loss owns its link (sigmoid, softmax, identity, exp) and is computed from the logits Z, so that
//! ln(0) cannot happen and no link meets a loss that it does not belong to.

use serde::{Deserialize, Serialize};

use crate::activation::{sigmoid, sigmoid_of, softplus_of};
use crate::error::{Code, Error, Result};
use crate::real::Real;

/// What training minimises: the weighted mean over the rows of a loss of the logits z (n_L) and the target y.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// −y ln σ(z) − (1 − y) ln(1 − σ(z)), summed over the outputs; y in 0 to 1. Link: sigmoid.
    BinaryCrossEntropy {
        /// ε in 0..1: y becomes (1 − ε) y + ε/2.
        label_smoothing: f64,
    },
    /// −ln softmax(z)_y; y is a class index. Link: softmax.
    CrossEntropy {
        /// ε in 0..1: the class has the share 1 − ε, and ε is spread over all n_L classes.
        label_smoothing: f64,
    },
    /// ½ (z − y)², summed over the outputs, so that dZ = (Z − Y)/m as in the course. Link: identity.
    SquaredError,
    /// |z − y|, summed over the outputs. Link: identity.
    AbsoluteError,
    /// ½ r² for |r| ≤ δ, δ (|r| − ½ δ) outside, r = z − y, summed over the outputs (Huber 1964). Link: identity.
    Huber {
        /// Where the parabola goes over into lines, above 0.
        delta: f64,
    },
    /// eᶻ − y z, summed over the outputs; y ≥ 0 (the constant ln y! is left out). Link: exp.
    Poisson,
    /// max(τ r, (τ − 1) r), r = y − z_τ, summed over the levels τ, one output each (Koenker and Bassett 1978).
    /// Link: identity.
    Quantile {
        /// The levels τ, ascending, each in 0..1.
        levels: Vec<f64>,
    },
}

impl Loss {
    /// Cross-entropy of one logit, without smoothing.
    pub const BINARY: Loss = Loss::BinaryCrossEntropy { label_smoothing: 0.0 };
    /// Softmax cross-entropy, without smoothing.
    pub const SOFTMAX: Loss = Loss::CrossEntropy { label_smoothing: 0.0 };

    /// The name on the command line and in files: `"binary_cross_entropy"`.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::BinaryCrossEntropy { .. } => "binary_cross_entropy",
            Loss::CrossEntropy { .. } => "cross_entropy",
            Loss::SquaredError => "squared_error",
            Loss::AbsoluteError => "absolute_error",
            Loss::Huber { .. } => "huber",
            Loss::Poisson => "poisson",
            Loss::Quantile { .. } => "quantile",
        }
    }

    /// The name of the link from logits to predictions.
    pub fn link(&self) -> &'static str {
        match self {
            Loss::BinaryCrossEntropy { .. } => "sigmoid",
            Loss::CrossEntropy { .. } => "softmax",
            Loss::Poisson => "exp",
            _ => "identity",
        }
    }

    /// How many target columns a network of `n_out` outputs has: 1 for cross-entropy and quantiles.
    pub fn n_targets(&self, n_out: usize) -> usize {
        match self {
            Loss::CrossEntropy { .. } | Loss::Quantile { .. } => 1,
            _ => n_out,
        }
    }

    /// Whether the constants are in their range and fit `n_out` outputs.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`].
    pub fn check(&self, n_out: usize) -> Result<()> {
        let bad = |problem: String| Err(Error::new(Code::InvalidSetting, problem));
        match self {
            Loss::BinaryCrossEntropy { label_smoothing: s } | Loss::CrossEntropy { label_smoothing: s }
                if !(0.0..1.0).contains(s) =>
            {
                bad(format!("label smoothing is {s}, not in 0 to 1 (without 1)"))
            }
            Loss::CrossEntropy { .. } if n_out < 2 => {
                bad("cross-entropy wants one output per class, at least two".into())
            }
            Loss::Huber { delta } if !(*delta > 0.0 && delta.is_finite()) => {
                bad(format!("the delta of Huber's loss is {delta}, not above 0"))
            }
            Loss::Quantile { levels } if !ascending_levels(levels) => {
                bad(format!("quantile levels {levels:?} are not ascending numbers between 0 and 1"))
            }
            Loss::Quantile { levels } if levels.len() != n_out => {
                bad(format!("{} quantile levels for {n_out} outputs", levels.len()))
            }
            _ => Ok(()),
        }
    }

    /// Whether a target value is one that this loss is defined for.
    pub fn accepts<T: Real>(&self, y: T, n_out: usize) -> bool {
        let y = y.f64();
        match self {
            Loss::BinaryCrossEntropy { .. } => (0.0..=1.0).contains(&y),
            Loss::CrossEntropy { .. } => y >= 0.0 && y.fract() == 0.0 && y < n_out as f64,
            Loss::Poisson => y >= 0.0 && y.is_finite(),
            _ => y.is_finite(),
        }
    }

    /// The loss of one row. z (n_L), y (n_targets) → dz (n_L) = ∂loss/∂z.
    #[inline(always)]
    pub fn row<T: Real>(&self, z: &[T], y: &[T], dz: &mut [T]) -> T {
        let mut loss = [T::ZERO];
        self.rows(z.len(), z, y, dz, &mut loss);
        loss[0]
    }

    /// The losses of m rows of n = n_L logits. z (m, n), y (m, n_targets) → dz (m, n) = ∂loss/∂z, row_loss (m).
    ///
    /// In passes over all m · n numbers, which are vector code for any n; a row's bits do not depend on m.
    #[inline(always)]
    pub fn rows<T: Real>(&self, n: usize, z: &[T], y: &[T], dz: &mut [T], row_loss: &mut [T]) {
        debug_assert!(z.len() == dz.len() && z.len() == n * row_loss.len());
        debug_assert_eq!(y.len(), self.n_targets(n) * row_loss.len());
        match self {
            Loss::BinaryCrossEntropy { label_smoothing } => {
                let (keep, half) = (T::of(1.0 - label_smoothing), T::of(label_smoothing / 2.0));
                if n == 1 {
                    return binary_cross_entropies(z, y, (keep, half), dz, row_loss);
                }
                each(n, z, y, dz, row_loss, |z, y| {
                    binary_cross_entropy(z, (-z.abs()).exp(), keep * y + half)
                });
            }
            Loss::CrossEntropy { label_smoothing } => {
                cross_entropy(n, z, y, T::of(*label_smoothing), dz, row_loss);
            }
            Loss::SquaredError => {
                each(n, z, y, dz, row_loss, |z, y| (T::of(0.5) * (z - y) * (z - y), z - y));
            }
            Loss::AbsoluteError => each(n, z, y, dz, row_loss, |z, y| ((z - y).abs(), sign(z - y))),
            Loss::Huber { delta } => {
                let delta = T::of(*delta);
                each(n, z, y, dz, row_loss, |z, y| huber(z - y, delta));
            }
            Loss::Poisson => each(n, z, y, dz, row_loss, poisson),
            Loss::Quantile { levels } => {
                for (((z, y), dz), loss) in z.chunks_exact(n).zip(y).zip(dz.chunks_exact_mut(n)).zip(row_loss)
                {
                    *loss = quantile(z, *y, levels, dz);
                }
            }
        }
    }

    /// The prediction of one row: z (n_L) becomes probabilities, a rate or values (n_L), in place.
    #[inline(always)]
    pub fn apply_link<T: Real>(&self, z: &mut [T]) {
        match self {
            Loss::BinaryCrossEntropy { .. } => z.iter_mut().for_each(|z| *z = sigmoid(*z)),
            Loss::CrossEntropy { .. } => softmax(z),
            Loss::Poisson => z.iter_mut().for_each(|z| *z = z.exp()),
            _ => {}
        }
    }

    /// dz = Jᵀ dp, J = ∂p/∂z of the link: what [`Loss::apply_link`] hands back at the prediction p of a row.   all (n_L)
    pub fn link_gradient<T: Real>(&self, p: &[T], dp: &[T], dz: &mut [T]) {
        let mean = p.iter().zip(dp).fold(T::ZERO, |sum, (&p, &dp)| sum + p * dp);
        for ((dz, &p), &dp) in dz.iter_mut().zip(p).zip(dp) {
            *dz = match self {
                Loss::BinaryCrossEntropy { .. } => p * (T::ONE - p) * dp,
                Loss::CrossEntropy { .. } => p * (dp - mean),
                Loss::Poisson => p * dp,
                _ => dp,
            };
        }
    }
}

impl Loss {
    /// The logits of predictions (m, n_L), in place: what [`Loss::apply_link`] makes the predictions of.
    pub fn undo_link<T: Real>(&self, p: &mut [T]) {
        // A probability of 0 has no logarithm; NaN stays NaN.
        let ln = |p: T| if p < T::VANISHING { T::VANISHING } else { p }.ln();
        match self {
            Loss::BinaryCrossEntropy { .. } => p.iter_mut().for_each(|p| *p = ln(*p) - ln(T::ONE - *p)),
            Loss::CrossEntropy { .. } | Loss::Poisson => p.iter_mut().for_each(|p| *p = ln(*p)),
            _ => {}
        }
    }
}

fn ascending_levels(levels: &[f64]) -> bool {
    !levels.is_empty()
        && levels.iter().all(|&t| t > 0.0 && t < 1.0)
        && levels.windows(2).all(|pair| pair[0] < pair[1])
}

/// An outputwise (loss, derivative): the derivatives into dz, the sums of the losses over the n outputs into row_loss.
#[inline(always)]
fn each<T: Real>(n: usize, z: &[T], y: &[T], dz: &mut [T], row_loss: &mut [T], f: impl Fn(T, T) -> (T, T)) {
    if n == 1 {
        for (((z, y), dz), loss) in z.iter().zip(y).zip(dz).zip(row_loss) {
            (*loss, *dz) = f(*z, *y);
        }
        return;
    }
    // dz holds the losses until they are summed; what both halves of f share is computed twice.
    dz.iter_mut().zip(z).zip(y).for_each(|((dz, z), y)| *dz = f(*z, *y).0);
    for (loss, dz) in row_loss.iter_mut().zip(dz.chunks_exact(n)) {
        *loss = sum(dz);
    }
    dz.iter_mut().zip(z).zip(y).for_each(|((dz, z), y)| *dz = f(*z, *y).1);
}

#[inline(always)]
fn sum<T: Real>(values: &[T]) -> T {
    values.iter().fold(T::ZERO, |sum, value| sum + *value)
}

/// One output: a pass for the exponentials and one for the rest, each short enough that the processor works on several
/// vectors at once.
#[inline(always)]
fn binary_cross_entropies<T: Real>(z: &[T], y: &[T], (keep, half): (T, T), dz: &mut [T], row_loss: &mut [T]) {
    dz.iter_mut().zip(z).for_each(|(dz, z)| *dz = (-z.abs()).exp());
    for (((z, y), dz), loss) in z.iter().zip(y).zip(dz).zip(row_loss) {
        (*loss, *dz) = binary_cross_entropy(*z, *dz, keep * *y + half);
    }
}

/// −y ln σ(z) − (1 − y) ln(1 − σ(z)) = softplus(z) − z y,  derivative σ(z) − y;  e = e^(−|z|).
#[inline(always)]
fn binary_cross_entropy<T: Real>(z: T, e: T, y: T) -> (T, T) {
    (softplus_of(z, e) - z * y, sigmoid_of(z, e) - y)
}

/// ln Σ eᶻ − Σ t_j z_j,  t = (1 − ε) onehot(y) + ε/C,  derivative softmax(z) − t.
#[inline(always)]
fn cross_entropy<T: Real>(n: usize, z: &[T], y: &[T], smoothing: T, dz: &mut [T], row_loss: &mut [T]) {
    // Rows whose sums are kept, so that their logarithms are one pass: 128 or 256 bytes of the stack.
    const ROWS: usize = 32;
    let blocks = z.chunks(ROWS * n).zip(y.chunks(ROWS)).zip(dz.chunks_mut(ROWS * n));
    for (((z, y), dz), row_loss) in blocks.zip(row_loss.chunks_mut(ROWS)) {
        cross_entropy_block(n, z, y, smoothing, dz, row_loss, &mut [T::ZERO; ROWS]);
    }
}

#[inline(always)]
fn cross_entropy_block<T: Real>(
    n: usize,
    z: &[T],
    y: &[T],
    smoothing: T,
    dz: &mut [T],
    row_loss: &mut [T],
    sums: &mut [T],
) {
    let (keep, spread) = (T::ONE - smoothing, smoothing / T::of(n as f64));
    let class = |y: T| y.f64() as usize;
    // dz = z − max z,  row_loss = Σ t_j dz_j
    for (((z, y), dz), loss) in z.chunks_exact(n).zip(y).zip(dz.chunks_exact_mut(n)).zip(&mut *row_loss) {
        let top = maximum(z);
        dz.iter_mut().zip(z).for_each(|(dz, z)| *dz = *z - top);
        *loss = keep * dz[class(*y)];
        if spread > T::ZERO {
            *loss += spread * sum(dz);
        }
    }
    dz.iter_mut().for_each(|dz| *dz = dz.exp());
    for ((y, dz), total) in y.iter().zip(dz.chunks_exact_mut(n)).zip(&mut *sums) {
        *total = sum(dz);
        dz.iter_mut().for_each(|dz| *dz = *dz / *total - spread);
        dz[class(*y)] -= keep;
    }
    row_loss.iter_mut().zip(sums).for_each(|(loss, total)| *loss = total.ln() - *loss);
}

/// eᶻ − y z,  derivative eᶻ − y.
#[inline(always)]
fn poisson<T: Real>(z: T, y: T) -> (T, T) {
    let rate = z.exp();
    (rate - y * z, rate - y)
}

#[inline(always)]
fn huber<T: Real>(r: T, delta: T) -> (T, T) {
    if r.abs() <= delta {
        (T::of(0.5) * r * r, r)
    } else {
        (delta * (r.abs() - T::of(0.5) * delta), delta * sign(r))
    }
}

#[inline(always)]
fn quantile<T: Real>(z: &[T], y: T, levels: &[f64], dz: &mut [T]) -> T {
    let mut sum = T::ZERO;
    for ((z, level), dz) in z.iter().zip(levels).zip(dz) {
        let (tau, r) = (T::of(*level), y - *z);
        let slope = if r < T::ZERO { tau - T::ONE } else { tau };
        *dz = if r == T::ZERO { T::ZERO } else { -slope };
        sum += slope * r;
    }
    sum
}

/// −1, 0 or 1; NaN for NaN.
#[inline(always)]
fn sign<T: Real>(r: T) -> T {
    if r > T::ZERO {
        T::ONE
    } else if r < T::ZERO {
        -T::ONE
    } else {
        r
    }
}

/// The largest entry. A NaN goes on into the sum of exponentials, whatever this returns.
#[inline(always)]
fn maximum<T: Real>(z: &[T]) -> T {
    z.iter().copied().fold(z[0], |top, z| if top > z { top } else { z })
}

/// softmax(z)_j = e^(z_j − max z) / Σ e^(z_k − max z), in place: no overflow for any z.
#[inline(always)]
pub fn softmax<T: Real>(z: &mut [T]) {
    let top = maximum(z);
    let mut sum = T::ZERO;
    for z in z.iter_mut() {
        *z = (*z - top).exp();
        sum += *z;
    }
    z.iter_mut().for_each(|z| *z /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(loss: Loss, z: &[f64], y: &[f64], expected: f64, dz_expected: &[f64]) {
        let mut dz = vec![0.0; z.len()];
        let value = loss.row(z, y, &mut dz);
        assert!((value - expected).abs() < 1e-12, "{loss:?} z {z:?} y {y:?}: {value}, not {expected}");
        for (d, e) in dz.iter().zip(dz_expected) {
            assert!((d - e).abs() < 1e-12, "{loss:?} z {z:?} y {y:?}: dz {dz:?}, not {dz_expected:?}");
        }
    }

    #[test]
    fn values_by_hand() {
        let ln2 = std::f64::consts::LN_2;
        check(Loss::BINARY, &[0.0], &[1.0], ln2, &[-0.5]);
        check(Loss::BINARY, &[900.0], &[0.0], 900.0, &[1.0]); // no overflow at a large logit
        check(Loss::BINARY, &[-900.0], &[0.0], 0.0, &[0.0]);
        check(Loss::BinaryCrossEntropy { label_smoothing: 0.2 }, &[0.0], &[1.0], ln2, &[-0.4]);
        check(Loss::SOFTMAX, &[0.0, 0.0], &[1.0], ln2, &[0.5, -0.5]);
        check(Loss::SOFTMAX, &[800.0, 0.0, -800.0], &[1.0], 800.0, &[1.0, -1.0, 0.0]);
        check(Loss::CrossEntropy { label_smoothing: 0.5 }, &[0.0, 0.0], &[0.0], ln2, &[-0.25, 0.25]);
        check(Loss::SquaredError, &[3.0, 1.0], &[1.0, 1.0], 2.0, &[2.0, 0.0]);
        check(Loss::AbsoluteError, &[3.0, 1.0], &[1.0, 2.0], 3.0, &[1.0, -1.0]);
        check(Loss::Huber { delta: 1.0 }, &[0.5, -3.0], &[0.0, 0.0], 0.125 + 2.5, &[0.5, -1.0]);
        check(Loss::Poisson, &[0.0], &[3.0], 1.0, &[-2.0]);
        check(Loss::Quantile { levels: vec![0.1, 0.9] }, &[0.0, 0.0], &[2.0], 0.2 + 1.8, &[-0.1, -0.9]);
        check(Loss::Quantile { levels: vec![0.1] }, &[2.0], &[0.0], 1.8, &[0.9]);
    }

    /// 9 rows end within a vector, 67 within a block of the cross-entropy.
    #[test]
    fn rows_give_the_bits_of_single_rows() {
        fn check<T: Real>(loss: &Loss, n: usize, m: usize) {
            let n_targets = loss.n_targets(n);
            let z: Vec<T> = (0..m * n).map(|i| T::of((i * 7 % 23) as f64 * 0.37 - 4.0)).collect();
            let classes = if matches!(loss, Loss::CrossEntropy { .. }) { n } else { 2 };
            let y: Vec<T> = (0..m * n_targets).map(|i| T::of((i * 5 % 7 % classes) as f64)).collect();
            let (mut dz, mut row_loss) = (vec![T::ZERO; m * n], vec![T::ZERO; m]);
            loss.rows(n, &z, &y, &mut dz, &mut row_loss);
            for i in 0..m {
                let mut dz_row = vec![T::ZERO; n];
                let value = loss.row(&z[i * n..][..n], &y[i * n_targets..][..n_targets], &mut dz_row);
                assert_eq!(
                    value.f64().to_bits(),
                    row_loss[i].f64().to_bits(),
                    "{loss:?}, {n}, row {i} of {m}"
                );
                for (a, b) in dz_row.iter().zip(&dz[i * n..]) {
                    assert_eq!(a.f64().to_bits(), b.f64().to_bits(), "{loss:?}, {n}, row {i} of {m}: dz");
                }
            }
        }
        for n in 1..=17 {
            let levels = (1..=n).map(|j| j as f64 / (n + 1) as f64).collect();
            let losses = [
                Loss::BINARY,
                Loss::BinaryCrossEntropy { label_smoothing: 0.1 },
                Loss::SOFTMAX,
                Loss::CrossEntropy { label_smoothing: 0.1 },
                Loss::SquaredError,
                Loss::AbsoluteError,
                Loss::Huber { delta: 0.7 },
                Loss::Poisson,
                Loss::Quantile { levels },
            ];
            for (loss, m) in losses.iter().flat_map(|loss| (1..=9).chain([67]).map(move |m| (loss, m))) {
                check::<f32>(loss, n, m);
                check::<f64>(loss, n, m);
            }
        }
    }

    #[test]
    fn softmax_survives_large_logits() {
        let mut z = [1000.0_f32, 1000.0, -1000.0];
        softmax(&mut z);
        assert_eq!(z, [0.5, 0.5, 0.0]);
    }
}
