//! Layers of one to three units. Their Z would fill an eighth of a vector of outputs, so the vectors go along the
//! inputs: each z is [`LANES`] sums, over k modulo `LANES`, which are added in pairs at the end.

use super::for_each_isa;
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
            1 => one(k, a_in, wt, b, z),
            2 => two(k, a_in, wt, b, z),
            _ => three(k, a_in, wt, b, z),
        }
    });
}

for_each_isa! { fn one<T: Real>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) { units::<T, 1>(k, a_in, wt, b, z) } }
for_each_isa! { fn two<T: Real>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) { units::<T, 2>(k, a_in, wt, b, z) } }
for_each_isa! { fn three<T: Real>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) { units::<T, 3>(k, a_in, wt, b, z) } }

#[inline(always)]
fn units<T: Real, const N: usize>(k: usize, a_in: &[T], wt: &[T], b: &[T], z: &mut [T]) {
    let wt: [&[T]; N] = std::array::from_fn(|j| &wt[j * k..][..k]);
    let whole = z.len() / N / ROWS * ROWS;
    for (a, z) in a_in.chunks_exact(ROWS * k).zip(z.chunks_exact_mut(ROWS * N)) {
        let a: [&[T]; ROWS] = std::array::from_fn(|i| &a[i * k..][..k]);
        dots::<T, ROWS, N>(a, wt, b, z);
    }
    for (a, z) in a_in[whole * k..].chunks_exact(k).zip(z[whole * N..].chunks_exact_mut(N)) {
        dots::<T, 1, N>([a], wt, b, z);
    }
}

/// z[i, j] = a_i · w_j + b_j
#[inline(always)]
fn dots<T: Real, const M: usize, const N: usize>(a: [&[T]; M], wt: [&[T]; N], b: &[T], z: &mut [T]) {
    let mut sum = [[[T::ZERO; LANES]; N]; M];
    let a = a.map(|a| a.as_chunks::<LANES>());
    let wt = wt.map(|w| w.as_chunks::<LANES>());
    for p in 0..wt[0].0.len() {
        add::<T, M, N>(&mut sum, a.map(|a| a.0[p]), wt.map(|w| w.0[p]));
    }
    add::<T, M, N>(&mut sum, a.map(|a| padded(a.1)), wt.map(|w| padded(w.1)));
    for i in 0..M {
        for j in 0..N {
            z[i * N + j] = in_pairs(sum[i][j]) + b[j];
        }
    }
}

#[inline(always)]
fn add<T: Real, const M: usize, const N: usize>(
    sum: &mut [[[T; LANES]; N]; M],
    a: [[T; LANES]; M],
    w: [[T; LANES]; N],
) {
    for i in 0..M {
        for j in 0..N {
            for lane in 0..LANES {
                sum[i][j][lane] += a[i][lane] * w[j][lane];
            }
        }
    }
}

#[inline(always)]
fn padded<T: Real>(values: &[T]) -> [T; LANES] {
    let mut lanes = [T::ZERO; LANES];
    lanes.iter_mut().zip(values).for_each(|(lane, &value)| *lane = value);
    lanes
}

#[inline(always)]
fn in_pairs<T: Real>(s: [T; LANES]) -> T {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}
