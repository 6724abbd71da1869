//! Z of 4 to 23 units from many inputs. A tile would leave many of its columns empty, so the vectors go along the
//! inputs: each z is [`lanes`] sums, over k modulo `lanes`, of which halves are added until one number is left.

use std::mem::MaybeUninit;

use super::Isa;
use super::lanes::Lanes;
use super::narrow::{self, in_halves};
use super::pack::transpose;
use super::product::zeroed;
use super::threads::{rows_per_task, split};
use super::tile::bring;
use crate::real::Real;

/// Inputs from which the sums of the lanes at the end cost less than empty columns.
const INPUTS: usize = 512;
/// The most units.
const UNITS: usize = 23;
/// Up to so many rows, W transposed would cost more than the product.
const FEW_ROWS: usize = 2;
/// Rows that a task's share is a multiple of.
const HEIGHT: usize = 4;
/// Rows that go over all inputs together: two tiles. The processor sees that each of so few goes on and brings what comes
/// next; of 32 rows it does not. Their sums are 8 · 23 · 64 B, less than 12 KiB.
const ROWS: usize = 8;
/// Bytes of a piece of W that they go over, one tile after the other.
const PIECE: usize = 48 << 10;

/// Partial sums of each z: a 512-bit vector.
const fn lanes<T>() -> usize {
    64 / size_of::<T>()
}

/// Whether Z of such a layer is computed here. Sixteen units leave no columns of a tile empty.
pub fn takes(n_in: usize, n_out: usize) -> bool {
    n_in >= INPUTS && n_out > narrow::UNITS && n_out <= UNITS && n_out != 16
}

/// W in the form that the rows read.
#[derive(Clone, Copy)]
pub enum Dots<'a, T> {
    /// Wᵀ of [`lanes`] inputs after those of the ones before, (n_in / lanes, n_out, lanes), with zeros at the end: beside each other
    /// in whole rows, the units would share a few sets of the cache.
    Transposed(&'a [T]),
    /// W as it lies, for a few rows.
    Few(&'a [T]),
}

impl<'a, T: Real> Dots<'a, T> {
    /// W (k, n) for a product with so many rows.
    pub fn new(w: &'a [T], [rows, k, n]: [usize; 3], scratch: &'a mut [T]) -> Self {
        if rows <= FEW_ROWS {
            return Self::Few(&w[..k * n]);
        }
        let lanes = lanes::<T>();
        let wt = &mut scratch[..n * k.next_multiple_of(lanes)];
        for (w, wt) in w[..k * n].chunks(lanes * n).zip(wt.chunks_exact_mut(lanes * n)) {
            transpose(w, w.len() / n, n, lanes, wt);
        }
        Self::Transposed(wt)
    }

    /// Z = A_in W + b.   a_in (m, k)  b (n)  z (m, n)
    pub fn forward(self, [m, k]: [usize; 2], a_in: &[T], b: &[T], z: &mut [T]) {
        let n = b.len();
        let least = rows_per_task(m, m * k * n, HEIGHT);
        split(&mut z[..m * n], n, HEIGHT, least, 0, &|first, z| {
            self.forward_rows(k, &a_in[first * k..], b, z);
        });
    }

    /// [`Dots::forward`] for the rows of Z that there are, on one thread.
    pub fn forward_rows(self, k: usize, a_in: &[T], b: &[T], z: &mut [T]) {
        let n = b.len();
        match self {
            Self::Few(w) => {
                for (a, z) in a_in.chunks_exact(k).zip(z.chunks_exact_mut(n)) {
                    row(a, w, b, z);
                }
            }
            Self::Transposed(wt) => {
                let mut buffer = MaybeUninit::<[T; ROWS * UNITS * 16]>::uninit();
                for (a_in, z) in a_in.chunks(ROWS * k).zip(z.chunks_mut(ROWS * n)) {
                    let sums = zeroed(&mut buffer, z.len() * lanes::<T>());
                    add_rows(k, a_in, wt, n, sums);
                    totals(sums, b, z);
                }
            }
        }
    }
}

/// Calls a function over `V: Lanes` for vectors of the instruction set in use, compiled for it; `VECS` of them are
/// [`lanes`] numbers, and a tile has `M` rows and up to `N` units, as many as there are registers for.
macro_rules! in_vectors {
    ($name:ident => $body:ident($($arg:ident : $ty:ty),*)) => {
        /// # Safety
        /// The lengths fit each other.
        unsafe fn $name<T: Real>($($arg: $ty),*) {
            /// # Safety
            /// The lengths fit each other, and the machine has AVX-512.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            unsafe fn avx512<T: Real>($($arg: $ty),*) {
                // SAFETY: the caller's.
                unsafe { $body::<T, T::Avx512, 1, 4, 5>($($arg),*) };
            }
            /// # Safety
            /// The lengths fit each other, and the machine has AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2<T: Real>($($arg: $ty),*) {
                // SAFETY: the caller's.
                unsafe { $body::<T, T::Avx2, 2, 2, 3>($($arg),*) };
            }
            // SAFETY: the caller's, and `Isa::current` is what this machine has.
            unsafe {
                match Isa::current() {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => avx512::<T>($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => avx2::<T>($($arg),*),
                    _ => $body::<T, T::Portable, 4, 1, 3>($($arg),*),
                }
            }
        }
    };
}

/// sums (m, n, lanes) += A_in ⊙ Wᵀ.   a_in (m, k)  wt (k / lanes, n, lanes)
fn add_rows<T: Real>(k: usize, a_in: &[T], wt: &[T], n: usize, sums: &mut [T]) {
    let m = sums.len() / lanes::<T>() / n;
    assert!(sums.len() == m * n * lanes::<T>() && a_in.len() >= m * k);
    assert!((4..=UNITS).contains(&n) && wt.len() == n * k.next_multiple_of(lanes::<T>()));
    // SAFETY: the assertions bound every index. Speed: Z of 209 rows, 12288 inputs and 20 units in 1.1 ms, of which X on its way from the
    // third cache is 0.4; tiles of 12 × 32 take 1.45.
    unsafe { pieces_in_vectors(k, a_in, wt, n, sums) };
}

in_vectors!(pieces_in_vectors => pieces(k: usize, a_in: &[T], wt: &[T], n: usize, sums: &mut [T]));

/// # Safety
/// As [`add_rows`] asserts, and the machine has the instructions of V.
#[inline(always)]
unsafe fn pieces<T: Real, V: Lanes<T>, const VECS: usize, const M: usize, const N: usize>(
    k: usize,
    a_in: &[T],
    wt: &[T],
    n: usize,
    sums: &mut [T],
) {
    let depth = PIECE / 64 / n * lanes::<T>();
    let m = sums.len() / lanes::<T>() / n;
    for p in (0..k).step_by(depth) {
        let piece = Piece { k, n, depth: depth.min(k - p), a: &a_in[p..], wt: &wt[p * n..] };
        let whole = m / M * M;
        // After the last rows come the first ones of the next piece, or the rows after these.
        let after = if p + depth < k { p + depth } else { m * k };
        // Loops, because closures may be compiled without the instructions.
        for i in (0..whole).step_by(M) {
            let next = if i + M < whole { p + (i + M) * k } else { after };
            // SAFETY: the caller's.
            unsafe { piece.rows::<V, VECS, M, N>(i, a_in.as_ptr().wrapping_add(next), sums) };
        }
        for i in whole..m {
            // SAFETY: the caller's.
            unsafe { piece.rows::<V, VECS, 1, N>(i, a_in.as_ptr().wrapping_add(after), sums) };
        }
    }
}

/// Some inputs of all rows and units: they begin at `a` and `wt`.
#[derive(Clone, Copy)]
struct Piece<'a, T> {
    k: usize,
    n: usize,
    depth: usize,
    a: &'a [T],
    wt: &'a [T],
}

impl<T: Real> Piece<'_, T> {
    /// M rows from `i` on, all units: in tiles of up to `N`, all of about the same width. While each works, one of the rows from
    /// `next` on is brought nearer.
    ///
    /// # Safety
    /// As [`pieces`].
    #[inline(always)]
    unsafe fn rows<V: Lanes<T>, const VECS: usize, const M: usize, const N: usize>(
        self,
        i: usize,
        next: *const T,
        sums: &mut [T],
    ) {
        let tiles = self.n.div_ceil(N);
        let mut j = 0;
        for tile in 0..tiles {
            let width = (self.n - j).div_ceil(tiles - tile);
            let ahead = next.wrapping_add(tile % M * self.k);
            // SAFETY: the caller's; four and more units in tiles of up to three or five are two or more each.
            unsafe {
                match width {
                    5 => self.tile::<V, VECS, M, 5>([i, j], ahead, sums),
                    4 => self.tile::<V, VECS, M, 4>([i, j], ahead, sums),
                    3 => self.tile::<V, VECS, M, 3>([i, j], ahead, sums),
                    _ => self.tile::<V, VECS, M, 2>([i, j], ahead, sums),
                }
            }
            j += width;
        }
    }

    /// M rows from `i` on, N units from `j` on; a line from `ahead` on is brought nearer at each step.
    ///
    /// # Safety
    /// As [`pieces`]; there are so many.
    #[expect(
        clippy::needless_range_loop,
        reason = "several arrays are walked at once; all bounds are constant"
    )]
    #[inline(always)]
    unsafe fn tile<V: Lanes<T>, const VECS: usize, const M: usize, const N: usize>(
        self,
        [i, j]: [usize; 2],
        mut ahead: *const T,
        sums: &mut [T],
    ) {
        let lanes = lanes::<T>();
        // SAFETY: the caller's.
        unsafe {
            let a = |row: usize, p: usize| self.a.as_ptr().add((i + row) * self.k + p);
            let mut wt = self.wt.as_ptr().add(j * lanes);
            let at = |row: usize, unit: usize, v: usize| ((i + row) * self.n + j + unit) * lanes + v * V::N;
            let mut sum = [[[V::zero(); VECS]; N]; M];
            for row in 0..M {
                for unit in 0..N {
                    for v in 0..VECS {
                        sum[row][unit][v] = V::load(sums.as_ptr().add(at(row, unit, v)));
                    }
                }
            }
            let mut p = 0;
            while p + lanes <= self.depth {
                bring(ahead);
                ahead = ahead.wrapping_add(lanes);
                for v in 0..VECS {
                    let w: [V; N] = std::array::from_fn(|unit| V::load(wt.add(unit * lanes + v * V::N)));
                    for row in 0..M {
                        let a = V::load(a(row, p + v * V::N));
                        for unit in 0..N {
                            sum[row][unit][v] = sum[row][unit][v].add_product(a, w[unit]);
                        }
                    }
                }
                p += lanes;
                wt = wt.wrapping_add(self.n * lanes);
            }
            for v in 0..VECS {
                let p = p + v * V::N;
                let count = self.depth.saturating_sub(p).min(V::N);
                if count > 0 {
                    let w: [V; N] = std::array::from_fn(|unit| V::load(wt.add(unit * lanes + v * V::N)));
                    for row in 0..M {
                        let a = V::load_part(a(row, p), count);
                        for unit in 0..N {
                            sum[row][unit][v] = sum[row][unit][v].add_product(a, w[unit]);
                        }
                    }
                }
            }
            for row in 0..M {
                for unit in 0..N {
                    for v in 0..VECS {
                        sum[row][unit][v].store(sums.as_mut_ptr().add(at(row, unit, v)));
                    }
                }
            }
        }
    }
}

/// Z = b + the totals of the lanes.   sums (m, n, lanes)  z (m, n)
fn totals<T: Real>(sums: &[T], b: &[T], z: &mut [T]) {
    assert!(sums.len() == z.len() * lanes::<T>() && z.len().is_multiple_of(b.len()));
    // SAFETY: the assertion bounds every index. Speed: 15 additions a number.
    unsafe { totals_in_vectors(sums, b, z) };
}

in_vectors!(totals_in_vectors => add_lanes(sums: &[T], b: &[T], z: &mut [T]));

/// # Safety
/// As [`totals`] asserts, and the machine has the instructions of V.
#[inline(always)]
unsafe fn add_lanes<T: Real, V: Lanes<T>, const VECS: usize, const M: usize, const N: usize>(
    sums: &[T],
    b: &[T],
    z: &mut [T],
) {
    let biases = b.iter().cycle();
    for ((sums, z), &b) in sums.chunks_exact(lanes::<T>()).zip(z).zip(biases) {
        // SAFETY: the caller's; VECS vectors are `lanes` numbers.
        *z =
            unsafe { in_halves::<T, V, VECS>(std::array::from_fn(|v| V::load(sums.as_ptr().add(v * V::N)))) }
                + b;
    }
}

/// z = a W + b with the sums of [`Dots::forward`], for one row: W is read once, as it lies.   a (k)  w (k, n)  b, z (n)
fn row<T: Real>(a: &[T], w: &[T], b: &[T], z: &mut [T]) {
    assert!(w.len() == a.len() * z.len() && b.len() == z.len() && z.len() <= UNITS);
    // SAFETY: the assertion bounds every index. Speed: W of 784 inputs and 10 units in 1 µs, where it takes 5 to transpose it.
    unsafe { row_in_vectors(a, w, b, z) };
}

in_vectors!(row_in_vectors => lanes_of_row(a: &[T], w: &[T], b: &[T], z: &mut [T]));

/// # Safety
/// As [`row`] asserts, and the machine has the instructions of V.
#[inline(always)]
unsafe fn lanes_of_row<T: Real, V: Lanes<T>, const VECS: usize, const M: usize, const N: usize>(
    a: &[T],
    w: &[T],
    b: &[T],
    z: &mut [T],
) {
    let n = z.len();
    let width = n.next_multiple_of(V::N);
    let mut buffer = MaybeUninit::<[T; 16 * UNITS.next_multiple_of(16)]>::uninit();
    let sums = zeroed(&mut buffer, lanes::<T>() * width);
    for (p, (a, w)) in a.iter().zip(w.chunks_exact(n)).enumerate() {
        let sums = &mut sums[p % lanes::<T>() * width..][..width];
        for j in (0..n).step_by(V::N) {
            // SAFETY: the caller's; `sums` has whole vectors, and of `w` no more is read than there is.
            unsafe {
                let from = w.as_ptr().add(j);
                let w = if j + V::N <= n { V::load(from) } else { V::load_part(from, n - j) };
                let to = sums.as_mut_ptr().add(j);
                V::load(to).add_product(V::splat(a), w).store(to);
            }
        }
    }
    let mut half = lanes::<T>() * width;
    while half > width {
        half /= 2;
        let (lower, upper) = sums[..2 * half].split_at_mut(half);
        lower.iter_mut().zip(upper).for_each(|(lower, upper)| *lower += *upper);
    }
    z.iter_mut().zip(&*sums).zip(b).for_each(|((z, &sum), &b)| *z = sum + b);
}
