//! A = Z + α ⊙ (g(Z) − Z).

use super::for_each_isa;
use crate::activation::Activation;
use crate::real::Real;

for_each_isa! {
    /// g(Z) into `g_z`, and A = Z + α ⊙ (g(Z) − Z).   α (n)  z, g_z, a (m, n)
    pub(crate) fn forward<T: Real>(g: Activation, alpha: &[T], z: &[T], g_z: &mut [T], a: &mut [T]) {
        g_z.copy_from_slice(z);
        g.apply_all(g_z);
        let n = alpha.len();
        for ((a, z), g_z) in a.chunks_exact_mut(n).zip(z.chunks_exact(n)).zip(g_z.chunks_exact(n)) {
            for (((a, &z), &g_z), &alpha) in a.iter_mut().zip(z).zip(g_z).zip(alpha) {
                *a = z + alpha * (g_z - z);
            }
        }
    }
}

for_each_isa! {
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
        let [z, g_z] = inputs;
        slope.fill(T::ONE);
        g.multiply_by_derivative(z, g_z, slope);
        let n = alpha.len();
        dalpha.fill(T::ZERO);
        let rows = da.chunks_exact_mut(n).zip(slope.chunks_exact(n));
        for ((da, slope), (z, g_z)) in rows.zip(z.chunks_exact(n).zip(g_z.chunks_exact(n))) {
            let units = da.iter_mut().zip(slope).zip(z.iter().zip(g_z));
            for (((da, &slope), (&z, &g_z)), (&alpha, dalpha)) in units.zip(alpha.iter().zip(dalpha.iter_mut())) {
                *dalpha += *da * (g_z - z);
                *da *= T::ONE + alpha * (slope - T::ONE);
            }
        }
    }
}
