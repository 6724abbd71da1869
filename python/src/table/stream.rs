//! A stream of Arrow batches on its way to the engine.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, NullArray, PrimitiveArray, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use numpy::PyArray1;
use pyo3::prelude::*;

/// What becomes of a column before the engine sees it.
enum Change {
    /// It is missing in all rows: nobody wants it, and it may hold what cannot be read.
    Empty,
    /// Instants become what the clocks of their zone show: the hour of the day is what there is to learn from, and it is what pandas
    /// writes into a file.
    Local(String),
}

/// The batches with some columns changed.
pub struct Stream<R> {
    batches: R,
    schema: SchemaRef,
    changes: Vec<(usize, Change)>,
}

impl<R: RecordBatchReader> Stream<R> {
    /// Nobody wants the columns `unread`.
    ///
    /// # Errors
    /// For a time zone that Python does not know.
    pub fn new(py: Python<'_>, batches: R, unread: &[String]) -> PyResult<Self> {
        let (mut fields, mut changes) = (vec![], vec![]);
        for (place, field) in batches.schema().fields().iter().enumerate() {
            let (kind, change) = match field.data_type() {
                _ if unread.contains(field.name()) => (DataType::Null, Change::Empty),
                DataType::Timestamp(unit, Some(zone)) => {
                    offsets(py, vec![], zone)?;
                    (DataType::Timestamp(*unit, None), Change::Local(zone.to_string()))
                }
                _ => {
                    fields.push(field.clone());
                    continue;
                }
            };
            fields.push(Arc::new(Field::new(field.name(), kind, true)));
            changes.push((place, change));
        }
        Ok(Self { batches, schema: Arc::new(Schema::new(fields)), changes })
    }

    fn changed(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut columns = batch.columns().to_vec();
        for (place, change) in &self.changes {
            columns[*place] = match change {
                Change::Empty => Arc::new(NullArray::new(batch.num_rows())),
                Change::Local(zone) => local(&columns[*place], zone)?,
            };
        }
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

impl<R: RecordBatchReader> Iterator for Stream<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.and_then(|batch| self.changed(&batch)))
    }
}

impl<R: RecordBatchReader> RecordBatchReader for Stream<R> {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

fn local(instants: &ArrayRef, zone: &str) -> Result<ArrayRef, ArrowError> {
    match instants.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => shifted::<TimestampSecondType>(instants, 1, zone),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            shifted::<TimestampMillisecondType>(instants, 1_000, zone)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            shifted::<TimestampMicrosecondType>(instants, 1_000_000, zone)
        }
        _ => shifted::<TimestampNanosecondType>(instants, 1_000_000_000, zone),
    }
}

fn shifted<T: ArrowTimestampType>(
    instants: &ArrayRef,
    per_second: i64,
    zone: &str,
) -> Result<ArrayRef, ArrowError> {
    let instants = instants.as_primitive::<T>();
    let seconds = instants.values().iter().map(|instant| instant.div_euclid(per_second)).collect();
    let ahead = Python::attach(|py| offsets(py, seconds, zone));
    let ahead = ahead.map_err(|error| ArrowError::ComputeError(error.to_string()))?;
    let local = instants.values().iter().zip(ahead).map(|(&at, ahead)| at.wrapping_add(ahead * per_second));
    Ok(Arc::new(PrimitiveArray::<T>::new(local.collect(), instants.nulls().cloned())))
}

/// How many seconds the clocks of a zone are ahead of UTC at some instants, in seconds since 1970: Python has the zones.
fn offsets(py: Python<'_>, seconds: Vec<i64>, zone: &str) -> PyResult<Vec<i64>> {
    let instants = PyArray1::from_vec(py, seconds);
    py.import("wxb._zones")?.getattr("seconds_ahead")?.call1((instants, zone))?.extract()
}
