//! The right matrix of a product, in panels that the tiles read from one end to the other.

use std::any::TypeId;

use super::for_each_isa;
use super::threads::split;
use super::tile::{Panel, columns, read_columns, triple, wide_columns};
use crate::real::Real;

/// The right matrix (k, n). Its full panels are packed or lie in the matrix as it is; the last columns, fewer than
/// a panel, are always packed, with zeros or anything up to a half or a whole panel.
#[derive(Clone, Copy)]
pub struct Rhs<'a, T> {
    pub k: usize,
    pub n: usize,
    full: &'a [T],
    panel_stride: usize,
    depth_stride: usize,
    rest: &'a [T],
    rest_stride: usize,
}

/// Up to here a matrix is read as it is: it stays in half of L1, whatever the order.
const SMALL: usize = 16 << 10;
/// Up to so many rows of the left matrix, packing costs more than it brings: each number is read once or twice.
const FEW_ROWS: usize = 12;

impl<'a, T: Real> Rhs<'a, T> {
    /// R = B for B (k, n) row-major, for a left matrix of `rows` rows.
    pub fn rows(b: &'a [T], k: usize, n: usize, rows: usize, scratch: &'a mut [T]) -> Self {
        let b = &b[..k * n];
        let whole = n / columns::<T>() * columns::<T>();
        let copy_rest = |stride: usize, rest: &mut [T]| copy_columns(b, n, whole, n - whole, stride, rest);
        if rows > FEW_ROWS && k * n * size_of::<T>() > SMALL {
            return Self::packed(k, n, scratch, copy_rest, &|j, panels| {
                let of_panel = k * columns::<T>();
                for (i, panels) in panels.chunks_mut(TOGETHER * of_panel).enumerate() {
                    let width = panels.len() / k;
                    copy_panels(b, n, j + i * TOGETHER * columns::<T>(), width, panels, of_panel);
                }
            });
        }
        let rest_stride = rest_stride::<T>(n);
        let rest = &mut scratch[..k * rest_stride];
        copy_rest(rest_stride, rest);
        Self { k, n, full: b, panel_stride: columns::<T>(), depth_stride: n, rest, rest_stride }
    }

    /// R = Bᵀ for B (n, k) row-major.
    pub fn columns(b: &'a [T], k: usize, n: usize, scratch: &'a mut [T]) -> Self {
        let whole = n / columns::<T>() * columns::<T>();
        let transpose_rest =
            |stride: usize, rest: &mut [T]| transpose(&b[whole * k..], n - whole, k, stride, rest);
        Self::packed(k, n, scratch, transpose_rest, &|j, panels| {
            let columns = columns::<T>();
            for (panel, b) in panels.chunks_exact_mut(k * columns).zip(b[j * k..].chunks_exact(k * columns)) {
                transpose(b, columns, k, columns, panel);
            }
        })
    }

    /// `pack(j, panels)` writes the columns from `j` on into full panels; `pack_rest(stride, rest)` those that are left into
    /// rows of `stride` numbers.
    fn packed(
        k: usize,
        n: usize,
        scratch: &'a mut [T],
        pack_rest: impl FnOnce(usize, &mut [T]),
        pack: &(impl Fn(usize, &mut [T]) + Sync),
    ) -> Self {
        let columns = columns::<T>();
        let whole = n / columns * columns;
        let rest_stride = rest_stride::<T>(n);
        let all = &mut scratch[..k * (whole + rest_stride)];
        let (panels, rest) = all.split_at_mut(k * whole);
        pack_rest(rest_stride, rest);
        split(panels, k * columns, 1, panels_per_task(k), 0, &|first, panels| pack(first * columns, panels));
        let all = &*all;
        Self {
            k,
            n,
            full: all,
            panel_stride: k * columns,
            depth_stride: columns,
            rest: &all[k * whole..],
            rest_stride,
        }
    }

    /// How many columns from `j` on are taken at once by a product of so many rows.
    pub fn width(&self, j: usize, rows: usize) -> usize {
        let (left, wide) = (self.n - j, wide_columns::<T>(rows));
        let joined = self.depth_stride == columns::<T>() && joins::<T>(self.n) && wide == 2 * columns::<T>();
        if triple::<T>(rows) > 0 {
            // In twos and threes: four panels are not three and one.
            return match left / columns::<T>() - usize::from(joined) {
                2 | 4 => wide,
                3.. => triple::<T>(rows),
                _ if joined => left,
                _ => left.min(columns::<T>()),
            };
        }
        match left {
            _ if left >= wide => wide,
            _ if joined => left,
            _ => left.min(columns::<T>()),
        }
    }

    /// `width` columns from `j` on, rows from `p` on.
    pub fn panel(&self, j: usize, width: usize, p: usize) -> Panel<'a, T> {
        let next = self.panel_stride;
        if width < columns::<T>() {
            let stride = self.rest_stride;
            return Panel { values: &self.rest[p * stride..], stride, next, width };
        }
        let at = j / columns::<T>() * next + p * self.depth_stride;
        Panel { values: &self.full[at..], stride: self.depth_stride, next, width }
    }

    /// The full panels that are taken after those before `j`, if they are packed.
    pub fn packed_panels(&self, j: usize, p: usize, rows: usize) -> Option<Panel<'a, T>> {
        let left = self.n.saturating_sub(j);
        if left < columns::<T>() || self.depth_stride != columns::<T>() {
            return None;
        }
        let full = self.width(j, rows) / columns::<T>() * columns::<T>();
        Some(self.panel(j, full, p))
    }
}

/// Numbers in a row of the last columns as they are packed.
fn rest_stride<T>(n: usize) -> usize {
    match n % columns::<T>() {
        0 => 0,
        _ if joins::<T>(n) => columns::<T>(),
        rest => read_columns::<T>(rest),
    }
}

/// Whether the last columns, fewer than a panel, are computed together with the full panel before them: tiles of two
/// panels take less time than one of one panel and one of a half.
fn joins<T>(n: usize) -> bool {
    let alone = n.is_multiple_of(columns::<T>()) || (n / columns::<T>()).is_multiple_of(2);
    !alone && wide_columns::<T>(FEW_ROWS) == 2 * columns::<T>()
}

/// How many numbers [`Rhs`] may take for a matrix (k, n).
pub fn packed_len<T>(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(columns::<T>())
}

/// About 64 KiB of single precision: some 10 µs.
fn panels_per_task(k: usize) -> usize {
    (1024 / k.max(1)).max(TOGETHER)
}

/// Panels that are packed together: a row of the matrix gives 512 bytes at once, not a line of each of many rows.
const TOGETHER: usize = 8;

for_each_isa! {
    /// `width` columns from `j` on of B (k, n) row-major, into rows of `stride` numbers: a half or a whole panel. What lies
    /// beyond the width in a row is anything: no number of C depends on it.
    pub fn copy_columns<T: Real>(b: &[T], n: usize, j: usize, width: usize, stride: usize, panel: &mut [T]) {
        if width == 0 {
            return;
        }
        // A length that the compiler knows is a move of one or two vectors (without AVX it stays a call).
        match stride {
            16 => copy_rows::<T, 16>(b, n, j, width, panel),
            8 => copy_rows::<T, 8>(b, n, j, width, panel),
            _ => copy_rows::<T, 4>(b, n, j, width, panel),
        }
    }
}

#[inline(always)]
fn copy_rows<T: Real, const STRIDE: usize>(b: &[T], n: usize, j: usize, width: usize, panel: &mut [T]) {
    // The rows after which there are numbers enough come first: in one loop with the others, the two kinds of copy become
    // one call of memcpy.
    let whole = (b.len() + n).saturating_sub(j + STRIDE) / n;
    let (panel, _) = panel.as_chunks_mut::<STRIDE>();
    let (first, last) = panel.split_at_mut(whole.min(panel.len()));
    for (row, b) in first.iter_mut().zip(b[j..].windows(STRIDE).step_by(n)) {
        *row = *b.first_chunk().expect("a window is as long");
    }
    for (row, b) in last.iter_mut().zip(b.chunks_exact(n).skip(whole)) {
        row[..width].copy_from_slice(&b[j..][..width]);
    }
}

for_each_isa! {
    /// `width` columns from `j` on of B (k, n) row-major, into full panels of `panel` numbers, row by row.
    pub fn copy_panels<T: Real>(b: &[T], n: usize, j: usize, width: usize, panels: &mut [T], panel: usize) {
        match columns::<T>() {
            16 => copy_panels_of::<T, 16>(b, n, (j, width), panels, panel),
            _ => copy_panels_of::<T, 8>(b, n, (j, width), panels, panel),
        }
    }
}

#[inline(always)]
fn copy_panels_of<T: Real, const COLUMNS: usize>(
    b: &[T],
    n: usize,
    (j, width): (usize, usize),
    panels: &mut [T],
    panel: usize,
) {
    for (p, b) in b.chunks_exact(n).enumerate() {
        let (columns, _) = b[j..j + width].as_chunks::<COLUMNS>();
        for (columns, panel) in columns.iter().zip(panels.chunks_mut(panel)) {
            panel[p * COLUMNS..][..COLUMNS].copy_from_slice(columns);
        }
    }
}

/// B (width, k) row-major, transposed into k rows of `stride` numbers, with zeros beyond the width.
pub fn transpose<T: Real>(b: &[T], width: usize, k: usize, stride: usize, panel: &mut [T]) {
    if width == 0 {
        return;
    }
    let done = transpose_eights(b, width, k, panel, stride);
    for (p, row) in panel.chunks_exact_mut(stride).enumerate() {
        if !done {
            row.iter_mut().enumerate().take(width).for_each(|(j, v)| *v = b[j * k + p]);
        }
        row[width..].fill(T::ZERO);
    }
}

/// The same in blocks of 8 × 8, the last ones over some of what is done; false: nothing was done, as it is smaller than a block or
/// not in single precision on x86-64.
fn transpose_eights<T: Real>(b: &[T], width: usize, k: usize, panel: &mut [T], stride: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if TypeId::of::<T>() == TypeId::of::<f32>()
        && super::Isa::current() >= super::Isa::Avx2
        && width.min(k) >= 8
    {
        assert!(b.len() >= width * k && panel.len() >= k * stride && stride >= width);
        let eights = |n: usize| (0..n.div_ceil(8)).map(move |i| (8 * i).min(n - 8));
        for j in eights(width) {
            for p in eights(k) {
                // SAFETY: T is f32, the machine has AVX2, and the assertion bounds the last block. Speed: 1.3 → 0.4
                // cycles a number, 8 % of a step of a network 20-64-64-1.
                unsafe {
                    let from = b.as_ptr().cast::<f32>().add(j * k + p);
                    let to = panel.as_mut_ptr().cast::<f32>().add(p * stride + j);
                    transpose_8x8(from, k, to, stride);
                }
            }
        }
        return true;
    }
    let _ = (b, width, k, panel, stride, TypeId::of::<T>());
    false
}

/// Transposes 8 rows of 8 numbers: pairs, then fours, then halves of the vectors change places.
///
/// # Safety
/// Eight numbers are readable at each of 8 places `k` apart, and writable at each of 8 places `stride` apart.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn transpose_8x8(from: *const f32, k: usize, to: *mut f32, stride: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's.
    let row: [__m256; 8] = std::array::from_fn(|i| unsafe { _mm256_loadu_ps(from.add(i * k)) });
    let mut pair = [_mm256_setzero_ps(); 8];
    for i in 0..4 {
        pair[2 * i] = _mm256_unpacklo_ps(row[2 * i], row[2 * i + 1]);
        pair[2 * i + 1] = _mm256_unpackhi_ps(row[2 * i], row[2 * i + 1]);
    }
    let mut four = [_mm256_setzero_ps(); 8];
    for i in [0, 4] {
        four[i] = _mm256_shuffle_ps::<0x44>(pair[i], pair[i + 2]);
        four[i + 1] = _mm256_shuffle_ps::<0xee>(pair[i], pair[i + 2]);
        four[i + 2] = _mm256_shuffle_ps::<0x44>(pair[i + 1], pair[i + 3]);
        four[i + 3] = _mm256_shuffle_ps::<0xee>(pair[i + 1], pair[i + 3]);
    }
    for i in 0..4 {
        // SAFETY: the caller's.
        unsafe {
            _mm256_storeu_ps(to.add(i * stride), _mm256_permute2f128_ps::<0x20>(four[i], four[i + 4]));
            _mm256_storeu_ps(to.add((i + 4) * stride), _mm256_permute2f128_ps::<0x31>(four[i], four[i + 4]));
        }
    }
}
