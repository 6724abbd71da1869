//! Columns into Parquet.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};

use crate::OutputColumn;

/// Rows that become Arrow arrays at a time: what they take is small beside the columns.
const BATCH: usize = 1 << 16;

/// Writes columns of one length as a Parquet file. Numbers in single precision are FLOAT, in double precision
/// DOUBLE, texts are strings; what is missing is null. Compressed with snappy, which every reader knows.
///
/// # Errors
/// Those of the writer; columns of several lengths.
pub fn write_parquet(out: &mut dyn Write, columns: &[(String, OutputColumn)]) -> io::Result<()> {
    let fields = columns.iter().map(|(name, column)| Field::new(name, kind(column), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    // These types are Parquet's own: the schema that Arrow would embed says nothing more.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    // In memory: Arrow's writer goes to another thread, which `out` may not, and would wrap its errors.
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options)?;
    let rows = columns.first().map_or(0, |(_, column)| len(column));
    if columns.iter().any(|(_, column)| len(column) != rows) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the columns have several lengths"));
    }
    for start in (0..rows).step_by(BATCH) {
        let arrays = columns.iter().map(|(_, column)| array(column, start..rows.min(start + BATCH)));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).map_err(io::Error::other)?;
        writer.write(&batch)?;
    }
    out.write_all(&writer.into_inner()?)
}

fn kind(column: &OutputColumn) -> DataType {
    match column {
        OutputColumn::Single(_) => DataType::Float32,
        OutputColumn::Double(_) => DataType::Float64,
        OutputColumn::Text(_) => DataType::Utf8,
    }
}

fn len(column: &OutputColumn) -> usize {
    match column {
        OutputColumn::Single(values) => values.len(),
        OutputColumn::Double(values) => values.len(),
        OutputColumn::Text(text) => text.codes.len(),
    }
}

fn array(column: &OutputColumn, rows: Range<usize>) -> ArrayRef {
    match column {
        OutputColumn::Single(values) => {
            let known = |&value: &f32| Some(value).filter(|value| !value.is_nan());
            Arc::new(values[rows].iter().map(known).collect::<Float32Array>())
        }
        OutputColumn::Double(values) => {
            let known = |&value: &f64| Some(value).filter(|value| !value.is_nan());
            Arc::new(values[rows].iter().map(known).collect::<Float64Array>())
        }
        OutputColumn::Text(text) => Arc::new(rows.map(|row| text.get(row)).collect::<StringArray>()),
    }
}
