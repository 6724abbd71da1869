//! Layers of one to three units. Their Z would fill an eighth of a vector of outputs, so the vectors go along the
//! inputs: each z is [`LANES`] sums, over k modulo `LANES`, of which halves are added until one number is left. dW is
//! the chain that it is for every layer.

use super::Isa;
use super::lanes::Lanes;
use super::threads::{rows_per_task, split};
use crate::real::Real;

/// Units up to which a layer is narrow.
pub const UNITS: usize = 3;
/// Partial sums of each z: a 256-bit vector in single precision, two in double.
const LANES: usize = 8;
/// Rows that a thread's share is a multiple of.
const ROWS: usize = 8;

/// Calls a function over `V: Lanes` with the vectors of the instruction set in use, compiled for it.
macro_rules! in_vectors {
    ($name:ident => $body:ident($($arg:ident : $ty:ty),*)) => {
        /// # Safety
        /// The lengths fit each other.
        unsafe fn $name<T: Real, const N: usize, const M: usize>($($arg: $ty),*) {
            /// # Safety
            /// The lengths fit each other, and the machine has AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2<T: Real, const VECS: usize, const N: usize, const M: usize>($($arg: $ty),*) {
                // SAFETY: the caller's.
                unsafe { $body::<T, T::Avx2, VECS, N, M>($($arg),*) };
            }
            // SAFETY: the caller's, and `Isa::current` is what this machine has.
            unsafe {
                match (Isa::current(), size_of::<T>()) {
                    #[cfg(target_arch = "x86_64")]
                    (Isa::Avx2 | Isa::Avx512, 4) => avx2::<T, 1, N, M>($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    (Isa::Avx2 | Isa::Avx512, _) => avx2::<T, 2, N, M>($($arg),*),
                    (_, 4) => $body::<T, T::Portable, 2, N, M>($($arg),*),
                    _ => $body::<T, T::Portable, 4, N, M>($($arg),*),
                }
            }
        }
    };
}

/// Z = A_in W + b.   a_in (m, k)  wt (n, k), W transposed  b (n)  z (m, n), n ≤ 3
pub fn forward<T: Real>(m: usize, k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) {
    let n = b.len();
    let least = rows_per_task(m, m * k * n, ROWS);
    split(&mut z[..m * n], n, ROWS, least, 0, &|first, z| forward_rows(k, &a_in[first * k..], wt, b, z));
}

/// [`forward`] for the rows of Z that there are, on one thread.
pub fn forward_rows<T: Real>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) {
    let a_in = &a_in[..z.len() / b.len() * k];
    match b.len() {
        1 => units::<T, 1, 8>(k, a_in, wt, b, z),
        2 => units::<T, 2, 4>(k, a_in, wt, b, z),
        _ => units::<T, 3, 4>(k, a_in, wt, b, z),
    }
}

/// Wᵀ (n, k) of W (k, n).
pub fn transposed<'a, T: Real>(w: &'a [T], n: usize, scratch: &'a mut [T]) -> &'a [T] {
    if n == 1 {
        return w;
    }
    let wt = &mut scratch[..w.len()];
    for (j, wt) in wt.chunks_exact_mut(w.len() / n).enumerate() {
        wt.iter_mut().zip(w.chunks_exact(n)).for_each(|(wt, w)| *wt = w[j]);
    }
    wt
}

/// Z of some rows, `M` at a time, so that there are 8 to 12 sums; wt (N, k) is Wᵀ.
fn units<T: Real, const N: usize, const M: usize>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) {
    assert!(z.len().is_multiple_of(N) && a_in.len() == z.len() / N * k && wt.len() == N * k && b.len() == N);
    // SAFETY: the assertion bounds every index. Speed: a vector of inputs a multiplication, where a tile would fill one of
    // eight columns.
    unsafe { rows_in_vectors::<T, N, M>(k, a_in, wt, b, z) };
}

in_vectors!(rows_in_vectors => rows(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]));

/// # Safety
/// The lengths fit each other, `VECS` vectors have [`LANES`] numbers, and the machine has their instructions.
#[inline(always)]
unsafe fn rows<T: Real, V: Lanes<T>, const VECS: usize, const N: usize, const M: usize>(
    k: usize,
    a_in: &[T],
    wt: &[T],
    b: &[T],
    z: &mut [T],
) {
    let whole = z.len() / N / M * M;
    let (quick, rest) = z.split_at_mut(whole * N);
    // SAFETY: the caller's.
    unsafe {
        for (group, z) in quick.chunks_exact_mut(M * N).enumerate() {
            dots::<T, V, VECS, M, N>(k, &a_in[group * M * k..], wt, b, z);
        }
        for (row, z) in rest.chunks_exact_mut(N).enumerate() {
            dots::<T, V, VECS, 1, N>(k, &a_in[(whole + row) * k..], wt, b, z);
        }
    }
}

/// z[i, j] = a_i · w_j + b_j; what follows the rows in `a` is read where a vector crosses their end, and not used.
///
/// # Safety
/// As [`rows`].
#[expect(clippy::needless_range_loop, reason = "several arrays are walked at once; all bounds are constant")]
#[inline(always)]
unsafe fn dots<T: Real, V: Lanes<T>, const VECS: usize, const M: usize, const N: usize>(
    k: usize,
    a: &[T],
    wt: &[T],
    b: &[T],
    z: &mut [T],
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sum = [[[V::zero(); VECS]; N]; M];
        let whole = k / LANES * LANES;
        let end = a.len();
        let a = |i: usize, p: usize| a.as_ptr().add(i * k + p);
        let w = |j: usize, p: usize| wt.as_ptr().add(j * k + p);
        for p in (0..whole).step_by(LANES) {
            for v in 0..VECS {
                let w: [V; N] = std::array::from_fn(|j| V::load(w(j, p + v * V::N)));
                for i in 0..M {
                    let a = V::load(a(i, p + v * V::N));
                    for j in 0..N {
                        sum[i][j][v] = sum[i][j][v].add_product(a, w[j]);
                    }
                }
            }
        }
        for v in 0..VECS {
            let p = whole + v * V::N;
            let count = k.saturating_sub(p).min(V::N);
            if count > 0 {
                let w: [V; N] = std::array::from_fn(|j| V::load_part(w(j, p), count));
                let inside = (M - 1) * k + p + V::N <= end;
                for i in 0..M {
                    let a = if inside { V::load_first(a(i, p), count) } else { V::load_part(a(i, p), count) };
                    for j in 0..N {
                        sum[i][j][v] = sum[i][j][v].add_product(a, w[j]);
                    }
                }
            }
        }
        for i in 0..M {
            for j in 0..N {
                z[i * N + j] = in_halves(sum[i][j]) + b[j];
            }
        }
    }
}

/// The sum of [`LANES`] numbers in one or more vectors: halves are added until one number is left.
///
/// # Safety
/// The machine has the instructions of the vectors.
#[inline(always)]
pub unsafe fn in_halves<T, V: Lanes<T>, const VECS: usize>(mut sum: [V; VECS]) -> T {
    let mut n = VECS;
    // SAFETY: the caller's.
    unsafe {
        while n > 1 {
            n /= 2;
            for v in 0..n {
                sum[v] = sum[v].add(sum[v + n]);
            }
        }
        sum[0].sum()
    }
}

/// dW = A_inᵀ dZ,  db = 1ᵀ dZ.   a_in (m, k)  dz (m, n)  dw (k, n)  db (n), n ≤ 3
///
/// `scratch` has room for n numbers for each input, k rounded up to [`LANES`].
/// A few rows of A_in at a time go along all inputs, as they lie in memory; the sums of dW stay in a cache.
pub fn grad_params<T: Real>(
    [m, k, n]: [usize; 3],
    a_in: &[T],
    dz: &[T],
    dw: &mut [T],
    db: &mut [T],
    scratch: &mut [T],
) {
    let (a_in, dz) = (&a_in[..m * k], &dz[..m * n]);
    let sums = &mut scratch[..k.div_ceil(LANES) * LANES * n];
    let least = rows_per_task(k, m * k * n, LANES).div_ceil(LANES);
    split(sums, LANES * n, 1, least, 0, &|first, sums| match n {
        1 => add_rows::<T, 1, 8>(k, a_in, dz, first * LANES, sums),
        2 => add_rows::<T, 2, 4>(k, a_in, dz, first * LANES, sums),
        _ => add_rows::<T, 3, 4>(k, a_in, dz, first * LANES, sums),
    });
    if n == 1 {
        dw.copy_from_slice(&sums[..k]);
    } else {
        for (p, dw) in dw.chunks_exact_mut(n).enumerate() {
            let at = p / LANES * LANES * n + p % LANES;
            dw.iter_mut().enumerate().for_each(|(j, dw)| *dw = sums[at + j * LANES]);
        }
    }
    match n {
        1 => column_sums::<T, 1>(dz, db),
        2 => column_sums::<T, 2>(dz, db),
        _ => column_sums::<T, 3>(dz, db),
    }
}

/// Four sums of each column, over the rows modulo 4: an addition waits for the one before it.
fn column_sums<T: Real, const N: usize>(dz: &[T], db: &mut [T]) {
    let mut sums = [[T::ZERO; N]; 4];
    let (rows, _) = dz.as_chunks::<N>();
    let (fours, rest) = rows.as_chunks::<4>();
    for four in fours {
        for (sum, dz) in sums.iter_mut().zip(four) {
            sum.iter_mut().zip(dz).for_each(|(sum, &dz)| *sum += dz);
        }
    }
    for (sum, dz) in sums.iter_mut().zip(rest) {
        sum.iter_mut().zip(dz).for_each(|(sum, &dz)| *sum += dz);
    }
    let [s0, s1, s2, s3] = sums;
    db.iter_mut().enumerate().for_each(|(j, db)| *db = (s0[j] + s2[j]) + (s1[j] + s3[j]));
}

/// The sums of dW from input `first` on: (inputs / LANES, N, LANES) numbers, from 0. `M` rows at a time.
fn add_rows<T: Real, const N: usize, const M: usize>(
    k: usize,
    a_in: &[T],
    dz: &[T],
    first: usize,
    sums: &mut [T],
) {
    assert!(a_in.len() == dz.len() / N * k && sums.len().is_multiple_of(N * LANES));
    assert!(first + sums.len() / N < k + LANES);
    sums.fill(T::ZERO);
    // SAFETY: the assertions bound every index. Speed: X is read once, in the order of memory, where a tile would fill one
    // of eight columns.
    unsafe { add_in_vectors::<T, N, M>(k, a_in, dz, first, sums) };
}

in_vectors!(add_in_vectors => add(k: usize, a_in: &[T], dz: &[T], first: usize, sums: &mut [T]));

/// # Safety
/// The lengths fit each other, `VECS` vectors have [`LANES`] numbers, and the machine has their instructions.
#[inline(always)]
unsafe fn add<T: Real, V: Lanes<T>, const VECS: usize, const N: usize, const M: usize>(
    k: usize,
    a_in: &[T],
    dz: &[T],
    first: usize,
    sums: &mut [T],
) {
    let whole = dz.len() / N / M * M;
    // SAFETY: the caller's.
    unsafe {
        for (group, dz) in dz.chunks_exact(M * N).enumerate() {
            products::<T, V, VECS, N, M>([k, first], &a_in[group * M * k..], dz, sums);
        }
        for (row, dz) in dz[whole * N..].chunks_exact(N).enumerate() {
            products::<T, V, VECS, N, 1>([k, first], &a_in[(whole + row) * k..], dz, sums);
        }
    }
}

/// sums[p, j] += Σ_i a[i, p] dz[i, j], p from `first` on. The sums of inputs that there are not are anything: what follows
/// the rows in `a` is read there.
///
/// # Safety
/// As [`add`].
#[expect(clippy::needless_range_loop, reason = "several arrays are walked at once; all bounds are constant")]
#[inline(always)]
unsafe fn products<T: Real, V: Lanes<T>, const VECS: usize, const N: usize, const M: usize>(
    [k, first]: [usize; 2],
    a: &[T],
    dz: &[T],
    sums: &mut [T],
) {
    // SAFETY: the caller's; whole vectors are read as far as `a` goes.
    unsafe {
        let dz: [[V; N]; M] = std::array::from_fn(|i| std::array::from_fn(|j| V::splat(&dz[i * N + j])));
        for (block, sums) in sums.chunks_exact_mut(N * LANES).enumerate() {
            for v in 0..VECS {
                let p = first + block * LANES + v * V::N;
                let inside = (M - 1) * k + p + V::N <= a.len();
                let count = k.saturating_sub(p).min(V::N);
                let at = |j: usize| j * LANES + v * V::N;
                let mut sum: [V; N] = std::array::from_fn(|j| V::load(sums.as_ptr().add(at(j))));
                for i in 0..M {
                    let from = a.as_ptr().wrapping_add(i * k + p);
                    let a = if inside { V::load(from) } else { V::load_part(from, count) };
                    for j in 0..N {
                        sum[j] = sum[j].add_product(a, dz[i][j]);
                    }
                }
                for j in 0..N {
                    sum[j].store(sums.as_mut_ptr().add(at(j)));
                }
            }
        }
    }
}
