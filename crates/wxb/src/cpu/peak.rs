//! What the processor can do at the most: a loop of fused multiply-adds that never leaves the registers. The share of it
//! that a kernel reaches is a figure that can be compared between machines. The loop has no clock; its caller has.

use std::hint::black_box;

use super::Isa;
use super::lanes::{Lanes, Vectors};

/// A fused multiply-add takes 4 to 5 cycles and two can start in each: 10 must be under way at once, and 12 leave 4 of
/// the 16 vector registers of AVX2 for the factor and the summand.
const ACCUMULATORS: usize = 12;

/// FLOP of one iteration of [`fma_loop`]: a multiplication and an addition in every lane of every accumulator.
pub fn flop_per_iteration() -> usize {
    2 * ACCUMULATORS * lanes(Isa::current())
}

/// Numbers of f32 in a vector.
fn lanes(isa: Isa) -> usize {
    match isa {
        Isa::Portable => 4,
        Isa::Avx2 => 8,
        Isa::Avx512 => 16,
    }
}

/// a ← x y + a for each of the accumulators, so many times, with the vectors that the kernels use; returns the
/// sum of all their lanes.
pub fn fma_loop(iterations: usize) -> f32 {
    // SAFETY: `Isa::current` is what this machine has. Speed: it is the measure of speed.
    unsafe {
        match Isa::current() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512(iterations),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2(iterations),
            _ => accumulate::<<f32 as Vectors>::Portable>(iterations),
        }
    }
}

/// # Safety
/// The machine has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512(iterations: usize) -> f32 {
    // SAFETY: the caller's.
    unsafe { accumulate::<<f32 as Vectors>::Avx512>(iterations) }
}

/// # Safety
/// The machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(iterations: usize) -> f32 {
    // SAFETY: the caller's.
    unsafe { accumulate::<<f32 as Vectors>::Avx2>(iterations) }
}

/// # Safety
/// The machine has the instructions of the vectors.
#[inline(always)]
unsafe fn accumulate<V: Lanes<f32>>(iterations: usize) -> f32 {
    let (x, y) = (black_box(0.5_f32), black_box(0.25_f32));
    // SAFETY: the caller's.
    unsafe {
        let (x, y) = (V::splat(&raw const x), V::splat(&raw const y));
        let mut sums = [V::zero(); ACCUMULATORS];
        for _ in 0..iterations {
            for sum in &mut sums {
                *sum = sum.add_product(x, y);
            }
        }
        sums.into_iter().fold(V::zero(), |total, sum| total.add(sum)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_of_every_accumulator_takes_part() {
        for iterations in [0, 1, 2, 1000] {
            let additions = flop_per_iteration() / 2 * iterations;
            assert_eq!(fma_loop(iterations), 0.125 * additions as f32);
        }
    }
}
