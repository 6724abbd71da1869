//! A = γ ⊙ A_in, and A_i = r_i ⊙ A_in,i for each member i.

use super::for_each_isa;
use super::threads::{Of, OfMut, each};
use crate::real::Real;

/// A of all members.   r (k, n)  a_in, a (k m, n)
pub(crate) fn forward_of_members<T: Real>(members: usize, [r]: [&[T]; 1], a_in: &[T], a: &mut [T]) {
    let (n, of_member) = (r.len() / members, a.len() / members);
    let parts = (Of(r, n), OfMut(a, of_member), Of(a_in, of_member));
    each(parts, 1, &|_, (Of(r, _), OfMut(a, _), Of(a_in, _))| forward(r, a_in, a));
}

/// [`backward`] of all members.   r, dr (k, n)  a_in, da (k m, n)
pub(crate) fn backward_of_members<T: Real>(
    members: usize,
    [r]: [&[T]; 1],
    a_in: &[T],
    da: &mut [T],
    [dr]: [&mut [T]; 1],
) {
    let (n, of_member) = (r.len() / members, da.len() / members);
    let parts = (Of(r, n), OfMut(dr, n), OfMut(da, of_member), Of(a_in, of_member));
    each(parts, 1, &|_, (Of(r, _), OfMut(dr, _), OfMut(da, _), Of(a_in, _))| backward(r, a_in, da, dr));
}

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

/// dγ = Σ dA ⊙ A_in over the rows, and dA_in = dA ⊙ γ in place of dA.   a_in, da (m, n)  γ, dγ (n)
pub(crate) fn backward<T: Real>(gamma: &[T], a_in: &[T], da: &mut [T], dgamma: &mut [T]) {
    dgamma.fill(T::ZERO);
    backward_rows(gamma, a_in, da, dgamma);
}

for_each_isa! {
    /// [`backward`] for the next rows, which are added to dγ.
    pub(crate) fn backward_rows<T: Real>(gamma: &[T], a_in: &[T], da: &mut [T], dgamma: &mut [T]) {
        let n = gamma.len();
        for (da, a_in) in da.chunks_exact_mut(n).zip(a_in.chunks_exact(n)) {
            for (((da, &a_in), &gamma), dgamma) in da.iter_mut().zip(a_in).zip(gamma).zip(dgamma.iter_mut()) {
                *dgamma += *da * a_in;
                *da *= gamma;
            }
        }
    }
}
