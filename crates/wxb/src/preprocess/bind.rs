//! A fitted preprocessor on new data, and the gathering of batches.

use std::borrow::Cow;

use super::category::Hot;
use super::date::DateInput;
use super::matrix::MatrixScaling;
use super::normal::normal;
use super::number::{Scaling, affine, interpolate, log_tails, smooth};
use super::stats::check_all_sizes;
use super::{
    CategoryInput, ColumnPlan, Encoding, LevelInput, MatrixInput, NumberInput, Preprocessor, matrix,
};
use crate::data::{Column, Features, MISSING, Matrix, Table, TextColumn, Values};
use crate::error::{Code, Error, Result};
use crate::real::Real;

/// Data whose columns were found and whose levels were looked up: ready to be gathered, row by row, on any
/// thread. A row's inputs depend on nothing but the row.
#[derive(Clone, Debug)]
pub struct Encoded<'a> {
    rows: usize,
    width: usize,
    source: Source<'a>,
}

#[derive(Clone, Debug)]
enum Source<'a> {
    Table(Vec<BoundColumn<'a>>),
    Matrix(BoundMatrix<'a>),
}

/// One column and the first of its inputs.
#[derive(Clone, Debug)]
struct BoundColumn<'a> {
    at: usize,
    cells: Cells<'a>,
}

#[derive(Clone, Debug)]
enum Cells<'a> {
    /// Scaled numbers; `fill` is scaled already.
    Number { values: Cow<'a, [f64]>, scaling: &'a Scaling, fill: f64, has_indicator: bool },
    /// 1 where a number is missing.
    NumberPresence(&'a [f64]),
    /// One input set per cell; `hots` has one entry per level and a last one for missing.
    Category { codes: Cow<'a, [u32]>, hots: Vec<Hot> },
    /// Several inputs per cell; (levels + 1, width) numbers, the last row for missing.
    Looked { codes: Cow<'a, [u32]>, width: usize, inputs: Vec<f64> },
}

#[derive(Clone, Debug)]
struct BoundMatrix<'a> {
    matrix: &'a Matrix,
    input: &'a MatrixInput,
    /// Per column, the input of a missing number; and of a constant column, whose unit is 1 here.
    fill: Vec<f64>,
    constant: Vec<usize>,
    /// Units without zeros.
    unit: Vec<f64>,
}

impl Preprocessor {
    /// Finds the columns of new data by name (columns of other names are left alone) and looks every level up
    /// once.
    ///
    /// # Errors
    /// [`Code::UnknownColumn`] for a column that is not there, [`Code::WrongKind`] for text instead of numbers or
    /// the reverse, [`Code::NotADate`], [`Code::NumberTooLarge`]; [`Code::ShapeMismatch`] for a matrix of another
    /// width, or a table instead of a matrix.
    pub fn bind<'a>(&'a self, features: &'a Features) -> Result<Encoded<'a>> {
        let source = match (self, features) {
            (Preprocessor::Table(plans), Features::Table(table)) => Source::Table(bind_table(plans, table)?),
            (Preprocessor::Matrix(input), Features::Matrix(matrix)) => {
                Source::Matrix(BoundMatrix::new(input, matrix)?)
            }
            (Preprocessor::Table(_), Features::Matrix(_)) => {
                return Err(mismatch("the model was trained on named columns, and the data has no names"));
            }
            (Preprocessor::Matrix(_), Features::Table(_)) => {
                return Err(mismatch("the model was trained on an array, and the data is a table"));
            }
        };
        Ok(Encoded { rows: features.rows(), width: self.width(), source })
    }
}

fn mismatch(message: impl Into<String>) -> Error {
    Error::new(Code::ShapeMismatch, message)
}

fn bind_table<'a>(plans: &'a [ColumnPlan], table: &'a Table) -> Result<Vec<BoundColumn<'a>>> {
    let mut at = 0;
    let mut columns = vec![];
    for plan in plans {
        let width = plan.encoding.width();
        if width > 0 {
            let column = table.column(&plan.name).map_err(|e| e.note("the model was trained with it"))?;
            columns.push(BoundColumn { at, cells: bind_column(plan, column)? });
        }
        at += width;
    }
    Ok(columns)
}

fn bind_column<'a>(plan: &'a ColumnPlan, column: &'a Column) -> Result<Cells<'a>> {
    let name = plan.name.as_str();
    match &plan.encoding {
        Encoding::Number(input) | Encoding::Again(input) => {
            let values = numbers(name, column)?;
            check_all_sizes(&format!("column {name:?}"), values.iter().copied())?;
            Ok(bind_number(input, values))
        }
        Encoding::Category(input) => Ok(bind_category(input, texts(name, column)?)),
        Encoding::Date(input) => bind_date(name, input, texts(name, column)?),
        Encoding::Levels(input) | Encoding::Row(input) => Ok(bind_levels(input, texts(name, column)?)),
        // Whatever the cells hold: all that counts is whether they are there.
        Encoding::Presence { .. } | Encoding::Missing { .. } | Encoding::Dropped(_) => Ok(match column {
            Column::Number(values) => Cells::NumberPresence(values),
            Column::Text(text) => bind_presence(text),
        }),
    }
}

/// The column's numbers. A reader takes a column without a single value for either kind.
fn numbers<'a>(name: &str, column: &'a Column) -> Result<Cow<'a, [f64]>> {
    match column {
        Column::Number(values) => Ok(Cow::Borrowed(values)),
        Column::Text(text) if column.missing() == text.codes.len() => {
            Ok(Cow::Owned(vec![f64::NAN; text.codes.len()]))
        }
        Column::Text(text) => {
            let row = text.codes.iter().position(|&c| c != MISSING).unwrap_or(0);
            let message = format!("column {name:?} was numbers in training and is text now");
            Err(Error::new(Code::WrongKind, message)
                .at(format!("data row {}  {name} = {:?}", row + 1, text.get(row).unwrap_or("")))
                .hint("correct the values that are not numbers, or declare them missing with --na"))
        }
    }
}

/// The column's texts, as [`numbers`].
fn texts<'a>(name: &str, column: &'a Column) -> Result<Cow<'a, TextColumn>> {
    match column {
        Column::Text(text) => Ok(Cow::Borrowed(text)),
        Column::Number(values) if column.missing() == values.len() => {
            Ok(Cow::Owned(TextColumn { codes: vec![MISSING; values.len()], levels: vec![] }))
        }
        Column::Number(_) => {
            let message = format!("column {name:?} was text in training and is numbers now");
            Err(Error::new(Code::WrongKind, message).hint(format!("read it as text: --categorical {name}")))
        }
    }
}

fn codes(text: Cow<'_, TextColumn>) -> Cow<'_, [u32]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text.codes),
        Cow::Owned(text) => Cow::Owned(text.codes),
    }
}

const AS_IT_IS: Scaling = Scaling::Affine { shift: 0.0, unit: 1.0 };

fn bind_number<'a>(input: &'a NumberInput, values: Cow<'a, [f64]>) -> Cells<'a> {
    let (fill, has_indicator) = (input.scaling.apply(input.fill), input.has_indicator());
    // Two searches and a logarithm a cell: a network whose members have batches of their own would pay for them again
    // and again. The copy takes as much memory as the column itself.
    if let Scaling::Normal { at } = &input.scaling {
        let values = values.iter().map(|&x| normal(x, at)).collect();
        return Cells::Number { values: Cow::Owned(values), scaling: &AS_IT_IS, fill, has_indicator };
    }
    Cells::Number { values, scaling: &input.scaling, fill, has_indicator }
}

fn bind_category<'a>(input: &CategoryInput, text: Cow<'a, TextColumn>) -> Cells<'a> {
    let levels = text.levels.iter().map(|level| Some(level.as_str()));
    let hots = levels.chain([None]).map(|level| input.hot(level)).collect();
    Cells::Category { codes: codes(text), hots }
}

fn bind_levels<'a>(input: &LevelInput, text: Cow<'a, TextColumn>) -> Cells<'a> {
    let levels = text.levels.iter().map(|level| Some(level.as_str()));
    let inputs = levels.chain([None]).flat_map(|level| input.of(level)).copied().collect();
    Cells::Looked { codes: codes(text), width: input.width(), inputs }
}

fn bind_presence(text: &TextColumn) -> Cells<'_> {
    let mut inputs = vec![0.0; text.levels.len()];
    inputs.push(1.0);
    Cells::Looked { codes: Cow::Borrowed(&text.codes), width: 1, inputs }
}

fn bind_date<'a>(name: &str, input: &DateInput, text: Cow<'a, TextColumn>) -> Result<Cells<'a>> {
    let mut inputs = Vec::with_capacity((text.levels.len() + 1) * input.width());
    let mut used = vec![false; text.levels.len()];
    text.codes.iter().filter(|&&c| c != MISSING).for_each(|&c| used[c as usize] = true);
    for (level, used) in text.levels.iter().zip(used) {
        let date = input.format.parse(level);
        if date.is_none() && used {
            let row = (0..text.codes.len()).find(|&r| text.get(r) == Some(level)).unwrap_or(0);
            let message = format!("column {name:?} held dates like {} in training", input.format.example());
            return Err(Error::new(Code::NotADate, format!("{message}, and {level:?} is none"))
                .at(format!("data row {}  {name} = {level:?}", row + 1)));
        }
        input.inputs(date, &mut inputs);
    }
    input.inputs(None, &mut inputs);
    Ok(Cells::Looked { codes: codes(text), width: input.width(), inputs })
}

impl<'a> BoundMatrix<'a> {
    fn new(input: &'a MatrixInput, matrix: &'a Matrix) -> Result<Self> {
        if matrix.columns() != input.columns as usize {
            let (has, wants) = (matrix.columns(), input.columns);
            return Err(mismatch(format!("the data has {has} columns, the model was trained on {wants}")));
        }
        matrix::check_sizes(matrix, 0..matrix.rows())?;
        let scaled = |(column, &x): (usize, &f64)| input.scaling.apply(column, x);
        let mut fill: Vec<f64> = input.fill.iter().enumerate().map(scaled).collect();
        fill.resize(matrix.columns(), 0.0);
        let (mut unit, mut constant) = (vec![], vec![]);
        if let MatrixScaling::Columns { unit: units, .. } = &input.scaling {
            constant = (0..units.len()).filter(|&j| units[j] == 0.0).collect();
            unit = units.iter().map(|&u| if u == 0.0 { 1.0 } else { u }).collect();
        }
        Ok(Self { matrix, input, fill, constant, unit })
    }
}

impl Encoded<'_> {
    /// The number of rows (examples).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// n₀, the number of inputs.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether an input is a byte's entry in a table: as fast to find as a number, of a quarter of its size.
    pub fn is_of_bytes(&self) -> bool {
        matches!(&self.source, Source::Matrix(BoundMatrix { matrix, .. }) if matches!(matrix.values(), Values::U8(_)))
    }

    /// X (m, n₀) of the given rows, row-major, into `out`. Allocates nothing.
    ///
    /// # Panics
    /// If `out` has another length than m · n₀, or a row does not exist.
    pub fn gather<T: Real>(&self, rows: &[u32], out: &mut [T]) {
        assert_eq!(out.len(), rows.len() * self.width, "X must be (rows, inputs)");
        match &self.source {
            Source::Table(columns) => {
                out.fill(T::ZERO);
                columns.iter().for_each(|column| column.gather(rows, out, self.width));
            }
            Source::Matrix(matrix) => matrix.gather(rows, out, self.width),
        }
    }
}

impl BoundColumn<'_> {
    /// Sets the column's inputs; `out` is zero there.
    fn gather<T: Real>(&self, rows: &[u32], out: &mut [T], width: usize) {
        match &self.cells {
            Cells::Number { values, scaling, fill, has_indicator } => {
                gather_number(values, scaling, *fill, rows, inputs_at(out, width, self.at));
                if *has_indicator {
                    gather_missing(values, rows, inputs_at(out, width, self.at + 1));
                }
            }
            Cells::NumberPresence(values) => gather_missing(values, rows, inputs_at(out, width, self.at)),
            Cells::Category { codes, hots } => {
                for (x, &row) in out.chunks_exact_mut(width).zip(rows) {
                    let hot = of_code(hots, codes[row as usize]);
                    x[self.at + hot.index as usize] = T::of(f64::from(hot.value));
                }
            }
            Cells::Looked { codes, width: parts, inputs } => {
                for (x, &row) in out.chunks_exact_mut(width).zip(rows) {
                    let last = inputs.len() / parts - 1;
                    let level = (codes[row as usize] as usize).min(last);
                    let from = &inputs[level * parts..][..*parts];
                    x[self.at..][..*parts].iter_mut().zip(from).for_each(|(x, &input)| *x = T::of(input));
                }
            }
        }
    }
}

/// The entry of a level's code; the last one for a missing cell.
fn of_code(hots: &[Hot], code: u32) -> Hot {
    hots[(code as usize).min(hots.len() - 1)]
}

/// Input `at` of every row.
fn inputs_at<T>(out: &mut [T], width: usize, at: usize) -> impl Iterator<Item = &mut T> {
    out.iter_mut().skip(at).step_by(width)
}

fn gather_missing<'t, T: Real>(values: &[f64], rows: &[u32], out: impl Iterator<Item = &'t mut T>) {
    out.zip(rows).for_each(|(x, &row)| *x = if values[row as usize].is_nan() { T::ONE } else { T::ZERO });
}

/// One match for the column, not one for each cell.
fn gather_number<'t, T: Real>(
    values: &[f64],
    scaling: &Scaling,
    fill: f64,
    rows: &[u32],
    out: impl Iterator<Item = &'t mut T>,
) {
    let cells = out.zip(rows.iter().map(|&row| values[row as usize]));
    match scaling {
        Scaling::Affine { shift, unit } => scale_into(cells, fill, |x| affine(x, *shift, *unit)),
        Scaling::LogTails { shift, unit, knee } => {
            scale_into(cells, fill, |x| log_tails(x, *shift, *unit, *knee))
        }
        Scaling::Smooth { shift, unit } => scale_into(cells, fill, |x| smooth(x, *shift, *unit)),
        Scaling::Quantile { at, score } => scale_into(cells, fill, |x| interpolate(x, at, score)),
        Scaling::Normal { at } => scale_into(cells, fill, |x| normal(x, at)),
    }
}

#[inline(always)]
fn scale_into<'t, T: Real>(
    cells: impl Iterator<Item = (&'t mut T, f64)>,
    fill: f64,
    scale: impl Fn(f64) -> f64,
) {
    cells.for_each(|(out, x)| {
        let z = scale(x);
        *out = T::of(if z.is_nan() { fill } else { z });
    });
}

impl BoundMatrix<'_> {
    fn gather<T: Real>(&self, rows: &[u32], out: &mut [T], width: usize) {
        match (self.matrix.values(), &self.input.scaling) {
            // 256 quotients instead of one per pixel.
            (Values::U8(bytes), MatrixScaling::Common { shift, unit }) if self.input.missing.is_empty() => {
                let table: [T; 256] = std::array::from_fn(|byte| T::of(affine(byte as f64, *shift, *unit)));
                for (x, &row) in out.chunks_exact_mut(width).zip(rows) {
                    let bytes = &bytes[row as usize * width..][..width];
                    x.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = table[byte as usize]);
                }
            }
            (Values::U8(values), _) => self.gather_from(values, rows, out, width),
            (Values::F32(values), _) => self.gather_from(values, rows, out, width),
            (Values::F64(values), _) => self.gather_from(values, rows, out, width),
        }
    }

    fn gather_from<V, T>(&self, values: &[V], rows: &[u32], out: &mut [T], width: usize)
    where
        V: Copy + Into<f64>,
        T: Real,
    {
        let columns = self.matrix.columns();
        for (x, &row) in out.chunks_exact_mut(width).zip(rows) {
            let (x, indicators) = x.split_at_mut(columns);
            let values = &values[row as usize * columns..][..columns];
            self.scale_row(values, x);
            self.constant.iter().for_each(|&j| x[j] = T::ZERO);
            for (x, &j) in indicators.iter_mut().zip(&self.input.missing) {
                *x = if values[j as usize].into().is_nan() { T::ONE } else { T::ZERO };
            }
        }
    }

    /// One match for the row, not one for each cell.
    fn scale_row<V: Copy + Into<f64>, T: Real>(&self, values: &[V], x: &mut [T]) {
        let cells = x.iter_mut().zip(values.iter().map(|&v| v.into())).zip(&self.fill);
        match &self.input.scaling {
            MatrixScaling::Common { shift, unit } => {
                cells.for_each(|((out, x), &fill)| *out = or_fill(affine(x, *shift, *unit), fill));
            }
            MatrixScaling::Columns { shift, knee, .. } => {
                let cells = cells.zip(shift.iter().zip(&self.unit));
                cells.for_each(|(((out, x), &fill), (&s, &u))| *out = or_fill(affine(x, s, u), fill));
                if let Some(knee) = *knee {
                    self.bend_tails(values, shift, knee, x);
                }
            }
            MatrixScaling::Each(scalings) => {
                let apply = |scaling: &Option<Scaling>, x| scaling.as_ref().map_or(0.0, |s| s.apply(x));
                cells.zip(scalings).for_each(|(((out, x), &fill), s)| *out = or_fill(apply(s, x), fill));
            }
        }
    }
}

impl BoundMatrix<'_> {
    /// The logarithmic tails of a row whose cells are shifted and scaled already. Most rows have none: the
    /// logarithm stays out of the loop over all cells.
    fn bend_tails<V: Copy + Into<f64>, T: Real>(&self, values: &[V], shift: &[f64], knee: f64, x: &mut [T]) {
        let limit = T::of(knee);
        if !x.iter().fold(false, |any, z| any | (z.abs() > limit)) {
            return;
        }
        for (j, z) in x.iter_mut().enumerate().filter(|(_, z)| z.abs() > limit) {
            *z = or_fill(log_tails(values[j].into(), shift[j], self.unit[j], knee), self.fill[j]);
        }
    }
}

#[inline(always)]
fn or_fill<T: Real>(z: f64, fill: f64) -> T {
    T::of(if z.is_nan() { fill } else { z })
}
