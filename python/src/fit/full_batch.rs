//! L-BFGS on all rows, with the limits that scikit-learn gives SciPy's.

use std::sync::atomic::Ordering;

use wxb::layer::{Params, Role};
use wxb::lbfgs::{Lbfgs, Progress};
use wxb::optimizer::Optimizer;
use wxb::step::{self, Cache, Keep, Mode};
use wxb::trainer::Divergence;
use wxb::{Network, Real, Result};

use super::examples::Number;
use super::learning::{Course, End, Learning, Task, constant, penalty, reported_outputs};

/// Rows whose gradient is calculated at a time: their activations stay in cache, and X is never held twice.
const ROWS: usize = 1024;
/// SciPy's `ftol`: the relative decrease of an iteration below which it ends.
const LEAST_DECREASE: f64 = 2.220_446_049_250_313e-9;

impl<T: Number> Learning<T> {
    /// Iterations until the gradient, or the decrease, is small enough.
    pub(super) fn full_batch(&mut self, task: &Task<'_, T>) -> Result<Course> {
        let Optimizer::Lbfgs(config) = self.optimizer else { unreachable!("asked for with L-BFGS alone") };
        let mut course = Course { losses: vec![], scores: vec![], end: End::Epochs };
        let mut lbfgs = Lbfgs::new(self.run.network.params.flat.len(), config)?;
        let mut x = self.run.network.params.flat.clone();
        let (mut sums, mut spent, mut before) = (Sums::new(&self.run.network, task), 0, f64::INFINITY);
        while (course.losses.len() as u64) < task.plan.epochs {
            let network = &mut self.run.network;
            let progress = lbfgs.step(&mut x, &mut |x, gradient| sums.objective(network, task, x, gradient));
            self.run.network.params.flat.copy_from_slice(&x);
            spent += lbfgs.evaluations() as u64;
            if progress == Progress::NotFinite {
                course.losses.push(f64::NAN);
                course.end = End::Diverged(not_finite());
                return Ok(course);
            }
            let is_step = lbfgs.evaluations() > 0;
            if is_step {
                self.run.step += 1;
                course.losses.push(sums.reported(&self.run.network, task, lbfgs.loss()));
            }
            let decrease = before - lbfgs.loss();
            let size = before.abs().min(f64::MAX).max(lbfgs.loss().abs()).max(1.0);
            before = lbfgs.loss();
            // Limits before convergence, as in SciPy: the last iteration allowed counts as one too few.
            let end = match progress {
                _ if task.stop.load(Ordering::Relaxed) => Some(End::Interrupted),
                _ if course.losses.len() as u64 >= task.plan.epochs => Some(End::Epochs),
                _ if spent >= task.plan.max_fun => Some(End::Evaluations),
                Progress::Continue if decrease > LEAST_DECREASE * size => None,
                _ => Some(End::Tolerance),
            };
            let told = is_step.then(|| self.tell(task, &course, end.is_none())).flatten();
            if let Some(end) = end.or(told) {
                course.end = end;
                break;
            }
        }
        Ok(course)
    }
}

fn not_finite() -> Divergence {
    Divergence { epoch: 1, batch: 1, tensor: "the loss".into(), largest_weight: f64::NAN }
}

/// Loss and gradient of all rows, summed over pieces of them in their order.
struct Sums<T> {
    cache: Cache<T>,
    grads: Params<T>,
    weight: f64,
    /// Of scikit-learn's Poisson loss; the same for all weights.
    constant: f64,
}

impl<T: Real> Sums<T> {
    fn new(network: &Network<T>, task: &Task<'_, T>) -> Self {
        let mut cache = Cache::new(network, ROWS.min(task.rows.len()).max(1), Keep::Needed);
        let weight = task.examples.weight(&task.rows);
        let mut sum = 0.0;
        for rows in task.rows.chunks(cache.capacity()) {
            task.examples.load(rows, &mut cache);
            sum += constant(network, &cache, rows.len(), 1.0);
        }
        Self { cache, grads: network.params.clone(), weight, constant: sum / weight }
    }

    /// J at `x`, its gradient into the second.
    fn objective(&mut self, network: &mut Network<T>, task: &Task<'_, T>, x: &[T], gradient: &mut [T]) -> T {
        network.params.flat.copy_from_slice(x);
        gradient.fill(T::ZERO);
        let mut j = 0.0;
        for rows in task.rows.chunks(self.cache.capacity()) {
            if task.stop.load(Ordering::Relaxed) {
                break; // the step is thrown away by who asked for the end
            }
            let m = rows.len();
            task.examples.load(rows, &mut self.cache);
            let (of_rows, weight) =
                step::gradient(network, &mut self.cache, m, Mode::Predicting, &mut self.grads);
            let share = weight / self.weight;
            j += of_rows * share;
            let share = T::of(share);
            gradient.iter_mut().zip(&self.grads.flat).for_each(|(sum, g)| *sum += share * *g);
        }
        let l2 = T::of(task.plan.l2 / self.weight);
        for slot in network.params.slots().iter().filter(|slot| slot.role == Role::Weight) {
            let of_slot = gradient[slot.range()].iter_mut().zip(network.params.of(slot));
            of_slot.for_each(|(g, &w)| *g += l2 * w);
        }
        T::of(j + penalty(&network.params, [task.plan.l2, 0.0], self.weight))
    }

    /// The loss as scikit-learn reports it.
    fn reported(&self, network: &Network<T>, task: &Task<'_, T>, j: f64) -> f64 {
        let penalty = penalty(&network.params, [task.plan.l2, 0.0], self.weight);
        (j - penalty) / reported_outputs(network) + self.constant + penalty
    }
}
