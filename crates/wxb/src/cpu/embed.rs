//! Rows of E in place of the numbers of categories.

use crate::real::Real;

/// The numbers of a [`Layer::Embed`](crate::Layer::Embed).
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub rest: usize,
    pub columns: usize,
    pub levels: usize,
    pub width: usize,
}

impl Sizes {
    fn n_in(self) -> usize {
        self.rest + self.columns
    }

    fn n_out(self) -> usize {
        self.rest + self.columns * self.width
    }

    /// Where the row of E with this number lies; numbers beyond the last one are the last one.
    fn row<T: Real>(self, number: T) -> std::ops::Range<usize> {
        let row = (number.f64() as usize).min(self.levels - 1);
        row * self.width..(row + 1) * self.width
    }
}

/// A = (the rest, E of each column).   e (levels, width)  a_in (m, rest + columns)  a (m, rest + columns · width)
pub(crate) fn forward<T: Real>(sizes: Sizes, e: &[T], a_in: &[T], a: &mut [T]) {
    for (x, a) in a_in.chunks_exact(sizes.n_in()).zip(a.chunks_exact_mut(sizes.n_out())) {
        let ((rest, numbers), (past, rows)) = (x.split_at(sizes.rest), a.split_at_mut(sizes.rest));
        past.copy_from_slice(rest);
        for (row, &number) in rows.chunks_exact_mut(sizes.width).zip(numbers) {
            row.copy_from_slice(&e[sizes.row(number)]);
        }
    }
}

/// dE, summed over the rows, and dA_in where it is wanted (else empty): 0 for the numbers, which have no slope.
pub(crate) fn backward<T: Real>(sizes: Sizes, a_in: &[T], da: &[T], de: &mut [T], da_in: &mut [T]) {
    de.fill(T::ZERO);
    let (n_in, n_out) = (sizes.n_in(), sizes.n_out());
    for (i, (x, da)) in a_in.chunks_exact(n_in).zip(da.chunks_exact(n_out)).enumerate() {
        let (past, rows) = da.split_at(sizes.rest);
        for (row, &number) in rows.chunks_exact(sizes.width).zip(&x[sizes.rest..]) {
            de[sizes.row(number)].iter_mut().zip(row).for_each(|(de, &da)| *de += da);
        }
        if let Some(da_in) = da_in.get_mut(i * n_in..(i + 1) * n_in) {
            da_in[..sizes.rest].copy_from_slice(past);
            da_in[sizes.rest..].fill(T::ZERO);
        }
    }
}
