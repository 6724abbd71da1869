//! Logistic and softmax regression as a function of θ = (W (d, n), b (n)):
//! f(θ) = Σ w_i ℓ_i / Σ w_i + ½ λ₂ Σ W² + λ₁ Σ |W|, in f64 whatever X is in; X is read in pieces and never copied whole.

use std::sync::atomic::{AtomicBool, Ordering};

use numpy::ndarray::ArrayView2;
use wxb::cpu::{self, Dense};
use wxb::{Activation, Loss, Real};

use crate::fit::examples::Csr;

/// Rows of a piece.
pub const ROWS: usize = 2048;

/// X (m, d).
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Row after row of so many numbers.
    Plain(&'a [f64], usize),
    /// In another layout.
    Double(ArrayView2<'a, f64>),
    Single(ArrayView2<'a, f32>),
    Sparse(Csr<'a, f64>),
}

impl<'a> Source<'a> {
    /// Of a dense array.
    pub fn double(x: ArrayView2<'a, f64>) -> Self {
        x.to_slice().map_or(Self::Double(x), |numbers| Self::Plain(numbers, x.ncols()))
    }

    pub fn count(&self) -> usize {
        match self {
            Self::Plain(numbers, width) => numbers.len() / (*width).max(1),
            Self::Double(x) => x.nrows(),
            Self::Single(x) => x.nrows(),
            Self::Sparse(x) => x.count(),
        }
    }

    pub fn width(&self) -> usize {
        match self {
            Self::Plain(_, width) => *width,
            Self::Double(x) => x.ncols(),
            Self::Single(x) => x.ncols(),
            Self::Sparse(x) => x.width(),
        }
    }

    /// Some columns of the rows from `start` on, as many as `out` holds, dense.
    pub fn copy_columns(&self, start: usize, columns: &[usize], out: &mut [f64]) {
        if columns.len() == self.width() {
            return self.copy_rows(start, out);
        }
        let mut row = vec![0.0; self.width()];
        for (i, out) in (start..).zip(out.chunks_exact_mut(columns.len())) {
            self.copy_rows(i, &mut row);
            out.iter_mut().zip(columns).for_each(|(out, &column)| *out = row[column]);
        }
    }

    /// Rows from `start` on, as many as `out` holds, dense.
    fn copy_rows(&self, start: usize, out: &mut [f64]) {
        let d = self.width();
        if let Self::Sparse(x) = self {
            out.fill(0.0);
            for (row, out) in (start..).zip(out.chunks_exact_mut(d)) {
                x.row(row).for_each(|(column, x)| out[column] += x);
            }
            return;
        }
        let m = out.len() / d;
        if let Self::Plain(numbers, _) = self {
            return out.copy_from_slice(&numbers[start * d..(start + m) * d]);
        }
        self.piece(start, m, out);
    }

    /// `m` rows of a dense X from `start` on, copied into `piece` where they do not lie side by side in f64.
    fn piece<'p>(&'p self, start: usize, m: usize, piece: &'p mut [f64]) -> &'p [f64] {
        fn copy<T: Real>(x: &ArrayView2<'_, T>, start: usize, piece: &mut [f64]) {
            for (row, piece) in (start..).zip(piece.chunks_exact_mut(x.ncols())) {
                piece.iter_mut().zip(x.row(row)).for_each(|(piece, x)| *piece = x.f64());
            }
        }
        let d = self.width();
        match self {
            Self::Plain(numbers, _) => return &numbers[start * d..(start + m) * d],
            Self::Double(x) => copy(x, start, &mut piece[..m * d]),
            Self::Single(x) => copy(x, start, &mut piece[..m * d]),
            Self::Sparse(_) => unreachable!("sparse rows have loops of their own"),
        }
        &piece[..m * d]
    }
}

/// What happens to b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bias {
    /// There is none.
    None,
    /// It is free of penalties.
    Free,
    /// It is the weight of one more column, of this value, with the penalties of a weight: LIBLINEAR's.
    Column(f64),
}

/// λ₂ and λ₁, per Σ w.
#[derive(Clone, Copy, Debug)]
pub struct Penalty {
    pub l2: f64,
    pub l1: f64,
}

pub struct Problem<'a> {
    pub x: Source<'a>,
    /// y as the loss wants it.
    y: &'a [f64],
    /// w_i / Σ w.
    weights: Vec<f64>,
    loss: Loss,
    /// n: logits of a row.
    pub n: usize,
    pub bias: Bias,
    pub penalty: Penalty,
    stop: &'a AtomicBool,
    piece: Vec<f64>,
    /// Of the kernels, and of the gradient of a piece.
    scratch: Vec<f64>,
    partial: Vec<f64>,
}

impl<'a> Problem<'a> {
    /// Of `n` logits; weights (m) with a sum above 0.
    pub fn new(
        x: Source<'a>,
        (y, weights): (&'a [f64], &[f64]),
        n: usize,
        (bias, penalty): (Bias, Penalty),
        stop: &'a AtomicBool,
    ) -> Self {
        let total: f64 = weights.iter().sum();
        let (d, rows) = (x.width(), ROWS.min(x.count()));
        let needs_piece = matches!(x, Source::Double(_) | Source::Single(_));
        Self {
            y,
            weights: weights.iter().map(|w| w / total).collect(),
            loss: if n == 1 { Loss::BINARY } else { Loss::SOFTMAX },
            n,
            bias,
            penalty: Penalty { l2: penalty.l2 / total, l1: penalty.l1 / total },
            stop,
            piece: if needs_piece { vec![0.0; rows * d] } else { vec![] },
            scratch: vec![0.0; cpu::packed_len::<f64>(rows, d, n)],
            partial: vec![0.0; d * n + n],
            x,
        }
    }

    /// d n + n.
    pub fn parameters(&self) -> usize {
        self.partial.len()
    }

    /// Whether somebody asks for an end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a parameter is there, and whether it is penalised.
    pub fn kind(&self, place: usize) -> (bool, bool) {
        match (place < self.parameters() - self.n, self.bias) {
            (true, _) => (true, true),
            (false, bias) => (bias != Bias::None, matches!(bias, Bias::Column(_))),
        }
    }

    /// w_i / Σ w.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights[row]
    }

    /// What b is multiplied by.
    pub fn bias_value(&self) -> f64 {
        match self.bias {
            Bias::None => 0.0,
            Bias::Free => 1.0,
            Bias::Column(value) => value,
        }
    }

    /// Z (m, n) = X W + b.
    pub fn product(&mut self, theta: &[f64], z: &mut [f64]) {
        let (d, n, value) = (self.x.width(), self.n, self.bias_value());
        let (w, b) = theta.split_at(d * n);
        let b: Vec<f64> = b.iter().map(|b| b * value).collect();
        for (start, z) in (0..).step_by(ROWS).zip(z.chunks_mut(ROWS * n)) {
            let m = z.len() / n;
            if let Source::Sparse(x) = &self.x {
                for (i, z) in (start..).zip(z.chunks_exact_mut(n)) {
                    z.copy_from_slice(&b);
                    for (column, x) in x.row(i) {
                        z.iter_mut().zip(&w[column * n..]).for_each(|(z, w)| *z += x * w);
                    }
                }
                continue;
            }
            let x = self.x.piece(start, m, &mut self.piece);
            let dense = Dense { m, n_in: d, n_out: n, w, b: &b, activation: Activation::Identity };
            cpu::forward(dense, x, &mut [], z, &mut self.scratch);
        }
    }

    /// (Xᵀ S, 1ᵀ S), S (m, n).
    pub fn back(&mut self, s: &[f64], gradient: &mut [f64]) {
        let (d, n, value) = (self.x.width(), self.n, self.bias_value());
        gradient.fill(0.0);
        for (start, s) in (0..).step_by(ROWS).zip(s.chunks(ROWS * n)) {
            let m = s.len() / n;
            if let Source::Sparse(x) = &self.x {
                let (dw, db) = gradient.split_at_mut(d * n);
                for (i, s) in (start..).zip(s.chunks_exact(n)) {
                    db.iter_mut().zip(s).for_each(|(db, s)| *db += s);
                    for (column, x) in x.row(i) {
                        dw[column * n..].iter_mut().zip(s).for_each(|(dw, s)| *dw += x * s);
                    }
                }
                continue;
            }
            let x = self.x.piece(start, m, &mut self.piece);
            let (dw, db) = self.partial.split_at_mut(d * n);
            cpu::grad_params([m, d, n], x, s, dw, db, &mut self.scratch);
            gradient.iter_mut().zip(&self.partial).for_each(|(sum, g)| *sum += g);
        }
        gradient[d * n..].iter_mut().for_each(|g| *g *= value);
    }

    /// (Xᵀ ∘ Xᵀ) S with S ≥ 0: the diagonal of a curvature.
    pub fn back_squares(&mut self, s: &[f64], diagonal: &mut [f64]) {
        let (d, n, value) = (self.x.width(), self.n, self.bias_value());
        diagonal.fill(0.0);
        for (start, s) in (0..).step_by(ROWS).zip(s.chunks(ROWS * n)) {
            let m = s.len() / n;
            let (of_w, of_b) = diagonal.split_at_mut(d * n);
            let mut add = |column: usize, x: f64, s: &[f64]| {
                of_w[column * n..].iter_mut().zip(s).for_each(|(sum, s)| *sum += x * x * s);
            };
            for s in s.chunks_exact(n) {
                of_b.iter_mut().zip(s).for_each(|(sum, s)| *sum += value * value * s);
            }
            if let Source::Sparse(x) = &self.x {
                for (i, s) in (start..).zip(s.chunks_exact(n)) {
                    x.row(i).for_each(|(column, x)| add(column, x, s));
                }
                continue;
            }
            let x = self.x.piece(start, m, &mut self.piece);
            for (x, s) in x.chunks_exact(d).zip(s.chunks_exact(n)) {
                x.iter().enumerate().for_each(|(column, &x)| add(column, x, s));
            }
        }
    }

    /// Σ w ℓ from the logits; w ∂ℓ/∂Z into `dz`.
    pub fn losses(&self, z: &[f64], dz: &mut [f64]) -> f64 {
        let n = self.n;
        let mut sum = 0.0;
        let mut of_rows = [0.0; 256];
        let rows = of_rows.len();
        let pieces = z.chunks(rows * n).zip(dz.chunks_mut(rows * n));
        for ((z, dz), (y, w)) in pieces.zip(self.y.chunks(rows).zip(self.weights.chunks(rows))) {
            let of_rows = &mut of_rows[..y.len()];
            self.loss.rows(n, z, y, dz, of_rows);
            sum += of_rows.iter().zip(w).map(|(loss, w)| loss * w).sum::<f64>();
            dz.chunks_exact_mut(n).zip(w).for_each(|(dz, w)| dz.iter_mut().for_each(|dz| *dz *= w));
        }
        sum
    }

    /// The probabilities of the logits.
    pub fn probabilities(&self, z: &[f64], p: &mut [f64]) {
        p.copy_from_slice(z);
        p.chunks_exact_mut(self.n).for_each(|p| self.loss.apply_link(p));
    }

    /// Where `of_row` is w p (1 − p): the diagonal of the curvature in Z.
    pub fn variances(&self, p: &[f64], into: &mut [f64]) {
        let rows = into.chunks_exact_mut(self.n).zip(p.chunks_exact(self.n)).zip(&self.weights);
        for ((into, p), w) in rows {
            into.iter_mut().zip(p).for_each(|(into, p)| *into = w * p * (1.0 - p));
        }
    }

    /// R (m, n) becomes the curvature in Z times R: w (p ∘ r − p (p · r)), of one logit w p (1 − p) r.
    pub fn curve(&self, p: &[f64], r: &mut [f64]) {
        let rows = r.chunks_exact_mut(self.n).zip(p.chunks_exact(self.n)).zip(&self.weights);
        for ((r, p), w) in rows {
            if let ([r], [p]) = (&mut *r, p) {
                *r *= w * p * (1.0 - p);
                continue;
            }
            let mean: f64 = p.iter().zip(&*r).map(|(p, r)| p * r).sum();
            r.iter_mut().zip(p).for_each(|(r, p)| *r = w * p * (*r - mean));
        }
    }

    /// ½ λ₂ Σ θ² + λ₁ Σ |θ| over what is penalised.
    pub fn penalty_of(&self, theta: &[f64]) -> f64 {
        let (mut squares, mut absolutes) = (0.0, 0.0);
        for (place, theta) in theta.iter().enumerate() {
            if self.kind(place).1 {
                squares += theta * theta;
                absolutes += theta.abs();
            }
        }
        0.5 * self.penalty.l2 * squares + self.penalty.l1 * absolutes
    }
}
