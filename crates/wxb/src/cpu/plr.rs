//! e = max(0, A [cos(2π w x) ; sin(2π w x)] + c) for each numeric column.

use super::periodic::dot;
use super::threads::{OfMut, each, split};
use super::{ELEMENTS, for_each_isa};
use crate::layer::Plr;
use crate::real::Real;

/// A = (e of all columns, the rest), and cosines and sines of every wave into `waves`: for each row and column first the cosines.
///
/// w (columns, F)  A (columns · width, 2 F)  c (columns, width)  a_in (m, columns + rest)  waves (m, columns · 2 F)
/// a (m, columns · width + rest)
pub(crate) fn forward<T: Real>(
    layer: Plr,
    [w, mix, shift]: [&[T]; 3],
    a_in: &[T],
    waves: &mut [T],
    a: &mut [T],
) {
    let (n_in, of_row) = (layer.n_in(), layer.waves());
    split(waves, of_row, 1, ELEMENTS.div_ceil(4 * of_row), 0, &|first, waves| {
        let rows = a_in[first * n_in..].chunks_exact(n_in);
        rows.zip(waves.chunks_exact_mut(of_row)).for_each(|(x, waves)| turn(layer, w, x, waves));
    });
    let waves = &*waves;
    split(a, layer.n_out(), 1, ELEMENTS.div_ceil(of_row * layer.width), 0, &|first, a| {
        let rows = a_in[first * n_in..].chunks_exact(n_in).zip(waves[first * of_row..].chunks_exact(of_row));
        for ((x, waves), a) in rows.zip(a.chunks_exact_mut(layer.n_out())) {
            let (e, rest) = a.split_at_mut(layer.columns * layer.width);
            rest.copy_from_slice(&x[layer.columns..]);
            mixed(layer, [mix, shift], waves, e);
        }
    });
}

/// The gradients of the parameters, summed over the rows, and dA_in where it is wanted (else empty). dA is 0 afterwards where e is.
///
/// With dz = de where e > 0, and (s, t) = Aᵀ dz:   dA = dz uᵀ,  dc = dz,  v = t ⊙ cos − s ⊙ sin,  dw = 2π x v,  dx = 2π w · v.
/// Shapes as in [`forward`].
pub(crate) fn backward<T: Real>(
    layer: Plr,
    [w, mix, _]: [&[T]; 3],
    [a_in, waves, a]: [&[T]; 3],
    da: &mut [T],
    [dw, dmix, dshift]: [&mut [T]; 3],
    da_in: &mut [T],
) {
    let Plr { columns, frequencies, width, .. } = layer;
    let (n_in, n_out) = (layer.n_in(), layer.n_out());
    for (da, a) in da.chunks_exact_mut(n_out).zip(a.chunks_exact(n_out)) {
        let e = da.iter_mut().zip(a).take(columns * width);
        e.filter(|(_, a)| **a <= T::ZERO).for_each(|(da, _)| *da = T::ZERO);
    }
    let da = &*da;
    let of_columns = (OfMut(dw, frequencies), OfMut(dmix, width * 2 * frequencies), OfMut(dshift, width));
    each(of_columns, 1, &|j, (OfMut(dw, _), OfMut(dmix, _), OfMut(dshift, _))| {
        let mix = &mix[j * dmix.len()..(j + 1) * dmix.len()];
        sums(layer, j, mix, [a_in, waves, da], dw, dmix, dshift);
    });
    split(da_in, n_in, 1, ELEMENTS.div_ceil(layer.waves() * width), 0, &|first, da_in| {
        let rows = da[first * n_out..]
            .chunks_exact(n_out)
            .zip(waves[first * layer.waves()..].chunks_exact(layer.waves()));
        for ((da, waves), da_in) in rows.zip(da_in.chunks_exact_mut(n_in)) {
            let (de, past) = da.split_at(columns * width);
            da_in[columns..].copy_from_slice(past);
            slopes(layer, [w, mix], waves, de, &mut da_in[..columns]);
        }
    });
}

for_each_isa! {
    /// Cosines and sines of one row.
    fn turn<T: Real>(layer: Plr, w: &[T], x: &[T], waves: &mut [T]) {
        let f = layer.frequencies;
        for (j, waves) in waves.chunks_exact_mut(2 * f).enumerate() {
            let (cos, sin) = waves.split_at_mut(f);
            for ((cos, sin), &w) in cos.iter_mut().zip(sin).zip(&w[j * f..(j + 1) * f]) {
                (*sin, *cos) = (w * x[j]).sin_cos_turns();
            }
        }
    }
}

for_each_isa! {
    /// e of one row.   params: A, c
    fn mixed<T: Real>(layer: Plr, params: [&[T]; 2], waves: &[T], e: &mut [T]) {
        let ([mix, shift], both) = (params, 2 * layer.frequencies);
        for (k, e) in e.iter_mut().enumerate() {
            let z = shift[k] + dot(&mix[k * both..][..both], &waves[k / layer.width * both..][..both]);
            *e = if z > T::ZERO { z } else { T::ZERO };
        }
    }
}

for_each_isa! {
    /// dw, dA and dc of column j, with A of that column.   inputs: a_in, the waves, dA
    fn sums<T: Real>(
        layer: Plr,
        j: usize,
        mix: &[T],
        inputs: [&[T]; 3],
        dw: &mut [T],
        dmix: &mut [T],
        dshift: &mut [T],
    ) {
        let ([a_in, waves, da], Plr { frequencies: f, width, .. }) = (inputs, layer);
        dw.fill(T::ZERO);
        dmix.fill(T::ZERO);
        dshift.fill(T::ZERO);
        let rows = a_in.chunks_exact(layer.n_in()).zip(waves.chunks_exact(layer.waves()));
        for ((x, waves), da) in rows.zip(da.chunks_exact(layer.n_out())) {
            let (waves, tau_x) = (&waves[2 * f * j..2 * f * (j + 1)], T::of(std::f64::consts::TAU) * x[j]);
            let (cos, sin) = waves.split_at(f);
            for (k, &de) in da[j * width..(j + 1) * width].iter().enumerate() {
                let of = 2 * f * k..2 * f * (k + 1);
                dshift[k] += de;
                dmix[of.clone()].iter_mut().zip(waves).for_each(|(dmix, &u)| *dmix += de * u);
                let (of_cos, of_sin) = mix[of].split_at(f);
                let v = of_sin.iter().zip(cos).zip(of_cos.iter().zip(sin));
                for (dw, ((&s, &cos), (&c, &sin))) in dw.iter_mut().zip(v) {
                    *dw += tau_x * (de * (s * cos - c * sin));
                }
            }
        }
    }
}

for_each_isa! {
    /// dx of one row.   params: w, A
    fn slopes<T: Real>(layer: Plr, params: [&[T]; 2], waves: &[T], de: &[T], dx: &mut [T]) {
        let ([w, mix], Plr { frequencies: f, width, .. }) = (params, layer);
        for (j, dx) in dx.iter_mut().enumerate() {
            *dx = T::ZERO;
            let (cos, sin) = waves[2 * f * j..2 * f * (j + 1)].split_at(f);
            for k in j * width..(j + 1) * width {
                let (of_cos, of_sin) = mix[2 * f * k..2 * f * (k + 1)].split_at(f);
                for p in 0..f {
                    *dx += w[j * f + p] * (de[k] * (of_sin[p] * cos[p] - of_cos[p] * sin[p]));
                }
            }
            *dx *= T::of(std::f64::consts::TAU);
        }
    }
}
