//! A column of text for a network with embeddings: scaled inputs for few levels, the number of a row for many.

use serde::{Deserialize, Serialize};

use super::Scaling;
use super::category::place_of;

/// What each level sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelInput {
    /// The levels of the training rows, sorted.
    pub levels: Vec<String>,
    /// (levels + 1, width) numbers: of each level, and last of a missing or unseen one.
    inputs: Vec<f64>,
}

impl LevelInput {
    /// One input per level, 1 or 0, all 0 for missing and unseen ones; of two levels one input, −1 and 1; each of them
    /// scaled as [`Scaling::Smooth`] scales a number. `counts`: levels with their training rows.
    pub(super) fn scaled(counts: &[(&str, u32)], missing: u32) -> Self {
        let sorted = sorted(counts);
        let signed = sorted.len() == 2;
        let width = if signed { 1 } else { sorted.len() };
        let mut inputs = vec![0.0; (sorted.len() + 1) * width];
        for i in 0..sorted.len() {
            match signed {
                true => inputs[i] = 2.0 * i as f64 - 1.0,
                false => inputs[i * width + i] = 1.0,
            }
        }
        let rows: Vec<u32> = sorted.iter().map(|level| level.1).chain([missing]).collect();
        for j in 0..width {
            let column = inputs.iter().skip(j).step_by(width).copied().zip(rows.iter().copied());
            let mut values: Vec<f64> =
                column.flat_map(|(value, rows)| std::iter::repeat_n(value, rows as usize)).collect();
            values.sort_unstable_by(f64::total_cmp);
            let scaling = Scaling::smooth(&values);
            inputs.iter_mut().skip(j).step_by(width).for_each(|x| *x = scaling.apply(*x));
        }
        Self { levels: sorted.into_iter().map(|level| level.0.to_owned()).collect(), inputs }
    }

    /// The number of a row of a table of embeddings for each level, 0 for missing and unseen ones.
    pub(super) fn rows(counts: &[(&str, u32)]) -> Self {
        let levels: Vec<String> = sorted(counts).into_iter().map(|level| level.0.to_owned()).collect();
        let mut input = Self { inputs: vec![], levels };
        input.number_from(0);
        input
    }

    /// Numbers the rows from `first` on; returns how many there are.
    pub(super) fn number_from(&mut self, first: usize) -> usize {
        let rows = self.levels.len();
        self.inputs = (1..=rows).chain([0]).map(|row| (first + row) as f64).collect();
        rows + 1
    }

    /// The number of inputs.
    pub fn width(&self) -> usize {
        self.inputs.len() / (self.levels.len() + 1)
    }

    /// What each scaled input stands for; of two levels, the one that is 1.
    pub fn input_names(&self) -> &[String] {
        &self.levels[self.levels.len() - self.width()..]
    }

    /// The inputs of a level; `None` for a missing cell.
    pub(super) fn of(&self, level: Option<&str>) -> &[f64] {
        let known = level.and_then(|text| place_of(text, &self.levels));
        &self.inputs[known.unwrap_or(self.levels.len()) * self.width()..][..self.width()]
    }

    pub(super) fn is_sound(&self) -> bool {
        let n = self.levels.len();
        n > 0
            && self.levels.is_sorted_by(|a, b| a < b)
            && self.inputs.len().is_multiple_of(n + 1)
            && (1..=n).contains(&self.width())
            && self.inputs.iter().all(|x| x.is_finite() && (-3.0..16_777_216.0).contains(x))
    }
}

fn sorted<'a>(counts: &[(&'a str, u32)]) -> Vec<(&'a str, u32)> {
    let mut levels = counts.to_vec();
    levels.sort_unstable();
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: a level in half of the rows has the interquartile range 1 and the median 0; a rare one has none, so that
    /// half the range counts; 1 is bent by √(1 + 1/9), 2 by √(1 + 4/9).
    #[test]
    fn few_levels() {
        let input = LevelInput::scaled(&[("b", 60), ("a", 36), ("c", 4)], 20);
        assert_eq!((input.width(), input.input_names()), (3, &["a", "b", "c"].map(String::from)[..]));
        let (once, twice) = (1.0 / (10.0_f64 / 9.0).sqrt(), 2.0 / (13.0_f64 / 9.0).sqrt());
        // Of b: 60 of 120 rows, so that the median is one half.
        let half = 0.5 / (1.0_f64 + 0.25 / 9.0).sqrt();
        for (level, expected) in [
            (Some("a"), [once, -half, 0.0]),
            (Some("b"), [0.0, half, 0.0]),
            (Some("c"), [0.0, -half, twice]),
            (None, [0.0, -half, 0.0]),
            (Some("new"), [0.0, -half, 0.0]),
        ] {
            for (x, expected) in input.of(level).iter().zip(expected) {
                assert!((x - expected).abs() < 1e-15, "{level:?}: {:?}", input.of(level));
            }
        }
        assert!(input.is_sound());
    }

    #[test]
    fn two_levels_have_one_input() {
        let input = LevelInput::scaled(&[("no", 10), ("yes", 10)], 0);
        assert_eq!((input.width(), input.input_names()), (1, &["yes".to_owned()][..]));
        assert_eq!((input.of(Some("no"))[0], input.of(None)[0]), (-input.of(Some("yes"))[0], 0.0));
    }

    #[test]
    fn many_levels_are_numbered() {
        let mut input = LevelInput::rows(&[("b", 3), ("a", 2)]);
        assert_eq!(input.number_from(10), 3);
        assert_eq!(["a", "b", "z"].map(|level| input.of(Some(level))[0]), [11.0, 12.0, 10.0]);
        assert_eq!((input.of(None)[0], input.width(), input.is_sound()), (10.0, 1, true));
    }
}
