//! A = g(γ ⊙ X̂ + β), X̂ = (A_in − mean) / √(variance + ε).

use super::elementwise::activate;
use super::threads::split;
use super::{ELEMENTS, for_each_isa};
use crate::activation::Activation;
use crate::real::Real;

/// ε: keeps the division by the deviation of an input that hardly varies finite.
const EPSILON: f64 = 1e-5;
/// The share of a batch in the running statistics, once there were ten of them.
const SHARE: f64 = 0.1;
/// Units whose sums a task takes: four lines of each row.
const UNITS: usize = 64;

/// How many numbers [`forward`] keeps for n inputs: mean, variance and 1/√(variance + ε), and m, the rows that these are of; 0
/// where they are the running ones, on which no row has a say.
pub(crate) fn kept_len(n: usize) -> usize {
    3 * n + 1
}

/// A, and Z = γ ⊙ X̂ + β where g' needs it (else empty), with `running` mean and variance, or else those of the batch.
/// γ, β, mean, variance (n)  a_in, z, a (m, n)
pub(crate) fn forward<T: Real>(
    g: Activation,
    [gamma, beta]: [&[T]; 2],
    running: Option<[&[T]; 2]>,
    a_in: &[T],
    kept: &mut [T],
    [z, a]: [&mut [T]; 2],
) {
    let n = gamma.len();
    let (statistics, m) = kept.split_at_mut(3 * n);
    let (mean, rest) = statistics.split_at_mut(n);
    let (variance, scale) = rest.split_at_mut(n);
    match running {
        Some([of_all, variance_of_all]) => {
            mean.copy_from_slice(of_all);
            variance.copy_from_slice(variance_of_all);
            m[0] = T::ZERO;
        }
        None => {
            by_units(a_in.len(), mean, &|first, mean| means(n, first, a_in, mean));
            let mean = &*mean;
            by_units(a_in.len(), variance, &|first, variance| variances(n, first, [a_in, mean], variance));
            m[0] = T::of((a_in.len() / n) as f64);
        }
    }
    let of_variance = |(scale, &variance): (&mut T, &T)| *scale = T::ONE / (variance + T::of(EPSILON)).sqrt();
    scale.iter_mut().zip(&*variance).for_each(of_variance);
    let normalise = |g: Activation, out: &mut [T]| {
        split(out, n, 1, ELEMENTS.div_ceil(n), 0, &|first, out| {
            affine([gamma, beta, mean, scale], &a_in[first * n..first * n + out.len()], out);
            activate(g, out);
        });
    };
    if z.is_empty() {
        return normalise(g, a);
    }
    normalise(Activation::Identity, z);
    a.copy_from_slice(z);
    split(a, 1, 1, ELEMENTS, 0, &|_, a| activate(g, a));
}

/// dγ = Σ dZ ⊙ X̂ and dβ = Σ dZ over the rows, and dA_in = γ/√(variance + ε) ⊙ (dZ − dβ/m − X̂ ⊙ dγ/m) in place of dZ; without
/// the terms in 1/m where the statistics were the running ones (Ioffe and Szegedy 2015, section 3).
/// γ, dγ, dβ (n)  a_in, dz (m, n); `kept` as [`forward`] left it
pub(crate) fn backward<T: Real>(
    gamma: &[T],
    kept: &[T],
    a_in: &[T],
    dz: &mut [T],
    [dgamma, dbeta]: [&mut [T]; 2],
) {
    let n = gamma.len();
    let (mean, scale, m) = (&kept[..n], &kept[2 * n..3 * n], kept[3 * n]);
    by_units(dz.len(), dbeta, &|first, dbeta| sums(n, first, dz, dbeta));
    by_units(dz.len(), dgamma, &|first, dgamma| products(n, first, [a_in, dz, mean, scale], dgamma));
    let (share, sums) = (if m > T::ZERO { T::ONE / m } else { T::ZERO }, [&*dgamma, &*dbeta]);
    split(dz, n, 1, ELEMENTS.div_ceil(n), 0, &|first, dz| {
        slopes([gamma, mean, scale], sums, share, &a_in[first * n..first * n + dz.len()], dz);
    });
}

/// The running statistics after training step `t`, counted from 1: the mean of the batches so far, and from the tenth on a mean in
/// which the past fades. A batch of one row has no variance. The variance is the one of the population that the rows are drawn
/// from, m/(m − 1) times that of the batch (algorithm 2 there).   mean, variance (n); `kept` as [`forward`] left it
pub(crate) fn track<T: Real>(kept: &[T], t: u64, [mean, variance]: [&mut [T]; 2]) {
    let (n, m) = (mean.len(), kept[kept.len() - 1].f64());
    if m < 2.0 {
        return;
    }
    let share = T::of(SHARE.max(1.0 / t as f64));
    let unbias = T::of(m / (m - 1.0));
    for (mean, &of_batch) in mean.iter_mut().zip(&kept[..n]) {
        *mean += share * (of_batch - *mean);
    }
    for (variance, &of_batch) in variance.iter_mut().zip(&kept[n..2 * n]) {
        *variance += share * (unbias * of_batch - *variance);
    }
}

/// Sums over the rows of a batch of so many numbers, shared out by units.
fn by_units<T: Real>(numbers: usize, of_units: &mut [T], work: &(impl Fn(usize, &mut [T]) + Sync)) {
    let least = if numbers > ELEMENTS { UNITS } else { of_units.len() };
    split(of_units, 1, 1, least, 0, work);
}

for_each_isa! {
    /// The means of the units from `first` on.   a_in (m, n)
    fn means<T: Real>(n: usize, first: usize, a_in: &[T], mean: &mut [T]) {
        mean.fill(T::ZERO);
        for x in a_in.chunks_exact(n) {
            mean.iter_mut().zip(&x[first..]).for_each(|(mean, &x)| *mean += x);
        }
        let m = T::of((a_in.len() / n) as f64);
        mean.iter_mut().for_each(|mean| *mean /= m);
    }
}

for_each_isa! {
    /// The mean squares around the means, of the units from `first` on.   inputs: a_in (m, n), mean (n)
    fn variances<T: Real>(n: usize, first: usize, inputs: [&[T]; 2], variance: &mut [T]) {
        let [a_in, mean] = inputs;
        variance.fill(T::ZERO);
        for x in a_in.chunks_exact(n) {
            for ((variance, &x), &mean) in variance.iter_mut().zip(&x[first..]).zip(&mean[first..]) {
                *variance += (x - mean) * (x - mean);
            }
        }
        let m = T::of((a_in.len() / n) as f64);
        variance.iter_mut().for_each(|variance| *variance /= m);
    }
}

for_each_isa! {
    /// Z = γ ⊙ X̂ + β of some rows.   params: γ, β, mean, 1/√(variance + ε) (n)
    fn affine<T: Real>(params: [&[T]; 4], a_in: &[T], z: &mut [T]) {
        let [gamma, beta, mean, scale] = params;
        let n = gamma.len();
        for (z, x) in z.chunks_exact_mut(n).zip(a_in.chunks_exact(n)) {
            let of_unit = gamma.iter().zip(beta).zip(mean.iter().zip(scale));
            for ((z, &x), ((&gamma, &beta), (&mean, &scale))) in z.iter_mut().zip(x).zip(of_unit) {
                *z = gamma * ((x - mean) * scale) + beta;
            }
        }
    }
}

for_each_isa! {
    /// Σ dZ of the units from `first` on.   dz (m, n)
    fn sums<T: Real>(n: usize, first: usize, dz: &[T], dbeta: &mut [T]) {
        dbeta.fill(T::ZERO);
        for dz in dz.chunks_exact(n) {
            dbeta.iter_mut().zip(&dz[first..]).for_each(|(dbeta, &dz)| *dbeta += dz);
        }
    }
}

for_each_isa! {
    /// Σ dZ ⊙ X̂ of the units from `first` on.   inputs: a_in, dz (m, n), mean, 1/√(variance + ε) (n)
    fn products<T: Real>(n: usize, first: usize, inputs: [&[T]; 4], dgamma: &mut [T]) {
        let [a_in, dz, mean, scale] = inputs;
        let (mean, scale) = (&mean[first..], &scale[first..]);
        dgamma.fill(T::ZERO);
        for (x, dz) in a_in.chunks_exact(n).zip(dz.chunks_exact(n)) {
            let of_unit = x[first..].iter().zip(&dz[first..]);
            for ((dgamma, (&x, &dz)), (&mean, &scale)) in dgamma.iter_mut().zip(of_unit).zip(mean.iter().zip(scale)) {
                *dgamma += dz * ((x - mean) * scale);
            }
        }
    }
}

for_each_isa! {
    /// dA_in of some rows, in place of dZ.   params: γ, mean, 1/√(variance + ε) (n)  sums: dγ, dβ (n)
    fn slopes<T: Real>(params: [&[T]; 3], sums: [&[T]; 2], share: T, a_in: &[T], dz: &mut [T]) {
        let ([gamma, mean, scale], [dgamma, dbeta]) = (params, sums);
        let n = gamma.len();
        for (dz, x) in dz.chunks_exact_mut(n).zip(a_in.chunks_exact(n)) {
            let of_unit = gamma.iter().zip(mean).zip(scale).zip(dgamma.iter().zip(dbeta));
            for ((dz, &x), (((&gamma, &mean), &scale), (&dgamma, &dbeta))) in dz.iter_mut().zip(x).zip(of_unit) {
                let normal = (x - mean) * scale;
                *dz = gamma * scale * (*dz - share * dbeta - normal * (share * dgamma));
            }
        }
    }
}
