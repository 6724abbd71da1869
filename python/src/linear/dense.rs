//! The step of Newton's method with the matrix, where it has some hundred rows, with L1 of the columns that count alone: H = ∂²f/∂θ² from the engine's products, the parameters
//! that are free of penalties eliminated (which is what centring does), and for the others Cholesky's method, or with L1 descent along
//! the coordinates (Friedman, Hastie and Tibshirani 2010).

use wxb::cpu;

use super::problem::{Bias, Problem, ROWS};

/// Parameters up to which H is formed.
const MOST: usize = 600;
const MOST_WITH_L1: usize = 1000;
/// What is added to the diagonal, relative to it: H of columns that depend on each other stays definite.
const RIDGE: f64 = 1e-12;
/// Passes over the coordinates, and after how many of them a step is taken together.
const CYCLES: usize = 1000;
const TOGETHER: usize = 5;

/// H over the weights of some columns, and b; and what is calculated of it.
pub struct Model {
    columns: Vec<usize>,
    n: usize,
    h: Vec<f64>,
    /// A piece of X, its rows times their curvatures, and their product.
    x: Vec<f64>,
    sx: Vec<f64>,
    part: Vec<f64>,
    column: Vec<f64>,
    scratch: Vec<f64>,
}

impl Model {
    /// Over all columns, or those with a weight that may move (`orthant` is not 0); `None` if these are too many.
    pub fn new(problem: &Problem<'_>, orthant: &[f64]) -> Option<Self> {
        let most = if problem.penalty.l1 > 0.0 { MOST_WITH_L1 } else { MOST };
        let of_column = |column: &usize| &orthant[column * problem.n..(column + 1) * problem.n];
        let moves = |column: &usize| of_column(column).iter().any(|sign| *sign != 0.0);
        let all = problem.parameters() <= most;
        let columns: Vec<usize> = (0..problem.x.width()).filter(|column| all || moves(column)).collect();
        let (d, rows) = (columns.len(), ROWS.min(problem.x.count()));
        let n = (d + 1) * problem.n;
        (n <= most && d > 0).then(|| Self {
            columns,
            n,
            h: vec![0.0; n * n],
            x: vec![0.0; rows * d],
            sx: vec![0.0; rows * d],
            part: vec![0.0; d * d],
            column: vec![0.0; d],
            scratch: vec![0.0; cpu::packed_len::<f64>(rows, d, d)],
        })
    }

    /// Whether a parameter may move that is none of H's.
    pub fn lacks(&self, problem: &Problem<'_>, orthant: &[f64]) -> bool {
        let known = |column: usize| self.columns.binary_search(&column).is_ok();
        let mut columns = orthant[..problem.x.width() * problem.n].chunks_exact(problem.n).enumerate();
        columns.any(|(column, signs)| signs.iter().any(|sign| *sign != 0.0) && !known(column))
    }

    /// The places of H's parameters among all.
    fn places(&self, problem: &Problem<'_>) -> Vec<usize> {
        let columns = self.columns.iter().copied().chain(std::iter::once(problem.x.width()));
        columns.flat_map(|column| (0..problem.n).map(move |class| column * problem.n + class)).collect()
    }

    /// H at the probabilities p (m, n): in the logits of classes c and k it is w p_c (δ_ck − p_k), of one logit w p (1 − p).
    fn form(&mut self, problem: &Problem<'_>, p: &[f64]) {
        let (d, classes) = (self.columns.len(), problem.n);
        self.h.fill(0.0);
        for start in (0..problem.x.count()).step_by(ROWS) {
            let m = ROWS.min(problem.x.count() - start);
            problem.x.copy_columns(start, &self.columns, &mut self.x[..m * d]);
            for c in 0..classes {
                for k in c..classes {
                    let mut total = 0.0;
                    for i in 0..m {
                        let row = start + i;
                        let (pc, pk) = (p[row * classes + c], p[row * classes + k]);
                        let curvature = problem.weight(row) * pc * (f64::from(c == k) - pk);
                        total += curvature;
                        let of_row = i * d..(i + 1) * d;
                        let scaled = self.sx[of_row.clone()].iter_mut().zip(&self.x[of_row]);
                        scaled.for_each(|(sx, x)| *sx = curvature * x);
                    }
                    let (x, sx) = (&self.x[..m * d], &self.sx[..m * d]);
                    cpu::grad_params([m, d, d], x, sx, &mut self.part, &mut self.column, &mut self.scratch);
                    self.add_block([c, k], classes, d, problem.bias_value(), total);
                }
            }
        }
        for (place, of_all) in self.places(problem).into_iter().enumerate() {
            if problem.kind(of_all).1 {
                self.h[place * self.n + place] += problem.penalty.l2;
            }
        }
    }

    /// The block of classes c and k, and of k and c: `part`, with b the column's sums and the total.
    fn add_block(&mut self, [c, k]: [usize; 2], classes: usize, d: usize, bias: f64, total: f64) {
        let n = self.n;
        let blocks = if c == k { vec![[c, k]] } else { vec![[c, k], [k, c]] };
        for [c, k] in blocks {
            for i in 0..d {
                let row = (i * classes + c) * n;
                for j in 0..d {
                    self.h[row + j * classes + k] += self.part[i * d + j];
                }
                self.h[row + d * classes + k] += bias * self.column[i];
                self.h[(d * classes + k) * n + i * classes + c] += bias * self.column[i];
            }
            self.h[(d * classes + c) * n + d * classes + k] += bias * bias * total;
        }
    }

    /// The minimum of g·s + ½ sᵀ H s + λ₁ Σ |θ + s| into `step`, to a part of the largest component of the gradient.
    pub fn step(
        &mut self,
        problem: &Problem<'_>,
        (p, theta, gradient): (&[f64], &[f64], &[f64]),
        largest: f64,
        step: &mut [f64],
    ) {
        self.form(problem, p);
        let places = self.places(problem);
        let picked = |all: &[f64]| places.iter().map(|&place| all[place]).collect::<Vec<f64>>();
        let mut of_places = vec![0.0; self.n];
        self.step_in_places(problem, (&picked(theta), &picked(gradient)), largest, &mut of_places);
        step.fill(0.0);
        places.iter().zip(of_places).for_each(|(&place, s)| step[place] = s);
    }

    fn step_in_places(
        &self,
        problem: &Problem<'_>,
        (theta, gradient): (&[f64], &[f64]),
        largest: f64,
        step: &mut [f64],
    ) {
        let all = self.n - if problem.bias == Bias::None { problem.n } else { 0 };
        if problem.penalty.l1 == 0.0 {
            let h = leading(&self.h, self.n, 0..all);
            return solve(h, all, gradient, &mut step[..all]);
        }
        let penalised = if let Bias::Column(_) = problem.bias { all } else { self.n - problem.n };
        let free = all - penalised;
        let mut reduced = leading(&self.h, self.n, 0..penalised);
        let mut g = gradient[..penalised].to_vec();
        let h_free = leading(&self.h, self.n, penalised..all);
        // T = H_ff⁻¹ H_fp, a row of H_pf at a time.
        let mut t = vec![0.0; free];
        let row_of = |i: usize| &self.h[i * self.n + penalised..i * self.n + all];
        for i in 0..penalised {
            solve(h_free.clone(), free, row_of(i), &mut t);
            // H_pp − H_pf H_ff⁻¹ H_fp; `solve` has brought its sign.
            for j in 0..penalised {
                reduced[i * penalised + j] += dot(&t, row_of(j));
            }
            g[i] += dot(&t, &gradient[penalised..all]);
        }
        let (of_penalised, of_free) = step[..all].split_at_mut(penalised);
        let enough = largest * largest.sqrt().min(0.1);
        descend(&reduced, (&g, &theta[..penalised]), problem.penalty.l1, enough, of_penalised);
        let mut rest = gradient[penalised..all].to_vec();
        for (i, s) in of_penalised.iter().enumerate() {
            rest.iter_mut().zip(row_of(i)).for_each(|(rest, h)| *rest += h * s);
        }
        solve(h_free, free, &rest, of_free);
    }
}

/// The square of some rows and columns of a matrix (n, n).
fn leading(h: &[f64], n: usize, places: std::ops::Range<usize>) -> Vec<f64> {
    places.clone().flat_map(|i| h[i * n..][places.clone()].iter().copied()).collect()
}

/// s = −H⁻¹ g by Cholesky's method, H (n, n) scaled to a diagonal of 1 with a ridge.
fn solve(mut h: Vec<f64>, n: usize, g: &[f64], s: &mut [f64]) {
    // A column without curvature stays where it is.
    let inverse_root = |h: f64| if h > 0.0 { 1.0 / h.sqrt() } else { 0.0 };
    let scale: Vec<f64> = (0..n).map(|i| inverse_root(h[i * n + i])).collect();
    for i in 0..n {
        for j in 0..=i {
            h[i * n + j] *= scale[i] * scale[j];
        }
        h[i * n + i] = 1.0 + RIDGE * n as f64;
    }
    // L into the lower half.
    for j in 0..n {
        let (above, below) = h.split_at_mut((j + 1) * n);
        let row = &mut above[j * n..];
        let pivot = (row[j] - dot(&row[..j], &row[..j])).max(RIDGE).sqrt();
        row[j] = pivot;
        for other in below.chunks_exact_mut(n) {
            other[j] = (other[j] - dot(&row[..j], &other[..j])) / pivot;
        }
    }
    for i in 0..n {
        let known = dot(&h[i * n..i * n + i], &s[..i]);
        s[i] = (-g[i] * scale[i] - known) / h[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| h[k * n + i] * s[k]).sum();
        s[i] = (s[i] - known) / h[i * n + i];
    }
    s.iter_mut().zip(&scale).for_each(|(s, scale)| *s *= scale);
}

/// s = argmin g·s + ½ sᵀ H s + λ₁ Σ |θ + s|, a coordinate after the other, until no change matters. Columns that nearly depend on each
/// other make that slow: now and then what is not 0 takes a step together.
fn descend(h: &[f64], (g, theta): (&[f64], &[f64]), l1: f64, enough: f64, s: &mut [f64]) {
    let n = s.len();
    let mut slope = g.to_vec();
    for cycle in 1..=CYCLES {
        let mut most: f64 = 0.0;
        for j in 0..n {
            let curvature = h[j * n + j];
            if curvature <= 0.0 {
                continue;
            }
            let to = theta[j] + s[j] - slope[j] / curvature;
            let next = to.signum() * (to.abs() - l1 / curvature).max(0.0) - theta[j];
            let change = next - s[j];
            if change != 0.0 {
                move_by(change, j, h, s, &mut slope);
                most = most.max(change.abs() * curvature);
            }
        }
        if most <= enough {
            return;
        }
        if cycle % TOGETHER == 0 {
            step_together(h, theta, l1, s, &mut slope);
        }
    }
}

fn move_by(change: f64, j: usize, h: &[f64], s: &mut [f64], slope: &mut [f64]) {
    let n = s.len();
    s[j] += change;
    slope.iter_mut().zip(&h[j * n..(j + 1) * n]).for_each(|(slope, h)| *slope += change * h);
}

/// To the minimum over the weights that are not 0 with the signs that they have, or to where the first of them becomes 0.
fn step_together(h: &[f64], theta: &[f64], l1: f64, s: &mut [f64], slope: &mut [f64]) {
    let n = s.len();
    let weight = |j: usize, s: &[f64]| theta[j] + s[j];
    let active: Vec<usize> = (0..n).filter(|&j| weight(j, s) != 0.0).collect();
    let of_active: Vec<f64> =
        active.iter().flat_map(|&i| active.iter().map(move |&j| h[i * n + j])).collect();
    let g: Vec<f64> = active.iter().map(|&j| slope[j] + l1 * weight(j, s).signum()).collect();
    let mut steps = vec![0.0; active.len()];
    solve(of_active, active.len(), &g, &mut steps);
    // How far each may go, as a share of its step.
    let limits = active.iter().zip(&steps).map(|(&j, step)| (j, -weight(j, s) / step));
    let first = limits.filter(|(_, share)| *share > 0.0).min_by(|a, b| a.1.total_cmp(&b.1));
    let share = first.map_or(1.0, |(_, share)| share.min(1.0));
    for (&j, step) in active.iter().zip(&steps) {
        let stops = share < 1.0 && first.is_some_and(|(stopped, _)| stopped == j);
        let change = if stops { -weight(j, s) } else { share * step };
        if change.is_finite() {
            move_by(change, j, h, s, slope);
        }
        if stops {
            s[j] = -theta[j];
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
