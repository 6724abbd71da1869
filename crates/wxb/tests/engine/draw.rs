//! Random networks and batches. Their numbers have few digits, so that both precisions start from the same.

use rand_chacha::ChaCha8Rng;
use wxb::rng::{Purpose, below, stream};
use wxb::{Activation, Loss};

use crate::textbook::{Batch, Matrix, Textbook, Vector, matrix};

/// Every kind of loss, with the number of outputs; `n` where any number will do.
pub fn losses(n: usize) -> Vec<(Loss, usize)> {
    vec![
        (Loss::BINARY, n),
        (Loss::BinaryCrossEntropy { label_smoothing: 0.125 }, n),
        (Loss::SOFTMAX, n + 1),
        (Loss::CrossEntropy { label_smoothing: 0.125 }, n + 1),
        (Loss::SquaredError, n),
        (Loss::AbsoluteError, n),
        (Loss::Huber { delta: 0.5 }, n),
        (Loss::Poisson, n),
        (Loss::Quantile { levels: vec![0.5] }, 1),
        (Loss::Quantile { levels: vec![0.125, 0.5, 0.875] }, 3),
    ]
}

/// Every activation, those with a constant with another one too.
pub fn activations() -> Vec<Activation> {
    let more = [Activation::LeakyRelu { slope: 0.25 }, Activation::Elu { alpha: 0.5 }];
    Activation::ALL.into_iter().chain(more).collect()
}

/// A stream of random numbers.
pub struct Draw(ChaCha8Rng);

impl Draw {
    pub fn new(case: u64) -> Self {
        Self(stream(0, Purpose::Sample, case))
    }

    /// 1 to `most`.
    pub fn size(&mut self, most: u32) -> usize {
        1 + below(&mut self.0, most) as usize
    }

    /// In −most to most, a multiple of 1/64.
    pub fn number(&mut self, most: u32) -> f64 {
        (f64::from(below(&mut self.0, 128 * most + 1)) - f64::from(64 * most)) / 64.0
    }

    fn matrix(&mut self, rows: usize, columns: usize, most: u32, scale: f64) -> Matrix {
        let numbers: Vector = (0..rows * columns).map(|_| self.number(most) * scale).collect();
        matrix(rows, columns, |i, j| numbers[i * columns + j])
    }

    /// A network of `sizes`; its weights leave Z of unit size whatever n_in is.
    pub fn textbook(&mut self, sizes: &[usize], activations: &[Activation], loss: Loss) -> Textbook {
        let scale = |n_in: usize| (64.0 / (n_in as f64).sqrt()).round() / 64.0;
        let w = sizes.windows(2).map(|n| self.matrix(n[0], n[1], 2, scale(n[0]))).collect();
        let b = sizes[1..].iter().map(|&n| self.matrix(1, n, 1, 1.0).remove(0)).collect();
        let g = activations.iter().copied().chain([Activation::Identity]).collect();
        Textbook { w, b, g, loss, l2: 0.0, l1: 0.0 }
    }

    /// `m` rows for that network, all of weight 1.
    pub fn batch(&mut self, book: &Textbook, m: usize) -> Batch {
        let n_out = book.b[book.b.len() - 1].len();
        let y = (0..m).map(|_| self.target(&book.loss, n_out)).collect();
        Batch { x: self.matrix(m, book.w[0].len(), 2, 1.0), y, weights: vec![1.0; m] }
    }

    /// Weights 0, 1/4, … 3, the first one not 0.
    pub fn row_weights(&mut self, m: usize) -> Vector {
        (0..m).map(|i| f64::from(below(&mut self.0, 13).max(u32::from(i == 0))) / 4.0).collect()
    }

    fn target(&mut self, loss: &Loss, n_out: usize) -> Vector {
        let mut integers = |columns: usize, most: usize| -> Vector {
            (0..columns).map(|_| f64::from(below(&mut self.0, most as u32 + 1))).collect()
        };
        match loss {
            Loss::BinaryCrossEntropy { .. } => integers(n_out, 1),
            Loss::CrossEntropy { .. } => integers(1, n_out - 1),
            Loss::Poisson => integers(n_out, 4),
            Loss::Quantile { .. } => vec![self.number(2)],
            _ => (0..n_out).map(|_| self.number(2)).collect(),
        }
    }
}
