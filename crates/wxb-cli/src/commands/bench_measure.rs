//! Clocks: how long a call takes, and what the processor can do at the most.

use std::hint::black_box;
use std::time::{Duration, Instant};

use wxb::cpu::peak::{flop_per_iteration, fma_loop};
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::{Activation, Error, Initializer, Loss, Network, Real};

/// Seconds of one call, over groups of calls that take a millisecond or more together.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Calls that were measured.
    pub calls: usize,
    pub median: f64,
    /// The tenth part of the groups was faster.
    pub p10: f64,
}

/// A group has to take so long: the clock then counts for less than a ten-thousandth.
const GROUP: Duration = Duration::from_millis(1);
/// Caches fill, pages are touched, the processor's clock rises.
const WARM_UP: Duration = Duration::from_millis(300);
/// A network whose first calls take longer than this is warm enough.
const LONGEST_WARM_UP: Duration = Duration::from_secs(2);

/// Measures for `seconds`, after a warm-up. `calls(n)` makes n calls.
pub fn time<E>(seconds: f64, mut calls: impl FnMut(usize) -> Result<(), E>) -> Result<Timing, E> {
    let started = Instant::now();
    let warm_up = WARM_UP.min(Duration::from_secs_f64(seconds / 2.0));
    let mut warmed = 0;
    while (warmed < 2 || started.elapsed() < warm_up) && started.elapsed() < LONGEST_WARM_UP {
        calls(1)?;
        warmed += 1;
    }
    let one = Instant::now();
    calls(1)?;
    let group = (GROUP.as_secs_f64() / one.elapsed().as_secs_f64()).clamp(1.0, 1e6) as usize;
    let (started, mut times) = (Instant::now(), vec![]);
    while times.len() < 3 || started.elapsed().as_secs_f64() < seconds {
        let started = Instant::now();
        calls(group)?;
        times.push(started.elapsed().as_secs_f64() / group as f64);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[times.len() / share];
    Ok(Timing { calls: times.len() * group, median: at(2), p10: at(10) })
}

/// Allocations so far, of the whole process.
pub fn allocations() -> usize {
    let stats = stats_alloc::INSTRUMENTED_SYSTEM.stats();
    stats.allocations + stats.reallocations
}

/// GFLOP a second of all threads of the pool together.
#[derive(Clone, Copy, Debug)]
pub struct Peaks {
    /// Of a loop of fused multiply-adds in registers.
    pub fma: f64,
    /// Of one large product.
    pub gemm: f64,
}

impl Peaks {
    /// Measures both; about a third of a second.
    pub fn measure<T: Real>() -> Result<Self, Error> {
        // A vector holds half as many numbers of double width.
        let lanes = size_of::<f32>() as f64 / size_of::<T>() as f64;
        Ok(Self { fma: lanes * fma(), gemm: gemm::<T>()? })
    }
}

/// Every thread at once, each with the best of its repetitions: what another process took is not the processor's.
fn fma() -> f64 {
    const ITERATIONS: usize = 1 << 20;
    const REPETITIONS: usize = 8;
    let seconds = |_| {
        let started = Instant::now();
        black_box(fma_loop(black_box(ITERATIONS)));
        started.elapsed().as_secs_f64()
    };
    let best = rayon::broadcast(|_| (0..REPETITIONS).map(seconds).fold(f64::INFINITY, f64::min));
    let flop = (flop_per_iteration() * ITERATIONS) as f64;
    best.iter().map(|seconds| flop / seconds / 1e9).sum()
}

/// The best of some forward passes of 1024 rows through a layer of 1024 inputs and units.
fn gemm<T: Real>() -> Result<f64, Error> {
    const N: usize = 1024;
    const LONG_ENOUGH: Duration = Duration::from_millis(200);
    let network: Network<T> =
        Network::new(&[N, N], Activation::Identity, Loss::SquaredError, Initializer::LecunNormal, 1)?;
    let mut cache = Cache::new(&network, N, Keep::Needed);
    cache.x.copy_from_slice(&network.params.flat[..N * N]);
    let (started, mut best, mut repetitions) = (Instant::now(), f64::INFINITY, 0);
    while repetitions < 2 || started.elapsed() < LONG_ENOUGH {
        let started = Instant::now();
        forward(&network, &mut cache, N, Mode::Predicting);
        black_box(cache.logits());
        best = started.elapsed().as_secs_f64().min(best);
        repetitions += 1;
    }
    Ok(2.0 * (N * N * N) as f64 / best / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_a_millisecond() {
        let mut made = 0;
        let timing = time(0.05, |calls| {
            made += calls;
            std::thread::sleep(Duration::from_micros(200) * calls as u32);
            Ok::<(), ()>(())
        });
        let timing = timing.expect("the calls cannot fail");
        assert!(timing.calls < made && timing.p10 <= timing.median, "{timing:?} of {made}");
        assert!((2e-4..2e-2).contains(&timing.median), "{timing:?}");
    }
}
