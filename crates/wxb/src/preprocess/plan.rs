//! The fitted preprocessing: one entry per column of the training data.

use serde::{Deserialize, Serialize};

use super::number::short;
use super::{CategoryInput, DateInput, Kind, LevelInput, MatrixInput, NumberInput};
use crate::error::{Code, Error, Result};

/// More inputs than this are a damaged file or a mistake: one batch of 256 rows would take 16 GB.
const MAX_INPUTS: usize = 1 << 24;

/// How the columns of the training data become inputs. Plain data: it goes into the model file as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preprocessor {
    /// Of a table, column by column.
    Table(Vec<ColumnPlan>),
    /// Of a matrix.
    Matrix(MatrixInput),
}

/// The inputs by what a network with embeddings does with them, in their order
/// ([`Categories::Embedded`](super::Categories)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Scaled numbers.
    pub numbers: usize,
    /// Inputs that stay as they are.
    pub others: usize,
    /// Numbers of rows of a table of embeddings.
    pub rows: usize,
    /// How many rows that table has.
    pub levels: usize,
}

/// What becomes of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnPlan {
    /// Its name; columns are found by it.
    pub name: String,
    /// Its inputs.
    pub encoding: Encoding,
}

/// The inputs of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// A scaled number.
    Number(NumberInput),
    /// The same number scaled in a second way, for a column whose first is a plan before this one.
    Again(NumberInput),
    /// One input per level.
    Category(CategoryInput),
    /// The parts of a date.
    Date(DateInput),
    /// One scaled input per level.
    Levels(LevelInput),
    /// The number of a row of a category embedding.
    Row(LevelInput),
    /// One input that is 1 where a number is missing, for a column whose number is a plan before this one.
    Missing {
        /// Training rows in which it is missing.
        missing: u32,
    },
    /// One input that is 1 where the cell is missing, for a column that is of no use otherwise.
    Presence {
        /// Training rows in which it is missing.
        missing: u32,
        /// Why its content is not used.
        reason: Unused,
    },
    /// No input.
    Dropped(Unused),
}

/// Why a column is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unused {
    /// One value in all training rows.
    Constant,
    /// Missing in all training rows.
    Empty,
    /// Text that is different in nearly every row.
    Identifier,
}

impl Unused {
    /// In words: `"constant"`.
    pub fn name(self) -> &'static str {
        match self {
            Unused::Constant => "constant",
            Unused::Empty => "always missing",
            Unused::Identifier => "an identifier",
        }
    }
}

impl Encoding {
    /// The number of inputs.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Number(input) | Encoding::Again(input) => input.width(),
            Encoding::Category(input) => input.width(),
            Encoding::Date(input) => input.width(),
            Encoding::Levels(input) | Encoding::Row(input) => input.width(),
            Encoding::Presence { .. } | Encoding::Missing { .. } => 1,
            Encoding::Dropped(_) => 0,
        }
    }

    /// What the column must hold; `None` if its content is not used.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Encoding::Number(_) | Encoding::Again(_) | Encoding::Missing { .. } => Some(Kind::Number),
            Encoding::Category(_) | Encoding::Date(_) | Encoding::Levels(_) | Encoding::Row(_) => {
                Some(Kind::Text)
            }
            Encoding::Presence { .. } | Encoding::Dropped(_) => None,
        }
    }

    /// Training rows in which the column is missing, as far as an input tells of it.
    pub fn missing(&self) -> u32 {
        match self {
            Encoding::Number(input) => input.missing,
            Encoding::Category(input) => input.missing,
            Encoding::Date(input) => input.missing,
            Encoding::Presence { missing, .. } | Encoding::Missing { missing } => *missing,
            Encoding::Again(_) | Encoding::Levels(_) | Encoding::Row(_) | Encoding::Dropped(_) => 0,
        }
    }

    /// Whether it is a further plan for a column that has one.
    fn is_further(&self) -> bool {
        matches!(self, Encoding::Again(_) | Encoding::Missing { .. })
    }

    fn is_sound(&self) -> bool {
        match self {
            Encoding::Number(input) | Encoding::Again(input) => input.is_sound(),
            Encoding::Category(input) => input.is_sound(),
            Encoding::Date(input) => input.is_sound(),
            Encoding::Levels(input) | Encoding::Row(input) => input.is_sound(),
            Encoding::Presence { .. } | Encoding::Missing { .. } | Encoding::Dropped(_) => true,
        }
    }
}

impl ColumnPlan {
    /// The names of its inputs: `age`, `age=(missing)`, `sex=male`, `day.month_sin`.
    pub fn input_names(&self) -> Vec<String> {
        let name = &self.name;
        let missing = (self.encoding.missing() > 0).then(|| format!("{name}=(missing)"));
        match &self.encoding {
            Encoding::Number(number) => {
                [name.clone()].into_iter().chain(missing.filter(|_| !number.apart)).collect()
            }
            Encoding::Again(_) => vec![format!("{name} (again)")],
            Encoding::Category(c) => c.input_names().iter().map(|level| format!("{name}={level}")).collect(),
            Encoding::Date(d) => {
                d.parts.iter().map(|(part, _)| format!("{name}.{}", part.name())).chain(missing).collect()
            }
            Encoding::Levels(l) => l.input_names().iter().map(|level| format!("{name}={level}")).collect(),
            Encoding::Row(_) => vec![name.clone()],
            Encoding::Presence { .. } | Encoding::Missing { .. } => missing.into_iter().collect(),
            Encoding::Dropped(_) => vec![],
        }
    }

    /// What becomes of it, in words.
    pub fn describe(&self) -> String {
        match &self.encoding {
            Encoding::Number(n) if n.missing > 0 => {
                format!("number, {}; missing -> {}", n.scaling.describe(), short(n.fill))
            }
            Encoding::Number(n) => format!("number, {}", n.scaling.describe()),
            Encoding::Again(n) => format!("again, {}", n.scaling.describe()),
            Encoding::Category(c) if c.rare > 0 => {
                format!("{} levels, {} rare ones together", c.levels.len(), c.rare)
            }
            Encoding::Category(c) => format!("{} levels", c.levels.len()),
            Encoding::Date(d) => format!("date like {}, {} parts", d.format.example(), d.parts.len()),
            Encoding::Levels(l) => format!("{} levels, scaled", l.levels.len()),
            Encoding::Row(l) => format!("{} levels, embedded", l.levels.len()),
            Encoding::Missing { .. } => "whether it is missing".into(),
            Encoding::Presence { reason, .. } => format!("{}; whether it is missing", reason.name()),
            Encoding::Dropped(reason) => format!("{}, not used", reason.name()),
        }
    }
}

impl Preprocessor {
    /// n₀, the number of inputs.
    pub fn width(&self) -> usize {
        match self {
            Preprocessor::Table(columns) => columns.iter().map(|c| c.encoding.width()).sum(),
            Preprocessor::Matrix(input) => input.width(),
        }
    }

    /// The number of columns of the training data, unused ones included.
    pub fn features(&self) -> usize {
        match self {
            Preprocessor::Table(columns) => columns.iter().filter(|c| !c.encoding.is_further()).count(),
            Preprocessor::Matrix(input) => input.columns as usize,
        }
    }

    /// What the first layer of a network with embeddings has to know of the inputs.
    pub fn groups(&self) -> Groups {
        let mut groups = Groups { numbers: 0, others: 0, rows: 0, levels: 0 };
        match self {
            Preprocessor::Matrix(input) => {
                groups.numbers = input.columns as usize;
                groups.others = input.missing.len();
            }
            Preprocessor::Table(columns) => {
                for column in columns {
                    match &column.encoding {
                        Encoding::Number(number) | Encoding::Again(number) if !number.has_indicator() => {
                            groups.numbers += 1
                        }
                        Encoding::Row(input) => {
                            groups.rows += 1;
                            groups.levels += input.levels.len() + 1;
                        }
                        other => groups.others += other.width(),
                    }
                }
            }
        }
        groups
    }

    /// How many inputs belong together, from the first one on: the levels of a column; any other input is alone.
    pub fn blocks(&self) -> Vec<usize> {
        let Preprocessor::Table(columns) = self else { return vec![1; self.width()] };
        let mut blocks = vec![];
        for column in columns {
            match &column.encoding {
                Encoding::Category(input) => blocks.push(input.width()),
                other => blocks.resize(blocks.len() + other.width(), 1),
            }
        }
        blocks
    }

    /// One name per input; the columns of a matrix are `x0`, `x1`, ….
    pub fn input_names(&self) -> Vec<String> {
        match self {
            Preprocessor::Table(columns) => columns.iter().flat_map(ColumnPlan::input_names).collect(),
            Preprocessor::Matrix(input) => {
                let missing = input.missing.iter().map(|j| format!("x{j}=(missing)"));
                (0..input.columns).map(|j| format!("x{j}")).chain(missing).collect()
            }
        }
    }

    /// The inputs that are 0 in every training row, ascending: those of unseen levels where no level is rare. No
    /// gradient reaches their weights, so these had better start at 0.
    pub fn untrained_inputs(&self) -> Vec<usize> {
        let Preprocessor::Table(columns) = self else { return vec![] };
        let mut at = 0;
        let mut untrained = vec![];
        for column in columns {
            if let Encoding::Category(category) = &column.encoding {
                untrained.extend(category.untrained().map(|j| at + j));
            }
            at += column.encoding.width();
        }
        untrained
    }

    /// What a reader must take each column for whose content is used.
    pub fn kinds(&self) -> Vec<(&str, Kind)> {
        let Preprocessor::Table(columns) = self else { return vec![] };
        columns.iter().filter_map(|c| c.encoding.kind().map(|kind| (c.name.as_str(), kind))).collect()
    }

    /// One line for people: `19 features -> 46 inputs; 11 missing in total_charges, filled in`.
    pub fn summary(&self) -> String {
        let mut line = format!("{} features -> {} inputs", self.features(), self.width());
        if let Preprocessor::Table(columns) = self {
            let is_imputed = |c: &&ColumnPlan| matches!(&c.encoding, Encoding::Number(n) if n.missing > 0);
            let missing: Vec<String> = columns
                .iter()
                .filter(is_imputed)
                .map(|c| format!("{} missing in {}", c.encoding.missing(), c.name))
                .collect();
            if !missing.is_empty() {
                let (shown, more) = (missing.iter().take(3).cloned().collect::<Vec<_>>(), missing.len() > 3);
                let rest = if more { format!(", {} more columns", missing.len() - 3) } else { String::new() };
                line += &format!("; {}{rest}, filled in", shown.join(", "));
            }
        }
        line
    }

    /// Whether a preprocessor read from a file makes sense; gathering trusts it afterwards.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] that names the column.
    pub fn check(&self) -> Result<()> {
        let damaged = |what: String| {
            Err(Error::new(Code::DamagedModel, format!("the model's preprocessing has {what}")))
        };
        if let Preprocessor::Table(columns) = self {
            let mut seen = std::collections::HashSet::new();
            for column in columns {
                if !column.encoding.is_sound() {
                    return damaged(format!("numbers that make no sense for column {:?}", column.name));
                }
                if !column.encoding.is_further() && !seen.insert(column.name.as_str()) {
                    return damaged(format!("the column {:?} twice", column.name));
                }
            }
        }
        match self {
            Preprocessor::Matrix(input) if !input.is_sound() => damaged("numbers that make no sense".into()),
            _ if !(1..=MAX_INPUTS).contains(&self.width()) => damaged(format!("{} inputs", self.width())),
            _ => Ok(()),
        }
    }
}
