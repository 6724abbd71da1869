//! Predictions of many rows, and their score: accuracy, or R².

use wxb::step::{Cache, Mode, forward};
use wxb::{Loss, Network, Real};

use super::examples::{Examples, Rows};

/// Rows that go through the network at a time: as in the engine's own evaluation.
pub const ROWS: usize = 512;

/// Whether all numbers are finite.
pub fn are_finite<T: Real>(values: &[T]) -> bool {
    values.iter().fold(true, |finite, value| finite & value.is_finite())
}

/// What a row of logits is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Probabilities, rates or values.
    Linked,
    /// Z_L.
    Logits,
}

/// The outputs (m, n_L) of all rows; `None` if an input is not finite.
pub fn outputs<T: Real>(
    network: &Network<T>,
    x: &Rows<'_, T>,
    output: Output,
    cache: &mut Cache<T>,
) -> Option<Vec<T>> {
    let (n_in, n, rows) = (network.n_in(), network.n_out(), x.count());
    let mut all = Vec::with_capacity(rows * n);
    for start in (0..rows).step_by(cache.capacity()) {
        let m = cache.capacity().min(rows - start);
        x.gather(start..start + m, &mut cache.x[..m * n_in]);
        if !are_finite(&cache.x[..m * n_in]) {
            return None;
        }
        forward(network, cache, m, Mode::Predicting);
        let z = &mut cache.logits_mut()[..m * n];
        if output == Output::Linked {
            z.chunks_exact_mut(n).for_each(|z| network.loss().apply_link(z));
        }
        all.extend_from_slice(z);
    }
    Some(all)
}

/// The class that a row of logits says: the largest of several, or the sign of the only one.
pub fn class_of<T: Real>(z: &[T]) -> usize {
    match z {
        [z] => usize::from(*z > T::ZERO),
        _ => (1..z.len()).fold(0, |best, j| if z[j] > z[best] { j } else { best }),
    }
}

/// The weighted share of rows that are right, or R², the mean over the targets; NaN where a prediction is.
pub fn score<T: Real>(
    network: &Network<T>,
    examples: &Examples<'_, T>,
    rows: &[u32],
    cache: &mut Cache<T>,
) -> f64 {
    let n = network.n_out();
    let is_of_classes = matches!(network.loss(), Loss::CrossEntropy { .. } | Loss::BinaryCrossEntropy { .. });
    let mut right = 0.0;
    let mut moments = vec![Moments::default(); n];
    for rows in rows.chunks(cache.capacity()) {
        let m = rows.len();
        examples.load(rows, cache);
        forward(network, cache, m, Mode::Predicting);
        let weight = |i: usize| cache.weights.get(i).map_or(1.0, |w| w.f64());
        for (i, z) in cache.logits()[..m * n].chunks_exact(n).enumerate() {
            if !are_finite(z) {
                return f64::NAN;
            }
            let y = &cache.y[i * examples.n_targets..][..examples.n_targets];
            if is_of_classes {
                right += if is_right(network.loss(), z, y) { weight(i) } else { 0.0 };
                continue;
            }
            for ((moments, &z), &y) in moments.iter_mut().zip(z).zip(y) {
                let mut p = [z];
                network.loss().apply_link(&mut p);
                moments.add(y.f64(), p[0].f64(), weight(i));
            }
        }
    }
    match is_of_classes {
        true => right / examples.weight(rows),
        false => moments.iter().map(|moments| moments.r2()).sum::<f64>() / n as f64,
    }
}

/// Whether the class is that of the target, or every label.
fn is_right<T: Real>(loss: &Loss, z: &[T], y: &[T]) -> bool {
    match loss {
        Loss::CrossEntropy { .. } => class_of(z) as f64 == y[0].f64(),
        _ => z.iter().zip(y).all(|(z, y)| (*z > T::ZERO) == (y.f64() > 0.5)),
    }
}

/// Sums of a target: Σ w, and of weighted residuals' squares; mean and Σ w (y − mean)² as they go on (West 1979).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    weight: f64,
    mean: f64,
    total: f64,
    residual: f64,
}

impl Moments {
    fn add(&mut self, y: f64, p: f64, w: f64) {
        self.weight += w;
        let d = y - self.mean;
        self.mean += d * w / self.weight;
        self.total += w * d * (y - self.mean);
        self.residual += w * (y - p) * (y - p);
    }

    /// 1 − Σ w (y − p)² / Σ w (y − ȳ)²; for a constant target 1 if it is met, else 0. NaN where a target is.
    fn r2(&self) -> f64 {
        if self.total == 0.0 {
            return f64::from(u8::from(self.residual == 0.0));
        }
        1.0 - self.residual / self.total
    }
}
