//! Parquet files that Arrow wrote (`data/make.py`) in, tables or errors out.
#![cfg(feature = "parquet")]

use std::path::PathBuf;

use wxb::Code;
use wxb::data::{Column, Features, Table};
use wxb_io::{ColumnKind, Loaded, ReadOptions, Source, read, read_bytes};

fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).join(name)
}

fn load(name: &str, options: &ReadOptions) -> wxb::Result<Loaded> {
    read(&Source::Path(data(name)), options)
}

fn table(loaded: Loaded) -> Table {
    match loaded.features {
        Features::Table(table) => table,
        Features::Matrix(_) => panic!("a Parquet file became a matrix"),
    }
}

fn cells(column: &Column) -> Vec<String> {
    match column {
        Column::Number(values) => values.iter().map(f64::to_string).collect(),
        Column::Text(text) => {
            (0..text.codes.len()).map(|i| text.get(i).map_or("-".into(), |t| format!("{t:?}"))).collect()
        }
    }
}

#[test]
fn column_types() {
    let expected: &[(&str, &[&str])] = &[
        ("int", &["1", "NaN", "-3"]),
        ("small", &["1", "2", "255"]),
        ("float", &["1.5", "NaN", "NaN"]),
        ("half", &["0.5", "1", "2"]),
        ("bool", &["\"true\"", "\"false\"", "-"]),
        ("text", &["\"NA\"", "\"b\"", "-"]),
        ("large", &["\"x\"", "\"y\"", "\"x\""]),
        ("category", &["\"u\"", "\"v\"", "\"u\""]),
        ("day", &["\"2013-01-02\"", "-", "\"1969-12-31\""]),
        ("instant", &["\"2013-01-02T03:04:05\"", "\"2013-01-02T03:04:05.250\"", "-"]),
        ("zoned", &["\"2013-01-02T00:00:00\"", "\"2013-01-02T00:00:00\"", "\"2013-01-02T00:00:00\""]),
        ("clock", &["60.5", "3600", "NaN"]),
        ("decimal", &["1.25", "-0.1", "NaN"]),
        ("void", &["NaN", "NaN", "NaN"]),
        ("bytes", &["\"p\"", "\"q\"", "-"]),
    ];
    for name in ["plain.parquet", "snappy.parquet", "zstd.parquet", "gzip.parquet"] {
        let from_file = table(load(name, &ReadOptions::default()).unwrap());
        let bytes = std::fs::read(data(name)).unwrap();
        let from_bytes = table(read_bytes(&bytes, name, &ReadOptions::default()).unwrap());
        for table in [from_file, from_bytes] {
            assert_eq!(table.names().len(), expected.len());
            for (column, cells) in expected {
                assert_eq!(self::cells(table.column(column).unwrap()), *cells, "{name} {column}");
            }
        }
    }
}

#[test]
fn options_decide() {
    let kinds = [
        ("int", ColumnKind::Text),
        ("decimal", ColumnKind::Text),
        ("bool", ColumnKind::Number),
        ("absent", ColumnKind::Text),
    ];
    let options = ReadOptions {
        kinds: kinds.map(|(name, kind)| (name.to_owned(), kind)).into(),
        drop: vec!["void".into()],
        na: vec!["NA".into(), "255".into()],
        ..Default::default()
    };
    let table = table(load("plain.parquet", &options).unwrap());
    for (column, expected) in [
        ("int", ["\"1\"", "-", "\"-3\""]),
        ("decimal", ["\"1.25\"", "\"-0.1\"", "-"]),
        ("bool", ["1", "0", "NaN"]),
        ("text", ["-", "\"b\"", "-"]),
        ("small", ["1", "2", "NaN"]),
    ] {
        assert_eq!(cells(table.column(column).unwrap()), expected, "{column}");
    }
    assert!(table.column("void").is_err());
}

#[test]
fn refused() {
    let drop = |name: &str| ReadOptions { drop: vec![name.into()], ..Default::default() };
    let number = |name: &str| ReadOptions {
        kinds: [(name.to_owned(), ColumnKind::Number)].into(),
        ..Default::default()
    };
    let cases: &[(&str, ReadOptions, Code, &str)] = &[
        ("nested.parquet", ReadOptions::default(), Code::UnsupportedType, "column \"list\" of"),
        ("no_rows.parquet", ReadOptions::default(), Code::EmptyData, "has no rows"),
        ("infinite.parquet", ReadOptions::default(), Code::NumberTooLarge, "column \"a\" of"),
        ("bytes.parquet", ReadOptions::default(), Code::BadEncoding, "column \"a\" of"),
        ("brotli.parquet", ReadOptions::default(), Code::UnsupportedType, "brotli"),
        ("plain.parquet", drop("flaot"), Code::UnknownColumn, "no column \"flaot\""),
        ("no_rows.parquet", drop("a"), Code::EmptyData, "no column of"),
        ("plain.parquet", number("text"), Code::NotANumber, "column \"text\" of"),
    ];
    for (name, options, code, message) in cases {
        let error = load(name, options).expect_err(name);
        assert_eq!(error.code(), *code, "{name}: {error}");
        assert!(error.message().contains(message), "{name}: {error}");
    }
    assert_eq!(table(load("nested.parquet", &drop("list")).unwrap()).names(), ["a"]);
}

#[test]
fn many_batches_and_row_groups() {
    let table = table(load("many.parquet", &ReadOptions::default()).unwrap());
    let (Column::Number(i), Column::Text(t)) = (table.column("i").unwrap(), table.column("t").unwrap())
    else {
        panic!("other kinds")
    };
    assert!(i.iter().enumerate().all(|(row, &value)| value == row as f64));
    assert!((0..20_000).all(|row| t.get(row) == Some(&format!("level {}", row % 7))));
}
