//! e = A u + c, u = cos(2π w x + β), for each numeric column.

use super::for_each_isa;
use crate::layer::Periodic;
use crate::real::Real;

for_each_isa! {
    /// A = (e of all columns, x of all columns, the rest), and sin and cos of every wave into `waves`.
    ///
    /// w, β (columns, F)  A (columns · width, F)  c (columns, width)  a_in (m, columns + rest)
    /// a (m, columns (width + 1) + rest)  sin, cos (m, columns · F)
    pub(crate) fn forward<T: Real>(
        layer: Periodic,
        params: [&[T]; 4],
        a_in: &[T],
        a: &mut [T],
        sin: &mut [T],
        cos: &mut [T],
    ) {
        let [w, beta, mix, shift] = params;
        let Periodic { columns, frequencies, width, .. } = layer;
        let turn = T::of(0.5 / std::f64::consts::PI);
        let waves = layer.waves();
        for (x, y) in a_in.chunks_exact(layer.n_in()).zip(cos.chunks_exact_mut(waves)) {
            let of_column = y.chunks_exact_mut(frequencies).zip(x);
            for ((y, &x), (w, beta)) in
                of_column.zip(w.chunks_exact(frequencies).zip(beta.chunks_exact(frequencies)))
            {
                for ((y, &w), &beta) in y.iter_mut().zip(w).zip(beta) {
                    *y = w * x + beta * turn;
                }
            }
        }
        for (sin, cos) in sin.iter_mut().zip(cos.iter_mut()) {
            (*sin, *cos) = cos.sin_cos_turns();
        }
        let rows = a_in.chunks_exact(layer.n_in()).zip(a.chunks_exact_mut(layer.n_out()));
        for ((x, a), u) in rows.zip(cos.chunks_exact(waves)) {
            let (e, after) = a.split_at_mut(columns * width);
            after.copy_from_slice(x);
            for (j, u) in u.chunks_exact(frequencies).enumerate() {
                for k in j * width..(j + 1) * width {
                    e[k] = shift[k] + dot(&mix[k * frequencies..][..frequencies], u);
                }
            }
        }
    }
}

/// Σ a b in eight sums over the places modulo 8, of which halves are added.
#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut s = [T::ZERO; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            s[i] += a[i] * b[i];
        }
    }
    for ((s, &a), &b) in s.iter_mut().zip(a_rest).zip(b_rest) {
        *s += a * b;
    }
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

for_each_isa! {
    /// The gradients of the parameters, summed over the rows, and dA_in where it is wanted (else `da_in` is empty).
    ///
    /// With v = du ⊙ −sin(2π w x + β), du = Aᵀ de:   dA = de uᵀ,  dc = de,  dw = 2π x v,  dβ = v,
    /// dx = 2π w · v + what came past the embedding.
    /// Shapes as in [`forward`]; `v` has room for F numbers.
    pub(crate) fn backward<T: Real>(
        layer: Periodic,
        params: [&[T]; 4],
        inputs: [&[T]; 3],
        da: &[T],
        grads: [&mut [T]; 4],
        da_in: &mut [T],
        v: &mut [T],
    ) {
        let [w, _, mix, _] = params;
        let [a_in, sin, cos] = inputs;
        let [dw, dbeta, dmix, dshift] = grads;
        let Periodic { columns, frequencies, width, .. } = layer;
        let tau = T::of(std::f64::consts::TAU);
        let (n_in, n_out, waves) = (layer.n_in(), layer.n_out(), layer.waves());
        dw.fill(T::ZERO);
        dbeta.fill(T::ZERO);
        dmix.fill(T::ZERO);
        dshift.fill(T::ZERO);
        let v = &mut v[..frequencies];
        for (i, da) in da.chunks_exact(n_out).enumerate() {
            let x = &a_in[i * n_in..][..n_in];
            let (de, past) = da.split_at(columns * width);
            if let Some(da_in) = da_in.get_mut(i * n_in..(i + 1) * n_in) {
                da_in.copy_from_slice(past);
            }
            for (j, &x) in x[..columns].iter().enumerate() {
                let at = j * frequencies..(j + 1) * frequencies;
                let u = &cos[i * waves..][at.clone()];
                v.fill(T::ZERO);
                for k in j * width..(j + 1) * width {
                    let of = k * frequencies..(k + 1) * frequencies;
                    dshift[k] += de[k];
                    for ((dmix, &u), (v, &mix)) in
                        dmix[of.clone()].iter_mut().zip(u).zip(v.iter_mut().zip(&mix[of]))
                    {
                        *dmix += de[k] * u;
                        *v -= de[k] * mix;
                    }
                }
                let tau_x = tau * x;
                let of_wave = v.iter_mut().zip(&sin[i * waves..][at.clone()]);
                for (((v, &sin), dw), dbeta) in of_wave.zip(&mut dw[at.clone()]).zip(&mut dbeta[at.clone()]) {
                    *v *= sin;
                    *dw += tau_x * *v;
                    *dbeta += *v;
                }
                if let Some(dx) = da_in.get_mut(i * n_in + j) {
                    *dx += tau * dot(v, &w[at]);
                }
            }
        }
    }
}
