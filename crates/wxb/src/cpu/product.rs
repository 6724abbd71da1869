//! C = L R with R packed into column panels, a chunk of C's rows per task.

use rayon::prelude::*;

use super::tile;
use crate::real::Real;

/// Rows of C that one task takes: with k in steps of [`DEPTH`] their part of L is 96·256·4 B = 96 KiB, in L2.
const ROWS: usize = 96;
/// How much of k a pass takes: a panel of R is then 256·16·4 B = 16 KiB, half of L1.
const DEPTH: usize = 256;
/// Multiplications below which one thread is faster than two: 64³ took 9 µs on one thread of a 3 GHz core,
/// about what waking the second thread takes.
const SERIAL: usize = 1 << 19;

/// The left matrix (rows, k): `values[i · row_stride + p · depth_stride]`.
#[derive(Clone, Copy)]
pub struct Lhs<'a, T> {
    pub values: &'a [T],
    pub row_stride: usize,
    pub depth_stride: usize,
}

impl<'a, T> Lhs<'a, T> {
    /// L = A for A (rows, k) row-major.
    pub fn rows(values: &'a [T], k: usize) -> Self {
        Self { values, row_stride: k, depth_stride: 1 }
    }

    /// L = Aᵀ for A (k, rows) row-major.
    pub fn columns(values: &'a [T], rows: usize) -> Self {
        Self { values, row_stride: 1, depth_stride: rows }
    }
}

/// The right matrix (k, n): panels of `T::TILE_COLUMNS` columns, each k × `TILE_COLUMNS`, padded with zeros.
#[derive(Clone, Copy)]
pub struct Packed<'a, T> {
    pub panels: &'a [T],
    pub k: usize,
    pub n: usize,
}

impl<'a, T: Real> Packed<'a, T> {
    /// R = B for B (k, n) row-major.
    pub fn rows(b: &[T], k: usize, n: usize, scratch: &'a mut [T]) -> Self {
        Self::pack(k, n, scratch, |p, j, panel_row| {
            let width = panel_row.len().min(n - j);
            panel_row[..width].copy_from_slice(&b[p * n + j..][..width]);
            panel_row[width..].fill(T::ZERO);
        })
    }

    /// R = Bᵀ for B (n, k) row-major.
    pub fn columns(b: &[T], k: usize, n: usize, scratch: &'a mut [T]) -> Self {
        Self::pack(k, n, scratch, |p, j, panel_row| {
            let width = panel_row.len().min(n - j);
            for (jj, v) in panel_row[..width].iter_mut().enumerate() {
                *v = b[(j + jj) * k + p];
            }
            panel_row[width..].fill(T::ZERO);
        })
    }

    fn pack(k: usize, n: usize, scratch: &'a mut [T], fill: impl Fn(usize, usize, &mut [T]) + Sync) -> Self {
        let columns = T::TILE_COLUMNS;
        let panels = &mut scratch[..k * n.next_multiple_of(columns)];
        let fill_panel = |(panel, values): (usize, &mut [T])| {
            for (p, row) in values.chunks_exact_mut(columns).enumerate() {
                fill(p, panel * columns, row);
            }
        };
        if parallel(k * n * 8) {
            panels.par_chunks_mut(k * columns).enumerate().for_each(fill_panel);
        } else {
            panels.chunks_mut(k * columns).enumerate().for_each(fill_panel);
        }
        Self { panels, k, n }
    }
}

/// C = L R, then `finish(i, j, row)` on each finished piece of a row: C[i, j..j + row.len()].   C (m, n)
pub fn product<T: Real>(
    m: usize,
    lhs: Lhs<'_, T>,
    packed: Packed<'_, T>,
    c: &mut [T],
    finish: impl Fn(usize, usize, &mut [T]) + Sync,
) {
    let n = packed.n;
    let c = &mut c[..m * n];
    let chunk = |(i, c): (usize, &mut [T])| rows(i * ROWS, lhs, packed, c, &finish);
    if parallel(m * n * packed.k) && m > ROWS {
        c.par_chunks_mut(ROWS * n).enumerate().for_each(chunk);
    } else if parallel(m * n * packed.k) {
        let half = m.div_ceil(2).next_multiple_of(tile::ROWS);
        c.par_chunks_mut(half * n).enumerate().for_each(|(i, c)| rows(i * half, lhs, packed, c, &finish));
    } else {
        c.chunks_mut(ROWS * n).enumerate().for_each(chunk);
    }
}

fn parallel(multiplications: usize) -> bool {
    multiplications >= SERIAL && rayon::current_num_threads() > 1
}

/// The rows of C from `first` on that lie in `c`.
fn rows<T: Real>(
    first: usize,
    lhs: Lhs<'_, T>,
    packed: Packed<'_, T>,
    c: &mut [T],
    finish: &impl Fn(usize, usize, &mut [T]),
) {
    let Packed { panels, k, n } = packed;
    let columns = T::TILE_COLUMNS;
    let lhs = Lhs { values: &lhs.values[first * lhs.row_stride..], ..lhs };
    let mut p = 0;
    loop {
        let depth = DEPTH.min(k - p);
        let last = p + depth == k;
        for (panel, j) in panels.chunks(k * columns).zip((0..n).step_by(columns)) {
            let block = tile::Block {
                lhs: Lhs { values: &lhs.values[p * lhs.depth_stride..], ..lhs },
                panel: &panel[p * columns..][..depth * columns],
                depth,
                first: p == 0,
                n,
                j,
            };
            tile::panel(block, c, |i, j, row| {
                if last {
                    finish(first + i, j, row);
                }
            });
        }
        p += depth;
        if last {
            return;
        }
    }
}
