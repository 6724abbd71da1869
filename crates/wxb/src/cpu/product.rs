//! C = L R over blocks that stay in the caches.

use std::mem::MaybeUninit;

use super::Isa;
use super::pack::{Rhs, copy_columns, copy_panels};
use super::threads::{rows_per_task, split};
use super::tile::{self, Block, Lhs, Order, Panel, Start, columns};
use crate::real::Real;

/// How much of k a pass takes: a panel of R is then up to 320·16·4 B = 20 KiB, more than half of L1.
const DEPTH: usize = 320;
/// Rows of C that a pass takes: their part of L is 96·320·4 B = 120 KiB, in L2.
const ROWS: usize = 96;
/// With 512-bit vectors a panel need not stay in L1, as L2 gives its lines as fast as the tiles take them: so many bytes of a row
/// of L are a pass. Most products are one pass then, and C is not read again.
const LONG_BYTES: usize = 4096;
/// Their rows: L is 144·4 KiB = 576 KiB, three panels 192 KiB, and as much the next three.
const LONG_ROWS: usize = 144;

/// Rows of C and numbers of k that a pass takes.
fn piece<T>() -> (usize, usize) {
    match Isa::current() {
        Isa::Avx512 => (LONG_ROWS, LONG_BYTES / size_of::<T>()),
        _ => (ROWS, DEPTH),
    }
}

/// k in passes of about the same depth: 784 is 3 × 262, not 2 × 320 + 144.
pub fn passes(k: usize, depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let depth = k.div_ceil(k.div_ceil(depth));
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
        let lhs = Lhs { values: &lhs.values[first * lhs.row_stride..], ..lhs };
        product_of_rows(lhs, rhs, start, c, &|i, c| finish(first + i, c));
    });
}

/// [`product`] for the rows of C that there are, on one thread.
pub fn product_of_rows<T: Real>(
    lhs: Lhs<'_, T>,
    rhs: Rhs<'_, T>,
    start: Start<'_, T>,
    c: &mut [T],
    finish: &impl Fn(usize, &mut [T]),
) {
    // Pieces of about the same height, in whole tiles of 8 and of 12 rows: 300 rows are 120 + 120 + 60, not 144 + 144 + 12.
    let (m, (most, _)) = (c.len() / rhs.n, piece::<T>());
    let height = m.div_ceil(m.div_ceil(most).max(1)).next_multiple_of(24);
    for (i, c) in c.chunks_mut(height * rhs.n).enumerate() {
        let i = i * height;
        rows(Lhs { values: &lhs.values[i * lhs.row_stride..], ..lhs }, rhs, start, c);
        finish(i, c);
    }
}

fn rows<T: Real>(lhs: Lhs<'_, T>, rhs: Rhs<'_, T>, start: Start<'_, T>, c: &mut [T]) {
    if rhs.n >= 8 * columns::<T>() && c.len() >= GROUP * rhs.n && is_spread(lhs) {
        rows_of_copies(lhs, rhs, start, c);
    } else {
        pieces(lhs, rhs, start, c, None);
    }
}

/// Not inlined: the buffer takes 0.6 MiB of the stack, each page of which is touched by whoever has it.
#[inline(never)]
fn rows_of_copies<T: Real>(lhs: Lhs<'_, T>, rhs: Rhs<'_, T>, start: Start<'_, T>, c: &mut [T]) {
    pieces(lhs, rhs, start, c, Some(&mut MaybeUninit::uninit()));
}

/// A piece of L, as [`compact`] copies it: single or double precision.
type Copied = MaybeUninit<[f64; LONG_ROWS * (LONG_BYTES / 8 + GAP)]>;

/// C = L R + the start of each row; with a buffer, pieces of L are copied before they are used.
fn pieces<T: Real>(
    lhs: Lhs<'_, T>,
    rhs: Rhs<'_, T>,
    start: Start<'_, T>,
    c: &mut [T],
    mut buffer: Option<&mut Copied>,
) {
    // A piece of R goes over all rows of L. One or two panels go over a few rows of L together: then it is L that is
    // read once, and in longer pieces.
    let few = rhs.n <= 2 * columns::<T>();
    let (group, depth) = if few { (GROUP, LONG) } else { piece::<T>() };
    for (p, depth) in passes(rhs.k, depth) {
        for (i, c) in c.chunks_mut(group * rhs.n).enumerate() {
            let rows = c.len() / rhs.n;
            let at = i * group * lhs.row_stride + p * lhs.depth_stride;
            let lhs = Lhs { values: &lhs.values[at..], ..lhs };
            let lhs = match &mut buffer {
                Some(buffer) => compact(lhs, rows, depth, buffer),
                None => lhs,
            };
            let mut j = 0;
            while j < rhs.n {
                let width = rhs.width(j, rows);
                let start = match start {
                    _ if p > 0 => Start::Sum,
                    Start::Row(row) => Start::Row(&row[j..]),
                    other => other,
                };
                let panel = rhs.panel(j, width, p);
                let then = rhs.packed_panels(j + width, p, rows);
                let block = Block { lhs, panel, then, depth, rows, start, order: Order::Rows, stride: rhs.n };
                tile::block(block, &mut c[j..]);
                j += width;
            }
        }
    }
}

/// Whether the lines of L lie so far apart that a piece of it is on more pages than the processor remembers, or, at
/// powers of two, in a few sets of its caches.
fn is_spread<T>(lhs: Lhs<'_, T>) -> bool {
    lhs.row_stride.max(lhs.depth_stride) * size_of::<T>() >= SPREAD
}

/// Bytes from one line of L to the next.
const SPREAD: usize = 2048;
/// Numbers of a line of a compact piece beyond its own: the lines do not begin in the same set.
const GAP: usize = 16;

/// A piece of L (rows, depth), copied line by line to where it fills whole pages.
fn compact<'b, T: Real>(lhs: Lhs<'_, T>, rows: usize, depth: usize, buffer: &'b mut Copied) -> Lhs<'b, T> {
    let by_rows = lhs.depth_stride == 1;
    let (lines, length, from) =
        if by_rows { (rows, depth, lhs.row_stride) } else { (depth, rows, lhs.depth_stride) };
    let stride = if by_rows { depth + GAP } else { rows };
    assert!(lines * stride * size_of::<T>() <= size_of::<Copied>());
    assert!((lines - 1) * from + length <= lhs.values.len());
    let to = buffer.as_mut_ptr().cast::<T>();
    for line in 0..lines {
        // SAFETY: the assertions bound both sides.
        unsafe {
            let from = lhs.values.as_ptr().add(line * from);
            std::ptr::copy_nonoverlapping(from, to.add(line * stride), length);
        }
    }
    // SAFETY: the tiles read what was written above, and nothing of the gaps.
    let values = unsafe { std::slice::from_raw_parts(to, (lines - 1) * stride + length) };
    if by_rows {
        Lhs { values, row_stride: stride, depth_stride: 1 }
    } else {
        Lhs { values, row_stride: 1, depth_stride: stride }
    }
}

/// Rows of L that one or two panels go over together: two tiles.
const GROUP: usize = 12;
/// How much of k they take.
const LONG: usize = 512;

/// C = (L R)ᵀ for a wide R that is used once.   L (m, k)  R (k, n) row-major  C (n, m)
///
/// Some panels of R are packed at a time, into L2: a row of R gives several lines of the cache at once, which the
/// memory has beside each other. For few rows of L, R is read as it lies.
pub fn product_transposed<T: Real>(m: usize, k: usize, n: usize, lhs: Lhs<'_, T>, r: &[T], c: &mut [T]) {
    let least = rows_per_task(n, m * n * k, PANELS * columns::<T>());
    let panels = if m > tile::most_rows() { PANELS } else { 1 };
    split(&mut c[..m * n], m, columns::<T>(), least, 0, &|first, c| {
        let end = first + c.len() / m;
        let mut buffer = MaybeUninit::<[T; PANELS * DEPTH * 16]>::uninit();
        let panels = panels.min((end - first).div_ceil(columns::<T>()));
        let packed = zeroed(&mut buffer, panels * DEPTH.min(k) * columns::<T>());
        for (p, depth) in passes(k, DEPTH) {
            let lhs = Lhs { values: &lhs.values[p * lhs.depth_stride..], ..lhs };
            let start = if p > 0 { Start::Sum } else { Start::Zero };
            // One row is the same either way round, and whole tiles are written by rows.
            let order = if m == 1 { Order::Rows } else { Order::Columns };
            let mut j = first;
            while j < end {
                let width = width_at_once::<T>(m, end - j);
                let group = Group::new(&r[p * n..(p + depth) * n], n, (j, width), m, packed);
                let mut at = 0;
                while at < width {
                    let panel = group.panel(at, m);
                    let block = Block { lhs, panel, then: None, depth, rows: m, start, order, stride: m };
                    tile::block(block, &mut c[(j + at - first) * m..]);
                    at += panel.width;
                }
                j += width;
            }
        }
    });
}

/// Some columns of a right matrix, packed or as they lie.
struct Group<'a, T> {
    values: &'a [T],
    width: usize,
    /// Numbers from one panel to the next, and from one row of a panel to the next.
    stride: (usize, usize),
}

impl<'a, T: Real> Group<'a, T> {
    fn new(r: &'a [T], n: usize, (j, width): (usize, usize), m: usize, packed: &'a mut [T]) -> Self {
        if m <= tile::most_rows() && width >= columns::<T>() {
            return Self { values: &r[j..], width, stride: (columns::<T>(), n) };
        }
        let row = tile::read_columns::<T>(width.min(columns::<T>()));
        let panel = r.len() / n * row;
        if width <= columns::<T>() {
            copy_columns(r, n, j, width, row, packed);
        } else {
            copy_panels(r, n, j, width, packed, panel);
        }
        Self { values: packed, width, stride: (panel, row) }
    }

    /// The columns from `at` on that a product of m rows takes at once.
    fn panel(&self, at: usize, m: usize) -> Panel<'_, T> {
        let (wide, left) = (tile::wide_columns::<T>(m), self.width - at);
        let width = if left >= wide { wide } else { left.min(columns::<T>()) };
        let (next, stride) = self.stride;
        Panel { values: &self.values[at / columns::<T>() * next..], stride, next, width }
    }
}

/// Panels that are packed at a time: 4 · 320 · 16 · 4 B = 80 KiB.
const PANELS: usize = 4;

/// How many of the next `left` columns are taken at once.
fn width_at_once<T>(m: usize, left: usize) -> usize {
    let most = if m > tile::most_rows() { PANELS * columns::<T>() } else { tile::wide_columns::<T>(m) };
    match left {
        _ if left >= most => most,
        _ if left >= columns::<T>() => columns::<T>(),
        _ => left,
    }
}

/// The first `length` numbers of a buffer, as zeros. Speed: the whole buffer would be 80 KiB for a layer of one unit.
pub fn zeroed<T: Real, const N: usize>(buffer: &mut MaybeUninit<[T; N]>, length: usize) -> &mut [T] {
    assert!(length <= N);
    let first = buffer.as_mut_ptr().cast::<T>();
    // SAFETY: `length` numbers fit, zero bytes are the number 0, and the slice has the life of the buffer.
    unsafe {
        first.write_bytes(0, length);
        std::slice::from_raw_parts_mut(first, length)
    }
}
