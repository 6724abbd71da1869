//! e = A u + c, u = cos(2π w x + β), for each numeric column.

use super::threads::{Of, OfMut, count, each};
use super::{ELEMENTS, for_each_isa};
use crate::layer::Periodic;
use crate::real::Real;

/// A = (e of all columns, x of all columns, the rest), and sin and cos of every wave.
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
    let (n_in, n_out, waves) = (layer.n_in(), layer.n_out(), layer.waves());
    let rows = WAVES.div_ceil(waves);
    if cos.len() <= WAVES || count() == 1 {
        return forward_rows(layer, params, a_in, a, sin, cos);
    }
    let rows_of_all =
        (Of(a_in, rows * n_in), OfMut(a, rows * n_out), OfMut(sin, rows * waves), OfMut(cos, rows * waves));
    each(rows_of_all, 1, &|_, (Of(a_in, _), OfMut(a, _), OfMut(sin, _), OfMut(cos, _))| {
        forward_rows(layer, params, a_in, a, sin, cos);
    });
}

/// Waves that a task takes: some 10 µs.
const WAVES: usize = ELEMENTS / 4;

for_each_isa! {
    /// [`forward`] of some rows.
    fn forward_rows<T: Real>(
        layer: Periodic,
        params: [&[T]; 4],
        a_in: &[T],
        a: &mut [T],
        sin: &mut [T],
        cos: &mut [T],
    ) {
        match layer.frequencies {
            USUAL => forward_with(USUAL, layer, params, a_in, a, [sin, cos]),
            frequencies => forward_with(frequencies, layer, params, a_in, a, [sin, cos]),
        }
    }
}

/// As many waves as recipes have: a length that the compiler knows is one vector or two.
const USUAL: usize = 16;

#[inline(always)]
fn forward_with<T: Real>(
    frequencies: usize,
    layer: Periodic,
    [w, beta, mix, shift]: [&[T]; 4],
    a_in: &[T],
    a: &mut [T],
    [sin, cos]: [&mut [T]; 2],
) {
    let (waves, of_e) = (layer.waves(), layer.columns * layer.width);
    let turn = T::of(0.5 / std::f64::consts::PI);
    let kept = sin.chunks_exact_mut(waves).zip(cos.chunks_exact_mut(waves));
    let rows = a_in.chunks_exact(layer.n_in()).zip(a.chunks_exact_mut(layer.n_out()));
    for ((x, a), (sin, cos)) in rows.zip(kept) {
        let of_column = w.chunks_exact(frequencies).zip(beta.chunks_exact(frequencies));
        let waves = sin.chunks_exact_mut(frequencies).zip(cos.chunks_exact_mut(frequencies));
        for (((sin, cos), &x), (w, beta)) in waves.zip(x).zip(of_column) {
            waves_of(frequencies, x, [w, beta], turn, [sin, cos]);
        }
        let (e, after) = a.split_at_mut(of_e);
        after.copy_from_slice(x);
        let of_column = mix.chunks_exact(layer.width * frequencies).zip(shift.chunks_exact(layer.width));
        let columns = e.chunks_exact_mut(layer.width).zip(cos.chunks_exact(frequencies));
        for ((e, u), (mix, shift)) in columns.zip(of_column) {
            for ((e, mix), &shift) in e.iter_mut().zip(mix.chunks_exact(frequencies)).zip(shift) {
                *e = shift + dot(mix, u);
            }
        }
    }
}

/// sin and cos of 2π w x + β.
#[inline(always)]
fn waves_of<T: Real>(frequencies: usize, x: T, [w, beta]: [&[T]; 2], turn: T, [sin, cos]: [&mut [T]; 2]) {
    for at in (0..frequencies).step_by(USUAL) {
        // Copies: with slices the compiler takes several columns at once, and gathers and scatters their numbers one by one.
        let n = USUAL.min(frequencies - at);
        let (w, beta) = (some(&w[at..], n), some(&beta[at..], n));
        let (mut s, mut c) = ([T::ZERO; USUAL], [T::ZERO; USUAL]);
        for f in 0..USUAL {
            (s[f], c[f]) = (w[f] * x + beta[f] * turn).sin_cos_turns();
        }
        sin[at..][..n].copy_from_slice(&s[..n]);
        cos[at..][..n].copy_from_slice(&c[..n]);
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

/// What [`backward`] reads, shapes as in [`forward`].
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a, T> {
    /// A_in.
    pub a_in: &'a [T],
    /// The sines of all waves.
    pub sin: &'a [T],
    /// Their cosines.
    pub cos: &'a [T],
    /// dA.
    pub da: &'a [T],
}

/// The gradients of the parameters, summed over the rows, and dA_in where it is wanted (else `da_in` is empty).
///
/// With v = du ⊙ −sin(2π w x + β), du = Aᵀ de:   dA = de uᵀ,  dc = de,  dw = 2π x v,  dβ = v,
/// dx = 2π w · v + what came past the embedding.
pub(crate) fn backward<T: Real>(
    layer: Periodic,
    params: [&[T]; 4],
    inputs: Inputs<'_, T>,
    [dw, dbeta, dmix, dshift]: [&mut [T]; 4],
    da_in: &mut [T],
) {
    let Periodic { columns, frequencies, width, .. } = layer;
    let (n_in, n_out, waves) = (layer.n_in(), layer.n_out(), layer.waves());
    // Sums over the rows are shared out by columns, what a row gets by rows.
    let several = inputs.cos.len() > ELEMENTS && count() > 1;
    let at_once = if several { columns.div_ceil(PIECES) } else { columns };
    let of_waves = [dw, dbeta].map(|sums| OfMut(sums, at_once * frequencies));
    let of_mix = (OfMut(dmix, at_once * width * frequencies), OfMut(dshift, at_once * width));
    each(
        (of_waves, of_mix),
        1,
        &|i, ([OfMut(dw, _), OfMut(dbeta, _)], (OfMut(dmix, _), OfMut(dshift, _)))| {
            of_columns(layer, i * at_once, params[2], inputs, [dw, dbeta, dmix, dshift]);
        },
    );
    let rows = WAVES.div_ceil(waves);
    let of_rows = (OfMut(da_in, rows * n_in), Of(inputs.sin, rows * waves), Of(inputs.da, rows * n_out));
    each(of_rows, 1, &|_, (OfMut(da_in, _), Of(sin, _), Of(da, _))| {
        rows_of_inputs(layer, [params[0], params[2]], sin, da, da_in);
    });
}

/// Pieces that the columns are cut into.
const PIECES: usize = 4;

for_each_isa! {
    /// The gradients of some columns' parameters, from column `first` on: those of their waves, of A and of c.
    fn of_columns<T: Real>(
        layer: Periodic,
        first: usize,
        mix: &[T],
        inputs: Inputs<'_, T>,
        grads: [&mut [T]; 4],
    ) {
        match layer.frequencies {
            USUAL => of_columns_with(USUAL, layer, first, mix, inputs, grads),
            frequencies => of_columns_with(frequencies, layer, first, mix, inputs, grads),
        }
    }
}

#[inline(always)]
fn of_columns_with<T: Real>(
    frequencies: usize,
    layer: Periodic,
    first: usize,
    mix: &[T],
    Inputs { a_in, sin, cos, da }: Inputs<'_, T>,
    [dw, dbeta, dmix, dshift]: [&mut [T]; 4],
) {
    let (n_in, n_out, waves, width) = (layer.n_in(), layer.n_out(), layer.waves(), layer.width);
    let (tau, columns, of_mix) = (T::of(std::f64::consts::TAU), dw.len() / frequencies, width * frequencies);
    for sums in [&mut *dw, &mut *dbeta, &mut *dmix, &mut *dshift] {
        sums.fill(T::ZERO);
    }
    for (i, da) in da.chunks_exact(n_out).enumerate() {
        for j in 0..columns {
            let column = first + j;
            let de = &da[column * width..][..width];
            let of_row = i * waves + column * frequencies;
            let dshift = &mut dshift[j * width..][..width];
            dshift.iter_mut().zip(de).for_each(|(dshift, &de)| *dshift += de);
            let inputs = [&sin[of_row..][..frequencies], &cos[of_row..][..frequencies]];
            let [dw, dbeta] = [&mut *dw, &mut *dbeta].map(|sums| &mut sums[j * frequencies..][..frequencies]);
            let dmix = &mut dmix[j * of_mix..][..of_mix];
            let tau_x = tau * a_in[i * n_in + column];
            of_waves(frequencies, &mix[column * of_mix..][..of_mix], inputs, (de, tau_x), [dw, dbeta, dmix]);
        }
    }
}

/// What one number x of a row adds to the sums of its column's waves; `tau_x` is 2π x.
#[inline(always)]
fn of_waves<T: Real>(
    frequencies: usize,
    mix: &[T],
    [sin, u]: [&[T]; 2],
    (de, tau_x): (&[T], T),
    [dw, dbeta, dmix]: [&mut [T]; 3],
) {
    for at in (0..frequencies).step_by(USUAL) {
        // Copies of what is read and of what is added to: with slices the compiler cannot rule out that they overlap, and
        // calculates number by number (63 -> 11 ns).
        let n = USUAL.min(frequencies - at);
        let (u, mut v) = (some(&u[at..], n), [T::ZERO; USUAL]);
        let of_k = dmix.chunks_exact_mut(frequencies).zip(mix.chunks_exact(frequencies));
        for (&de, (dmix, mix)) in de.iter().zip(of_k) {
            let (mut sums, mix) = (some(&dmix[at..], n), some(&mix[at..], n));
            for f in 0..USUAL {
                sums[f] += de * u[f];
                v[f] -= de * mix[f];
            }
            dmix[at..][..n].copy_from_slice(&sums[..n]);
        }
        let (sin, mut of_w, mut of_beta) = (some(&sin[at..], n), some(&dw[at..], n), some(&dbeta[at..], n));
        for f in 0..USUAL {
            let v = v[f] * sin[f];
            of_w[f] += tau_x * v;
            of_beta[f] += v;
        }
        dw[at..][..n].copy_from_slice(&of_w[..n]);
        dbeta[at..][..n].copy_from_slice(&of_beta[..n]);
    }
}

/// The first n numbers, and zeros.
#[inline(always)]
fn some<T: Real>(from: &[T], n: usize) -> [T; USUAL] {
    let mut some = [T::ZERO; USUAL];
    some[..n].copy_from_slice(&from[..n]);
    some
}

for_each_isa! {
    /// dA_in of some rows.
    fn rows_of_inputs<T: Real>(layer: Periodic, params: [&[T]; 2], sin: &[T], da: &[T], da_in: &mut [T]) {
        let [w, mix] = params;
        let Periodic { columns, frequencies, width, .. } = layer;
        let tau = T::of(std::f64::consts::TAU);
        let rows = da_in.chunks_exact_mut(layer.n_in()).zip(da.chunks_exact(layer.n_out()));
        for ((da_in, da), sin) in rows.zip(sin.chunks_exact(layer.waves())) {
            let (de, past) = da.split_at(columns * width);
            da_in.copy_from_slice(past);
            let of_waves = sin.chunks_exact(frequencies).zip(w.chunks_exact(frequencies));
            let of_column = de.chunks_exact(width).zip(mix.chunks_exact(width * frequencies)).zip(of_waves);
            for (dx, ((de, mix), (sin, w))) in da_in.iter_mut().zip(of_column) {
                // −du · sin · w, wave by wave.
                let mut sum = T::ZERO;
                for f in 0..frequencies {
                    let mut v = T::ZERO;
                    for (&de, mix) in de.iter().zip(mix.chunks_exact(frequencies)) {
                        v -= de * mix[f];
                    }
                    sum += v * sin[f] * w[f];
                }
                *dx += tau * sum;
            }
        }
    }
}
