//! A team: threads that share the pieces of a training's steps, and stay awake between them.
//!
//! A step is a dozen pieces of 10 to 500 µs for all threads, and between them what one thread does alone. To wake a thread takes 20 to
//! 100 µs on a virtual machine, so that one that sleeps as soon as it finds nothing to do, as those of a usual pool, comes too late: with
//! two of these RealMLP's steps were hardly shorter than with one. Those of a team look for work for about [`PATIENCE`], and let
//! other programs have the processor meanwhile.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Rounds of looking for work, each of some 0.5 µs, before a thread sleeps.
const PATIENCE: u32 = 1000;
/// The most threads that look at once: what more there are sleep as soon as they find nothing, as on large machines most of them would
/// look in vain.
const LOOKERS: usize = 7;
/// What a thread sleeps that waits for a piece which another one has: that one may have lost its processor.
const NAP: Duration = Duration::from_micros(50);
/// Bytes of what a step multiplies below which a second thread costs what it brings: 6 million numbers in single precision, 75 to 150 µs of one
/// core, and half as many in double precision, which take as long.
pub(crate) const SERIAL: usize = 24 << 20;
/// The most pieces that wait; others are done by who makes them.
const PENDING: usize = 256;

thread_local! {
    /// The team that this thread belongs to.
    static TEAM: Cell<Option<NonNull<Team>>> = const { Cell::new(None) };
}

/// Calls `work`, a loop of steps, with a team of as many threads as rayon's pool has here, this one among them. What of `work` is shared
/// out meanwhile is shared out to the team; the bits of results do not depend on it. `multiplied` are the bytes of the numbers that a step multiplies,
/// about three for each row and parameter; below 24 MiB one thread does a step, and there is no team.
///
/// [`fit`](crate::trainer::fit) has one; who calls [`train_step`](crate::trainer::train_step) may want one around all steps.
pub fn with_team<R>(multiplied: usize, work: impl FnOnce() -> R) -> R {
    let threads = rayon::current_num_threads();
    if multiplied < SERIAL || threads == 1 || TEAM.get().is_some() {
        return work();
    }
    let team = Team::new(threads);
    thread::scope(|scope| {
        let _over = Over(&team);
        let serve = |i| thread::Builder::new().name(format!("wxb-{i}")).spawn_scoped(scope, || team.serve());
        // Where the system gives no thread, those that there are do the work.
        let given = (1..threads).filter(|i| serve(*i).is_ok()).count();
        // A thread allocates as it begins, which must not fall into a step.
        while team.begun.load(Ordering::Acquire) < given {
            thread::yield_now();
        }
        TEAM.set(Some(NonNull::from(&team)));
        work()
    })
}

/// Whether the threads that work is shared out to look for it.
pub(crate) fn is_awake() -> bool {
    TEAM.get().is_some()
}

/// The threads that work is shared out to here.
pub(crate) fn count() -> usize {
    current().map_or_else(rayon::current_num_threads, |team| team.threads)
}

/// Does both, `b` maybe on another thread.
pub(crate) fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    match current() {
        Some(team) => team.join(a, b),
        None => {
            rayon::join(a, b);
        }
    }
}

fn current<'a>() -> Option<&'a Team> {
    // SAFETY: `with_team` and `serve` set it while they have borrowed the team, and reset it before that ends; nothing
    // that is called meanwhile keeps the reference for longer.
    TEAM.get().map(|team| unsafe { team.as_ref() })
}

struct Team {
    threads: usize,
    /// Threads that have begun to serve.
    begun: AtomicUsize,
    pending: Mutex<VecDeque<Job>>,
    /// How many are pending, to be looked at without the lock.
    count: AtomicUsize,
    /// Threads that look for something pending.
    lookers: AtomicUsize,
    /// Threads that sleep until there is.
    sleepers: AtomicUsize,
    news: Condvar,
    is_over: AtomicBool,
}

/// The end of a team's work, however it comes.
struct Over<'a>(&'a Team);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        TEAM.set(None);
        let _pending = self.0.pending();
        self.0.is_over.store(true, Ordering::Release);
        self.0.news.notify_all();
    }
}

impl Team {
    fn new(threads: usize) -> Self {
        Self {
            threads,
            begun: AtomicUsize::new(0),
            pending: Mutex::new(VecDeque::with_capacity(PENDING)),
            count: AtomicUsize::new(0),
            lookers: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            news: Condvar::new(),
            is_over: AtomicBool::new(false),
        }
    }

    fn pending(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join<B: FnOnce() + Send>(&self, a: impl FnOnce() + Send, b: B) {
        let task = Task::new(b);
        let job = task.job();
        let is_offered = self.offer(job);
        let of_a = catch_unwind(AssertUnwindSafe(a));
        if !is_offered || self.take_back(job) {
            // SAFETY: nobody else has the job.
            let b = unsafe { task.take() };
            of_a.unwrap_or_else(|panic| resume_unwind(panic));
            return b();
        }
        self.wait(&task.is_done);
        if let Some(panic) = of_a.err().or(task.panic.into_inner()) {
            resume_unwind(panic);
        }
    }

    /// Whether there was room for it.
    fn offer(&self, job: Job) -> bool {
        let mut pending = self.pending();
        if pending.len() == PENDING {
            return false;
        }
        pending.push_back(job);
        let count = pending.len();
        self.count.store(count, Ordering::Release);
        drop(pending);
        if count > self.lookers.load(Ordering::Acquire) && self.sleepers.load(Ordering::Acquire) > 0 {
            self.news.notify_one();
        }
        true
    }

    /// The job that has waited longest: the largest piece there is.
    fn take(&self) -> Option<Job> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut pending = self.pending();
        let job = pending.pop_front();
        self.count.store(pending.len(), Ordering::Release);
        job
    }

    /// Whether nobody else has taken it.
    fn take_back(&self, job: Job) -> bool {
        let mut pending = self.pending();
        let place = pending.iter().rposition(|other| std::ptr::eq(other.task, job.task));
        let is_back = place.and_then(|place| pending.remove(place)).is_some();
        self.count.store(pending.len(), Ordering::Release);
        is_back
    }

    /// Does other pieces until one is done.
    fn wait(&self, is_done: &AtomicBool) {
        let mut idle = 0;
        while !is_done.load(Ordering::Acquire) {
            match self.take() {
                Some(job) => {
                    job.run();
                    idle = 0;
                }
                None if idle < PATIENCE => pause(&mut idle),
                None => thread::sleep(NAP),
            }
        }
    }

    /// Does pieces until the team's work is over.
    fn serve(&self) {
        TEAM.set(Some(NonNull::from(self)));
        self.begun.fetch_add(1, Ordering::Release);
        while let Some(job) = self.take().or_else(|| self.look()) {
            job.run();
        }
    }

    /// The next job; none if the team's work is over.
    fn look(&self) -> Option<Job> {
        let others = self.lookers.fetch_add(1, Ordering::AcqRel);
        let mut idle = if others < LOOKERS { 0 } else { PATIENCE };
        let mut found = None;
        while found.is_none() && !self.is_over.load(Ordering::Acquire) {
            if idle < PATIENCE {
                pause(&mut idle);
            } else {
                self.lookers.fetch_sub(1, Ordering::AcqRel);
                self.sleep();
                self.lookers.fetch_add(1, Ordering::AcqRel);
                idle = 0;
            }
            found = self.take();
        }
        self.lookers.fetch_sub(1, Ordering::AcqRel);
        found
    }

    /// Until there is something to do, or nothing any more.
    fn sleep(&self) {
        let mut pending = self.pending();
        self.sleepers.fetch_add(1, Ordering::Release);
        while pending.is_empty() && !self.is_over.load(Ordering::Acquire) {
            pending = self.news.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::Release);
    }
}

/// A round of waiting, the first ones short.
fn pause(idle: &mut u32) {
    *idle += 1;
    if *idle < 32 {
        (0..8).for_each(|_| std::hint::spin_loop());
    } else {
        thread::yield_now();
    }
}

/// A piece of work in the frame of the [`Team::join`] that waits for it.
struct Task<B> {
    work: UnsafeCell<Option<B>>,
    panic: UnsafeCell<Option<Box<dyn Any + Send>>>,
    is_done: AtomicBool,
}

impl<B: FnOnce() + Send> Task<B> {
    fn new(work: B) -> Self {
        Self {
            work: UnsafeCell::new(Some(work)),
            panic: UnsafeCell::new(None),
            is_done: AtomicBool::new(false),
        }
    }

    fn job(&self) -> Job {
        Job { task: std::ptr::from_ref(self).cast(), run: Self::run }
    }

    /// The work, once.
    ///
    /// # Safety
    /// Only the one that has the job may call it.
    unsafe fn take(&self) -> B {
        // SAFETY: nobody else looks at it, as the caller promises.
        unsafe { (*self.work.get()).take() }.expect("a piece is done once")
    }

    /// # Safety
    /// `task` is one of this kind that somebody waits for, and the caller alone has its job.
    unsafe fn run(task: *const ()) {
        // SAFETY: its owner waits until `is_done`, after which it is not touched here; nobody else has the job.
        unsafe {
            let task = &*task.cast::<Self>();
            let work = task.take();
            *task.panic.get() = catch_unwind(AssertUnwindSafe(work)).err();
            task.is_done.store(true, Ordering::Release);
        }
    }
}

/// A task without its type.
#[derive(Clone, Copy)]
struct Job {
    task: *const (),
    run: unsafe fn(*const ()),
}

// SAFETY: the task's work is `Send`, and what a job does with it, it does once.
unsafe impl Send for Job {}

impl Job {
    fn run(self) {
        // SAFETY: jobs come out of `pending` once, and their makers wait for them.
        unsafe { (self.run)(self.task) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("there are threads");
        pool.install(|| with_team(SERIAL, work))
    }

    fn add(from: u64, to: u64, sum: &AtomicU64) {
        if to - from < 3 {
            sum.fetch_add((from..to).sum(), Ordering::Relaxed);
            return;
        }
        let half = from.midpoint(to);
        join(|| add(from, half, sum), || add(half, to, sum));
    }

    #[test]
    fn each_piece_is_done_once() {
        for threads in [1, 2, 3, 8, 12] {
            with_threads(threads, || {
                assert_eq!(count(), threads);
                for n in [0, 1, 10, 1000, 20_000] {
                    let sum = AtomicU64::new(0);
                    add(0, n, &sum);
                    assert_eq!(sum.into_inner(), n * n.saturating_sub(1) / 2, "{threads} threads");
                }
            });
        }
    }

    /// Both threads sleep in between; a team in a team is the same one.
    #[test]
    fn a_team_wakes_up() {
        with_threads(2, || {
            for _ in 0..3 {
                thread::sleep(Duration::from_millis(20));
                let met = AtomicU64::new(0);
                let meet = || {
                    met.fetch_add(1, Ordering::AcqRel);
                    while met.load(Ordering::Acquire) < 2 {
                        thread::yield_now();
                    }
                };
                with_team(SERIAL, || join(meet, meet));
            }
        });
    }

    #[test]
    fn a_panic_comes_back_after_both_are_done() {
        for side in [0, 1] {
            let done = AtomicU64::new(0);
            let work = |of: u64| {
                let done = &done;
                move || {
                    thread::sleep(Duration::from_millis(2));
                    assert!(of != side, "on purpose");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            };
            let caught = catch_unwind(AssertUnwindSafe(|| with_threads(2, || join(work(0), work(1)))));
            assert!(caught.is_err());
            assert!(done.into_inner() <= 1);
        }
    }
}
