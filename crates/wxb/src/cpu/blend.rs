//! A = Z + α ⊙ (g(Z) − Z).

use rayon::prelude::*;

use super::threads::split;
use super::{ELEMENTS, for_each_isa};
use crate::activation::Activation;
use crate::real::Real;

/// g(Z) into `g_z`, and A = Z + α ⊙ (g(Z) − Z).   α (n)  z, g_z, a (m, n)
pub(crate) fn forward<T: Real>(g: Activation, alpha: &[T], z: &[T], g_z: &mut [T], a: &mut [T]) {
    let n = alpha.len();
    let rows = ELEMENTS.div_ceil(n);
    if z.len() <= rows * n || rayon::current_num_threads() == 1 {
        return forward_rows(g, alpha, z, g_z, a);
    }
    let pieces = a.par_chunks_mut(rows * n).zip(g_z.par_chunks_mut(rows * n)).zip(z.par_chunks(rows * n));
    pieces.for_each(|((a, g_z), z)| forward_rows(g, alpha, z, g_z, a));
}

for_each_isa! {
    /// [`forward`] on one thread.
    fn forward_rows<T: Real>(g: Activation, alpha: &[T], z: &[T], g_z: &mut [T], a: &mut [T]) {
        let n = alpha.len();
        // Row by row, so that what is written is read again while it is near.
        for ((a, z), g_z) in a.chunks_exact_mut(n).zip(z.chunks_exact(n)).zip(g_z.chunks_exact_mut(n)) {
            g_z.copy_from_slice(z);
            g.apply_all(g_z);
            for (((a, &z), &g_z), &alpha) in a.iter_mut().zip(z).zip(&*g_z).zip(alpha) {
                *a = z + alpha * (g_z - z);
            }
        }
    }
}

/// dα = Σ dA ⊙ (g(Z) − Z) over the rows, and dZ = dA ⊙ (1 + α ⊙ (g'(Z) − 1)) in place of dA.   α, dα (n)
/// z, g_z, da, slope (m, n); `slope` becomes g'(Z)
pub(crate) fn backward<T: Real>(
    g: Activation,
    alpha: &[T],
    inputs: [&[T]; 2],
    da: &mut [T],
    slope: &mut [T],
    dalpha: &mut [T],
) {
    let ([z, g_z], n) = (inputs, alpha.len());
    let rows = ELEMENTS.div_ceil(n);
    // Sums over the rows are shared out by units, all else by rows.
    split(dalpha, 1, 1, if da.len() > rows * n { UNITS } else { n }, 0, &|first, dalpha| {
        sums(n, first, [z, g_z, da], dalpha);
    });
    if da.len() <= rows * n || rayon::current_num_threads() == 1 {
        return slopes(g, alpha, inputs, da, slope);
    }
    let pieces = da.par_chunks_mut(rows * n).zip(slope.par_chunks_mut(rows * n));
    let inputs = z.par_chunks(rows * n).zip(g_z.par_chunks(rows * n));
    pieces.zip(inputs).for_each(|((da, slope), (z, g_z))| slopes(g, alpha, [z, g_z], da, slope));
}

/// Units whose sums a task takes: four lines of each row.
const UNITS: usize = 64;

for_each_isa! {
    /// dα of the units from `first` on.
    fn sums<T: Real>(n: usize, first: usize, inputs: [&[T]; 3], dalpha: &mut [T]) {
        let [z, g_z, da] = inputs.map(|values| values.chunks_exact(n));
        dalpha.fill(T::ZERO);
        for ((z, g_z), da) in z.zip(g_z).zip(da) {
            let [z, g_z, da] = [z, g_z, da].map(|row| &row[first..first + dalpha.len()]);
            for ((dalpha, &da), (&z, &g_z)) in dalpha.iter_mut().zip(da).zip(z.iter().zip(g_z)) {
                *dalpha += da * (g_z - z);
            }
        }
    }
}

for_each_isa! {
    /// dZ of some rows, in place of dA.
    fn slopes<T: Real>(g: Activation, alpha: &[T], inputs: [&[T]; 2], da: &mut [T], slope: &mut [T]) {
        let n = alpha.len();
        let [z, g_z] = inputs.map(|values| values.chunks_exact(n));
        for ((da, slope), (z, g_z)) in da.chunks_exact_mut(n).zip(slope.chunks_exact_mut(n)).zip(z.zip(g_z)) {
            slope.fill(T::ONE);
            g.multiply_by_derivative(z, g_z, slope);
            for ((da, &slope), &alpha) in da.iter_mut().zip(&*slope).zip(alpha) {
                *da *= T::ONE + alpha * (slope - T::ONE);
            }
        }
    }
}
