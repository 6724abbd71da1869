//! Arrow batches, as data frames hand them over.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, DurationMillisecondArray, Int8Array, Int64Array, RecordBatch,
    RecordBatchIterator, StringArray,
};
use wxb::data::{Column, Table};
use wxb::{Code, Result};
use wxb_io::{ReadOptions, read_batches};

fn read(batches: Vec<RecordBatch>) -> Result<(Table, Vec<String>)> {
    let schema = batches[0].schema();
    let stream = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    read_batches("the frame", stream, &ReadOptions::default())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn texts(table: &Table, name: &str) -> Vec<Option<String>> {
    let Column::Text(column) = table.column(name).unwrap() else { panic!("{name} is not text") };
    (0..column.codes.len()).map(|row| column.get(row).map(str::to_owned)).collect()
}

#[test]
fn batches_go_on_and_categories_are_their_texts() {
    let city = |cities: [Option<&str>; 2]| -> ArrayRef {
        Arc::new(cities.into_iter().collect::<DictionaryArray<Int8Type>>())
    };
    let rooms = |rooms: [Option<i64>; 2]| -> ArrayRef { Arc::new(Int64Array::from_iter(rooms)) };
    let sold: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
    let first = batch(vec![
        ("city", city([Some("Oslo"), None])),
        ("rooms", rooms([Some(3), Some(4)])),
        ("sold", sold.clone()),
    ]);
    // Another dictionary, in which Bergen has Oslo's key.
    let second = batch(vec![
        ("city", city([Some("Bergen"), Some("Oslo")])),
        ("rooms", rooms([None, Some(2)])),
        ("sold", sold),
    ]);
    let (table, warnings) = read(vec![first, second]).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(&table, "city"), [some("Oslo"), None, some("Bergen"), some("Oslo")]);
    assert_eq!(texts(&table, "sold"), [some("true"), None, some("true"), None]);
    let Column::Number(rooms) = table.column("rooms").unwrap() else { panic!("rooms are numbers") };
    assert_eq!((rooms[0], rooms[1], rooms[2].is_nan(), rooms[3]), (3.0, 4.0, true, 2.0));
}

#[test]
fn the_index_of_a_frame_is_left_out() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let (table, warnings) =
        read(vec![batch(vec![("x", numbers.clone()), ("__index_level_0__", numbers)])]).unwrap();
    assert_eq!(table.names(), ["x"]);
    assert!(warnings[0].contains("the index of a data frame"), "{warnings:?}");
}

#[test]
fn no_rows_is_an_error() {
    let none: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    assert_eq!(read(vec![batch(vec![("x", none)])]).unwrap_err().code(), Code::EmptyData);
}

#[test]
fn categories_of_numbers_are_texts_and_spans_are_seconds() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![7, -1]));
    let codes: ArrayRef =
        Arc::new(DictionaryArray::new(Int8Array::from(vec![Some(1), Some(0), None]), values));
    let spans: ArrayRef = Arc::new(DurationMillisecondArray::from(vec![Some(1_500), None, Some(-2)]));
    let (table, _) = read(vec![batch(vec![("code", codes), ("span", spans)])]).unwrap();
    assert_eq!(texts(&table, "code"), [Some("-1".to_owned()), Some("7".to_owned()), None]);
    let Column::Number(spans) = table.column("span").unwrap() else { panic!("spans are numbers") };
    assert_eq!((spans[0], spans[1].is_nan(), spans[2]), (1.5, true, -0.002));
}

#[test]
fn texts_are_a_text_files() {
    let column: ArrayRef = Arc::new(StringArray::from(vec![Some(" a"), Some("?"), Some("a"), None]));
    let (table, _) = read(vec![batch(vec![("x", column)])]).unwrap();
    assert_eq!(texts(&table, "x"), [Some("a".to_owned()), None, Some("a".to_owned()), None]);
}
