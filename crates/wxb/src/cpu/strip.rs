//! C = (L R)ᵀ for 13 to 24 rows of L and an R that is used once: dW of as many units from many inputs. With the 32
//! registers of AVX-512 one tile holds all rows, so that each number of R is read once, as it lies, and none is packed.

use std::mem::MaybeUninit;

use super::Isa;
use super::lanes::Lanes;
use super::pack::{copy_columns, transpose};
use super::product::{passes, zeroed};
use super::threads::{rows_per_task, split};
use super::tile::{Block, Lhs, Order, Panel, Start, block, bring, columns, for_each_row, read_columns};
use crate::real::Real;

/// The most rows of a tile: 24 sums of one vector each.
const ROWS: usize = 24;
/// Tiles side by side, whose sums lie in a buffer: 24 · 32 · 64 B = 48 KiB.
const TILES: usize = 32;
/// Rows of R that all tiles of a strip go over before the next ones, where R is in no cache: each gives 2 KiB in one
/// piece, which the memory sends faster than a line of each of all rows.
const DEPTH: usize = 32;
/// The same for an R that lies in the second cache.
const CACHED_DEPTH: usize = 320;
/// Bytes of such an R.
const CACHED: usize = 1 << 20;

/// Whether [`product`] takes this many rows of L on this machine.
pub fn takes(m: usize) -> bool {
    Isa::current() == Isa::Avx512 && (13..=ROWS).contains(&m)
}

/// C = (L R)ᵀ.   L (m, k) as columns: L[i, p] at p · m + i   R (k, n) row-major  C (n, m)
pub fn product<T: Real>(m: usize, k: usize, n: usize, l: &[T], r: &[T], c: &mut [T]) {
    assert!(takes(m) && l.len() >= k * m && r.len() >= k * n);
    let r = &r[..k * n];
    let depth = if size_of_val(r) > CACHED { DEPTH } else { CACHED_DEPTH };
    let least = rows_per_task(n, m * n * k, columns::<T>());
    split(&mut c[..m * n], m, columns::<T>(), least, 0, &|first, c| {
        let mut buffer = MaybeUninit::<[T; ROWS * TILES * 16]>::uninit();
        for (i, c) in c.chunks_mut(TILES * columns::<T>() * m).enumerate() {
            let strip = Strip { m, n, from: first + i * TILES * columns::<T>(), width: c.len() / m };
            let sums = zeroed(&mut buffer, m * strip.width);
            for (p, depth) in passes(k, depth) {
                strip.add(&l[p * m..], r, (p, depth), sums);
            }
            transpose(sums, m, strip.width, m, c);
        }
    });
}

/// Columns `from` to `from + width` of C = L R.
#[derive(Clone, Copy)]
struct Strip {
    m: usize,
    n: usize,
    from: usize,
    width: usize,
}

impl Strip {
    /// sums (m, width) += L[.., p..p + depth] · R[p..p + depth, strip];   l begins at L[0, p].
    fn add<T: Real>(self, l: &[T], r: &[T], (p, depth): (usize, usize), sums: &mut [T]) {
        let Self { m, n, from, width } = self;
        let whole = width / columns::<T>() * columns::<T>();
        for j in (0..whole).step_by(columns::<T>()) {
            let panel = Panel { values: &r[p * n + from + j..], stride: n, next: 0, width: columns::<T>() };
            // The next rows of this strip, or the first ones of the next strip: a row for each tile.
            let row = j / columns::<T>() % depth;
            let next =
                if (p + depth) * n < r.len() { (p + depth + row) * n + from } else { row * n + from + width };
            let ahead = r.get(next..).unwrap_or_default();
            tile(Tile { m, l, panel, depth, ahead, stride: width }, &mut sums[j..]);
        }
        if whole < width {
            let lhs = Lhs { values: l, row_stride: 1, depth_stride: m };
            let r = &r[p * n..(p + depth) * n];
            self.add_rest(lhs, r, depth, whole, &mut sums[whole..]);
        }
    }

    /// The same for the last columns, fewer than a panel.
    fn add_rest<T: Real>(self, lhs: Lhs<'_, T>, r: &[T], depth: usize, whole: usize, sums: &mut [T]) {
        let width = self.width - whole;
        let stride = read_columns::<T>(width);
        let mut buffer = MaybeUninit::<[T; CACHED_DEPTH * 16]>::uninit();
        let packed = zeroed(&mut buffer, depth * stride);
        copy_columns(r, self.n, self.from + whole, width, stride, packed);
        let panel = Panel { values: packed, stride, next: 0, width };
        let (start, order) = (Start::Sum, Order::Rows);
        block(Block { lhs, panel, then: None, depth, rows: self.m, start, order, stride: self.width }, sums);
    }
}

/// C (m, panel) += L · panel, rows of C `stride` apart.
#[derive(Clone, Copy)]
struct Tile<'a, T> {
    m: usize,
    l: &'a [T],
    panel: Panel<'a, T>,
    depth: usize,
    /// What is read from the memory later: a line of it is brought nearer at each step of the depth.
    ahead: &'a [T],
    stride: usize,
}

fn tile<T: Real>(tile: Tile<'_, T>, c: &mut [T]) {
    let Tile { m, l, panel, depth, stride, .. } = tile;
    assert!(takes(m) && depth > 0 && panel.width == columns::<T>());
    assert!(depth * m <= l.len() && (depth - 1) * panel.stride + panel.width <= panel.values.len());
    assert!((m - 1) * stride + panel.width <= c.len());
    // SAFETY: the assertions bound every index, and `takes` says that the machine has the instructions. Speed: dW of a
    // layer 12288-20 in 1.15 ms; 1.67 ms with packed panels and tiles of 12 and 8 rows.
    unsafe { avx512(&tile, c) };
}

/// # Safety
/// As [`sums`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512<T: Real>(tile: &Tile<'_, T>, c: &mut [T]) {
    macro_rules! of_height {
        ($($m:literal)*) => {
            match tile.m {
                // SAFETY: the caller's.
                $($m => unsafe { sums::<T, T::Avx512, $m>(tile, c) },)*
                _ => unreachable!("see `takes`"),
            }
        };
    }
    of_height!(13 14 15 16 17 18 19 20 21 22 23 24);
}

/// # Safety
/// M is the tile's m; L, the panel and C hold what its numbers say; the machine has the instructions.
#[inline(always)]
unsafe fn sums<T: Real, V: Lanes<T>, const M: usize>(tile: &Tile<'_, T>, c: &mut [T]) {
    let Tile { panel, depth, stride, .. } = *tile;
    let c = c.as_mut_ptr();
    let (mut l, mut r, mut ahead) = (tile.l.as_ptr(), panel.values.as_ptr(), tile.ahead.as_ptr());
    // SAFETY: the caller's.
    unsafe {
        let mut sum = [V::zero(); M];
        for_each_row!(k < M, {
            sum[k] = V::load(c.add(k * stride));
        });
        for _ in 0..depth {
            bring(ahead);
            let row = V::load(r);
            for_each_row!(k < M, {
                sum[k] = sum[k].add_product(V::splat(l.wrapping_add(k)), row);
            });
            ahead = ahead.wrapping_add(V::N);
            l = l.wrapping_add(M);
            r = r.wrapping_add(panel.stride);
        }
        for_each_row!(k < M, {
            sum[k].store(c.add(k * stride));
        });
    }
}
