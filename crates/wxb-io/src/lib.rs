//! Readers and writers: CSV, Parquet, Arrow batches, NPY/NPZ, IDX into [`wxb::data`]; CSV, TSV and Parquet out of it.
//!
//! ```
//! use wxb_io::{ReadOptions, read_bytes};
//! let text = b"sqft;city\n1200;Oslo\n;Bergen\n";
//! let loaded = read_bytes(text, "homes.csv", &ReadOptions::default())?;
//! assert_eq!((loaded.features.rows(), loaded.features.columns()), (2, 2));
//! # Ok::<(), wxb::Error>(())
//! ```
//!
//! Every reader takes untrusted bytes: what is wrong with them is an error that says where, memory grows with
//! the bytes that are there and not with what a header claims.

mod array;
#[cfg(feature = "parquet")]
mod arrow;
mod cells;
mod csv;
mod format;
mod idx;
mod input;
mod levels;
mod npy;
mod npz;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod read;
mod write;

#[cfg(feature = "parquet")]
pub use arrow::read_batches;
pub use cells::as_file_cells;
pub use format::Format;
pub use input::Compression;
pub use npz::read_npz_f64;
pub use options::{ColumnKind, DEFAULT_NA, Loaded, ReadOptions, Source};
#[cfg(feature = "parquet")]
pub use parquet::{is_panic_caught, write_parquet};
pub use read::{read, read_bytes};
pub use write::{
    CsvCell, OutputColumn, check_target, write_atomically, write_compressed, write_csv_row, write_csv_table,
};
