//! CSV and TSV into a table, in one streaming pass with bounded memory.
//!
//! The kind of each column is guessed from the first block and holds for the whole file or not: a column that
//! contradicts its guess is read again with the other kind. A column is
//! - numeric if every cell that is not missing is a number,
//! - an error if nine of ten are (a forgotten missing mark or a typing error is more likely than a category),
//! - text otherwise.

mod block;
mod blocks;
pub(crate) mod cell;
mod column;
mod header;
mod kind;
mod problems;
mod records;
mod sniff;
mod start;

use rayon::prelude::*;
use wxb::data::Table;
use wxb::{Code, Error, Result};

use crate::input::Input;
use crate::{ColumnKind, ReadOptions};
use block::{Layout, Part};
use blocks::Batch;
use cell::CellRules;
use column::Growing;
use kind::Settled;
use start::Start;

/// A wide table can have something to remark about each column; nobody reads more.
const MOST_REMARKS: usize = 5;

/// The columns of one pass, each with its index in the file.
type Columns = Vec<(usize, Growing)>;

/// Reads a table, with warnings.
pub(crate) fn read(input: &Input, options: &ReadOptions) -> Result<(Table, Vec<String>)> {
    let rules = CellRules::new(options)?;
    let (start, sample) = Start::find(input, options)?;
    let names = &start.header.names;
    let forced: Vec<Option<ColumnKind>> = names.iter().map(|n| options.kinds.get(n).copied()).collect();
    let wanted = kept(names, &options.drop)?;
    let mut layout = Layout { file: input.name(), delimiter: start.delimiter, names, wanted, rules: &rules };
    kind::guess(&mut layout, &forced, &sample);
    drop(sample);
    let mut columns = read_rows(input, &start, &layout)?;
    layout.wanted = contradicted(&layout, &columns, &forced)?;
    if !layout.wanted.is_empty() {
        // The contradicted columns go before their replacements come: the peak stays one table.
        columns.retain(|(i, _)| layout.wanted.binary_search_by_key(i, |w| w.0).is_err());
        columns.extend(read_rows(input, &start, &layout)?);
        columns.sort_by_key(|(i, _)| *i);
    }
    for (i, column) in &columns {
        kind::check(&layout, &names[*i], column)?;
    }
    let remarks = columns.iter().filter_map(|(i, c)| kind::remark(&names[*i], c, forced[*i], &rules));
    let warnings = [start.header.warnings.clone(), at_most(MOST_REMARKS, remarks.collect())].concat();
    let columns = columns.into_iter().map(|(i, column)| (names[i].clone(), column.finish()));
    Ok((Table::new(columns.collect())?, warnings))
}

/// The first sentences, and how many were left out.
fn at_most(most: usize, mut sentences: Vec<String>) -> Vec<String> {
    if sentences.len() > most {
        let left_out = sentences.len() - most;
        sentences.truncate(most);
        sentences.push(format!("the same holds for {left_out} other columns"));
    }
    sentences
}

/// The columns that are not dropped, with a kind to be guessed.
fn kept(names: &[String], drop: &[String]) -> Result<Vec<(usize, ColumnKind)>> {
    if let Some(unknown) = drop.iter().find(|name| !names.contains(name)) {
        return Err(wxb::data::unknown_column(unknown, names));
    }
    let kept: Vec<_> =
        (0..names.len()).filter(|&i| !drop.contains(&names[i])).map(|i| (i, ColumnKind::Text)).collect();
    match kept.is_empty() {
        true => Err(Error::new(Code::EmptyData, "every column is dropped")),
        false => Ok(kept),
    }
}

/// The columns that have to be read again, with their other kind.
fn contradicted(
    layout: &Layout,
    columns: &Columns,
    forced: &[Option<ColumnKind>],
) -> Result<Vec<(usize, ColumnKind)>> {
    let mut again = Vec::new();
    for (i, column) in columns {
        match kind::settle(column, forced[*i], layout.rules) {
            Settled::Keep => {}
            Settled::ReadAs(kind) => again.push((*i, kind)),
            Settled::Mixed => return Err(kind::mixed(layout, &layout.names[*i], column)),
        }
    }
    Ok(again)
}

/// Reads the wanted columns of all rows. A batch is parsed, block by block in parallel, while the next one is read
/// and decompressed; parts are appended in the order of the file, so the result is the same for any number of
/// threads.
fn read_rows(input: &Input, start: &Start, layout: &Layout) -> Result<Columns> {
    let mut blocks = start.rows(input)?;
    let mut columns: Vec<Growing> = layout.wanted.iter().map(|&(_, kind)| Growing::new(kind)).collect();
    let (mut rows, mut expected, mut batch) = (0, 0, blocks.next()?);
    while let Some(current) = batch {
        let (parts, following) = rayon::join(|| parse_batch(layout, &columns, &current), || blocks.next());
        let parts = parts.into_iter().collect::<Result<Vec<Part>>>()?;
        rows += parts.iter().map(|part| part.rows).sum::<usize>();
        if rows > expected {
            // The rows so far say how many there will be; a tenth more, for rows that get shorter.
            expected = (rows as f64 * current.whole * 1.1) as usize;
            columns.iter_mut().for_each(|column| column.expect_rows(expected));
        }
        append(&mut columns, parts);
        if rows >= u32::MAX as usize {
            let what = format!("{} has more than {} rows", layout.file, u32::MAX - 1);
            return Err(Error::new(Code::ShapeMismatch, what));
        }
        batch = following?;
    }
    match rows {
        0 => Err(Error::new(Code::EmptyData, format!("{} has a header and no rows", layout.file))),
        _ => Ok(layout.wanted.iter().map(|&(i, _)| i).zip(columns).collect()),
    }
}

fn parse_batch(layout: &Layout, columns: &[Growing], batch: &Batch) -> Vec<Result<Part>> {
    let blocks: Vec<_> = batch.blocks().collect();
    blocks.into_par_iter().map(|(text, line)| block::parse(layout, columns, text, line)).collect()
}

/// Appends the parts of one batch.
fn append(columns: &mut [Growing], parts: Vec<Part>) {
    let known: Vec<usize> = columns.iter().map(Growing::known).collect();
    for part in parts {
        for ((column, more), &known) in columns.iter_mut().zip(part.columns).zip(&known) {
            column.append(more, known);
        }
    }
}
