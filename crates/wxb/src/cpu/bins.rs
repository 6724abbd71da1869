//! Piecewise-linear encodings of numbers: a number's place among bins, as it is or mixed to fewer numbers.

use super::periodic::dot;
use super::threads::{OfMut, each, split};
use super::{ELEMENTS, for_each_isa};
use crate::layer::{Bins, Piecewise};
use crate::real::Real;

/// How many numbers the lines of all bins are: component t of column j is (x − edge) · slope, within low … high.
pub(crate) fn lines_len(layer: Bins) -> usize {
    4 * layer.components()
}

/// The lines of all bins, from edges (columns, T + 1): each edge, slope, low and high (columns · T). A bin that ends where it begins
/// is always 0; so are those that a column does not need.
fn lines<T: Real>(layer: Bins, edges: &[T], lines: &mut [T]) {
    let (of_bin, far) = (layer.components(), T::of(f64::from(f32::MAX)));
    let [edge, slope, low, high] = quarters_mut(&mut lines[..4 * of_bin]);
    for (j, edges) in edges.chunks_exact(layer.bins + 1).enumerate() {
        let is_bin = |t: usize| edges[t + 1] > edges[t];
        let (first, last) = ((0..layer.bins).find(|&t| is_bin(t)), (0..layer.bins).rfind(|&t| is_bin(t)));
        for t in 0..layer.bins {
            let at = j * layer.bins + t;
            edge[at] = edges[t];
            (slope[at], low[at], high[at]) = match is_bin(t) {
                false => (T::ZERO, T::ZERO, T::ZERO),
                // Below the first edge and above the last the line goes on.
                true => (
                    T::ONE / (edges[t + 1] - edges[t]),
                    if first == Some(t) { -far } else { T::ZERO },
                    if last == Some(t) { far } else { T::ONE },
                ),
            };
        }
    }
}

fn quarters_mut<T>(lines: &mut [T]) -> [&mut [T]; 4] {
    let (left, right) = lines.split_at_mut(lines.len() / 2);
    let ((a, b), (c, d)) = (left.split_at_mut(left.len() / 2), right.split_at_mut(right.len() / 2));
    [a, b, c, d]
}

fn quarters<T>(lines: &[T]) -> [&[T]; 4] {
    let quarter = lines.len() / 4;
    std::array::from_fn(|i| &lines[i * quarter..(i + 1) * quarter])
}

/// Rows that a task takes, for so many numbers to compute in each.
fn rows_of(numbers: usize) -> usize {
    ELEMENTS.div_ceil(numbers.max(1))
}

/// A = (the components of all columns, the rest).
/// edges (columns, T + 1)  a_in (m, columns + rest)  a (m, columns · T + rest)
pub(crate) fn forward<T: Real>(layer: Bins, edges: &[T], a_in: &[T], a: &mut [T], scratch: &mut [T]) {
    lines(layer, edges, scratch);
    let (lines, n_out) = (&scratch[..lines_len(layer)], layer.n_out());
    split(a, n_out, 1, rows_of(n_out), 0, &|first, a| {
        let rows = a_in[first * layer.n_in()..].chunks_exact(layer.n_in());
        for (x, a) in rows.zip(a.chunks_exact_mut(n_out)) {
            let (components, rest) = a.split_at_mut(layer.components());
            encode(layer, lines, x, components);
            rest.copy_from_slice(&x[layer.columns..]);
        }
    });
}

/// dA_in where it is wanted (else empty): the slopes of the lines that x lies on, times dA.
pub(crate) fn backward<T: Real>(
    layer: Bins,
    edges: &[T],
    a_in: &[T],
    da: &[T],
    da_in: &mut [T],
    scratch: &mut [T],
) {
    lines(layer, edges, scratch);
    let (lines, n_in) = (&scratch[..lines_len(layer)], layer.n_in());
    split(da_in, n_in, 1, rows_of(layer.n_out()), 0, &|first, da_in| {
        let rows = a_in[first * n_in..]
            .chunks_exact(n_in)
            .zip(da[first * layer.n_out()..].chunks_exact(layer.n_out()));
        for ((x, da), da_in) in rows.zip(da_in.chunks_exact_mut(n_in)) {
            let (of_components, past) = da.split_at(layer.components());
            let (dx, rest) = da_in.split_at_mut(layer.columns);
            rest.copy_from_slice(past);
            dx.fill(T::ZERO);
            slopes(layer, lines, x, of_components, dx);
        }
    });
}

/// A = (w⁰ x + b⁰ + V p of all columns, the rest), p the components, which are kept.
/// w⁰, b⁰ (columns, width)  V (columns · width, T)  a_in (m, columns + rest)  kept (m, columns · T)
/// a (m, columns · width + rest)
pub(crate) fn embed_forward<T: Real>(
    layer: Piecewise,
    [w, b, v, edges]: [&[T]; 4],
    a_in: &[T],
    kept: &mut [T],
    a: &mut [T],
    scratch: &mut [T],
) {
    let (bins, width, n_in) = (layer.bins, layer.width, layer.bins.n_in());
    lines(bins, edges, scratch);
    let (lines, components) = (&scratch[..lines_len(bins)], bins.components());
    split(kept, components, 1, rows_of(components), 0, &|first, kept| {
        let rows = a_in[first * n_in..].chunks_exact(n_in);
        rows.zip(kept.chunks_exact_mut(components)).for_each(|(x, p)| encode(bins, lines, x, p));
    });
    let kept = &*kept;
    split(a, layer.n_out(), 1, rows_of(components * width), 0, &|first, a| {
        let rows =
            a_in[first * n_in..].chunks_exact(n_in).zip(kept[first * components..].chunks_exact(components));
        for ((x, p), a) in rows.zip(a.chunks_exact_mut(layer.n_out())) {
            let (e, rest) = a.split_at_mut(bins.columns * width);
            rest.copy_from_slice(&x[bins.columns..]);
            mix(layer, [w, b, v], x, p, e);
        }
    });
}

/// dw⁰ = Σ x de, db⁰ = Σ de, dV = Σ de pᵀ over the rows, and dA_in where it is wanted (else empty): dx = w⁰ · de + the slopes of the
/// lines that x lies on times Vᵀ de. Shapes as in [`embed_forward`].
pub(crate) fn embed_backward<T: Real>(
    layer: Piecewise,
    [w, _, v, edges]: [&[T]; 4],
    [a_in, kept, da]: [&[T]; 3],
    [dw, db, dv]: [&mut [T]; 3],
    da_in: &mut [T],
    scratch: &mut [T],
) {
    let (bins, width) = (layer.bins, layer.width);
    let (n_in, n_out, components) = (bins.n_in(), layer.n_out(), bins.components());
    let of_columns = (OfMut(dw, width), OfMut(db, width), OfMut(dv, width * bins.bins));
    each(of_columns, 1, &|j, (OfMut(dw, _), OfMut(db, _), OfMut(dv, _))| {
        sums(layer, j, [a_in, kept, da], dw, db, dv);
    });
    lines(bins, edges, scratch);
    let lines = &scratch[..lines_len(bins)];
    split(da_in, n_in, 1, rows_of(components * width), 0, &|first, da_in| {
        let rows = a_in[first * n_in..].chunks_exact(n_in).zip(da[first * n_out..].chunks_exact(n_out));
        for ((x, da), da_in) in rows.zip(da_in.chunks_exact_mut(n_in)) {
            let (de, past) = da.split_at(bins.columns * width);
            da_in[bins.columns..].copy_from_slice(past);
            for j in 0..bins.columns {
                let of = j * width..(j + 1) * width;
                da_in[j] = dot(&w[of.clone()], &de[of]);
                for t in 0..bins.bins {
                    let inside = inside(lines, j * bins.bins + t, x[j]);
                    let dp = |k: usize| v[k * bins.bins + t] * de[k];
                    da_in[j] += inside * (j * width..(j + 1) * width).map(dp).sum();
                }
            }
        }
    });
}

/// The slope of a line at x; 0 where x is beyond its bin.
#[inline(always)]
fn inside<T: Real>(lines: &[T], at: usize, x: T) -> T {
    let [edge, slope, low, high] = quarters(lines);
    let place = (x - edge[at]) * slope[at];
    if low[at] < place && place < high[at] { slope[at] } else { T::ZERO }
}

for_each_isa! {
    /// The components of one row.   x (columns, …)  p (columns · T)
    fn encode<T: Real>(layer: Bins, lines: &[T], x: &[T], p: &mut [T]) {
        let [edge, slope, low, high] = quarters(lines);
        for (j, p) in p.chunks_exact_mut(layer.bins).enumerate() {
            let (x, of) = (x[j], j * layer.bins..(j + 1) * layer.bins);
            let lines = edge[of.clone()].iter().zip(&slope[of.clone()]).zip(low[of.clone()].iter().zip(&high[of]));
            for (p, ((&edge, &slope), (&low, &high))) in p.iter_mut().zip(lines) {
                let place = (x - edge) * slope;
                let place = if place < low { low } else { place };
                *p = if place > high { high } else { place };
            }
        }
    }
}

for_each_isa! {
    /// dx += the slopes of the lines that x lies on, times dp.   dp (columns · T)  dx (columns)
    fn slopes<T: Real>(layer: Bins, lines: &[T], x: &[T], dp: &[T], dx: &mut [T]) {
        for (j, (dx, dp)) in dx.iter_mut().zip(dp.chunks_exact(layer.bins)).enumerate() {
            for (t, &dp) in dp.iter().enumerate() {
                *dx += dp * inside(lines, j * layer.bins + t, x[j]);
            }
        }
    }
}

for_each_isa! {
    /// e of one row.   params: w⁰, b⁰, V
    fn mix<T: Real>(layer: Piecewise, params: [&[T]; 3], x: &[T], p: &[T], e: &mut [T]) {
        let ([w, b, v], bins) = (params, layer.bins.bins);
        for (k, e) in e.iter_mut().enumerate() {
            let j = k / layer.width;
            *e = w[k] * x[j] + b[k] + dot(&v[k * bins..][..bins], &p[j * bins..][..bins]);
        }
    }
}

for_each_isa! {
    /// dw⁰, db⁰ and dV of column j.   inputs: a_in, the components, dA
    fn sums<T: Real>(
        layer: Piecewise,
        j: usize,
        inputs: [&[T]; 3],
        dw: &mut [T],
        db: &mut [T],
        dv: &mut [T],
    ) {
        let ([a_in, kept, da], Piecewise { bins, width }) = (inputs, layer);
        dw.fill(T::ZERO);
        db.fill(T::ZERO);
        dv.fill(T::ZERO);
        let rows = a_in.chunks_exact(bins.n_in()).zip(kept.chunks_exact(bins.components()));
        for ((x, p), da) in rows.zip(da.chunks_exact(layer.n_out())) {
            let p = &p[j * bins.bins..(j + 1) * bins.bins];
            for (k, &de) in da[j * width..(j + 1) * width].iter().enumerate() {
                dw[k] += de * x[j];
                db[k] += de;
                dv[k * bins.bins..(k + 1) * bins.bins].iter_mut().zip(p).for_each(|(dv, &p)| *dv += de * p);
            }
        }
    }
}
