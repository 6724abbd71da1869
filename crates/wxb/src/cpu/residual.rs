//! A = A_in + A_s, s a layer before.

use super::elementwise::multiply_by_derivative;
use super::threads::split;
use super::{ELEMENTS, for_each_isa};
use crate::activation::Activation;
use crate::real::Real;

/// A = A_in + A_s.   a_in, a_s, a (m, n)
pub(crate) fn forward<T: Real>(a_in: &[T], a_s: &[T], a: &mut [T]) {
    split(a, 1, 1, ELEMENTS, 0, &|first, a| {
        a.copy_from_slice(&a_in[first..first + a.len()]);
        add(&a_s[first..first + a.len()], a);
    });
}

/// dZ_s += dA ⊙ g'(Z_s): what the layer s gets by the way round. dA_in is dA as it is.   z_s, a_s, da, dz_s (m, n)
pub(crate) fn backward<T: Real>(g: Activation, [z_s, a_s]: [&[T]; 2], da: &mut [T], dz_s: &mut [T]) {
    split(da, 1, 1, ELEMENTS, 0, &|first, da| {
        let of = first..first + da.len();
        multiply_by_derivative(g, &z_s[of.clone()], &a_s[of], da);
    });
    let da = &*da;
    split(dz_s, 1, 1, ELEMENTS, 0, &|first, dz_s| add(&da[first..first + dz_s.len()], dz_s));
}

for_each_isa! {
    /// a += b.
    fn add<T: Real>(b: &[T], a: &mut [T]) {
        a.iter_mut().zip(b).for_each(|(a, &b)| *a += b);
    }
}
