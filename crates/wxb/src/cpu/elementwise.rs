//! Passes over numbers that lie in a cache, compiled for each instruction set.

use super::threads::split;
use super::{ELEMENTS, for_each_isa};
use crate::activation::Activation;
use crate::loss::Loss;
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

/// A = A_in ⊙ B.   All of one length, or `a_in` and `b` longer.
pub fn product_of<T: Real>(a_in: &[T], b: &[T], a: &mut [T]) {
    split(a, 1, 1, ELEMENTS, 0, &|first, a| piece_of_product(&a_in[first..], &b[first..], a));
}

for_each_isa! {
    /// [`product_of`] on one thread.
    fn piece_of_product<T: Real>(a_in: &[T], b: &[T], a: &mut [T]) {
        for ((a, &a_in), &b) in a.iter_mut().zip(a_in).zip(b) {
            *a = a_in * b;
        }
    }
}

/// A ⊙ B in place of A.   Both of one length, or `b` longer.
pub fn multiply<T: Real>(a: &mut [T], b: &[T]) {
    split(a, 1, 1, ELEMENTS, 0, &|first, a| multiply_piece(a, &b[first..]));
}

for_each_isa! {
    /// [`multiply`] on one thread.
    fn multiply_piece<T: Real>(a: &mut [T], b: &[T]) {
        for (a, &b) in a.iter_mut().zip(b) {
            *a *= b;
        }
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
    /// 0 for a random word (of two bytes) below the threshold, else `kept`.
    pub fn mask<T: Real>(threshold: u32, kept: T, words: &[u8], mask: &mut [T]) {
        for (mask, word) in mask.iter_mut().zip(words.as_chunks::<2>().0) {
            *mask = if u32::from(u16::from_le_bytes(*word)) < threshold { T::ZERO } else { kept };
        }
    }
}

for_each_isa! {
    /// One update of some parameters by their gradients and moments.
    pub(crate) fn update<T: Real>(rule: Rule<T>, theta: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) {
        rule.apply(theta, g, m, v);
    }
}

/// dW ← dW + λ₂ W + λ₁ sign(W).   penalties: λ₂, λ₁
pub(crate) fn penalise<T: Real>(penalties: [T; 2], w: &[T], dw: &mut [T]) {
    split(dw, 1, 1, ELEMENTS, 0, &|first, dw| penalise_some(penalties, &w[first..][..dw.len()], dw));
}

for_each_isa! {
    /// [`penalise`] for some of them.
    fn penalise_some<T: Real>(penalties: [T; 2], w: &[T], dw: &mut [T]) {
        let [l2, l1] = penalties;
        for (dw, &w) in dw.iter_mut().zip(w) {
            let sign = if w > T::ZERO { T::ONE } else if w < T::ZERO { -T::ONE } else { T::ZERO };
            *dw += l2 * w + l1 * sign;
        }
    }
}

for_each_isa! {
    /// The weighted losses of some rows, and dZ = w · scale · ∂loss/∂Z, 0 where that has vanished.
    /// z, dz (m, n)  y (m, n_targets)  row_loss (m); inputs: z, y, and weights (m) or none
    pub fn loss<T: Real>(
        loss: &Loss,
        n: usize,
        inputs: [&[T]; 3],
        scale: T,
        dz: &mut [T],
        row_loss: &mut [T],
    ) {
        let [z, y, weights] = inputs;
        loss.rows(n, z, y, dz, row_loss);
        if weights.is_empty() {
            for dz in dz {
                *dz = dz.or_zero(T::VANISHING) * scale;
            }
            return;
        }
        for ((dz, loss), &w) in dz.chunks_exact_mut(n).zip(row_loss).zip(weights) {
            *loss *= w;
            let share = w * scale;
            for dz in dz {
                *dz = dz.or_zero(T::VANISHING) * share;
            }
        }
    }
}
