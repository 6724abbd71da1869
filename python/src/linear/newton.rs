//! Newton's method for logistic regression with L2 and L1 penalties. Of many parameters the curvature is never formed: conjugate
//! gradients ask for products with it, which are two passes over X each.
//!
//! With L1 the steps are those of an orthant (Byrd, Chin, Nocedal and Oztoprak 2016, "A family of second-order methods for convex
//! ℓ₁-regularized optimization"): weights that are 0 and stay so are left out, the others keep their signs or become 0, so that |w|
//! is linear; where that lowers the function too little, a proximal step follows.

use super::dense::Model;
use super::problem::Problem;

/// Conjugate directions of a step at the most.
const DIRECTIONS: usize = 250;
/// Sufficient decrease.
const C1: f64 = 1e-4;
/// Halvings of a step.
const HALVINGS: usize = 30;

/// Why the iterations ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The gradient is below its tolerance.
    Gradient,
    /// The function gets no smaller at this precision.
    Precision,
    Iterations,
    Stopped,
}

/// θ and what belongs to it.
#[derive(Clone)]
struct At {
    theta: Vec<f64>,
    z: Vec<f64>,
    /// w ∂ℓ/∂Z.
    dz: Vec<f64>,
    f: f64,
    /// The gradient without that of λ₁ Σ |θ|.
    gradient: Vec<f64>,
}

impl At {
    fn new(problem: &mut Problem<'_>, theta: Vec<f64>) -> Self {
        let logits = problem.x.count() * problem.n;
        let (z, dz) = (vec![0.0; logits], vec![0.0; logits]);
        let gradient = vec![0.0; theta.len()];
        let mut at = Self { theta, z, dz, f: 0.0, gradient };
        at.evaluate(problem);
        at.find_gradient(problem);
        at
    }

    fn evaluate(&mut self, problem: &mut Problem<'_>) {
        problem.product(&self.theta, &mut self.z);
        self.f = problem.losses(&self.z, &mut self.dz) + problem.penalty_of(&self.theta);
    }

    fn find_gradient(&mut self, problem: &mut Problem<'_>) {
        problem.back(&self.dz, &mut self.gradient);
        for (place, (g, theta)) in self.gradient.iter_mut().zip(&self.theta).enumerate() {
            match problem.kind(place) {
                (true, true) => *g += problem.penalty.l2 * theta,
                (true, false) => {}
                (false, _) => *g = 0.0,
            }
        }
    }
}

/// Buffers of the directions.
struct Directions {
    /// The gradient in the orthant: of least length among the subgradients.
    steepest: Vec<f64>,
    /// The sign that each parameter keeps; 0: it stays 0.
    orthant: Vec<f64>,
    /// The curvature's diagonal.
    diagonal: Vec<f64>,
    step: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    curved: Vec<f64>,
    p: Vec<f64>,
    r: Vec<f64>,
}

/// Minimises from `theta` on until no component of the gradient is above `tolerance`. Returns θ, the iterations, the largest component
/// of the gradient, and why it ended. `on_iteration` gets θ after each, and says whether to stop.
pub fn minimise(
    problem: &mut Problem<'_>,
    theta: Vec<f64>,
    (tolerance, max_iter): (f64, usize),
    on_iteration: &mut dyn FnMut(&[f64]) -> bool,
) -> (Vec<f64>, usize, f64, End) {
    let (n, logits) = (theta.len(), problem.x.count() * problem.n);
    let mut at = At::new(problem, theta);
    let mut next = at.clone();
    let zeros = || vec![0.0; n];
    let mut directions = Directions {
        steepest: zeros(),
        orthant: zeros(),
        diagonal: zeros(),
        step: zeros(),
        residual: zeros(),
        direction: zeros(),
        curved: zeros(),
        p: vec![0.0; logits],
        r: vec![0.0; logits],
    };
    let (mut model, mut is_told): (Option<Model>, bool) = (None, false);
    for iteration in 0.. {
        directions.find_orthant(problem, &at);
        let largest = directions.steepest.iter().fold(0.0, |max, g: &f64| g.abs().max(max));
        let end = match () {
            () if is_told || problem.is_stopped() => Some(End::Stopped),
            () if largest <= tolerance => Some(End::Gradient),
            () if iteration == max_iter => Some(End::Iterations),
            () => None,
        };
        if let Some(end) = end {
            return (at.theta, iteration, largest, end);
        }
        directions.find_diagonal(problem, &at);
        if model.as_ref().is_none_or(|model| model.lacks(problem, &directions.orthant)) {
            model = Model::new(problem, &directions.orthant);
        }
        let found = match &mut model {
            Some(model) => {
                let place = (&directions.p[..], &at.theta[..], &at.gradient[..]);
                model.step(problem, place, largest, &mut directions.step);
                directions.search_straight(problem, &at, &mut next)
            }
            None => {
                directions.conjugate_step(problem, largest);
                directions.search(problem, &at, &mut next)
            }
        };
        if !found && !directions.proximal_step(problem, &at, &mut next) {
            return (at.theta, iteration, largest, End::Precision);
        }
        next.find_gradient(problem);
        std::mem::swap(&mut at, &mut next);
        is_told = on_iteration(&at.theta);
    }
    unreachable!("the iterations have an end")
}

impl Directions {
    fn find_orthant(&mut self, problem: &Problem<'_>, at: &At) {
        for (place, (&theta, &g)) in at.theta.iter().zip(&at.gradient).enumerate() {
            let l1 = if problem.kind(place).1 { problem.penalty.l1 } else { 0.0 };
            let sign = match () {
                () if !problem.kind(place).0 => 0.0,
                // Without L1 there is one orthant for all.
                () if l1 == 0.0 => 1.0,
                () if theta != 0.0 => theta.signum(),
                () if g.abs() > l1 => -g.signum(),
                () => 0.0,
            };
            self.orthant[place] = sign;
            self.steepest[place] = if sign == 0.0 { 0.0 } else { g + l1 * sign };
        }
    }

    /// H v over what is free, H the curvature at θ.
    fn curve(&mut self, problem: &mut Problem<'_>) {
        problem.product(&self.direction, &mut self.r);
        problem.curve(&self.p, &mut self.r);
        problem.back(&self.r, &mut self.curved);
        for (place, (hv, v)) in self.curved.iter_mut().zip(&self.direction).enumerate() {
            match (self.orthant[place] != 0.0, problem.kind(place).1) {
                (true, true) => *hv += problem.penalty.l2 * v,
                (true, false) => {}
                (false, _) => *hv = 0.0,
            }
        }
    }

    /// The probabilities and the curvature's diagonal.
    fn find_diagonal(&mut self, problem: &mut Problem<'_>, at: &At) {
        problem.probabilities(&at.z, &mut self.p);
        problem.variances(&self.p, &mut self.r);
        problem.back_squares(&self.r, &mut self.diagonal);
        for (place, h) in self.diagonal.iter_mut().enumerate() {
            *h += if problem.kind(place).1 { problem.penalty.l2 } else { 0.0 };
            // A column without curvature: a step as long as the gradient's.
            *h = if *h > f64::MIN_POSITIVE { *h } else { 1.0 };
        }
    }

    /// H s = −g by conjugate gradients, preconditioned with the diagonal, until the residual is a small part of g.
    fn conjugate_step(&mut self, problem: &mut Problem<'_>, largest: f64) {
        self.step.fill(0.0);
        for (residual, g) in self.residual.iter_mut().zip(&self.steepest) {
            *residual = -g;
        }
        let scaled = |residual: &[f64], diagonal: &[f64]| -> f64 {
            residual.iter().zip(diagonal).map(|(r, h)| r * r / h).sum()
        };
        let mut rho = scaled(&self.residual, &self.diagonal);
        let enough = rho * (0.1_f64.min(largest.sqrt())).powi(2);
        self.direction.iter_mut().zip(&self.residual).zip(&self.diagonal).for_each(|((d, r), h)| *d = r / h);
        for _ in 0..DIRECTIONS.min(self.step.len()) {
            self.curve(problem);
            let curvature = dot(&self.direction, &self.curved);
            // Along a direction in which f is flat, the first one is still a descent.
            if curvature.is_nan() || curvature <= f64::EPSILON * rho * 1e-8 {
                if self.step.iter().all(|s| *s == 0.0) {
                    self.step.copy_from_slice(&self.direction);
                }
                return;
            }
            let alpha = rho / curvature;
            add_scaled(&mut self.step, alpha, &self.direction);
            add_scaled(&mut self.residual, -alpha, &self.curved);
            let next = scaled(&self.residual, &self.diagonal);
            if next <= enough || problem.is_stopped() {
                return;
            }
            let beta = next / rho;
            rho = next;
            for ((d, r), h) in self.direction.iter_mut().zip(&self.residual).zip(&self.diagonal) {
                *d = r / h + beta * *d;
            }
        }
    }

    /// Halves the step to the minimum of the model until f is low enough.
    fn search_straight(&mut self, problem: &mut Problem<'_>, at: &At, next: &mut At) -> bool {
        let l1_of = |theta: &[f64]| -> f64 {
            let penalised = theta.iter().enumerate().filter(|(place, _)| problem.kind(*place).1);
            problem.penalty.l1 * penalised.map(|(_, theta)| theta.abs()).sum::<f64>()
        };
        let to: Vec<f64> = at.theta.iter().zip(&self.step).map(|(theta, s)| theta + s).collect();
        let decrease = dot(&at.gradient, &self.step) + l1_of(&to) - l1_of(&at.theta);
        if decrease.is_nan() || decrease >= 0.0 {
            return false;
        }
        let mut alpha = 1.0;
        for _ in 0..HALVINGS {
            for (place, theta) in next.theta.iter_mut().enumerate() {
                // At the whole step a weight that becomes 0 is 0.
                *theta = if alpha == 1.0 { to[place] } else { at.theta[place] + alpha * self.step[place] };
            }
            next.evaluate(problem);
            if next.f <= at.f + C1 * alpha * decrease && next.f < at.f {
                return true;
            }
            if (next.f - at.f).abs() <= 1e-14 * at.f.abs() && self.is_flatter(problem, at, next) {
                return true;
            }
            if problem.is_stopped() {
                return false;
            }
            alpha *= 0.5;
        }
        false
    }

    /// Halves the step until f is low enough; a parameter that would leave the orthant is 0. False if no step is.
    fn search(&mut self, problem: &mut Problem<'_>, at: &At, next: &mut At) -> bool {
        let has_l1 = problem.penalty.l1 > 0.0;
        let mut alpha = 1.0;
        for _ in 0..HALVINGS {
            for (place, theta) in next.theta.iter_mut().enumerate() {
                let moved = at.theta[place] + alpha * self.step[place];
                let leaves = has_l1 && problem.kind(place).1 && moved * self.orthant[place] <= 0.0;
                *theta = if leaves || self.orthant[place] == 0.0 {
                    at.theta[place] * f64::from(!leaves)
                } else {
                    moved
                };
            }
            next.evaluate(problem);
            let slope: f64 =
                next.theta.iter().zip(&at.theta).zip(&self.steepest).map(|((n, a), g)| (n - a) * g).sum();
            if slope < 0.0 && next.f <= at.f + C1 * slope && next.f < at.f {
                return true;
            }
            // Below rounding the gradient decides: f is flat to half the digits when g still has the other half.
            if slope < 0.0
                && (next.f - at.f).abs() <= 1e-14 * at.f.abs()
                && self.is_flatter(problem, at, next)
            {
                return true;
            }
            if problem.is_stopped() {
                return false;
            }
            alpha *= 0.5;
        }
        false
    }

    /// Whether the largest component of the gradient is smaller at the next place.
    fn is_flatter(&mut self, problem: &mut Problem<'_>, at: &At, next: &mut At) -> bool {
        next.find_gradient(problem);
        let largest = |directions: &Self| directions.steepest.iter().fold(0.0_f64, |max, g| g.abs().max(max));
        let before = largest(self);
        self.find_orthant(problem, next);
        let after = largest(self);
        self.find_orthant(problem, at);
        after < 0.9 * before
    }

    /// θ ← soft(θ − g/(κ h), λ₁/(κ h)), κ doubled until f is below its model.
    fn proximal_step(&mut self, problem: &mut Problem<'_>, at: &At, next: &mut At) -> bool {
        let mut kappa = 1.0;
        for _ in 0..HALVINGS {
            let (mut model, mut l1_change) = (0.0, 0.0);
            for (place, theta) in next.theta.iter_mut().enumerate() {
                let (is_there, is_penalised) = problem.kind(place);
                let h = kappa * self.diagonal[place];
                let l1 = if is_penalised { problem.penalty.l1 } else { 0.0 };
                let to = at.theta[place] - at.gradient[place] / h;
                *theta = if is_there { to.signum() * (to.abs() - l1 / h).max(0.0) } else { 0.0 };
                let change = *theta - at.theta[place];
                model += at.gradient[place] * change + 0.5 * h * change * change;
                l1_change += l1 * (theta.abs() - at.theta[place].abs());
            }
            next.evaluate(problem);
            if next.f < at.f && next.f <= at.f + model + l1_change {
                return true;
            }
            if problem.is_stopped() {
                return false;
            }
            kappa *= 2.0;
        }
        false
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add_scaled(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}
