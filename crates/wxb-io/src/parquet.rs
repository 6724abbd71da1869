//! Parquet into a table, and columns into Parquet.
//!
//! What the columns become: [`crate::arrow`].

mod write;

pub use write::write_parquet;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;
use wxb::data::Table;
use wxb::{Code, Error, Result};

use crate::ReadOptions;
use crate::arrow::Wanted;
use crate::input::Input;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread now would be caught and become an error: a panic hook has nothing to say then.
pub fn is_panic_caught() -> bool {
    CATCHING.get()
}

/// Reads a table, with warnings.
pub(crate) fn read(input: &Input, options: &ReadOptions) -> Result<(Table, Vec<String>)> {
    // The parquet crate checks most of what a file claims, and panics on some of the rest (tests/properties.rs finds
    // such files). Nothing of its state outlives the call.
    CATCHING.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| match input.file_or_bytes()? {
        Ok(file) => read_chunks(Bounded(file), input, options),
        Err(bytes) => read_chunks(Bounded(Bytes::copy_from_slice(bytes)), input, options),
    }));
    CATCHING.set(false);
    let panicked = || Error::new(Code::DamagedFile, format!("{}: the Parquet file is damaged", input.name()));
    result.unwrap_or_else(|_| Err(panicked()))
}

fn read_chunks(
    chunks: impl ChunkReader + 'static,
    input: &Input,
    options: &ReadOptions,
) -> Result<(Table, Vec<String>)> {
    let damaged = |e: ParquetError| damaged(input, &e);
    // Without the schema that Arrow embeds: dictionaries come as their texts, and less of the file is trusted.
    let reader_options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, reader_options).map_err(damaged)?;
    let mut wanted = Wanted::new(builder.schema(), input.name(), options)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.roots());
    let reader = builder.with_projection(mask).build().map_err(damaged)?;
    for batch in reader {
        let batch = batch.map_err(|e| damaged(ParquetError::ArrowError(e.to_string())))?;
        wanted.append(batch.columns())?;
    }
    wanted.finish()
}

fn damaged(input: &Input, error: &ParquetError) -> Error {
    let text = error.to_string();
    // The reader's words for a codec that is not compiled in, whichever way it reports it.
    if matches!(error, ParquetError::NYI(_)) || text.contains("Disabled feature") {
        let what = format!("{}: this kind of Parquet file is not read: {text}", input.name());
        return Error::new(Code::UnsupportedType, what).hint("save it with the compression zstd or snappy");
    }
    Error::new(Code::DamagedFile, format!("{}: the Parquet file is damaged: {text}", input.name()))
}

/// Chunks that refuse to be read past their end before memory for the bytes is taken.
struct Bounded<C>(C);

impl<C: ChunkReader> Bounded<C> {
    fn check(&self, start: u64, length: usize) -> ::parquet::errors::Result<()> {
        match start.checked_add(length as u64) {
            Some(end) if end <= self.0.len() => Ok(()),
            _ => Err(ParquetError::EOF("the file ends too early".into())),
        }
    }
}

impl<C: ChunkReader> Length for Bounded<C> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<C: ChunkReader> ChunkReader for Bounded<C> {
    type T = C::T;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<C::T> {
        self.check(start, 0)?;
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        self.check(start, length)?;
        self.0.get_bytes(start, length)
    }
}
