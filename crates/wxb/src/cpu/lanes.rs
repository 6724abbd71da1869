//! Vector registers by name: what the register tiles need of them.
//!
//! Arrays that the compiler turns into registers did the same at the same speed, until a change of three lines
//! elsewhere in the function made it keep them in memory (38 → 16 GFLOP/s, rustc 1.95): hence intrinsics.

use crate::real::Real;

/// A vector of numbers of type `T`.
///
/// # Safety
/// Every function may only run on a machine that has the instructions of the type.
pub unsafe trait Lanes<T>: Copy {
    /// How many numbers it holds.
    const N: usize;
    /// 0 in every lane.
    ///
    /// # Safety
    /// As the trait's.
    unsafe fn zero() -> Self;
    /// The same number in every lane.
    ///
    /// # Safety
    /// As the trait's; `value` is readable.
    unsafe fn splat(value: *const T) -> Self;
    /// N numbers from memory, at any address.
    ///
    /// # Safety
    /// As the trait's; N numbers are readable.
    unsafe fn load(from: *const T) -> Self;
    /// The first `count` numbers from memory, and zeros.
    ///
    /// # Safety
    /// As the trait's; `count` numbers are readable, at most N.
    unsafe fn load_part(from: *const T, count: usize) -> Self;
    /// As [`Lanes::load_part`], where N numbers are readable: faster on some machines.
    ///
    /// # Safety
    /// As the trait's; N numbers are readable.
    unsafe fn load_first(from: *const T, count: usize) -> Self;
    /// N numbers to memory, at any address.
    ///
    /// # Safety
    /// As the trait's; N numbers are writable.
    unsafe fn store(self, to: *mut T);
    /// `a · b + self`.
    ///
    /// # Safety
    /// As the trait's.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;
    /// `self + other`.
    ///
    /// # Safety
    /// As the trait's.
    unsafe fn add(self, other: Self) -> Self;
    /// The sum of all lanes: the upper half is added to the lower one until one number is left.
    ///
    /// # Safety
    /// As the trait's.
    unsafe fn sum(self) -> T;
}

/// The vectors of a precision.
pub trait Vectors: Sized {
    /// 128 bits, everywhere.
    type Portable: Lanes<Self>;
    /// 256 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Lanes<Self>;
    /// 512 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Lanes<Self>;
}

impl Vectors for f32 {
    type Portable = Plain<f32, 4>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86::__m256;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86::__m512;
}

impl Vectors for f64 {
    type Portable = Plain<f64, 2>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86::__m256d;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86::__m512d;
}

/// Numbers that the compiler puts into whatever registers the target has.
#[derive(Clone, Copy)]
pub struct Plain<T, const N: usize>([T; N]);

// SAFETY: no special instructions.
unsafe impl<T: Real, const N: usize> Lanes<T> for Plain<T, N> {
    const N: usize = N;
    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([T::ZERO; N])
    }
    #[inline(always)]
    unsafe fn splat(value: *const T) -> Self {
        // SAFETY: the caller's pointer.
        Self([unsafe { *value }; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's pointer, for N numbers.
        Self(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_part(from: *const T, count: usize) -> Self {
        // SAFETY: the caller's pointer, for `count` numbers.
        Self(std::array::from_fn(|i| if i < count { unsafe { *from.add(i) } } else { T::ZERO }))
    }
    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        // SAFETY: the caller's pointer, for N numbers.
        let all: [T; N] = unsafe { from.cast::<[T; N]>().read_unaligned() };
        Self(std::array::from_fn(|i| if i < count { all[i] } else { T::ZERO }))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's pointer, for N numbers.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) };
    }
    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // Without the instruction, `mul_add` is a call of some 20 ns.
        let fused = cfg!(target_arch = "aarch64");
        Self(std::array::from_fn(|i| {
            if fused { a.0[i].mul_add(b.0[i], self.0[i]) } else { a.0[i] * b.0[i] + self.0[i] }
        }))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        let (mut s, mut n) = (self.0, N);
        while n > 1 {
            n /= 2;
            (0..n).for_each(|i| s[i] += s[i + n]);
        }
        s[0]
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;
    pub use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

    /// A mask of `count` lanes begins 8 − count numbers in.
    static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    macro_rules! part {
        ($name:ident, $t:ty, $vector:ty, $features:literal, |$from:ident, $count:ident| $load:expr) => {
            /// # Safety
            /// As [`Lanes::load_part`].
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn $name($from: *const $t, $count: usize) -> $vector {
                // SAFETY: the caller's.
                unsafe { $load }
            }
        };
    }
    part!(first_256_ps, f32, __m256, "avx2", |from, count| {
        _mm256_and_ps(_mm256_loadu_ps(from), _mm256_loadu_ps(MASKS.as_ptr().add(8 - count).cast()))
    });
    part!(first_256_pd, f64, __m256d, "avx2", |from, count| {
        _mm256_and_pd(_mm256_loadu_pd(from), _mm256_loadu_pd(MASKS.as_ptr().add(8 - 2 * count).cast()))
    });
    part!(part_256_ps, f32, __m256, "avx2", |from, count| {
        _mm256_maskload_ps(from, _mm256_loadu_si256(MASKS.as_ptr().add(8 - count).cast()))
    });
    part!(part_256_pd, f64, __m256d, "avx2", |from, count| {
        _mm256_maskload_pd(from, _mm256_loadu_si256(MASKS.as_ptr().add(8 - 2 * count).cast()))
    });
    part!(part_512_ps, f32, __m512, "avx512f", |from, count| {
        _mm512_maskz_loadu_ps(((1u32 << count) - 1) as __mmask16, from)
    });
    part!(part_512_pd, f64, __m512d, "avx512f", |from, count| {
        _mm512_maskz_loadu_pd(((1u32 << count) - 1) as __mmask8, from)
    });

    macro_rules! sum {
        ($name:ident, $t:ty, $vector:ty, $features:literal, |$s:ident| $sum:expr) => {
            /// # Safety
            /// As [`Lanes::sum`].
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn $name($s: $vector) -> $t {
                $sum
            }
        };
    }
    sum!(sum_256_ps, f32, __m256, "avx2", |s| {
        let s = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps::<1>(s));
        let s = _mm_add_ps(s, _mm_movehl_ps(s, s));
        _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)))
    });
    sum!(sum_256_pd, f64, __m256d, "avx2", |s| {
        let s = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd::<1>(s));
        _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)))
    });
    sum!(sum_512_ps, f32, __m512, "avx512f,avx512dq,avx2", |s| {
        let s = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps::<1>(s));
        // SAFETY: this function has AVX2.
        unsafe { sum_256_ps(s) }
    });
    sum!(sum_512_pd, f64, __m512d, "avx512f,avx2", |s| {
        let s = _mm256_add_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd::<1>(s));
        // SAFETY: this function has AVX2.
        unsafe { sum_256_pd(s) }
    });

    macro_rules! lanes {
        ($t:ty, $vector:ty, $n:literal, $zero:ident, $splat:ident, $load:ident, $part:ident, $first:ident, $store:ident, $fma:ident, $add:ident, $sum:ident) => {
            // SAFETY: each function is one instruction; the caller vouches for the machine and the pointers.
            unsafe impl Lanes<$t> for $vector {
                const N: usize = $n;
                #[inline(always)]
                unsafe fn zero() -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $zero() }
                }
                #[inline(always)]
                unsafe fn splat(value: *const $t) -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $splat(*value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $t) -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn load_part(from: *const $t, count: usize) -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $part(from, count) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $t, count: usize) -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $first(from, count) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $t) {
                    // SAFETY: as the trait says.
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn add_product(self, a: Self, b: Self) -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $fma(a, b, self) }
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    // SAFETY: as the trait says.
                    unsafe { $add(self, other) }
                }
                #[inline(always)]
                unsafe fn sum(self) -> $t {
                    // SAFETY: as the trait says.
                    unsafe { $sum(self) }
                }
            }
        };
    }
    #[rustfmt::skip]
    mod widths {
        use super::*;
        lanes!(f32, __m256, 8, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, part_256_ps, first_256_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_add_ps, sum_256_ps);
        lanes!(f64, __m256d, 4, _mm256_setzero_pd, _mm256_set1_pd, _mm256_loadu_pd, part_256_pd, first_256_pd, _mm256_storeu_pd, _mm256_fmadd_pd, _mm256_add_pd, sum_256_pd);
        lanes!(f32, __m512, 16, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, part_512_ps, part_512_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_add_ps, sum_512_ps);
        lanes!(f64, __m512d, 8, _mm512_setzero_pd, _mm512_set1_pd, _mm512_loadu_pd, part_512_pd, part_512_pd, _mm512_storeu_pd, _mm512_fmadd_pd, _mm512_add_pd, sum_512_pd);
    }
}
