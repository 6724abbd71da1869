//! The textbook: the same mathematics once more, one equation a line, in f64, allocating, without any code of
//! wxb. Only the names of activations, losses and optimizers are wxb's, so that both can be given the same case.

use wxb::{Activation, Loss, Optimizer};

pub type Vector = Vec<f64>;
pub type Matrix = Vec<Vector>;

// ---- matrices

pub fn matrix(rows: usize, columns: usize, at: impl Fn(usize, usize) -> f64) -> Matrix {
    (0..rows).map(|i| (0..columns).map(|j| at(i, j)).collect()).collect()
}

pub fn product(a: &Matrix, b: &Matrix) -> Matrix {
    matrix(a.len(), b[0].len(), |i, j| (0..b.len()).map(|k| a[i][k] * b[k][j]).sum())
}

pub fn transpose(a: &Matrix) -> Matrix {
    matrix(a[0].len(), a.len(), |i, j| a[j][i])
}

// ---- activations

pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

pub fn softplus(z: f64) -> f64 {
    (1.0 + z.exp()).ln()
}

/// Φ(z) = ½ + φ(z) Σ z^(2n+1) / (1·3·5···(2n+1)), the normal distribution function.
pub fn normal_distribution(z: f64) -> f64 {
    let terms = (1..400).scan(z, |term, n| Some(std::mem::replace(term, *term * z * z / (2 * n + 1) as f64)));
    0.5 + normal_density(z) * terms.sum::<f64>()
}

/// φ(z) = e^(−z²/2) / √(2π)
pub fn normal_density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

const LAMBDA: f64 = 1.050_700_987_355_480_5;
const ALPHA: f64 = 1.673_263_242_354_377_2;

pub fn g(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Sigmoid => sigmoid(z),
        Activation::Tanh => z.tanh(),
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu { slope } => z.max(0.0) + slope * z.min(0.0),
        Activation::Elu { alpha } => z.max(0.0) + alpha * (z.min(0.0).exp() - 1.0),
        Activation::Selu => LAMBDA * g(Activation::Elu { alpha: ALPHA }, z),
        Activation::Gelu => z * normal_distribution(z),
        Activation::Silu => z * sigmoid(z),
        Activation::Mish => z * softplus(z).tanh(),
        Activation::Softplus => softplus(z),
    }
}

/// g'(z), from z alone; at a kink the slope of the left side.
pub fn g_prime(activation: Activation, z: f64) -> f64 {
    let right = f64::from(z > 0.0);
    match activation {
        Activation::Identity => 1.0,
        Activation::Sigmoid => sigmoid(z) * sigmoid(-z),
        Activation::Tanh => 1.0 / z.cosh().powi(2),
        Activation::Relu => right,
        Activation::LeakyRelu { slope } => right + (1.0 - right) * slope,
        Activation::Elu { alpha } => right + (1.0 - right) * alpha * z.min(0.0).exp(),
        Activation::Selu => LAMBDA * g_prime(Activation::Elu { alpha: ALPHA }, z),
        Activation::Gelu => normal_distribution(z) + z * normal_density(z),
        Activation::Silu => sigmoid(z) + z * sigmoid(z) * sigmoid(-z),
        Activation::Mish => softplus(z).tanh() + z * sigmoid(z) / softplus(z).cosh().powi(2),
        Activation::Softplus => sigmoid(z),
    }
}

// ---- losses of one row: the prediction, the loss, its derivative with respect to the logits

pub fn link(loss: &Loss, z: &Vector) -> Vector {
    let total: f64 = z.iter().map(|z| z.exp()).sum();
    match loss {
        Loss::BinaryCrossEntropy { .. } => z.iter().map(|&z| sigmoid(z)).collect(),
        Loss::CrossEntropy { .. } => z.iter().map(|z| z.exp() / total).collect(),
        Loss::Poisson => z.iter().map(|z| z.exp()).collect(),
        _ => z.clone(),
    }
}

/// One target per output: smoothed, one-hot, or the one value that every quantile is compared with.
pub fn target(loss: &Loss, y: &Vector, n_out: usize) -> Vector {
    match *loss {
        Loss::BinaryCrossEntropy { label_smoothing: e } => {
            y.iter().map(|y| (1.0 - e) * y + e / 2.0).collect()
        }
        Loss::CrossEntropy { label_smoothing: e } => {
            (0..n_out).map(|j| e / n_out as f64 + if j as f64 == y[0] { 1.0 - e } else { 0.0 }).collect()
        }
        Loss::Quantile { .. } => vec![y[0]; n_out],
        _ => y.clone(),
    }
}

pub fn loss_of_row(loss: &Loss, z: &Vector, y: &Vector) -> f64 {
    let (t, p) = (target(loss, y, z.len()), link(loss, z));
    let of_output = |j: usize| match loss {
        Loss::BinaryCrossEntropy { .. } => -t[j] * sigmoid(z[j]).ln() - (1.0 - t[j]) * sigmoid(-z[j]).ln(),
        Loss::CrossEntropy { .. } => -t[j] * p[j].ln(),
        Loss::SquaredError => (z[j] - t[j]).powi(2) / 2.0,
        Loss::AbsoluteError => (z[j] - t[j]).abs(),
        Loss::Huber { delta } if (z[j] - t[j]).abs() <= *delta => (z[j] - t[j]).powi(2) / 2.0,
        Loss::Huber { delta } => delta * ((z[j] - t[j]).abs() - delta / 2.0),
        Loss::Poisson => p[j] - t[j] * z[j],
        Loss::Quantile { levels } => (levels[j] * (t[j] - z[j])).max((levels[j] - 1.0) * (t[j] - z[j])),
    };
    (0..z.len()).map(of_output).sum()
}

pub fn derivative_of_row(loss: &Loss, z: &Vector, y: &Vector) -> Vector {
    let (t, p) = (target(loss, y, z.len()), link(loss, z));
    let of_output = |j: usize| match loss {
        Loss::AbsoluteError => sign(z[j] - t[j]),
        Loss::Huber { delta } => (z[j] - t[j]).clamp(-delta, *delta),
        Loss::Quantile { levels } => (sign(z[j] - t[j]) + 1.0 - 2.0 * levels[j]) / 2.0,
        _ => p[j] - t[j],
    };
    (0..z.len()).map(of_output).collect()
}

fn sign(r: f64) -> f64 {
    if r == 0.0 { 0.0 } else { r.signum() }
}

// ---- the network

#[derive(Clone, Debug)]
pub struct Textbook {
    pub w: Vec<Matrix>,
    pub b: Vec<Vector>,
    pub g: Vec<Activation>,
    pub loss: Loss,
    pub l2: f64,
    pub l1: f64,
}

pub struct Batch {
    pub x: Matrix,
    pub y: Matrix,
    pub weights: Vector,
}

pub struct Gradients {
    pub dw: Vec<Matrix>,
    pub db: Vec<Vector>,
}

impl Textbook {
    /// Z_l = A_{l-1} W_l + b_l and A_l = g_l(Z_l), for l = 1, 2, …; the last A is the prediction.
    pub fn forward(&self, x: &Matrix) -> (Vec<Matrix>, Vec<Matrix>) {
        let (mut zs, mut activations, mut a) = (vec![], vec![], x.clone());
        for (l, (w, b)) in self.w.iter().zip(&self.b).enumerate() {
            let aw = product(&a, w);
            let z = matrix(x.len(), b.len(), |i, j| aw[i][j] + b[j]);
            a = matrix(x.len(), b.len(), |i, j| g(self.g[l], z[i][j]));
            if l + 1 == self.w.len() {
                a = z.iter().map(|z| link(&self.loss, z)).collect();
            }
            zs.push(z);
            activations.push(a.clone());
        }
        (zs, activations)
    }

    /// J = Σ w_i ℓ_i / Σ w_i + λ₂/(2m) Σ W² + λ₁/m Σ |W|,  m = Σ w_i
    pub fn cost(&self, batch: &Batch) -> f64 {
        let (m, z) = (batch.weights.iter().sum::<f64>(), self.forward(&batch.x).0.pop().unwrap_or_default());
        let losses = (0..z.len()).map(|i| batch.weights[i] * loss_of_row(&self.loss, &z[i], &batch.y[i]));
        let weights: Vector = self.w.iter().flatten().flatten().copied().collect();
        let squares: f64 = weights.iter().map(|w| w * w).sum();
        let sizes: f64 = weights.iter().map(|w| w.abs()).sum();
        losses.sum::<f64>() / m + self.l2 / (2.0 * m) * squares + self.l1 / m * sizes
    }

    pub fn backward(&self, batch: &Batch) -> Gradients {
        let (m, (z, a)) = (batch.weights.iter().sum::<f64>(), self.forward(&batch.x));
        let mut gradients = Gradients { dw: vec![], db: vec![] };
        let z_last = &z[z.len() - 1];
        let dl: Matrix =
            (0..z_last.len()).map(|i| derivative_of_row(&self.loss, &z_last[i], &batch.y[i])).collect();
        let mut dz = matrix(dl.len(), dl[0].len(), |i, j| batch.weights[i] / m * dl[i][j]);
        for l in (0..self.w.len()).rev() {
            let (a_in, w) = (if l == 0 { &batch.x } else { &a[l - 1] }, &self.w[l]);
            let of_data = product(&transpose(a_in), &dz);
            let of_penalty = |i: usize, j: usize| self.l2 / m * w[i][j] + self.l1 / m * sign(w[i][j]);
            gradients.dw.insert(0, matrix(w.len(), w[0].len(), |i, j| of_data[i][j] + of_penalty(i, j)));
            gradients.db.insert(0, (0..w[0].len()).map(|j| dz.iter().map(|dz| dz[j]).sum()).collect());
            if l > 0 {
                let da = product(&dz, &transpose(w));
                dz = matrix(da.len(), da[0].len(), |i, j| da[i][j] * g_prime(self.g[l - 1], z[l - 1][i][j]));
            }
        }
        gradients
    }
}

// ---- one number's update: θ by its gradient g in step t; m and s are its moments

pub fn update(optimizer: &Optimizer, lr: f64, t: i32, theta: f64, g: f64, m: &mut f64, s: &mut f64) -> f64 {
    let average = |moment: &mut f64, beta: f64, value: f64| {
        *moment = beta * *moment + (1.0 - beta) * value;
        *moment
    };
    match *optimizer {
        Optimizer::Sgd => theta - lr * g,
        Optimizer::Momentum { beta, averaged: true } => theta - lr * average(m, beta, g),
        Optimizer::Momentum { beta, averaged: false } => {
            *m = beta * *m + g;
            theta - lr * *m
        }
        Optimizer::Nesterov { beta } => {
            *m = beta * *m + g;
            theta - lr * (g + beta * *m)
        }
        Optimizer::RmsProp { rho, epsilon } => theta - lr * g / (average(s, rho, g * g).sqrt() + epsilon),
        Optimizer::Adam { beta1, beta2, epsilon } | Optimizer::AdamW { beta1, beta2, epsilon } => {
            let m_hat = average(m, beta1, g) / (1.0 - beta1.powi(t));
            let s_hat = average(s, beta2, g * g) / (1.0 - beta2.powi(t));
            theta - lr * m_hat / (s_hat.sqrt() + epsilon)
        }
        Optimizer::Lbfgs(_) => panic!("L-BFGS has its own tests"),
    }
}
