//! A column as it grows: the same type for the part of one block and for the whole file.

use wxb::data::{Column, MISSING, TextColumn};

use crate::ColumnKind;
use crate::levels::Levels;

/// How many cells that are no numbers an error shows.
pub(super) const SHOWN: usize = 3;

/// The cells of one column so far.
pub(super) enum Growing {
    Number { values: Vec<f64>, strays: Strays },
    Text { codes: Vec<u32>, levels: Levels },
}

/// The cells of a numeric column that are no finite numbers.
#[derive(Default)]
pub(super) struct Strays {
    /// How many are no numbers.
    pub(super) texts: usize,
    /// How many are infinite.
    pub(super) infinite: usize,
    /// The first [`SHOWN`] of each sort: line, cell, whether it is infinite.
    pub(super) first: Vec<(usize, String, bool)>,
}

impl Strays {
    /// Whether another example of this sort is wanted.
    pub(super) fn wants(&self, infinite: bool) -> bool {
        (if infinite { self.infinite } else { self.texts }) < SHOWN
    }

    /// Counts one cell.
    pub(super) fn count(&mut self, infinite: bool) {
        *(if infinite { &mut self.infinite } else { &mut self.texts }) += 1;
    }

    fn append(&mut self, later: Strays) {
        for example in later.first {
            if self.first.iter().filter(|e| e.2 == example.2).count() < SHOWN {
                self.first.push(example);
            }
        }
        self.texts += later.texts;
        self.infinite += later.infinite;
    }
}

impl Growing {
    /// No cells yet.
    pub(super) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Growing::Number { values: vec![], strays: Strays::default() },
            ColumnKind::Text => Growing::Text { codes: vec![], levels: Levels::default() },
        }
    }

    /// An empty part of this column, for about so many rows.
    pub(super) fn part(&self, rows: usize) -> Self {
        match self {
            Growing::Number { .. } => {
                Growing::Number { values: Vec::with_capacity(rows), strays: Strays::default() }
            }
            Growing::Text { levels, .. } => {
                Growing::Text { codes: Vec::with_capacity(rows), levels: Levels::hashing_like(levels) }
            }
        }
    }

    /// Takes memory for so many cells in all. Without it a column would be copied each time it outgrows its memory,
    /// and the pieces it leaves behind would stay with the process. What is taken in excess is not touched and is
    /// given back at the end; if there is not so much, the column grows as it has to.
    pub(super) fn expect_rows(&mut self, rows: usize) {
        let _ = match self {
            Growing::Number { values, .. } => values.try_reserve_exact(rows.saturating_sub(values.len())),
            Growing::Text { codes, .. } => codes.try_reserve_exact(rows.saturating_sub(codes.len())),
        };
    }

    /// Appends the part of the next block. The codes of a part count its own levels from the number of levels the
    /// whole had when the block was parsed, `known`.
    pub(super) fn append(&mut self, part: Growing, known: usize) {
        match (self, part) {
            (Growing::Number { values, strays }, Growing::Number { values: more, strays: later }) => {
                values.extend_from_slice(&more);
                strays.append(later);
            }
            (Growing::Text { codes, levels }, Growing::Text { codes: more, levels: fresh }) => {
                if fresh.texts.is_empty() {
                    return codes.extend_from_slice(&more);
                }
                let renamed: Vec<u32> = fresh.texts.into_iter().map(|text| levels.code(text)).collect();
                codes.extend(more.into_iter().map(|code| match code {
                    MISSING => MISSING,
                    code if (code as usize) < known => code,
                    code => renamed[code as usize - known],
                }));
            }
            _ => unreachable!("a part is made with the kind of its column"),
        }
    }

    /// The number of levels.
    pub(super) fn known(&self) -> usize {
        match self {
            Growing::Number { .. } => 0,
            Growing::Text { levels, .. } => levels.texts.len(),
        }
    }

    /// The finished column, without spare capacity.
    pub(super) fn finish(self) -> Column {
        match self {
            Growing::Number { mut values, .. } => {
                values.shrink_to_fit();
                Column::Number(values)
            }
            Growing::Text { mut codes, levels } => {
                codes.shrink_to_fit();
                Column::Text(TextColumn { codes, levels: levels.texts })
            }
        }
    }
}
