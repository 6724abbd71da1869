//! The area under the ROC curve, from ranks.

use super::Weights;

/// Rows by ascending score, for one class after the other without allocating anew.
#[derive(Default)]
pub(super) struct Ranking(Vec<(f64, u32)>);

impl Ranking {
    /// Σ over (positive, negative) pairs of w₊ w₋ [s₊ > s₋, ½ if equal] / Σ w₊ w₋; `None` if either side is
    /// without weight.
    pub fn auc(
        &mut self,
        rows: usize,
        score: impl Fn(usize) -> f64,
        is_positive: impl Fn(usize) -> bool,
        weights: Weights,
    ) -> Option<f64> {
        self.0.clear();
        self.0.extend((0..rows as u32).map(|row| (score(row as usize), row)));
        self.0.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (mut below, mut positive, mut pairs) = (0.0, 0.0, 0.0);
        for tied in self.0.chunk_by(|a, b| a.0 == b.0) {
            let (mut w_positive, mut w_negative) = (0.0, 0.0);
            for &(_, row) in tied {
                let w = weights.get(row as usize);
                if is_positive(row as usize) { w_positive += w } else { w_negative += w }
            }
            pairs += w_positive * (below + 0.5 * w_negative);
            below += w_negative;
            positive += w_positive;
        }
        (positive > 0.0 && below > 0.0).then(|| pairs / (positive * below))
    }
}
