//! L-BFGS for full-batch problems (Nocedal and Wright, Numerical Optimization, 2nd ed., Algorithms 7.4 and
//! 7.5): a quasi-Newton direction from the last few steps, and a line search instead of a learning rate.
//!
//! The state is a plain vector, so one [`Lbfgs::step`] can be one epoch, be checkpointed and resumed bit for bit.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::line_search::{LineSearch, Point};
use crate::{Code, Error, Real, Result};

/// Settings of [`Lbfgs`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LbfgsConfig {
    /// How many steps the curvature is estimated from.
    pub memory: usize,
    /// Converged when no component of the gradient is larger.
    pub gradient_tolerance: f64,
    /// Evaluations of loss and gradient that one line search may spend.
    pub max_line_steps: usize,
    /// Sufficient decrease: f(x + αd) ≤ f(x) + c₁ α d·∇f(x).
    pub c1: f64,
    /// Curvature: |d·∇f(x + αd)| ≤ c₂ |d·∇f(x)|.
    pub c2: f64,
}

impl Default for LbfgsConfig {
    fn default() -> Self {
        Self { memory: 10, gradient_tolerance: 1e-10, max_line_steps: 25, c1: 1e-4, c2: 0.9 }
    }
}

impl LbfgsConfig {
    /// An error if a setting is outside of its range.
    pub fn check(&self) -> Result<()> {
        let problem = if !(1..=1000).contains(&self.memory) {
            format!("memory is {}, it has to be between 1 and 1000", self.memory)
        } else if !(self.gradient_tolerance >= 0.0 && self.gradient_tolerance.is_finite()) {
            format!("gradient_tolerance is {}, it cannot be negative", self.gradient_tolerance)
        } else if self.max_line_steps == 0 {
            "max_line_steps is 0, a line search needs at least one".into()
        } else if !(0.0 < self.c1 && self.c1 < self.c2 && self.c2 < 1.0) {
            format!("c1 is {} and c2 is {}; 0 < c1 < c2 < 1 is needed", self.c1, self.c2)
        } else {
            return Ok(());
        };
        Err(Error::new(Code::InvalidSetting, format!("L-BFGS: {problem}")))
    }
}

/// Why nothing more is to be gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No component of the gradient is larger than the tolerance.
    GradientBelowTolerance,
    /// Neither loss nor gradient gets smaller at this precision.
    NoDecreaseAtThisPrecision,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A step was taken; another may follow.
    Continue,
    /// The end: `x` is the result.
    Converged(Reason),
    /// Loss or gradient at the starting point are infinite or NaN; `x` is as it was.
    NotFinite,
}

/// Steps without a new lowest loss or gradient after which the rest is rounding. On an ill-conditioned problem the
/// largest component rises and falls for dozens of steps while the loss no longer shows the progress: with 20,
/// softmax regression of ten digits on five pixels stopped two digits of its coefficients earlier in f32.
const STALLED_STEPS: usize = 40;
/// Rounding of a loss relative to it, in units of the precision's ε: the operations of a row.
const NOISE_OF_ROWS: f64 = 10.0;
/// And in units of f64's ε: a sum in f64 over up to a million rows.
const NOISE_OF_SUM: f64 = 1000.0;
/// A pair enters the memory when s·y > this · ‖s‖ ‖y‖: the estimate of the curvature stays positive definite.
const LEAST_CURVATURE: f64 = 1e-10;
/// Numbers before the gradient in [`Lbfgs::state`].
const HEADER: usize = 6;

/// L-BFGS over a flat parameter vector of n numbers: 2 · memory + 4 vectors of n, all allocated by [`Lbfgs::new`].
///
/// ```
/// use wxb::lbfgs::{Lbfgs, LbfgsConfig, Progress};
/// // f(x) = ½ (x₀² + 100 x₁²)
/// let mut objective = |x: &[f64], gradient: &mut [f64]| {
///     gradient.copy_from_slice(&[x[0], 100.0 * x[1]]);
///     0.5 * (x[0] * x[0] + 100.0 * x[1] * x[1])
/// };
/// let mut x = [3.0, 1.0];
/// let mut lbfgs = Lbfgs::new(x.len(), LbfgsConfig::default())?;
/// while lbfgs.step(&mut x, &mut objective) == Progress::Continue {}
/// assert!(x.iter().all(|x| x.abs() < 1e-8));
/// # Ok::<(), wxb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lbfgs<T> {
    config: LbfgsConfig,
    /// s_k = x_{k+1} − x_k and y_k = ∇f_{k+1} − ∇f_k; a ring of `memory` rows of n.
    s: Vec<T>,
    y: Vec<T>,
    /// 1 / (s_k · y_k)
    rho: Vec<f64>,
    /// α_k of the two-loop recursion.
    coefficient: Vec<f64>,
    oldest: usize,
    pairs: usize,
    /// Loss and gradient at x; known after the first step.
    known: bool,
    loss: f64,
    gradient: Vec<T>,
    x_start: Vec<T>,
    direction: Vec<T>,
    gradient_trial: Vec<T>,
    stalled: usize,
    best_loss: f64,
    best_gradient: f64,
    evaluations: usize,
}

/// Loss at `x` (first argument), its gradient into the second.
pub type Objective<'a, T> = &'a mut dyn FnMut(&[T], &mut [T]) -> T;

impl<T: Real> Lbfgs<T> {
    /// For `n` parameters. An error if a setting is out of range.
    pub fn new(n: usize, config: LbfgsConfig) -> Result<Self> {
        config.check()?;
        let zeros = |rows: usize| vec![T::ZERO; rows * n];
        Ok(Self {
            config,
            s: zeros(config.memory),
            y: zeros(config.memory),
            rho: vec![0.0; config.memory],
            coefficient: vec![0.0; config.memory],
            oldest: 0,
            pairs: 0,
            known: false,
            loss: f64::INFINITY,
            gradient: zeros(1),
            x_start: zeros(1),
            direction: zeros(1),
            gradient_trial: zeros(1),
            stalled: 0,
            best_loss: f64::INFINITY,
            best_gradient: f64::INFINITY,
            evaluations: 0,
        })
    }

    /// One iteration: a direction, a line search, `x` moved. The objective has to be the same smooth function in
    /// every step, and `x` what the last step left; after any other change of either call [`Lbfgs::reset`].
    /// Allocates nothing.
    pub fn step(&mut self, x: &mut [T], objective: Objective<T>) -> Progress {
        assert_eq!(x.len(), self.gradient.len(), "x has another length than Lbfgs::new was told");
        self.evaluations = 0;
        if !self.known && !self.evaluate_start(x, objective) {
            return Progress::NotFinite;
        }
        if self.gradient_max() <= self.config.gradient_tolerance {
            return Progress::Converged(Reason::GradientBelowTolerance);
        }
        self.x_start.copy_from_slice(x);
        if !self.search(x, objective) && (self.pairs == 0 || !self.search_steepest(x, objective)) {
            x.copy_from_slice(&self.x_start);
            return Progress::Converged(Reason::NoDecreaseAtThisPrecision);
        }
        self.remember(x);
        std::mem::swap(&mut self.gradient, &mut self.gradient_trial);
        self.judge()
    }

    /// Forgets everything that was learnt about the objective.
    pub fn reset(&mut self) {
        self.pairs = 0;
        self.known = false;
        self.stalled = 0;
        (self.loss, self.best_loss, self.best_gradient) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    }

    /// The loss at x after the last step.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The gradient at x after the last step; n numbers.
    pub fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// max |∂loss/∂x_i| at x after the last step.
    pub fn gradient_max(&self) -> f64 {
        self.gradient.iter().fold(0.0, |max, g| g.f64().abs().max(max))
    }

    /// How often the last step evaluated the objective.
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// All that the next step depends on beside `x`: six numbers, the gradient, the pairs (s, y), oldest first.
    pub fn state(&self) -> Vec<T> {
        let mut state = vec![];
        self.state_into(&mut state);
        state
    }

    /// The same in place of what `state` holds. Room for a full memory is taken by the first call: none by a later one.
    pub fn state_into(&self, state: &mut Vec<T>) {
        state.clear();
        state.reserve_exact(HEADER + (1 + 2 * self.config.memory) * self.gradient.len());
        let known = if self.known { 1.0 } else { 0.0 };
        let counts = [self.pairs as f64, known, self.stalled as f64];
        let header = counts.into_iter().chain([self.loss, self.best_loss, self.best_gradient]);
        state.extend(header.map(T::of));
        state.extend_from_slice(&self.gradient);
        for k in 0..self.pairs {
            let row = self.row(k);
            state.extend_from_slice(&self.s[row.clone()]);
            state.extend_from_slice(&self.y[row]);
        }
    }

    /// Takes up what [`Lbfgs::state`] gave. An error if it belongs to another number of parameters, to a larger
    /// memory, or is damaged; then nothing was changed.
    pub fn restore(&mut self, state: &[T]) -> Result<()> {
        let n = self.gradient.len();
        let count = |i: usize, most: usize| (0..=most).find(|&c| state.get(i) == Some(&T::of(c as f64)));
        let counts = (count(0, self.config.memory), count(1, 1), count(2, STALLED_STEPS));
        let (Some(pairs), Some(known), Some(stalled)) = counts else { return Err(damaged("its counts")) };
        if state.len() != HEADER + n + 2 * pairs * n {
            return Err(damaged("its length"));
        }
        (self.oldest, self.pairs, self.known, self.stalled) = (0, pairs, known == 1, stalled);
        (self.loss, self.best_loss, self.best_gradient) = (state[3].f64(), state[4].f64(), state[5].f64());
        self.gradient.copy_from_slice(&state[HEADER..HEADER + n]);
        let rows = &state[HEADER + n..];
        for k in 0..pairs {
            let (s, y) = (&rows[2 * k * n..][..n], &rows[(2 * k + 1) * n..][..n]);
            self.s[k * n..][..n].copy_from_slice(s);
            self.y[k * n..][..n].copy_from_slice(y);
            self.rho[k] = 1.0 / dot(s, y);
        }
        Ok(())
    }

    /// The place of the k-th pair in the ring; 0 is the oldest.
    fn slot(&self, k: usize) -> usize {
        (self.oldest + k) % self.config.memory
    }

    /// Where its s and y lie.
    fn row(&self, k: usize) -> Range<usize> {
        let (n, slot) = (self.gradient.len(), self.slot(k));
        slot * n..(slot + 1) * n
    }

    fn evaluate_start(&mut self, x: &[T], objective: Objective<T>) -> bool {
        self.evaluations += 1;
        self.loss = objective(x, &mut self.gradient).f64();
        self.known = self.loss.is_finite() && self.gradient.iter().all(|g| g.is_finite());
        (self.best_loss, self.best_gradient) = (self.loss, self.gradient_max());
        self.known
    }

    fn search_steepest(&mut self, x: &mut [T], objective: Objective<T>) -> bool {
        self.pairs = 0;
        self.search(x, objective)
    }

    /// Moves `x` along the direction; false if no step lowers the loss. Leaves `loss` and `gradient_trial` at x.
    fn search(&mut self, x: &mut [T], objective: Objective<T>) -> bool {
        self.find_direction();
        let slope = dot(&self.gradient, &self.direction);
        if !(slope < 0.0 && slope.is_finite()) {
            return false;
        }
        let start = Point { alpha: 0.0, f: self.loss, slope };
        let LbfgsConfig { c1, c2, max_line_steps, .. } = self.config;
        let noise = noise::<T>(self.loss);
        let search = LineSearch { start, c1, c2, noise, max_steps: max_line_steps };
        // Without curvature the gradient's length means nothing: a first step of length 1 at most.
        let first = if self.pairs > 0 { 1.0 } else { (1.0 / (-slope).sqrt()).min(1.0) };
        let mut last = 0.0;
        let Some(found) = search.run(first, &mut |alpha| {
            last = alpha;
            self.evaluate(alpha, x, objective)
        }) else {
            return false;
        };
        if found.alpha != last {
            self.evaluate(found.alpha, x, objective);
        }
        self.loss = found.f;
        true
    }

    /// x = x_start + α d; loss and slope there.
    fn evaluate(&mut self, alpha: f64, x: &mut [T], objective: Objective<T>) -> Point {
        for ((x, &x_start), &d) in x.iter_mut().zip(&self.x_start).zip(&self.direction) {
            *x = T::of(x_start.f64() + alpha * d.f64());
        }
        self.evaluations += 1;
        let f = objective(x, &mut self.gradient_trial).f64();
        Point { alpha, f, slope: dot(&self.gradient_trial, &self.direction) }
    }

    /// d = −H ∇f by the two-loop recursion (Algorithm 7.4), H₀ = (s·y / y·y) I of the newest pair.
    fn find_direction(&mut self) {
        for (d, &g) in self.direction.iter_mut().zip(&self.gradient) {
            *d = -g;
        }
        for k in (0..self.pairs).rev() {
            let (slot, row) = (self.slot(k), self.row(k));
            let alpha = self.rho[slot] * dot(&self.s[row.clone()], &self.direction);
            self.coefficient[slot] = alpha;
            add_scaled(&mut self.direction, -alpha, &self.y[row]);
        }
        if self.pairs > 0 {
            let (slot, y) = (self.slot(self.pairs - 1), &self.y[self.row(self.pairs - 1)]);
            let gamma = 1.0 / (self.rho[slot] * dot(y, y));
            self.direction.iter_mut().for_each(|d| *d = T::of(gamma * d.f64()));
        }
        for k in 0..self.pairs {
            let (slot, row) = (self.slot(k), self.row(k));
            let beta = self.rho[slot] * dot(&self.y[row.clone()], &self.direction);
            add_scaled(&mut self.direction, self.coefficient[slot] - beta, &self.s[row]);
        }
    }

    /// Takes (s, y) of the step from x_start to x into the ring, in place of the oldest pair once it is full.
    fn remember(&mut self, x: &[T]) {
        let (mut sy, mut ss, mut yy) = (0.0, 0.0, 0.0);
        let gradients = self.gradient_trial.iter().zip(&self.gradient);
        for ((&x, &x_start), (&g, &g_start)) in x.iter().zip(&self.x_start).zip(gradients) {
            let (s, y) = ((x - x_start).f64(), (g - g_start).f64());
            sy += s * y;
            ss += s * s;
            yy += y * y;
        }
        // Written only once it is known to be good: the oldest pair's place is taken.
        if !(sy > LEAST_CURVATURE * ss.sqrt() * yy.sqrt() && (1.0 / sy).is_finite()) {
            return;
        }
        if self.pairs == self.config.memory {
            self.oldest = (self.oldest + 1) % self.config.memory;
        } else {
            self.pairs += 1;
        }
        let (slot, row) = (self.slot(self.pairs - 1), self.row(self.pairs - 1));
        let (s, y) = (&mut self.s[row.clone()], &mut self.y[row]);
        subtract(s, x, &self.x_start);
        subtract(y, &self.gradient_trial, &self.gradient);
        self.rho[slot] = 1.0 / dot(s, y);
    }

    fn judge(&mut self) -> Progress {
        let gradient_max = self.gradient_max();
        // Without a margin for noise: by noise alone, new records become rare by themselves.
        let better = self.loss < self.best_loss || gradient_max < self.best_gradient;
        self.stalled = if better { 0 } else { self.stalled + 1 };
        self.best_loss = self.best_loss.min(self.loss);
        self.best_gradient = self.best_gradient.min(gradient_max);
        if gradient_max <= self.config.gradient_tolerance {
            Progress::Converged(Reason::GradientBelowTolerance)
        } else if self.stalled >= STALLED_STEPS {
            Progress::Converged(Reason::NoDecreaseAtThisPrecision)
        } else {
            Progress::Continue
        }
    }
}

/// How far rounding alone can move a loss.
fn noise<T: Real>(loss: f64) -> f64 {
    (NOISE_OF_ROWS * T::EPSILON.f64() + NOISE_OF_SUM * f64::EPSILON) * loss.abs()
}

fn damaged(what: &str) -> Error {
    let message = format!("the state of L-BFGS does not fit this network and its settings: {what}");
    Error::new(Code::DamagedModel, message).hint("resume with the settings and the model it was written with")
}

/// a · b, summed in f64 over four lanes in a fixed order.
fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    let mut lanes = [0.0; 4];
    let (heads, tails) = (a.chunks_exact(4).zip(b.chunks_exact(4)), (a.len() / 4 * 4)..a.len());
    for (a, b) in heads {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a.f64() * b.f64();
        }
    }
    let tail: f64 = a[tails.clone()].iter().zip(&b[tails]).map(|(a, b)| a.f64() * b.f64()).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}

/// d += c v
fn add_scaled<T: Real>(d: &mut [T], c: f64, v: &[T]) {
    for (d, v) in d.iter_mut().zip(v) {
        *d = T::of(d.f64() + c * v.f64());
    }
}

/// out = a − b
fn subtract<T: Real>(out: &mut [T], a: &[T], b: &[T]) {
    for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
        *out = a - b;
    }
}
