//! The innermost loops: a tile of C, 6 rows by two vectors, held in registers over the depth.

use super::product::Lhs;
use crate::real::Real;

/// Rows of a tile. 6 × 2 accumulators and 3 operands fill 15 of the 16 vector registers of AVX2.
pub const ROWS: usize = 6;

/// One panel of R against some rows of L, over one piece of the depth.
#[derive(Clone, Copy)]
pub struct Block<'a, T> {
    pub lhs: Lhs<'a, T>,
    /// (depth, columns of a tile)
    pub panel: &'a [T],
    pub depth: usize,
    /// Whether this is the first piece of the depth: C is written, not added to.
    pub first: bool,
    /// Columns of C.
    pub n: usize,
    /// First column of the panel in C.
    pub j: usize,
}

/// C[.., j..] += L · panel, over all rows of `c`; then `finish` on each piece of a row.
pub fn panel<T: Real>(block: Block<'_, T>, c: &mut [T], finish: impl Fn(usize, usize, &mut [T])) {
    match T::TILE_COLUMNS {
        16 => select::<T, 16>(block, c, finish),
        _ => select::<T, 8>(block, c, finish),
    }
}

/// Chooses the instruction set once per panel; the detection is a load from a cached word.
fn select<T: Real, const N: usize>(
    block: Block<'_, T>,
    c: &mut [T],
    finish: impl Fn(usize, usize, &mut [T]),
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: both features were found on this machine. Speed: 4 to 8 times the baseline's SSE2.
        return unsafe { panel_avx2::<T, N>(block, c, finish) };
    }
    panel_any::<T, N, { cfg!(target_arch = "aarch64") }>(block, c, finish);
}

/// [`panel_any`] compiled for AVX2 with FMA.
///
/// # Safety
/// The machine must have both.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn panel_avx2<T: Real, const N: usize>(
    block: Block<'_, T>,
    c: &mut [T],
    finish: impl Fn(usize, usize, &mut [T]),
) {
    panel_any::<T, N, true>(block, c, finish);
}

#[inline(always)]
fn panel_any<T: Real, const N: usize, const FMA: bool>(
    block: Block<'_, T>,
    c: &mut [T],
    finish: impl Fn(usize, usize, &mut [T]),
) {
    let rows = c.len() / block.n;
    let mut i = 0;
    while i + ROWS <= rows {
        tile::<T, ROWS, N, FMA>(block, i, c, &finish);
        i += ROWS;
    }
    match rows - i {
        1 => tile::<T, 1, N, FMA>(block, i, c, &finish),
        2 => tile::<T, 2, N, FMA>(block, i, c, &finish),
        3 => tile::<T, 3, N, FMA>(block, i, c, &finish),
        4 => tile::<T, 4, N, FMA>(block, i, c, &finish),
        5 => tile::<T, 5, N, FMA>(block, i, c, &finish),
        _ => {}
    }
}

/// C[i..i + M, j..j + N] += L[i..i + M, ..] · panel
#[expect(
    clippy::needless_range_loop,
    reason = "iterators over `sum` keep it in memory: 7.9 GFLOP/s instead of 28, same machine and load (rustc 1.95)"
)]
#[inline(always)]
fn tile<T: Real, const M: usize, const N: usize, const FMA: bool>(
    block: Block<'_, T>,
    i: usize,
    c: &mut [T],
    finish: &impl Fn(usize, usize, &mut [T]),
) {
    let Block { lhs, panel, depth, first, n, j } = block;
    let l = &lhs.values[i * lhs.row_stride..];
    assert!(depth == 0 || (M - 1) * lhs.row_stride + (depth - 1) * lhs.depth_stride < l.len());
    let mut sum = [[T::ZERO; N]; M];
    let (panel, _) = panel.as_chunks::<N>();
    for (p, r) in panel[..depth].iter().enumerate() {
        for row in 0..M {
            // SAFETY: row < M and p < depth; the assertion above bounds the largest index. Speed: one compare and
            // branch less for every two multiply-adds.
            let l = unsafe { *l.get_unchecked(row * lhs.row_stride + p * lhs.depth_stride) };
            for j in 0..N {
                sum[row][j] = if FMA { l.mul_add(r[j], sum[row][j]) } else { l * r[j] + sum[row][j] };
            }
        }
    }
    let width = N.min(n - j);
    for (row, sum) in sum.iter().enumerate() {
        let c = &mut c[(i + row) * n + j..][..width];
        if first {
            c.copy_from_slice(&sum[..width]);
        } else {
            c.iter_mut().zip(sum).for_each(|(c, &sum)| *c += sum);
        }
        finish(i + row, j, c);
    }
}
