//! The innermost loops: a tile of C held in registers over the depth.
//!
//! Every number of C is one chain `c ← l·r + c` in the order of the depth, whatever the tile, the panel and the
//! instruction set: that is why bits do not depend on them.

mod part;
mod strides;

use super::Isa;
use super::lanes::Lanes;
use crate::real::Real;
use part::{load_part, store_part};
use strides::{Any, Columns, Rows, Strides};

/// The body once for each row of a tile, of which there are at most 24. As a loop of 12 × 2 sums it is unrolled too late: the
/// sums stay in memory.
macro_rules! for_each_row {
    ($k:ident < $m:ident, $body:block) => {
        for_each_row!($k $m $body: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)
    };
    ($k:ident $m:ident $body:block: $($i:literal)*) => {
        $(if $i < $m {
            let $k: usize = $i;
            $body
        })*
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use for_each_row;

/// Columns of a full panel: two 256-bit vectors.
pub const fn columns<T>() -> usize {
    64 / size_of::<T>()
}

/// Rows that chunks of work are multiples of: no tile of AVX2 is cut.
pub const ROWS: usize = 6;

/// The most rows of a tile: as many products of a number of the right matrix are computed at once.
pub fn most_rows() -> usize {
    if Isa::current() == Isa::Avx512 { 12 } else { ROWS }
}

/// The left matrix (rows, depth): `values[i · row_stride + p · depth_stride]`.
#[derive(Clone, Copy)]
pub struct Lhs<'a, T> {
    pub values: &'a [T],
    pub row_stride: usize,
    pub depth_stride: usize,
}

impl<'a, T> Lhs<'a, T> {
    /// A matrix (rows, depth) row-major.
    pub fn rows(values: &'a [T], depth: usize) -> Self {
        Self { values, row_stride: depth, depth_stride: 1 }
    }
}

/// Some columns of the right matrix: (depth, width) with `stride` numbers from one row to the next, and `next` numbers
/// from one full panel to the one beside it. Full panels are read in one piece, so `values` has `width` rounded up to a
/// panel in each row.
#[derive(Clone, Copy)]
pub struct Panel<'a, T> {
    pub values: &'a [T],
    pub stride: usize,
    pub next: usize,
    pub width: usize,
}

/// What the sums begin with.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    /// 0.
    Zero,
    /// One number per column.
    Row(&'a [T]),
    /// What stands in C.
    Sum,
}

/// Where the tiles go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// C[i, j] at i · stride + j.
    Rows,
    /// C[i, j] at j · stride + i.
    Columns,
}

/// C (rows, panel.width) += L · panel, over `depth`.
#[derive(Clone, Copy)]
pub struct Block<'a, T> {
    pub lhs: Lhs<'a, T>,
    pub panel: Panel<'a, T>,
    /// The panel after this one, if it is packed: it is brought into L2 while the tiles work.
    pub then: Option<Panel<'a, T>>,
    pub depth: usize,
    pub rows: usize,
    pub start: Start<'a, T>,
    pub order: Order,
    pub stride: usize,
}

/// Computes a block; `c` begins at its first number.
pub fn block<T: Real>(block: Block<'_, T>, c: &mut [T]) {
    check(&block, c);
    let kind = kind::<T>(&block);
    // SAFETY: `check` bounds every index, and `Isa::current` is what this machine has. Speed: 4 to 8 times the
    // baseline's SSE2, and no bounds check among the multiply-adds.
    unsafe {
        match Isa::current() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512(&block, kind, c),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2(&block, kind, c),
            _ => portable(&block, kind, c),
        }
    }
}

/// How wide the tiles are.
#[derive(Clone, Copy)]
enum Kind {
    /// Up to half a panel.
    Half,
    /// A panel.
    Full,
    /// Two panels side by side, or more for one to three rows.
    Wide,
    /// Three panels side by side.
    Triple,
}

fn kind<T>(block: &Block<'_, T>) -> Kind {
    match block.panel.width {
        width if width <= columns::<T>() / 2 => Kind::Half,
        width if width <= columns::<T>() => Kind::Full,
        width if width == triple::<T>(block.rows) => Kind::Triple,
        _ => Kind::Wide,
    }
}

/// Columns of three panels, where a product of so many rows may take them at once, else 0. With the registers of AVX-512 tiles are
/// 8 × 3 vectors then: 11 loads for 24 multiply-adds, where 12 × 2 have 14, which counts when another program
/// works on the same core.
pub fn triple<T>(rows: usize) -> usize {
    if Isa::current() == Isa::Avx512 && rows > most_rows() { 3 * columns::<T>() } else { 0 }
}

/// How many columns a product of so many rows takes at once. With one panel, one to three rows have too few independent
/// sums to keep the multipliers busy; with 512-bit vectors, which have room for more sums, each number of L that is
/// loaded is used twice.
pub fn wide_columns<T>(rows: usize) -> usize {
    match rows {
        1 => 4 * columns::<T>(),
        2 | 3 => 2 * columns::<T>(),
        _ if Isa::current() == Isa::Avx512 => 2 * columns::<T>(),
        _ => columns::<T>(),
    }
}

/// The panel's columns as they are read: half a panel or full ones.
pub fn read_columns<T>(width: usize) -> usize {
    let half = columns::<T>() / 2;
    if width <= half { half } else { width.next_multiple_of(2 * half) }
}

fn check<T: Real>(block: &Block<'_, T>, c: &[T]) {
    let Block { lhs, panel, depth, rows, start, order, stride, .. } = *block;
    assert!(rows > 0 && depth > 0 && panel.width > 0);
    assert!(panel.width <= wide_columns::<T>(rows).max(triple::<T>(rows)));
    assert!((rows - 1) * lhs.row_stride + (depth - 1) * lhs.depth_stride < lhs.values.len());
    // Of panels side by side all columns are read.
    let read = match panel.width {
        width if width <= columns::<T>() => read_columns::<T>(width),
        width if width == triple::<T>(rows) => 2 * panel.next + columns::<T>(),
        _ => (wide_columns::<T>(rows) / columns::<T>() - 1) * panel.next + columns::<T>(),
    };
    assert!((depth - 1) * panel.stride + read <= panel.values.len());
    let (outer, inner) = if order == Order::Rows { (rows, panel.width) } else { (panel.width, rows) };
    assert!((outer - 1) * stride + inner <= c.len());
    if let Start::Row(row) = start {
        assert!(row.len() >= panel.width);
    }
}

/// # Safety
/// [`check`] has passed, and the machine has the instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512<T: Real>(block: &Block<'_, T>, kind: Kind, c: &mut [T]) {
    // SAFETY: the caller's. 12 × 2 sums and 3 operands fill 27 of the 32 registers, 8 × 3 and 4 fill 28.
    unsafe {
        match kind {
            Kind::Half => rows::<T, T::Avx2, 1, 12>(block, c),
            Kind::Full => rows::<T, T::Avx512, 1, 12>(block, c),
            Kind::Triple => rows::<T, T::Avx512, 3, 8>(block, c),
            Kind::Wide if block.rows > 3 => rows::<T, T::Avx512, 2, 12>(block, c),
            Kind::Wide => wide::<T, T::Avx512, 4, 2>(block, c),
        }
    }
}

/// # Safety
/// [`check`] has passed, and the machine has the instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T: Real>(block: &Block<'_, T>, kind: Kind, c: &mut [T]) {
    // SAFETY: the caller's. 6 × 2 sums and 3 operands fill 15 of the 16 registers.
    unsafe {
        match kind {
            Kind::Half => rows::<T, T::Avx2, 1, 6>(block, c),
            Kind::Full => rows::<T, T::Avx2, 2, 6>(block, c),
            Kind::Wide | Kind::Triple => wide::<T, T::Avx2, 8, 4>(block, c),
        }
    }
}

/// # Safety
/// [`check`] has passed.
unsafe fn portable<T: Real>(block: &Block<'_, T>, kind: Kind, c: &mut [T]) {
    // SAFETY: the caller's.
    unsafe {
        match kind {
            Kind::Half => rows::<T, T::Portable, 2, 6>(block, c),
            Kind::Full => rows::<T, T::Portable, 4, 6>(block, c),
            Kind::Wide | Kind::Triple => wide::<T, T::Portable, 16, 8>(block, c),
        }
    }
}

/// One to three rows: `ONE` vectors of one row, `TWO` of two or three.
///
/// # Safety
/// [`check`] has passed, and the machine has the instructions.
#[inline(always)]
unsafe fn wide<T: Real, V: Lanes<T>, const ONE: usize, const TWO: usize>(block: &Block<'_, T>, c: &mut [T]) {
    // SAFETY: the caller's.
    unsafe {
        match block.rows {
            1 => tile::<T, V, 1, ONE>(block, 0, c),
            2 => tile::<T, V, 2, TWO>(block, 0, c),
            _ => tile::<T, V, 3, TWO>(block, 0, c),
        }
    }
}

/// All rows, in tiles of up to `MOST`.
///
/// # Safety
/// [`check`] has passed, and the machine has the instructions.
#[inline(always)]
unsafe fn rows<T: Real, V: Lanes<T>, const VECS: usize, const MOST: usize>(
    block: &Block<'_, T>,
    c: &mut [T],
) {
    let mut i = 0;
    while i < block.rows {
        let height = height(block.rows - i, MOST);
        // SAFETY: the caller's.
        unsafe {
            match height {
                12 if MOST == 12 => tile::<T, V, 12, VECS>(block, i, c),
                10 if MOST == 12 => tile::<T, V, 10, VECS>(block, i, c),
                8 => tile::<T, V, 8, VECS>(block, i, c),
                6 => tile::<T, V, 6, VECS>(block, i, c),
                5 => tile::<T, V, 5, VECS>(block, i, c),
                4 => tile::<T, V, 4, VECS>(block, i, c),
                3 => tile::<T, V, 3, VECS>(block, i, c),
                2 => tile::<T, V, 2, VECS>(block, i, c),
                _ => tile::<T, V, 1, VECS>(block, i, c),
            }
        }
        i += height;
    }
}

/// Without a tile of their height, 7, 8 and 9 rows are cut in two of about the same one: a tile of one or two rows has too few
/// independent sums to keep the multipliers busy.
#[inline(always)]
fn height(rows: usize, most: usize) -> usize {
    match rows {
        12.. if most == 12 => 12,
        10 | 8 if most == 12 => rows,
        11 if most == 8 => 6,
        9 | 10 if most == 8 => 5,
        8.. if most == 8 => 8,
        7 | 8 => 4,
        9 => 5,
        _ => rows.min(6),
    }
}

/// C[i..i + M, ..] += L[i..i + M, ..] · panel
///
/// # Safety
/// [`check`] has passed, and the machine has the instructions.
#[inline(always)]
unsafe fn tile<T: Real, V: Lanes<T>, const M: usize, const VECS: usize>(
    block: &Block<'_, T>,
    i: usize,
    c: &mut [T],
) {
    // SAFETY: `check` has bounded every index; a part of a tile goes through a buffer that holds a whole one.
    unsafe {
        if block.order == Order::Rows && block.panel.width == VECS * V::N {
            let c = c.as_mut_ptr().add(i * block.stride);
            let row = match block.start {
                Start::Row(row) => row.as_ptr(),
                _ => std::ptr::null(),
            };
            of_strides::<T, V, M, VECS>(block, i, (c, block.stride), row);
        } else {
            let mut buffer = std::mem::MaybeUninit::<[T; BUFFER]>::uninit();
            let buffer = buffer.as_mut_ptr().cast::<T>();
            load_part(block, (i, M), buffer, VECS * V::N, c);
            of_strides::<T, V, M, VECS>(block, i, (buffer, VECS * V::N), buffer);
            store_part(block, (i, M), buffer, VECS * V::N, c);
        }
    }
}

/// [`whole`] for how L lies.
///
/// # Safety
/// As [`whole`].
#[inline(always)]
unsafe fn of_strides<T: Real, V: Lanes<T>, const M: usize, const VECS: usize>(
    block: &Block<'_, T>,
    i: usize,
    c: (*mut T, usize),
    row: *const T,
) {
    // SAFETY: the caller's.
    unsafe {
        match block.lhs {
            Lhs { depth_stride: 1, .. } if is_hot::<V>(M, VECS) => {
                hot::<T, V, Rows, M, VECS>(block, i, c, row);
            }
            Lhs { row_stride: 1, .. } if is_hot::<V>(M, VECS) => {
                hot::<T, V, Columns, M, VECS>(block, i, c, row);
            }
            _ => whole::<T, V, Any, M, VECS>(block, i, c, row),
        }
    }
}

/// Whether a tile is one that products are made of, not one of the last rows or columns.
#[inline(always)]
const fn is_hot<V>(rows: usize, vectors: usize) -> bool {
    rows * vectors >= 12 && (size_of::<V>() == 64 || (size_of::<V>() == 32 && vectors > 1))
}

/// [`whole`], by itself: in one function the compiler takes minutes for all of them. (Of a function with features of its own it does not
/// hear that it is not to be inlined, hence this one.)
///
/// # Safety
/// As [`whole`], and the tile [`is_hot`].
#[inline(never)]
unsafe fn hot<T: Real, V: Lanes<T>, S: Strides, const M: usize, const VECS: usize>(
    block: &Block<'_, T>,
    i: usize,
    c: (*mut T, usize),
    row: *const T,
) {
    // SAFETY: the caller's; only AVX2 and AVX-512 have such vectors.
    unsafe {
        match size_of::<V>() {
            #[cfg(target_arch = "x86_64")]
            64 => hot_avx512::<T, V, S, M, VECS>(block, i, c, row),
            #[cfg(target_arch = "x86_64")]
            32 => hot_avx2::<T, V, S, M, VECS>(block, i, c, row),
            _ => whole::<T, V, S, M, VECS>(block, i, c, row),
        }
    }
}

/// # Safety
/// As [`whole`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn hot_avx512<T: Real, V: Lanes<T>, S: Strides, const M: usize, const VECS: usize>(
    block: &Block<'_, T>,
    i: usize,
    c: (*mut T, usize),
    row: *const T,
) {
    // SAFETY: the caller's.
    unsafe { whole::<T, V, S, M, VECS>(block, i, c, row) };
}

/// # Safety
/// As [`whole`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn hot_avx2<T: Real, V: Lanes<T>, S: Strides, const M: usize, const VECS: usize>(
    block: &Block<'_, T>,
    i: usize,
    c: (*mut T, usize),
    row: *const T,
) {
    // SAFETY: the caller's.
    unsafe { whole::<T, V, S, M, VECS>(block, i, c, row) };
}

/// A tile whose numbers are all wanted: at `c`, rows `stride` apart; the first sums are at `row` for every row, if
/// there is one (see [`Start`]).
///
/// # Safety
/// [`check`] has passed, the machine has the instructions, and the whole tile and `row` lie in memory.
#[expect(
    clippy::needless_range_loop,
    reason = "two arrays are walked at once; the compiler unrolls what is constant"
)]
#[inline(always)]
unsafe fn whole<T: Real, V: Lanes<T>, S: Strides, const M: usize, const VECS: usize>(
    block: &Block<'_, T>,
    i: usize,
    (c, stride): (*mut T, usize),
    row: *const T,
) {
    let Block { lhs, panel, depth, start, .. } = *block;
    // SAFETY: the caller's.
    unsafe {
        let mut sum = [[V::zero(); VECS]; M];
        for_each_row!(k < M, {
            for v in 0..VECS {
                match start {
                    Start::Zero => {}
                    Start::Row(_) => sum[k][v] = V::load(row.add(v * V::N)),
                    Start::Sum => sum[k][v] = V::load(c.add(k * stride + v * V::N)),
                }
            }
        });
        let [row_stride, depth_stride] = S::of(lhs);
        // A pointer for each three rows, of which the compiler must not know that they are of one matrix: it would add the
        // stride M times in a row, which takes longer than the multiply-adds, or keep M distances in registers.
        let at = |k: usize| opaque(lhs.values.as_ptr().wrapping_add((i + k) * row_stride));
        let (mut l0, mut l3, mut l6, mut l9) = (at(0), at(3), at(6), at(9));
        let mut r = panel.values.as_ptr();
        macro_rules! step {
            () => {
                let row: [V; VECS] =
                    std::array::from_fn(|v| V::load(r.add(column_at::<T>(v * V::N, panel.next))));
                for_each_row!(k < M, {
                    // At most 12 rows here: the remainder is for the compiler alone.
                    let l = if S::ONE_POINTER {
                        V::splat(l0.wrapping_add(k))
                    } else {
                        V::splat([l0, l3, l6, l9][k / 3 % 4].wrapping_add(k % 3 * row_stride))
                    };
                    for v in 0..VECS {
                        sum[k][v] = sum[k][v].add_product(l, row[v]);
                    }
                });
                [l0, l3, l6, l9] = [l0, l3, l6, l9].map(|l| l.wrapping_add(depth_stride));
                if S::ONE_POINTER {
                    l0 = opaque(l0);
                }
                r = opaque(r.wrapping_add(panel.stride));
            };
        }
        // With strides that take registers, a step among several has more instructions than one of a loop.
        let together = if S::ARE_KNOWN { depth / STEPS } else { 0 };
        let mut ahead = lines_ahead(block, i / M * together);
        for _ in 0..together {
            bring(ahead);
            ahead = ahead.wrapping_add(columns::<T>());
            step!();
            step!();
            step!();
            step!();
        }
        for _ in 0..depth - together * STEPS {
            step!();
        }
        for_each_row!(k < M, {
            for v in 0..VECS {
                sum[k][v].store(c.add(k * stride + v * V::N));
            }
        });
    }
}

/// Steps of the depth in which one line of the next panel is brought nearer: four tiles bring a panel.
const STEPS: usize = 4;

/// The line of the next panels, one of them after the other, after the first `before`; without one, a line that is here.
#[inline(always)]
fn lines_ahead<T>(block: &Block<'_, T>, before: usize) -> *const T {
    let Block { panel, then, depth, .. } = block;
    match then {
        Some(then) if before < then.width.div_ceil(columns::<T>()) * depth => {
            let line = before / depth * then.next + before % depth * columns::<T>();
            then.values.as_ptr().wrapping_add(line)
        }
        _ => panel.values.as_ptr(),
    }
}

/// Asks for a line of the cache, which will be needed soon but not next.
#[inline(always)]
pub fn bring<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, which reads nothing: any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.cast()) };
    }
    let _ = line;
}

/// The same pointer, of which the compiler knows nothing any more.
#[inline(always)]
fn opaque<T>(pointer: *const T) -> *const T {
    #[cfg(target_arch = "x86_64")]
    let pointer = {
        let mut same = pointer;
        // SAFETY: no instruction.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) same, options(pure, readonly, nostack, preserves_flags));
        }
        same
    };
    pointer
}

/// Where a panel's column lies in its row.
#[inline(always)]
const fn column_at<T>(column: usize, next: usize) -> usize {
    column / columns::<T>() * next + column % columns::<T>()
}

/// The largest tile: 12 rows of two panels of 16, or 8 of three.
const BUFFER: usize = 12 * 32;
