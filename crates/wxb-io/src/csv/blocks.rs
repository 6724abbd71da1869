//! The text of a CSV in blocks of whole records, so that blocks can be parsed side by side and the whole text
//! is never in memory.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wxb::{Code, Error, Result};

use super::records::count_lines;
use crate::input::Input;

/// Text parsed by one thread at a time: small enough for the cache, large enough to be worth a task.
pub(super) const BLOCK_BYTES: usize = 128 << 10;
/// Blocks of a batch, which is parsed while the next one is read.
const BATCH_BLOCKS: usize = 16;
/// No row of a table is longer: a quote was opened and not closed.
const LONGEST_RECORD: usize = 32 << 20;

/// The block size for a table whose header has so many bytes: with many columns a block has to hold more text, since
/// each block costs something for each column.
pub(super) fn block_bytes(header_bytes: usize) -> usize {
    (16 * header_bytes).clamp(BLOCK_BYTES, 8 * BLOCK_BYTES)
}

/// Reads batches.
pub(super) struct Blocks<'i> {
    input: &'i Input<'i>,
    source: Box<dyn Read + Send + 'i>,
    taken: Arc<AtomicU64>,
    stored: u64,
    delimiter: u8,
    block_bytes: usize,
    rest: Vec<u8>,
    line: usize,
    ended: bool,
}

/// Some blocks in one piece of memory.
pub(super) struct Batch {
    text: Vec<u8>,
    blocks: Vec<(Range<usize>, usize)>,
    /// How many times as large as the file up to here the whole file is.
    pub(super) whole: f64,
}

impl Batch {
    /// The blocks: text, and the number of its first line in the file, from 1.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&[u8], usize)> {
        self.blocks.iter().map(|(range, line)| (&self.text[range.clone()], *line))
    }
}

impl<'i> Blocks<'i> {
    /// The blocks of about `block_bytes` behind what is skipped: bytes, and the lines that these are.
    pub(super) fn open(
        input: &'i Input<'i>,
        delimiter: u8,
        (skip, lines): (usize, usize),
        block_bytes: usize,
    ) -> Result<Self> {
        let (mut source, taken) = input.counted_content()?;
        let stored = input.stored_bytes()?;
        let skipped = std::io::copy(&mut source.by_ref().take(skip as u64), &mut std::io::sink());
        skipped.map_err(|e| input.read_failed(&e))?;
        Ok(Self {
            input,
            source,
            taken,
            stored,
            delimiter,
            block_bytes,
            rest: vec![],
            line: lines + 1,
            ended: false,
        })
    }

    /// The next batch of [`BATCH_BLOCKS`] blocks; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Batch>> {
        let mut text = std::mem::take(&mut self.rest);
        let mut wanted = (BATCH_BLOCKS * self.block_bytes).max(text.len());
        loop {
            self.fill(&mut text, wanted)?;
            if text.is_empty() {
                return Ok(None);
            }
            let cuts = cuts(&text, self.delimiter, self.block_bytes, self.ended);
            if let Some(&end) = cuts.ends.last() {
                self.rest = text[end..].to_vec();
                text.truncate(end);
                return Ok(Some(self.batch(text, &cuts.ends)));
            }
            if self.ended || wanted >= LONGEST_RECORD {
                return Err(self.open_quote(&text, cuts.unfinished));
            }
            wanted *= 2;
        }
    }

    fn fill(&mut self, text: &mut Vec<u8>, wanted: usize) -> Result<()> {
        let missing = wanted - text.len();
        text.reserve_exact(missing);
        let read = self.source.by_ref().take(missing as u64).read_to_end(text);
        self.ended |= read.map_err(|e| self.input.read_failed(&e))? < missing;
        Ok(())
    }

    fn batch(&mut self, text: Vec<u8>, ends: &[usize]) -> Batch {
        let mut start = 0;
        let mut blocks = Vec::with_capacity(ends.len());
        for &end in ends {
            blocks.push((start..end, self.line));
            self.line += count_lines(&text[start..end]);
            start = end;
        }
        let taken = self.taken.load(Ordering::Relaxed);
        Batch { text, blocks, whole: self.stored as f64 / taken.max(1) as f64 }
    }

    fn open_quote(&self, text: &[u8], start: usize) -> Error {
        let line = self.line + count_lines(&text[..start]);
        let what = if self.ended {
            "is not closed".into()
        } else {
            format!("is longer than {} MB", LONGEST_RECORD >> 20)
        };
        Error::new(Code::OpenQuote, format!("a quoted field {what}"))
            .at(format!("{}:{line}  the record begins here", self.input.name()))
            .hint("close the quote, or double it if it belongs to the text: \"\"")
    }
}

/// Where text can be cut.
struct Cuts {
    /// Just behind the end of a record: one in about every block, and the last.
    ends: Vec<usize>,
    /// The start of the record behind the last of them.
    unfinished: usize,
}

/// Cuts text at ends of records. `ended`: the text is the last of its file, so its end ends a record too,
/// unless a quote is open.
fn cuts(text: &[u8], delimiter: u8, block_bytes: usize, ended: bool) -> Cuts {
    let mut ends = Vec::with_capacity(text.len() / block_bytes + 2);
    let mut cutter = Cutter { block_bytes, last: 0, ends: &mut ends };
    let quote_open = match memchr::memchr(b'"', text) {
        Some(_) => scan_quoted(text, delimiter, &mut cutter),
        None => scan_plain(text, &mut cutter),
    };
    let unfinished = cutter.last;
    if ended && !quote_open && unfinished < text.len() {
        cutter.record_end(text.len());
    }
    let last = cutter.last;
    if last > ends.last().copied().unwrap_or(0) {
        ends.push(last);
    }
    // With an open quote at the end of the file nothing may be passed on: its rows would be one field.
    if ended && quote_open {
        ends.clear();
    }
    Cuts { ends, unfinished }
}

/// Keeps one end of a record in about every [`BLOCK_BYTES`].
struct Cutter<'a> {
    block_bytes: usize,
    last: usize,
    ends: &'a mut Vec<usize>,
}

impl Cutter<'_> {
    fn record_end(&mut self, end: usize) {
        let start = self.ends.last().copied().unwrap_or(0);
        if end - start > self.block_bytes && self.last > start {
            self.ends.push(self.last);
        }
        self.last = end;
    }
}

/// Without quotes every line break ends a record: looking backwards from each multiple of the block size is enough.
fn scan_plain(text: &[u8], cutter: &mut Cutter) -> bool {
    let mut targets: Vec<usize> = (cutter.block_bytes..text.len()).step_by(cutter.block_bytes).collect();
    targets.push(text.len());
    for target in targets {
        let mut head = &text[..target];
        // A `\r` that ends the head may have its `\n` behind it.
        if head.last() == Some(&b'\r') {
            head = &head[..target - 1];
        }
        if let Some(at) = memchr::memrchr2(b'\n', b'\r', head)
            && at + 1 > cutter.last
        {
            cutter.record_end(at + 1);
        }
    }
    false
}

/// Where a scan is: a quote opens a quoted field only as the first character of a field.
#[derive(Clone, Copy, PartialEq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

/// Follows the quotes as the record reader does. Returns whether the text ends within a quoted field.
fn scan_quoted(text: &[u8], delimiter: u8, cutter: &mut Cutter) -> bool {
    let mut state = State::FieldStart;
    let mut i = 0;
    while i < text.len() {
        let byte = text[i];
        state = match (state, byte) {
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) => State::Quoted,
            (State::FieldStart | State::QuoteInQuoted, b'"') => State::Quoted,
            (_, b) if b == delimiter => State::FieldStart,
            (_, b'\n') => {
                cutter.record_end(i + 1);
                State::FieldStart
            }
            (_, b'\r') => {
                if text.get(i + 1).is_some_and(|&next| next != b'\n') {
                    cutter.record_end(i + 1);
                }
                State::FieldStart
            }
            _ => State::Plain,
        };
        i += 1;
    }
    state == State::Quoted
}
