//! Pools of threads: one for each process and number of threads.
//!
//! Threads do not survive a fork, so that the child of one (joblib's `multiprocessing`, a web server's workers) makes pools of its own
//! and never touches rayon's global one. All trainings of a process that ask for as many threads share a pool: many at a time
//! (joblib's `threading`) do not have more threads than one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

struct Pool {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

/// How often a waiting thread looks for Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

/// The pool of so many threads. 0: `OMP_NUM_THREADS`, which loky and batch systems set to a process's share of the cores; where it is
/// not set, the cores that the process may use.
pub fn of(threads: usize) -> PyResult<Arc<ThreadPool>> {
    let threads = if threads == 0 { usual_threads() } else { threads };
    let process = std::process::id();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = pools.iter().find(|pool| (pool.process, pool.threads) == (process, threads)) {
        return Ok(found.pool.clone());
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("wxb-{i}")).build();
    let pool = Arc::new(pool.map_err(|error| PyRuntimeError::new_err(format!("threads: {error}")))?);
    pools.push(Pool { process, threads, pool: pool.clone() });
    Ok(pool)
}

fn usual_threads() -> usize {
    // "4,2" are the numbers for nested regions.
    let outer = |text: String| text.split(',').next().and_then(|n| n.trim().parse().ok());
    let told: Option<usize> = std::env::var("OMP_NUM_THREADS").ok().and_then(outer);
    told.filter(|&n| n > 0).unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Works in a pool while the calling thread, without the interpreter, waits and looks for signals: only the main thread gets to know of
/// them. The first exception of a signal's handler sets `stop`, and comes back beside what the work came to.
pub fn work<R: Send>(
    py: Python<'_>,
    pool: &ThreadPool,
    stop: &AtomicBool,
    work: impl FnOnce() -> R + Send,
) -> (R, Option<PyErr>) {
    if pool.current_thread_index().is_some() {
        // A callback of other work in this pool, whose thread this is: waiting, it would wait for itself.
        return (py.detach(work), None);
    }
    py.detach(|| {
        let (done, waiting) = mpsc::channel::<()>();
        let (mut result, mut signal) = (None, None);
        pool.in_place_scope(|scope| {
            let result = &mut result;
            scope.spawn(move |_| {
                // Dropped at the end, by a panic too: the other side wakes.
                let _done = done;
                *result = Some(work());
            });
            while let Err(mpsc::RecvTimeoutError::Timeout) = waiting.recv_timeout(POLL) {
                if signal.is_none() {
                    signal = Python::attach(|py| py.check_signals()).err();
                    stop.fetch_or(signal.is_some(), Ordering::Relaxed);
                }
            }
        });
        (result.expect("the scope ends after the work"), signal)
    })
}
