//! A = γ ⊙ A_in.

use super::for_each_isa;
use crate::real::Real;

for_each_isa! {
    /// A = γ ⊙ A_in.   γ (n)  a_in, a (m, n)
    pub(crate) fn forward<T: Real>(gamma: &[T], a_in: &[T], a: &mut [T]) {
        let n = gamma.len();
        for (a, a_in) in a.chunks_exact_mut(n).zip(a_in.chunks_exact(n)) {
            for ((a, &a_in), &gamma) in a.iter_mut().zip(a_in).zip(gamma) {
                *a = gamma * a_in;
            }
        }
    }
}

for_each_isa! {
    /// dγ = Σ dA ⊙ A_in over the rows, and dA_in = dA ⊙ γ in place of dA.   a_in, da (m, n)  γ, dγ (n)
    pub(crate) fn backward<T: Real>(gamma: &[T], a_in: &[T], da: &mut [T], dgamma: &mut [T]) {
        let n = gamma.len();
        dgamma.fill(T::ZERO);
        for (da, a_in) in da.chunks_exact_mut(n).zip(a_in.chunks_exact(n)) {
            for (((da, &a_in), &gamma), dgamma) in da.iter_mut().zip(a_in).zip(gamma).zip(dgamma.iter_mut()) {
                *dgamma += *da * a_in;
                *da *= gamma;
            }
        }
    }
}
