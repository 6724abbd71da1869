//! The cost of a batch, and what the members of a network come to.

use super::Cache;
use crate::cpu::{self, Of, OfMut};
use crate::network::Network;
use crate::real::Real;

/// J = Σ w_i ℓ_i / Σ w_i over the first `m` rows, and dZ_L into the cache. Returns J and Σ w_i.
///
/// Members are no ensemble to it: J is the mean over their rows, too, until [`average`] has made one row of logits of theirs.
pub fn loss<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize) -> (f64, f64) {
    let (n, n_targets) = (network.n_out(), network.n_targets());
    let members = if cache.averaged { 1 } else { cache.members };
    let all = m * members;
    cache.repeat_targets(m * n_targets, m, members);
    let Cache { weights, layers, dz, row_loss, y, repeated, apart, .. } = cache;
    let [y, weights] = targets([y, weights], repeated, members > 1 && !*apart);
    let total = if weights.is_empty() { all as f64 } else { sum(&weights[..all]) };
    let z = &layers.last().expect("a network has a layer").a[..all * n];
    let scale = T::of(1.0 / total);
    // Rows a task takes: a softmax of 10 classes over 256 rows is about 15 µs.
    const ROWS: usize = 256;
    if all <= ROWS || cpu::count() == 1 {
        loss_of_rows(network, 0, [z, y, weights], scale, &mut dz[0][..all * n], &mut row_loss[..all]);
    } else {
        let (dz, row_loss) = (&mut dz[0][..all * n], &mut row_loss[..all]);
        let tasks = (OfMut(row_loss, ROWS), OfMut(dz, ROWS * n), Of(z, ROWS * n));
        cpu::each(tasks, 1, &|task, (OfMut(row_loss, _), OfMut(dz, _), Of(z, _))| {
            loss_of_rows(network, task * ROWS, [z, y, weights], scale, dz, row_loss);
        });
    }
    (sum(&row_loss[..all]) / total, total / members as f64)
}

/// The weighted losses of the rows of `z` and their dZ, given the Y and weights (or none) of all rows, of which they begin at
/// `first`.
#[inline]
pub(super) fn loss_of_rows<T: Real>(
    network: &Network<T>,
    first: usize,
    [z, y, weights]: [&[T]; 3],
    scale: T,
    dz: &mut [T],
    row_loss: &mut [T],
) {
    let of = |n: usize| first * n..(first + row_loss.len()) * n;
    let weights = if weights.is_empty() { &[][..] } else { &weights[of(1)] };
    let y = &y[of(network.n_targets())];
    cpu::loss(network.loss(), network.n_out(), [z, y, weights], scale, dz, row_loss);
}

/// Y and the weights (or none) of all rows, those of members that see the same rows repeated.
pub(super) fn targets<'c, T>(
    once: [&'c [T]; 2],
    repeated: &'c [Vec<T>; 2],
    is_repeated: bool,
) -> [&'c [T]; 2] {
    if is_repeated { [&repeated[0], &repeated[1]] } else { once }
}

impl<T: Real> Cache<T> {
    /// Each target and weight once for each member, where the members see the same rows.
    pub(super) fn repeat_targets(&mut self, targets: usize, weights: usize, members: usize) {
        if members == 1 || self.apart {
            return;
        }
        let weights = weights.min(self.weights.len());
        for (repeated, once) in self.repeated.iter_mut().zip([&self.y[..targets], &self.weights[..weights]]) {
            repeated.clear();
            (0..members).for_each(|_| repeated.extend_from_slice(once));
        }
    }
}

/// The logits of the members' mean prediction take the place of theirs: (k m, n_L) → (m, n_L). With C classes the mean is one of
/// probabilities; it comes as logits, so that all that follows is as for a network without members.
pub fn average<T: Real>(network: &Network<T>, cache: &mut Cache<T>, m: usize) {
    let (members, n) = (cache.members, network.n_out());
    if members == 1 || cache.averaged {
        return;
    }
    cache.averaged = true;
    let z = &mut cache.logits_mut()[..members * m * n];
    z.chunks_exact_mut(n).for_each(|z| network.loss().apply_link(z));
    let (mean, others) = z.split_at_mut(m * n);
    for member in others.chunks_exact(m * n) {
        mean.iter_mut().zip(member).for_each(|(mean, p)| *mean += *p);
    }
    let share = T::of(1.0 / members as f64);
    mean.iter_mut().for_each(|mean| *mean *= share);
    network.loss().undo_link(mean);
}

/// A sum in double width: four sums, over the places modulo 4, as an addition waits for the one before it.
pub(super) fn sum<T: Real>(values: &[T]) -> f64 {
    let mut sums = [0.0; 4];
    let (fours, rest) = values.as_chunks::<4>();
    for four in fours {
        sums.iter_mut().zip(four).for_each(|(sum, value)| *sum += value.f64());
    }
    sums.iter_mut().zip(rest).for_each(|(sum, value)| *sum += value.f64());
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
