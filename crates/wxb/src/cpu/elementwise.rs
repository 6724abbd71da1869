//! Passes over numbers that lie in a cache, compiled for each instruction set.

use super::for_each_isa;
use crate::activation::Activation;
use crate::optimizer::Rule;
use crate::real::Real;

for_each_isa! {
    /// z becomes g(z).
    pub fn activate<T: Real>(g: Activation, z: &mut [T]) {
        g.apply_all(z);
    }
}

for_each_isa! {
    /// dz becomes dz ⊙ g'(z), where a = g(z). `z` may be `a` where g' needs a alone.
    pub fn multiply_by_derivative<T: Real>(g: Activation, z: &[T], a: &[T], dz: &mut [T]) {
        g.multiply_by_derivative(z, a, dz);
    }
}

for_each_isa! {
    /// db = 1ᵀ dZ.   dz (m, n)  db (n)
    pub fn column_sums<T: Real>(dz: &[T], db: &mut [T]) {
        db.fill(T::ZERO);
        for dz in dz.chunks_exact(db.len()) {
            db.iter_mut().zip(dz).for_each(|(db, &dz)| *db += dz);
        }
    }
}

for_each_isa! {
    /// One update of some parameters by their gradients and moments.
    pub(crate) fn update<T: Real>(rule: Rule<T>, theta: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) {
        rule.apply(theta, g, m, v);
    }
}
