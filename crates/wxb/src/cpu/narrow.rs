//! Layers of one to three units. Their Z would fill an eighth of a vector of outputs, so the vectors go along the
//! inputs: each z is [`LANES`] sums, over k modulo `LANES`, which are added in pairs at the end.

use super::Isa;
use super::lanes::Lanes;
use super::threads::{rows_per_task, split};
use crate::real::Real;

/// Units up to which a layer is narrow.
pub const UNITS: usize = 3;
/// Partial sums of each z: a 256-bit vector in single precision, two in double.
const LANES: usize = 8;
/// Rows at a time: with three units 12 sums.
const ROWS: usize = 4;

/// Z = A_in W + b.   a_in (m, k)  w (k, n)  b (n)  z (m, n), n ≤ 3
pub fn forward<T: Real>([m, k, n]: [usize; 3], a_in: &[T], w: &[T], b: &[T], z: &mut [T], scratch: &mut [T]) {
    let wt = &mut scratch[..n * k];
    for (j, wt) in wt.chunks_exact_mut(k).enumerate() {
        wt.iter_mut().zip(w.chunks_exact(n)).for_each(|(wt, w)| *wt = w[j]);
    }
    let wt = &*wt;
    let least = rows_per_task(m, m * k * n, ROWS);
    split(&mut z[..m * n], n, ROWS, least, 0, &|first, z| {
        let rows = z.len() / n;
        let a_in = &a_in[first * k..(first + rows) * k];
        match n {
            1 => units::<T, 1>(k, a_in, wt, b, z),
            2 => units::<T, 2>(k, a_in, wt, b, z),
            _ => units::<T, 3>(k, a_in, wt, b, z),
        }
    });
}

/// Z of some rows; wt (N, k) is Wᵀ.
fn units<T: Real, const N: usize>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) {
    assert!(z.len().is_multiple_of(N) && a_in.len() == z.len() / N * k && wt.len() == N * k && b.len() == N);
    // SAFETY: `Isa::current` is what this machine has, and the assertion bounds every index. Speed: a vector of
    // inputs a multiplication, where a tile would fill one of eight columns.
    unsafe {
        match (Isa::current(), size_of::<T>()) {
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2 | Isa::Avx512, 4) => avx2::<T, 1, N>(k, a_in, wt, b, z),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2 | Isa::Avx512, _) => avx2::<T, 2, N>(k, a_in, wt, b, z),
            (_, 4) => rows::<T, T::Portable, 2, N>(k, a_in, wt, b, z),
            _ => rows::<T, T::Portable, 4, N>(k, a_in, wt, b, z),
        }
    }
}

/// # Safety
/// As [`rows`], on a machine with AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T: Real, const VECS: usize, const N: usize>(
    k: usize,
    a_in: &[T],
    wt: &[T],
    b: &[T],
    z: &mut [T],
) {
    // SAFETY: the caller's.
    unsafe { rows::<T, T::Avx2, VECS, N>(k, a_in, wt, b, z) };
}

/// # Safety
/// The lengths fit each other, `VECS` vectors have [`LANES`] numbers, and the machine has their instructions.
#[inline(always)]
unsafe fn rows<T: Real, V: Lanes<T>, const VECS: usize, const N: usize>(
    k: usize,
    a_in: &[T],
    wt: &[T],
    b: &[T],
    z: &mut [T],
) {
    let whole = z.len() / N / ROWS * ROWS;
    let (quick, rest) = z.split_at_mut(whole * N);
    // SAFETY: the caller's.
    unsafe {
        for (a, z) in a_in.chunks_exact(ROWS * k).zip(quick.chunks_exact_mut(ROWS * N)) {
            dots::<T, V, VECS, ROWS, N>(k, a, wt, b, z);
        }
        for (a, z) in a_in[whole * k..].chunks_exact(k).zip(rest.chunks_exact_mut(N)) {
            dots::<T, V, VECS, 1, N>(k, a, wt, b, z);
        }
    }
}

/// z[i, j] = a_i · w_j + b_j
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
                for i in 0..M {
                    let a = V::load_part(a(i, p), count);
                    for j in 0..N {
                        sum[i][j][v] = sum[i][j][v].add_product(a, w[j]);
                    }
                }
            }
        }
        for i in 0..M {
            for j in 0..N {
                let mut lanes = [T::ZERO; LANES];
                for v in 0..VECS {
                    sum[i][j][v].store(lanes.as_mut_ptr().add(v * V::N));
                }
                z[i * N + j] = in_pairs(lanes) + b[j];
            }
        }
    }
}

#[inline(always)]
fn in_pairs<T: Real>(s: [T; LANES]) -> T {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}
