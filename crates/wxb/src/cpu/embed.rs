//! Rows of E in place of the numbers of categories.

use crate::layer::Embed;
use crate::real::Real;

/// Where the row of E with this number lies; numbers beyond the last one are the last one.
fn row_of<T: Real>(layer: Embed, number: T) -> std::ops::Range<usize> {
    let row = (number.f64() as usize).min(layer.levels - 1);
    row * layer.width..(row + 1) * layer.width
}

/// A = (the rest, E of each column).   e (levels, width)  a_in (m, rest + columns)  a (m, rest + columns · width)
pub(crate) fn forward<T: Real>(layer: Embed, e: &[T], a_in: &[T], a: &mut [T]) {
    for (x, a) in a_in.chunks_exact(layer.n_in()).zip(a.chunks_exact_mut(layer.n_out())) {
        let ((rest, numbers), (past, rows)) = (x.split_at(layer.rest), a.split_at_mut(layer.rest));
        past.copy_from_slice(rest);
        for (row, &number) in rows.chunks_exact_mut(layer.width).zip(numbers) {
            row.copy_from_slice(&e[row_of(layer, number)]);
        }
    }
}

/// dE, summed over the rows, and dA_in where it is wanted (else empty): 0 for the numbers, which have no slope.
pub(crate) fn backward<T: Real>(layer: Embed, a_in: &[T], da: &[T], de: &mut [T], da_in: &mut [T]) {
    de.fill(T::ZERO);
    let (n_in, n_out) = (layer.n_in(), layer.n_out());
    for (i, (x, da)) in a_in.chunks_exact(n_in).zip(da.chunks_exact(n_out)).enumerate() {
        let (past, rows) = da.split_at(layer.rest);
        for (row, &number) in rows.chunks_exact(layer.width).zip(&x[layer.rest..]) {
            de[row_of(layer, number)].iter_mut().zip(row).for_each(|(de, &da)| *de += da);
        }
        if let Some(da_in) = da_in.get_mut(i * n_in..(i + 1) * n_in) {
            da_in[..layer.rest].copy_from_slice(past);
            da_in[layer.rest..].fill(T::ZERO);
        }
    }
}
