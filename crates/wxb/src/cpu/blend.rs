//! A = Z + α ⊙ (g(Z) − Z).

use super::threads::{Of, OfMut, count, each, split};
use super::{ELEMENTS, for_each_isa, multiply};
use crate::activation::Activation;
use crate::real::Real;

/// What a pass keeps for the way back: how far g is from the identity, and the slope.
pub(crate) struct Kept<V> {
    /// D = g(Z) − Z (m, n).
    pub d: V,
    /// S = ∂A/∂Z = 1 + α ⊙ (g'(Z) − 1) (m, n).
    pub slope: V,
}

/// A = Z + α ⊙ D.   α (n)  z, a (m, n)
pub(crate) fn forward<T: Real>(g: Activation, alpha: &[T], z: &[T], kept: Kept<&mut [T]>, a: &mut [T]) {
    let (n, Kept { d, slope }) = (alpha.len(), kept);
    let rows = ELEMENTS.div_ceil(n);
    if z.len() <= rows * n || count() == 1 {
        return forward_rows(g, alpha, z, d, slope, a);
    }
    let of = rows * n;
    let parts = (OfMut(a, of), Of(z, of), OfMut(d, of), OfMut(slope, of));
    each(parts, 1, &|_, (OfMut(a, _), Of(z, _), OfMut(d, _), OfMut(slope, _))| {
        forward_rows(g, alpha, z, d, slope, a);
    });
}

for_each_isa! {
    /// [`forward`] on one thread.
    pub(crate) fn forward_rows<T: Real>(g: Activation, alpha: &[T], z: &[T], d: &mut [T], slope: &mut [T], a: &mut [T]) {
        let n = alpha.len();
        let kept = d.chunks_exact_mut(n).zip(slope.chunks_exact_mut(n));
        // Row by row, so that what is written is read again while it is near. g and g' have the exponential in common.
        for ((a, z), (d, slope)) in a.chunks_exact_mut(n).zip(z.chunks_exact(n)).zip(kept) {
            g.apply_with_slope(z, d, slope);
            let kept = d.iter_mut().zip(slope);
            for (((a, &z), (d, slope)), &alpha) in a.iter_mut().zip(z).zip(kept).zip(alpha) {
                *d -= z;
                *a = z + alpha * *d;
                *slope = T::ONE + alpha * (*slope - T::ONE);
            }
        }
    }
}

/// dα = Σ dA ⊙ D over the rows, and dZ = dA ⊙ S in place of dA.   dα (n)  da (m, n)
pub(crate) fn backward<T: Real>(kept: Kept<&[T]>, da: &mut [T], dalpha: &mut [T]) {
    grad_alpha(kept.d, da, dalpha);
    multiply(da, kept.slope);
}

/// dα = Σ dA ⊙ D over the rows, shared out by units.   dα (n)  d, da (m, n)
pub(crate) fn grad_alpha<T: Real>(d: &[T], da: &[T], dalpha: &mut [T]) {
    let n = dalpha.len();
    let units = if da.len() > ELEMENTS { UNITS } else { n };
    split(dalpha, 1, 1, units, 0, &|first, dalpha| sums(n, first, d, da, dalpha));
}

/// Units whose sums a task takes: four lines of each row.
const UNITS: usize = 64;

for_each_isa! {
    /// dα of the units from `first` on.
    fn sums<T: Real>(n: usize, first: usize, d: &[T], da: &[T], dalpha: &mut [T]) {
        dalpha.fill(T::ZERO);
        for (d, da) in d.chunks_exact(n).zip(da.chunks_exact(n)) {
            let [d, da] = [d, da].map(|row| &row[first..first + dalpha.len()]);
            for ((dalpha, &da), &d) in dalpha.iter_mut().zip(da).zip(d) {
                *dalpha += da * d;
            }
        }
    }
}
