//! A column of text: one input per level.

use serde::{Deserialize, Serialize};

use super::PreprocessConfig;
use crate::data::{MISSING, TextColumn};

/// Fewer rows than this make a level rare: one row teaches nothing that another could use.
const ROWS_OF_A_LEVEL: u32 = 2;

/// One input per level, for missing, and for rare and unseen levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoryInput {
    /// The levels with an input of their own, sorted.
    pub levels: Vec<String>,
    /// How many levels of the training rows are rare and share the input of unseen ones.
    pub rare: u32,
    /// Training rows in which it is missing. If there is one, missing is a level of its own; else a missing
    /// cell is an unseen level.
    pub missing: u32,
}

/// What one code of a column sets: `value` in input `index`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hot {
    pub index: u32,
    pub value: f32,
}

/// Levels of the given rows with their number of rows, most frequent first, equals by their text; and how often
/// the cell is missing.
pub(super) fn count_levels<'a>(column: &'a TextColumn, rows: &[u32]) -> (Vec<(&'a str, u32)>, u32) {
    let mut counts = vec![0; column.levels.len()];
    let mut missing = 0;
    for code in rows.iter().map(|&r| column.codes[r as usize]) {
        if code == MISSING { missing += 1 } else { counts[code as usize] += 1 }
    }
    let levels = column.levels.iter().map(String::as_str).zip(counts);
    let mut levels: Vec<(&str, u32)> = levels.filter(|level| level.1 > 0).collect();
    levels.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    (levels, missing)
}

/// Where a text is among sorted levels. Truth is `true` in Parquet and frames, `True` in what pandas writes and `TRUE` in what R
/// writes: where all levels are true or false, case does not count.
pub(super) fn place_of(text: &str, levels: &[String]) -> Option<usize> {
    let exact = levels.binary_search_by(|level| level.as_str().cmp(text)).ok();
    let is_truth = |text: &str| ["true", "false"].iter().any(|truth| text.eq_ignore_ascii_case(truth));
    if exact.is_some() || !is_truth(text) || !levels.iter().all(|level| is_truth(level)) {
        return exact;
    }
    levels.iter().position(|level| level.eq_ignore_ascii_case(text))
}

impl CategoryInput {
    /// Fits a column of counted levels (most frequent first).
    pub(super) fn fit(config: &PreprocessConfig, counts: &[(&str, u32)], missing: u32) -> Self {
        let frequent = counts.partition_point(|level| level.1 >= ROWS_OF_A_LEVEL);
        // Where nearly all levels have one row (a table of a few rows), they are all there is to learn from.
        let candidates = if frequent < 2 { counts.len() } else { frequent };
        let kept = candidates.min(config.max_levels.max(1));
        let mut levels: Vec<String> = counts[..kept].iter().map(|level| level.0.to_owned()).collect();
        levels.sort_unstable();
        Self { levels, rare: (counts.len() - kept) as u32, missing }
    }

    /// Whether one input does for the two states the column has.
    pub fn is_signed(&self) -> bool {
        self.rare == 0 && self.levels.len() + usize::from(self.missing > 0) == 2
    }

    /// The number of inputs.
    pub fn width(&self) -> usize {
        if self.is_signed() { 1 } else { self.levels.len() + 1 + usize::from(self.missing > 0) }
    }

    /// What each input stands for: `"red"`, `"(missing)"`, `"(other)"`.
    pub fn input_names(&self) -> Vec<String> {
        let missing = (self.missing > 0).then(|| "(missing)".to_owned());
        if self.is_signed() {
            // +1 is the second state, or that there is a cell at all.
            return vec![self.levels[self.levels.len() - 1].clone()];
        }
        self.levels.iter().cloned().chain(missing).chain(["(other)".to_owned()]).collect()
    }

    /// The input of unseen levels, if no training row sets it.
    pub(super) fn untrained(&self) -> Option<usize> {
        (!self.is_signed() && self.rare == 0).then(|| self.width() - 1)
    }

    /// What a level sets; `None` for a missing cell.
    pub(super) fn hot(&self, level: Option<&str>) -> Hot {
        let known = level.map(|text| place_of(text, &self.levels));
        let other = self.levels.len() + usize::from(self.missing > 0);
        if self.is_signed() {
            let value = match known {
                Some(Some(i)) if i + 1 == self.levels.len() => 1.0,
                Some(Some(_)) => -1.0,
                None if self.missing > 0 => -1.0,
                _ => 0.0,
            };
            return Hot { index: 0, value };
        }
        let index = match known {
            Some(Some(i)) => i,
            None if self.missing > 0 => self.levels.len(),
            _ => other,
        };
        Hot { index: index as u32, value: 1.0 }
    }

    pub(super) fn is_sound(&self) -> bool {
        !self.levels.is_empty() && self.levels.is_sorted_by(|a, b| a < b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        counts: &[(&str, u32)],
        missing: u32,
        max_levels: usize,
        names: &[&str],
        hots: &[(&str, u32, f32)],
    ) {
        let config = PreprocessConfig { max_levels, ..Default::default() };
        let input = CategoryInput::fit(&config, counts, missing);
        assert_eq!(input.input_names(), names);
        assert_eq!(input.width(), names.len());
        for &(level, index, value) in hots {
            let level = (level != "-").then_some(level);
            assert_eq!(input.hot(level), Hot { index, value }, "{level:?}");
        }
    }

    #[test]
    fn two_states_take_one_input() {
        check(
            &[("m", 5), ("f", 4)],
            0,
            9,
            &["m"],
            &[("f", 0, -1.0), ("m", 0, 1.0), ("x", 0, 0.0), ("-", 0, 0.0)],
        );
        check(&[("yes", 5)], 4, 9, &["yes"], &[("yes", 0, 1.0), ("-", 0, -1.0), ("no", 0, 0.0)]);
    }

    #[test]
    fn unseen_levels_have_an_input() {
        let hots = [("b", 0, 1.0), ("d", 2, 1.0), ("x", 3, 1.0), ("-", 3, 1.0)];
        check(&[("c", 5), ("b", 4), ("d", 4)], 0, 9, &["b", "c", "d", "(other)"], &hots);
    }

    #[test]
    fn rare_levels_share_it() {
        let hots = [("c", 0, 1.0), ("-", 2, 1.0), ("a", 3, 1.0), ("new", 3, 1.0)];
        check(&[("c", 5), ("d", 4), ("a", 1)], 2, 9, &["c", "d", "(missing)", "(other)"], &hots);
        check(&[("c", 5), ("d", 4), ("a", 3)], 0, 2, &["c", "d", "(other)"], &[("a", 2, 1.0)]);
        check(&[("a", 1), ("b", 1), ("c", 1)], 0, 9, &["a", "b", "c", "(other)"], &[("a", 0, 1.0)]);
    }

    #[test]
    fn truth_is_written_in_many_ways() {
        for (levels, text, place) in [
            (&["False", "True"][..], "true", Some(1)),
            (&["false", "true"], "FALSE", Some(0)),
            (&["TRUE"], "True", Some(0)),
            (&["TRUE", "True"], "True", Some(1)),
            (&["True", "maybe"], "true", None),
            (&["False", "True"], "yes", None),
            (&["Oslo"], "oslo", None),
        ] {
            let levels: Vec<String> = levels.iter().map(|&level| level.to_owned()).collect();
            assert_eq!(place_of(text, &levels), place, "{text} among {levels:?}");
        }
    }
}
