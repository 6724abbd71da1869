//! C = L R over blocks that stay in the caches.

use std::mem::MaybeUninit;

use super::pack::{Rhs, copy_columns};
use super::threads::{rows_per_task, split};
use super::tile::{self, Block, Lhs, Order, Panel, Start, columns};
use crate::real::Real;

/// How much of k a pass takes: a panel of R is then up to 320·16·4 B = 20 KiB, more than half of L1.
const DEPTH: usize = 320;
/// Rows of C that a pass takes: their part of L is 96·320·4 B = 120 KiB, in L2.
const ROWS: usize = 96;

/// k in passes of about the same depth: 784 is 3 × 262, not 2 × 320 + 144.
fn passes(k: usize) -> impl Iterator<Item = (usize, usize)> {
    let depth = k.div_ceil(k.div_ceil(DEPTH));
    (0..k).step_by(depth).map(move |p| (p, depth.min(k - p)))
}

/// C = L R + the start of each row.   L (m, k)  R (k, n)  C (m, n)
///
/// `finish(i, rows)` gets every piece of C with its first row once it is computed, while it lies in a cache.
pub fn product<T: Real>(
    m: usize,
    lhs: Lhs<'_, T>,
    rhs: Rhs<'_, T>,
    start: Start<'_, T>,
    c: &mut [T],
    finish: &(impl Fn(usize, &mut [T]) + Sync),
) {
    let least = rows_per_task(m, m * rhs.n * rhs.k, tile::ROWS);
    split(&mut c[..m * rhs.n], rhs.n, tile::ROWS, least, 0, &|first, c| {
        for (i, c) in c.chunks_mut(ROWS * rhs.n).enumerate() {
            let i = first + i * ROWS;
            rows(Lhs { values: &lhs.values[i * lhs.row_stride..], ..lhs }, rhs, start, c);
            finish(i, c);
        }
    });
}

fn rows<T: Real>(lhs: Lhs<'_, T>, rhs: Rhs<'_, T>, start: Start<'_, T>, c: &mut [T]) {
    let rows = c.len() / rhs.n;
    for (p, depth) in passes(rhs.k) {
        let lhs = Lhs { values: &lhs.values[p * lhs.depth_stride..], ..lhs };
        let mut j = 0;
        while j < rhs.n {
            let width = rhs.width(j, rows);
            let start = match start {
                _ if p > 0 => Start::Sum,
                Start::Row(row) => Start::Row(&row[j..]),
                other => other,
            };
            let panel = rhs.panel(j, width, p);
            let block = Block { lhs, panel, depth, rows, start, order: Order::Rows, stride: rhs.n };
            tile::block(block, &mut c[j..]);
            j += width;
        }
    }
}

/// C = (L R)ᵀ for a wide R that is used once.   L (m, k)  R (k, n) row-major  C (n, m)
///
/// Each panel of R is packed when its turn comes, into L1.
pub fn product_transposed<T: Real>(m: usize, k: usize, n: usize, lhs: Lhs<'_, T>, r: &[T], c: &mut [T]) {
    let least = rows_per_task(n, m * n * k, columns::<T>());
    split(&mut c[..m * n], m, columns::<T>(), least, 0, &|first, c| {
        let mut buffer = MaybeUninit::<[T; DEPTH * 16]>::uninit();
        let packed = zeroed(&mut buffer, k.min(DEPTH) * columns::<T>());
        let end = first + c.len() / m;
        let mut j = first;
        while j < end {
            let wide = tile::wide_columns::<T>(m);
            let width = if j + wide <= end { wide } else { columns::<T>().min(end - j) };
            for (p, depth) in passes(k) {
                let r = &r[p * n..(p + depth) * n];
                let panel = if width >= columns::<T>() && m <= tile::ROWS {
                    Panel { values: &r[j..], stride: n, width }
                } else {
                    copy_columns(r, n, j, width, packed);
                    Panel { values: packed, stride: tile::read_columns::<T>(width), width }
                };
                let start = if p > 0 { Start::Sum } else { Start::Zero };
                let lhs = Lhs { values: &lhs.values[p * lhs.depth_stride..], ..lhs };
                // One row is the same either way round, and whole tiles are written by rows.
                let order = if m == 1 { Order::Rows } else { Order::Columns };
                let block = Block { lhs, panel, depth, rows: m, start, order, stride: m };
                tile::block(block, &mut c[(j - first) * m..]);
            }
            j += width;
        }
    });
}

/// The first `length` numbers of a buffer, as zeros. Speed: the whole buffer would be 20 KiB for a layer of one unit.
fn zeroed<T: Real>(buffer: &mut MaybeUninit<[T; DEPTH * 16]>, length: usize) -> &mut [T] {
    assert!(length <= DEPTH * 16);
    let first = buffer.as_mut_ptr().cast::<T>();
    // SAFETY: `length` numbers fit, zero bytes are the number 0, and the slice has the life of the buffer.
    unsafe {
        first.write_bytes(0, length);
        std::slice::from_raw_parts_mut(first, length)
    }
}
