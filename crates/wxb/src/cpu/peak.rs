//! What the processor can do at the most: a loop of fused multiply-adds that never leaves the registers. The share of it
//! that a kernel reaches is a figure that can be compared between machines. The loop has no clock; its caller has.

use std::hint::black_box;

/// A fused multiply-add takes 4 to 5 cycles and two can start in each: 10 must be under way at once, and 12 leave 4 of
/// the 16 vector registers of AVX2 for the factor and the summand.
const ACCUMULATORS: usize = 12;
/// Numbers of f32 in a 256-bit vector.
const LANES: usize = 8;

/// FLOP of one iteration of [`fma_loop`]: a multiplication and an addition in every lane of every accumulator.
pub const FLOP_PER_ITERATION: usize = 2 * LANES * ACCUMULATORS;

/// a ← a x + y for each of the accumulators, so many times; returns a number that depends on all of them.
pub fn fma_loop(iterations: usize) -> f32 {
    let (x, y) = (black_box(0.999), black_box(0.001));
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: both features were found on this machine. Speed: it is the measure of speed.
        return unsafe { accumulate_avx2(iterations, x, y) };
    }
    accumulate::<{ cfg!(target_arch = "aarch64") }>(iterations, x, y)
}

/// [`accumulate`] compiled for AVX2 with FMA.
///
/// # Safety
/// The machine must have both.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn accumulate_avx2(iterations: usize, x: f32, y: f32) -> f32 {
    accumulate::<true>(iterations, x, y)
}

#[inline(always)]
fn accumulate<const FMA: bool>(iterations: usize, x: f32, y: f32) -> f32 {
    let mut sums: [[f32; LANES]; ACCUMULATORS] = std::array::from_fn(|i| [0.5 + i as f32; LANES]);
    for _ in 0..iterations {
        for sum in &mut sums {
            for a in sum {
                *a = if FMA { a.mul_add(x, y) } else { *a * x + y };
            }
        }
    }
    sums.iter().flatten().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accumulator_takes_part() {
        let start: f64 = (0..ACCUMULATORS).map(|i| LANES as f64 * (0.5 + i as f64)).sum();
        let count = (LANES * ACCUMULATORS) as f64;
        for (iterations, expected) in [
            (0, start),
            (1, 0.999 * start + 0.001 * count),
            (2, 0.999 * (0.999 * start + 0.001 * count) + 0.001 * count),
        ] {
            let found = f64::from(fma_loop(iterations));
            assert!((found - expected).abs() < 1e-3, "{iterations}: {found}, not {expected}");
        }
    }
}
