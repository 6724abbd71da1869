//! Parquet files that Arrow wrote (`data/make.py`) in, tables or errors out; and columns into Parquet.
#![cfg(feature = "parquet")]

use std::path::PathBuf;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use wxb::Code;
use wxb::data::{Column, Features, MISSING, Table, TextColumn};
use wxb_io::{ColumnKind, Loaded, OutputColumn, ReadOptions, Source, read, read_bytes, write_parquet};

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

fn written(columns: &[(String, OutputColumn)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_parquet(&mut bytes, columns).expect("memory takes everything");
    bytes
}

#[test]
fn written_columns_have_types_and_come_back() {
    let text = TextColumn {
        codes: vec![1, MISSING, 0, 1],
        levels: vec!["NA".into(), "é, \"x\"\n".into(), "unused".into()],
    };
    let columns = [
        ("single".to_owned(), OutputColumn::Single(vec![0.3, f32::NAN, -0.0, 1e-38])),
        ("double, \"d\"".to_owned(), OutputColumn::Double(vec![0.3, 1.0 / 3.0, f64::NAN, 1e300])),
        ("text".to_owned(), OutputColumn::Text(text)),
        ("nothing".to_owned(), OutputColumn::Text(TextColumn { codes: vec![MISSING; 4], levels: vec![] })),
    ];
    let bytes = written(&columns);
    let file = SerializedFileReader::new(Bytes::from(bytes.clone())).unwrap();
    let schema = file.metadata().file_metadata().schema_descr();
    let types: Vec<String> = schema
        .columns()
        .iter()
        .map(|c| format!("{}: {} {:?}", c.name(), c.physical_type(), c.logical_type_ref()))
        .collect();
    assert_eq!(
        types,
        [
            "single: FLOAT None",
            "double, \"d\": DOUBLE None",
            "text: BYTE_ARRAY Some(String)",
            "nothing: BYTE_ARRAY Some(String)"
        ]
    );
    let back = table(read_bytes(&bytes, "out.parquet", &ReadOptions::default()).unwrap());
    for (column, expected) in [
        ("single", ["0.30000001192092896", "NaN", "-0", &f64::from(1e-38_f32).to_string()]),
        ("double, \"d\"", ["0.3", "0.3333333333333333", "NaN", &1e300.to_string()]),
        ("text", ["\"é, \\\"x\\\"\\n\"", "-", "\"NA\"", "\"é, \\\"x\\\"\\n\""]),
        ("nothing", ["-", "-", "-", "-"]),
    ] {
        assert_eq!(cells(back.column(column).unwrap()), expected, "{column}");
    }
}

#[test]
fn more_rows_than_are_written_at_a_time() {
    let values: Vec<f64> = (0..150_000).map(f64::from).collect();
    let bytes = written(&[("i".into(), OutputColumn::Double(values.clone()))]);
    let back = table(read_bytes(&bytes, "out.parquet", &ReadOptions::default()).unwrap());
    assert!(matches!(back.column("i").unwrap(), Column::Number(i) if *i == values));
}

#[test]
fn columns_of_several_lengths_are_not_written() {
    let columns = [2, 3].map(|rows| (rows.to_string(), OutputColumn::Single(vec![0.0; rows])));
    assert!(write_parquet(&mut Vec::new(), &columns).is_err());
}
