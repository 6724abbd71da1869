//! Corrections of probabilities, learned on rows that the networks were not trained on: one temperature, or a curve for each class.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::evaluate::{Evaluation, calibrate, is_of_classes};
use crate::loss::Loss;

/// How probabilities are corrected; numbers stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Calibration {
    /// They stay as they are.
    #[default]
    None,
    /// p^(1/T), made to add up to 1 again ([`temperature`](crate::combine::temperature)).
    Temperature(f64),
    /// Each class by a curve of its own, made to add up to 1 again; of two classes one curve, of the second
    /// ([`Evaluation::isotonic`](crate::evaluate::Evaluation::isotonic)).
    Isotonic(Vec<Isotonic>),
}

impl Calibration {
    /// T; 1 where there is none.
    pub fn temperature(&self) -> f64 {
        match self {
            Calibration::Temperature(t) => *t,
            Calibration::None | Calibration::Isotonic(_) => 1.0,
        }
    }

    /// Corrects predictions (m, n), row-major.
    pub fn apply(&self, loss: &Loss, n: usize, predictions: &mut [f64]) {
        match self {
            Calibration::None => {}
            Calibration::Temperature(t) => calibrate(loss, n, *t, predictions),
            Calibration::Isotonic(curves) if is_of_classes(loss) => {
                predictions.chunks_exact_mut(n).for_each(|p| correct(curves, p));
            }
            Calibration::Isotonic(_) => {}
        }
    }

    /// Whether it is one for predictions of n numbers.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] for a temperature that is not positive and finite, and for curves of another number, that fall or
    /// leave 0 to 1.
    pub fn check(&self, n: usize) -> Result<()> {
        let fits = match self {
            Calibration::None => true,
            Calibration::Temperature(t) => *t > 0.0 && t.is_finite(),
            Calibration::Isotonic(curves) => {
                curves.len() == curves_of(n) && curves.iter().all(Isotonic::is_sound)
            }
        };
        let what = "the model file is damaged: its calibration is none for its classes";
        if fits { Ok(()) } else { Err(Error::new(Code::DamagedModel, what)) }
    }
}

impl Evaluation {
    /// The curves that bring the probability of each class closest to how often it came, of two classes that of the second.
    pub fn isotonic(&self) -> Calibration {
        if self.is_of_classes() { Calibration::Isotonic(self.curves(|_| true)) } else { Calibration::None }
    }

    /// The same with the rows of each fifth corrected by the curves of the others (`learned` has their weights): how good the
    /// correction is. A curve that has seen a row flatters it, the more the fewer rows there are.
    #[must_use]
    pub fn isotonic_of_others(&self, learned: &Evaluation) -> Evaluation {
        const PARTS: usize = 5;
        let mut predictions = self.predictions.clone();
        if self.is_of_classes() && self.rows() > 1 {
            for part in 0..PARTS.min(self.rows()) {
                let curves = learned.curves(|row| row % PARTS != part);
                let rows = predictions.chunks_exact_mut(self.n_out).skip(part).step_by(PARTS);
                rows.for_each(|p| correct(&curves, p));
            }
        }
        self.with(predictions)
    }

    /// Those of some rows.
    fn curves(&self, keep: impl Fn(usize) -> bool) -> Vec<Isotonic> {
        let weight = |i: usize| self.weights.as_ref().map_or(1.0, |weights| weights[i]);
        let curve = |class: usize| {
            let rows = self.predictions.chunks_exact(self.n_out).zip(&self.targets).enumerate();
            let rows = rows.filter(|(i, _)| keep(*i));
            // The only column, or the last of two, is that of the second class.
            let column = class.min(self.n_out - 1);
            Isotonic::fit(
                rows.map(|(i, (p, &y))| (p[column], f64::from(y as usize == class), weight(i))).collect(),
            )
        };
        match curves_of(self.n_out) {
            1 => vec![curve(1)],
            classes => (0..classes).map(curve).collect(),
        }
    }
}

/// How many curves predictions of n numbers have.
pub(crate) fn curves_of(n: usize) -> usize {
    if n <= 2 { 1 } else { n }
}

/// The probabilities of a row, one against the rest and made to add up to 1, as scikit-learn's `CalibratedClassifierCV` does it:
/// where all are 0 they become equal.
fn correct(curves: &[Isotonic], p: &mut [f64]) {
    match (curves, p) {
        ([curve], [p]) => *p = curve.at(*p),
        ([curve], [negative, positive]) => {
            *positive = curve.at(*positive);
            *negative = 1.0 - *positive;
        }
        (curves, p) => {
            p.iter_mut().zip(curves).for_each(|(p, curve)| *p = curve.at(*p));
            let (total, equal) = (p.iter().sum::<f64>(), 1.0 / p.len() as f64);
            p.iter_mut().for_each(|p| *p = if total > 0.0 { *p / total } else { equal });
        }
    }
}

/// The curve that never falls and lies closest to some targets in the mean of squares ("isotonic regression"; pool adjacent
/// violators, Ayer, Brunk, Ewing, Reid and Silverman 1955; for probabilities Zadrozny and Elkan 2002): straight between its points,
/// level outside of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Ascending.
    x: Vec<f64>,
    /// Its height at x; never less than before.
    y: Vec<f64>,
}

/// Neighbours that have one height.
struct Block {
    first: f64,
    last: f64,
    weight: f64,
    /// Σ w y.
    sum: f64,
}

impl Isotonic {
    /// Of points (x, y) with a weight each, in any order; all weights are above 0.
    ///
    /// ```
    /// use wxb::calibration::Isotonic;
    /// let curve = Isotonic::fit(vec![(0.1, 0.0, 1.0), (0.2, 1.0, 1.0), (0.3, 0.0, 1.0), (0.5, 1.0, 1.0)]);
    /// assert_eq!([0.0, 0.25, 0.4, 9.0].map(|x| curve.at(x)), [0.0, 0.5, 0.75, 1.0]);
    /// ```
    pub fn fit(mut points: Vec<(f64, f64, f64)>) -> Self {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = vec![];
        for (x, y, weight) in points {
            match blocks.last_mut() {
                // Points of one x are one.
                Some(block) if block.first == x && block.last == x => {
                    block.weight += weight;
                    block.sum += weight * y;
                    continue;
                }
                _ => pool(&mut blocks),
            }
            blocks.push(Block { first: x, last: x, weight, sum: weight * y });
        }
        pool(&mut blocks);
        let (mut x, mut y) = (vec![], vec![]);
        for Block { first, last, weight, sum } in blocks {
            let ends = if first == last { &[first][..] } else { &[first, last] };
            x.extend_from_slice(ends);
            y.extend(ends.iter().map(|_| sum / weight));
        }
        Self { x, y }
    }

    /// Its height at x.
    pub fn at(&self, x: f64) -> f64 {
        let after = self.x.partition_point(|&point| point < x);
        match (after.checked_sub(1), self.x.get(after)) {
            (None, _) => self.y[0],
            (Some(before), None) => self.y[before],
            (Some(before), Some(&next)) => {
                let share = (x - self.x[before]) / (next - self.x[before]);
                self.y[before] + share * (self.y[after] - self.y[before])
            }
        }
    }

    /// How many points it has.
    pub fn points(&self) -> usize {
        self.x.len()
    }

    fn is_sound(&self) -> bool {
        let rises = |values: &[f64]| values.windows(2).all(|pair| pair[0] <= pair[1]);
        let within = |values: &[f64]| values.iter().all(|v| (0.0..=1.0).contains(v));
        !self.x.is_empty()
            && self.x.len() == self.y.len()
            && self.x.windows(2).all(|pair| pair[0] < pair[1])
            && rises(&self.y)
            && within(&self.x)
            && within(&self.y)
    }
}

/// The last blocks become one as long as the last but one is not below it.
fn pool(blocks: &mut Vec<Block>) {
    while let [.., before, last] = &blocks[..]
        && before.sum * last.weight >= last.sum * before.weight
    {
        let merged = Block {
            first: before.first,
            last: last.last,
            weight: before.weight + last.weight,
            sum: before.sum + last.sum,
        };
        blocks.truncate(blocks.len() - 2);
        blocks.push(merged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 12] = [0.1, 0.4, 0.35, 0.8, 0.35, 0.9, 0.6, 0.6, 0.2, 0.95, 0.5, 0.05];
    const Y: [f64; 12] = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0];
    const WEIGHTS: [f64; 12] = [1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 0.5];

    fn check(weights: [f64; 12], points: usize, expected: [f64; 12]) {
        const AT: [f64; 12] = [0.0, 0.05, 0.07, 0.1, 0.3, 0.36, 0.45, 0.6, 0.7, 0.85, 0.93, 1.0];
        let curve = Isotonic::fit(X.into_iter().zip(Y).zip(weights).map(|((x, y), w)| (x, y, w)).collect());
        assert_eq!(curve.points(), points);
        assert!(curve.is_sound());
        for (x, expected) in AT.into_iter().zip(expected) {
            assert!((curve.at(x) - expected).abs() < 1e-12, "{x}: {}, not {expected}", curve.at(x));
        }
    }

    /// What a row is corrected to does not depend on its own target.
    #[test]
    fn a_row_is_judged_by_the_curves_of_others() {
        for (loss, columns) in [(Loss::BINARY, 1), (Loss::CrossEntropy { label_smoothing: 0.0 }, 2)] {
            let p = if columns == 1 { X.to_vec() } else { X.iter().flat_map(|p| [1.0 - p, *p]).collect() };
            let of = |y: [f64; 12]| Evaluation::new(loss.clone(), columns, p.clone(), y.to_vec(), None);
            let judged = |y| of(y).isotonic_of_others(&of(y)).predictions;
            for row in 0..12 {
                let mut other = Y;
                other[row] = 1.0 - other[row];
                let (before, after) = (judged(Y), judged(other));
                assert_eq!(before[row * columns..][..columns], after[row * columns..][..columns], "{row}");
                assert_ne!(before, after, "{row}");
            }
        }
        let single = Evaluation::new(Loss::BINARY, 1, vec![0.3], vec![1.0], None);
        assert_eq!(single.isotonic_of_others(&single).predictions, [0.3]);
    }

    /// scikit-learn 1.9.1, IsotonicRegression(out_of_bounds="clip"), `X_thresholds_` and `predict`.
    #[test]
    fn curves_are_scikit_learns() {
        let (third, two_thirds) = (1.0 / 3.0, 2.0 / 3.0);
        check([1.0; 12], 5, [third, third, third, third, 4.0 / 9.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.8, 1.0]);
        check(
            WEIGHTS,
            8,
            [
                0.2,
                0.2,
                0.2,
                0.2,
                13.0 / 45.0,
                11.0 / 30.0,
                0.5,
                two_thirds,
                two_thirds,
                two_thirds,
                13.0 / 15.0,
                1.0,
            ],
        );
    }

    #[test]
    fn classes_are_corrected_one_against_the_rest() {
        let line = |top: f64| Isotonic { x: vec![0.0, 1.0], y: vec![0.0, top] };
        let calibration =
            Calibration::Isotonic(vec![line(1.0), line(0.5), Isotonic { x: vec![0.5], y: vec![0.0] }]);
        calibration.check(3).unwrap();
        assert!(calibration.check(2).is_err());
        let mut p = [0.2, 0.6, 0.2, 0.0, 0.0, 1.0];
        calibration.apply(&Loss::SOFTMAX, 3, &mut p);
        // (0.2, 0.3, 0) / 0.5, and nothing at all.
        let expected = [0.4, 0.6, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
        assert!(p.iter().zip(expected).all(|(p, expected)| (p - expected).abs() < 1e-15), "{p:?}");
        let two = Calibration::Isotonic(vec![line(0.5)]);
        let mut p = [0.2, 0.8];
        two.apply(&Loss::SOFTMAX, 2, &mut p);
        assert!((p[1] - 0.4).abs() < 1e-15 && (p[0] - 0.6).abs() < 1e-15, "{p:?}");
        let mut number = [7.0];
        two.apply(&Loss::SquaredError, 1, &mut number);
        assert_eq!(number, [7.0]);
    }

    #[test]
    fn damaged_ones_are_refused() {
        let curve = |x: &[f64], y: &[f64]| Calibration::Isotonic(vec![Isotonic { x: x.into(), y: y.into() }]);
        for bad in [
            curve(&[], &[]),
            curve(&[0.0, 1.0], &[0.0]),
            curve(&[0.5, 0.5], &[0.0, 1.0]),
            curve(&[0.0, 1.0], &[1.0, 0.0]),
            curve(&[0.0, 1.0], &[0.0, 2.0]),
            curve(&[0.0, f64::NAN], &[0.0, 1.0]),
            Calibration::Temperature(0.0),
            Calibration::Temperature(f64::NAN),
        ] {
            assert_eq!(bad.check(1).unwrap_err().code(), Code::DamagedModel, "{bad:?}");
        }
    }
}
