//! One row times a matrix that is read as it lies: c = l R + b. Each number of R is used once, so that what counts is how it comes from
//! the caches: in pieces of as many vectors of each row as there are registers for their sums.

use super::Isa;
use super::lanes::Lanes;
use super::threads::{rows_per_task, split};
use crate::real::Real;

/// Columns that a thread's share is a multiple of: 16 vectors of 512 bits.
fn strip<T>() -> usize {
    1024 / size_of::<T>()
}

/// Each row of Z = A_in W + b by itself.   a_in (m, k)  w (k, n)  b (n)  z (m, n)
pub fn forward<T: Real>(a_in: &[T], w: &[T], b: &[T], z: &mut [T]) {
    let (n, k) = (b.len(), w.len() / b.len());
    for (a_in, z) in a_in.chunks_exact(k).zip(z.chunks_exact_mut(n)) {
        let least = rows_per_task(n, k * n, strip::<T>());
        split(z, 1, strip::<T>(), least, 0, &|first, z| columns(a_in, (&w[first..], n), &b[first..], z));
    }
}

/// Some columns of c; `r` begins with the first of them, and its rows are `stride` apart.
fn columns<T: Real>(l: &[T], (r, stride): (&[T], usize), b: &[T], c: &mut [T]) {
    assert!(!l.is_empty() && c.len() <= stride && (l.len() - 1) * stride + c.len() <= r.len());
    assert!(c.len() <= b.len());
    // SAFETY: the assertions bound every index, and `Isa::current` is what this machine has. Speed: 3 to 5 times the baseline's SSE2.
    unsafe {
        match Isa::current() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512(l, (r, stride), b, c),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2(l, (r, stride), b, c),
            _ => in_strips::<T, T::Portable, 8>(l, (r, stride), b, c),
        }
    }
}

/// # Safety
/// As [`in_strips`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512<T: Real>(l: &[T], r: (&[T], usize), b: &[T], c: &mut [T]) {
    // SAFETY: the caller's.
    unsafe { in_strips::<T, T::Avx512, 16>(l, r, b, c) };
}

/// # Safety
/// As [`in_strips`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T: Real>(l: &[T], r: (&[T], usize), b: &[T], c: &mut [T]) {
    // SAFETY: the caller's.
    unsafe { in_strips::<T, T::Avx2, 8>(l, r, b, c) };
}

/// Strips of `MOST` vectors, 8 or 16, then of 8, 4, 2 and 1, then what is less than a vector.
///
/// # Safety
/// The machine has the instructions, and the lengths fit as [`columns`] has found.
#[inline(always)]
unsafe fn in_strips<T: Real, V: Lanes<T>, const MOST: usize>(
    l: &[T],
    (r, stride): (&[T], usize),
    b: &[T],
    c: &mut [T],
) {
    let mut j = 0;
    while j < c.len() {
        let vectors = (c.len() - j) / V::N;
        // SAFETY: the caller's.
        unsafe {
            let (r, b, c) = ((r.as_ptr().add(j), stride), b.as_ptr().add(j), &mut c[j..]);
            j += match vectors {
                16.. if MOST == 16 => strip_of::<T, V, 16>(l, r, b, c),
                8.. => strip_of::<T, V, 8>(l, r, b, c),
                4.. => strip_of::<T, V, 4>(l, r, b, c),
                2.. => strip_of::<T, V, 2>(l, r, b, c),
                1 => strip_of::<T, V, 1>(l, r, b, c),
                _ => part_of_vector::<T, V>(l, r, b, c),
            };
        }
    }
}

/// The first `VECS` vectors of c, and how many numbers that is.
///
/// # Safety
/// As [`in_strips`]; so many columns are left.
#[inline(always)]
unsafe fn strip_of<T: Real, V: Lanes<T>, const VECS: usize>(
    l: &[T],
    (mut r, stride): (*const T, usize),
    b: *const T,
    c: &mut [T],
) -> usize {
    // SAFETY: the caller's.
    unsafe {
        let mut sums: [V; VECS] = std::array::from_fn(|v| V::load(b.add(v * V::N)));
        for l in l {
            let l = V::splat(l);
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add_product(l, V::load(r.add(v * V::N)));
            }
            r = r.wrapping_add(stride);
        }
        for (v, sum) in sums.into_iter().enumerate() {
            sum.store(c.as_mut_ptr().add(v * V::N));
        }
    }
    VECS * V::N
}

/// The columns of c, fewer than a vector has.
///
/// # Safety
/// As [`in_strips`].
#[inline(always)]
unsafe fn part_of_vector<T: Real, V: Lanes<T>>(
    l: &[T],
    (mut r, stride): (*const T, usize),
    b: *const T,
    c: &mut [T],
) -> usize {
    let count = c.len();
    let mut numbers = [T::ZERO; 16];
    // SAFETY: the caller's; a vector has 16 numbers at the most.
    unsafe {
        let mut sum = V::load_part(b, count);
        for l in l {
            sum = sum.add_product(V::splat(l), V::load_part(r, count));
            r = r.wrapping_add(stride);
        }
        sum.store(numbers.as_mut_ptr());
    }
    c.copy_from_slice(&numbers[..count]);
    count
}
