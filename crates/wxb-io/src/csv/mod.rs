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

use rayon::prelude::*;
use wxb::data::Table;
use wxb::{Code, Error, Result};

use crate::input::Input;
use crate::{ColumnKind, ReadOptions};
use block::{Layout, Part};
use blocks::{Batch, Blocks};
use cell::CellRules;
use column::Growing;
use header::Header;
use kind::Settled;

/// Reads a table, with warnings.
pub(crate) fn read(input: &Input, options: &ReadOptions) -> Result<(Table, Vec<String>)> {
    let rules = CellRules::new(options)?;
    let start = Start::find(input, options)?;
    let Header { names, warnings, .. } = &start.header;
    let forced: Vec<Option<ColumnKind>> = names.iter().map(|n| options.kinds.get(n).copied()).collect();
    let mut layout =
        Layout { file: input.name(), delimiter: start.delimiter, names, wanted: vec![], rules: &rules };
    layout.wanted = kept(names, &options.drop)?;
    kind::guess(&mut layout, &forced, start.sample());
    let columns = read_rows(input, &start, &layout)?;
    let mut columns: Vec<(usize, Growing)> = layout.wanted.iter().map(|w| w.0).zip(columns).collect();

    let mut again = Vec::new();
    for (i, column) in &columns {
        match kind::settle(column, forced[*i], &rules) {
            Settled::Keep => kind::check(&layout, &names[*i], column)?,
            Settled::Mixed => return Err(kind::mixed(&layout, &names[*i], column)),
            Settled::ReadAs(kind) => again.push((*i, kind)),
        }
    }
    if !again.is_empty() {
        // The contradicted columns go before their replacements come: the peak stays one table.
        columns.retain(|(i, _)| again.iter().all(|(j, _)| i != j));
        layout.wanted = again;
        let replaced = read_rows(input, &start, &layout)?;
        for (&(i, _), column) in layout.wanted.iter().zip(replaced) {
            kind::check(&layout, &names[i], &column)?;
            columns.push((i, column));
        }
        columns.sort_by_key(|(i, _)| *i);
    }
    let mut warnings = warnings.clone();
    warnings.extend(
        columns.iter().filter_map(|(i, column)| kind::remark(&names[*i], column, forced[*i], &rules)),
    );
    let table = Table::new(columns.into_iter().map(|(i, c)| (names[i].clone(), c.finish())).collect())?;
    Ok((table, warnings))
}

/// Delimiter and header, and where the rows begin.
struct Start {
    delimiter: u8,
    header: Header,
    /// Bytes of the byte order mark.
    mark: usize,
    first: Batch,
}

impl Start {
    fn find(input: &Input, options: &ReadOptions) -> Result<Self> {
        let head = input.head(64 << 10)?;
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let delimiter = match options.delimiter {
            Some(byte) if !byte.is_ascii() || matches!(byte, b'"' | b'\n' | b'\r' | 0) => {
                return Err(Error::new(
                    Code::InvalidSetting,
                    format!("byte 0x{byte:02x} cannot be a delimiter"),
                )
                .hint("usual are , ; tab and |"));
            }
            Some(byte) => byte,
            None => sniff::delimiter(&head[mark..]),
        };
        let empty = || Error::new(Code::EmptyData, format!("{} is empty", input.name()));
        let first = Blocks::open(input, delimiter, mark, 0)?.next()?.ok_or_else(empty)?;
        let (text, line) = first.blocks().next().ok_or_else(empty)?;
        problems::check_text(input.name(), text, line)?;
        let header = header::read(input.name(), delimiter, text)?;
        Ok(Self { delimiter, header, mark, first })
    }

    /// The first rows.
    fn sample(&self) -> &[u8] {
        self.first.blocks().next().map_or(&[], |(text, _)| &text[self.header.bytes..])
    }
}

/// The columns that are not dropped, with a kind to be guessed.
fn kept(names: &[String], drop: &[String]) -> Result<Vec<(usize, ColumnKind)>> {
    if let Some(unknown) = drop.iter().find(|name| !names.contains(name)) {
        return Err(wxb::data::unknown_column(unknown, names));
    }
    let kept: Vec<_> =
        (0..names.len()).filter(|&i| !drop.contains(&names[i])).map(|i| (i, ColumnKind::Text)).collect();
    if kept.is_empty() {
        return Err(Error::new(Code::EmptyData, "every column is dropped"));
    }
    Ok(kept)
}

/// Reads the wanted columns of all rows. A batch is parsed, block by block in parallel, while the next one is read
/// and decompressed; parts are appended in the order of the file, so the result is the same for any number of
/// threads.
fn read_rows(input: &Input, start: &Start, layout: &Layout) -> Result<Vec<Growing>> {
    let header = &start.header;
    let mut blocks = Blocks::open(input, start.delimiter, start.mark + header.bytes, header.lines)?;
    let mut columns: Vec<Growing> = layout.wanted.iter().map(|&(_, kind)| Growing::new(kind, 0)).collect();
    let (mut rows, mut batch) = (0, blocks.next()?);
    while let Some(current) = batch {
        let (parts, following) = rayon::join(|| parse_batch(layout, &columns, &current), || blocks.next());
        let known: Vec<usize> = columns.iter().map(Growing::known).collect();
        for part in parts {
            let part = part?;
            rows += part.rows;
            for ((column, more), &known) in columns.iter_mut().zip(part.columns).zip(&known) {
                column.append(more, known);
            }
        }
        if rows > u32::MAX as usize {
            let what = format!("{} has more than {} rows", layout.file, u32::MAX);
            return Err(Error::new(Code::ShapeMismatch, what));
        }
        batch = following?;
    }
    if rows == 0 {
        return Err(Error::new(Code::EmptyData, format!("{} has a header and no rows", layout.file)));
    }
    Ok(columns)
}

fn parse_batch(layout: &Layout, columns: &[Growing], batch: &Batch) -> Vec<Result<Part>> {
    let blocks: Vec<_> = batch.blocks().collect();
    blocks.into_par_iter().map(|(text, line)| block::parse(layout, columns, text, line)).collect()
}
