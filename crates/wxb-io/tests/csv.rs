//! CSV text in, table or error out.

use wxb::Code;
use wxb::data::{Column, Features, Table};
use wxb_io::{ColumnKind, ReadOptions, read_bytes};

fn table(text: &[u8], options: &ReadOptions) -> wxb::Result<Table> {
    match read_bytes(text, "t.csv", options)?.features {
        Features::Table(table) => Ok(table),
        Features::Matrix(_) => panic!("a CSV became a matrix"),
    }
}

/// `name: 1 NaN 3 | name: "a" - "b"`: numbers plain, text quoted, missing text `-`.
fn shown(table: &Table) -> String {
    let column = |(name, column): (&str, &Column)| {
        let cells: Vec<String> = match column {
            Column::Number(values) => values.iter().map(f64::to_string).collect(),
            Column::Text(text) => {
                (0..text.codes.len()).map(|i| text.get(i).map_or("-".into(), |t| format!("{t:?}"))).collect()
            }
        };
        format!("{name}: {}", cells.join(" "))
    };
    table.iter().map(column).collect::<Vec<_>>().join(" | ")
}

fn check_with(options: &ReadOptions, text: &[u8], expected: &str) {
    match table(text, options) {
        Ok(table) => assert_eq!(shown(&table), expected, "{}", String::from_utf8_lossy(text)),
        Err(e) => panic!("{}: {e} {:?}", String::from_utf8_lossy(text), e.places()),
    }
}

/// Expected tables are written by hand from the rules of RFC 4180 and the documentation of the reader.
#[test]
fn odd_but_readable() {
    let cases: &[(&[u8], &str)] = &[
        (b"a,b\n1,x\n2,y\n", "a: 1 2 | b: \"x\" \"y\""),
        (b"a,b\n1,x\n2,y", "a: 1 2 | b: \"x\" \"y\""),
        (b"a,b\r\n1,x\r\n2,y\r\n", "a: 1 2 | b: \"x\" \"y\""),
        (b"a,b\r1,x\r2,y\r", "a: 1 2 | b: \"x\" \"y\""),
        (b"\xef\xbb\xbfa,b\n1,x\n", "a: 1 | b: \"x\""),
        (b"\xef\xbb\xbf\"a\",b\n1,x\n", "a: 1 | b: \"x\""),
        (b"\n\na,b\n\n1,x\n\n\n2,y\n\n", "a: 1 2 | b: \"x\" \"y\""),
        (b" a , b \n 1 , x \n", "a: 1 | b: \"x\""),
        (b"a;b\n1,5;2\n2,5;3\n", "a: \"1,5\" \"2,5\" | b: 2 3"),
        (b"a\tb\n1\tx y\n", "a: 1 | b: \"x y\""),
        (b"a|b\n1|x,y\n", "a: 1 | b: \"x,y\""),
        (b"a\n1\n2\n", "a: 1 2"),
        (b"a,b\n\"1\",\"x, \"\"y\"\"\"\n", "a: 1 | b: \"x, \\\"y\\\"\""),
        (b"a,b\n1,\"x\ny\"\n2,z\n", "a: 1 2 | b: \"x\\ny\" \"z\""),
        (b"a,b\n1,5\" pipe\n2,z\n", "a: 1 2 | b: \"5\\\" pipe\" \"z\""),
        (b"a,b\n,\nNA,NaN\n1,x\n?,None\n", "a: NaN NaN 1 NaN | b: - - \"x\" -"),
        (b"a,b\n,\n,\n", "a: NaN NaN | b: NaN NaN"),
        (b"a,b\n+1,.5\n-2e3,5.\n", "a: 1 -2000 | b: 0.5 5"),
        (b"a,b\nTrue,0x1F\nFalse,1_000\n", "a: \"True\" \"False\" | b: \"0x1F\" \"1_000\""),
        (b"a,b\n2024-01-02,10:30\n", "a: \"2024-01-02\" | b: \"10:30\""),
        (b"a\n1\nx\n2\ny\n", "a: \"1\" \"x\" \"2\" \"y\""),
        (b"zip\n00501\n10001\n", "zip: 501 10001"),
        (b",a\n0,5\n1,6\n", "column_1: 0 1 | a: 5 6"),
        (b"a,column_1\n1,2\n", "a: 1 | column_1: 2"),
        ("é,ß\nü,1\n".as_bytes(), "é: \"ü\" | ß: 1"),
        (b"a,b,\n1,2,\n", "a: 1 | b: 2 | column_3: NaN"),
        (b"2019,2020\n1,2\n", "2019: 1 | 2020: 2"),
        (b"a,b\n1,\xef\xbb\xbfx\n\xef\xbb\xbfy,2\n", "a: \"1\" \"\\u{feff}y\" | b: \"\\u{feff}x\" \"2\""),
    ];
    for (text, expected) in cases {
        check_with(&ReadOptions::default(), text, expected);
    }
}

fn kinds(kinds: &[(&str, ColumnKind)]) -> ReadOptions {
    let kinds = kinds.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    ReadOptions { kinds, ..Default::default() }
}

#[test]
fn options_decide() {
    let default = ReadOptions::default;
    let na = |na: &str| ReadOptions { na: vec![na.into()], ..default() };
    let cases: &[(ReadOptions, &str, &str)] = &[
        (kinds(&[("a", ColumnKind::Text)]), "a,b\n01,2\n1,3\n", "a: \"01\" \"1\" | b: 2 3"),
        (kinds(&[("c", ColumnKind::Text)]), "a\n1\n", "a: 1"),
        (na("unknown"), "a\n1\nunknown\n", "a: 1 NaN"),
        (na("-999"), "a,b\n-999,-999\n-999.0,x\n1,y\n", "a: NaN NaN 1 | b: - \"x\" \"y\""),
        (ReadOptions { na_only: true, ..na("x") }, "a,b\n1,NA\n2,x\n", "a: 1 2 | b: \"NA\" -"),
        (ReadOptions { drop: vec!["a".into()], ..default() }, "a,b\nx,1\n1,2\n", "b: 1 2"),
        (ReadOptions { delimiter: Some(b':'), ..default() }, "a:b\n1:2,3\n", "a: 1 | b: \"2,3\""),
        (ReadOptions { thousands: Some(','), ..default() }, "a;b\n1,204;7\n12;8\n", "a: 1204 12 | b: 7 8"),
        (
            ReadOptions { thousands: Some('.'), ..default() },
            "a;b\n1.204,5;7\n1,5;8\n",
            "a: 1204.5 1.5 | b: 7 8",
        ),
        (na("inf"), "a\n1\ninf\n", "a: 1 NaN"),
    ];
    for (options, text, expected) in cases {
        check_with(options, text.as_bytes(), expected);
    }
}

/// Rows `1, 2, …` with some replaced: (row from 1, cell).
fn numbers_but(rows: usize, others: &[(usize, &str)]) -> String {
    let others: std::collections::HashMap<usize, &str> = others.iter().copied().collect();
    let cell = |row| others.get(&row).map_or(row.to_string(), |text| (*text).to_owned());
    "k,v\n".to_owned() + &(1..=rows).map(|row| format!("x,{}\n", cell(row))).collect::<String>()
}

/// The code, a part of the message, and the first place (whole, or empty for none).
#[test]
fn refused() {
    let few = numbers_but(40, &[(7, "n/b"), (30, "1 204")]);
    let inf = numbers_but(40, &[(9, "-inf")]);
    let cases: &[(&[u8], Code, &str, &str)] = &[
        (b"", Code::EmptyData, "t.csv is empty", ""),
        (b"\n\r\n\n", Code::EmptyData, "t.csv is empty", ""),
        (b"\xef\xbb\xbf", Code::EmptyData, "t.csv is empty", ""),
        (b"a,b\n", Code::EmptyData, "a header and no rows", ""),
        (b"a,b\n\n\n", Code::EmptyData, "a header and no rows", ""),
        (b",,\n1,2,3\n", Code::BadHeader, "no column names", "t.csv:1"),
        (b"a,b,a\n1,2,3\n", Code::BadHeader, "\"a\" occurs twice", "t.csv:1  columns 1 and 3"),
        (b"\n1,2,1\n1,2,3\n", Code::BadHeader, "\"1\" occurs twice", "t.csv:2  columns 1 and 3"),
        (b"a,b\n1,2\n1,2,3\n", Code::RaggedRow, "line 3 of t.csv has 3 fields, the header has 2", "t.csv:3"),
        (b"a,b\n\"x\n\ny\",2\n\n1\n", Code::RaggedRow, "line 6 of t.csv has 1 field,", "t.csv:6"),
        (b"a,b\r1,2\r1\r", Code::RaggedRow, "line 3 ", "t.csv:3"),
        (b"a,b\r\n1,2\r\n1\r\n", Code::RaggedRow, "line 3 ", "t.csv:3"),
        (b"a,b\n1,\"x\n2,y\n3,z\n", Code::OpenQuote, "is not closed", "t.csv:2  the record begins here"),
        (b"a,b\n1,2\n3,\xe9t\xe9\n", Code::BadEncoding, "not UTF-8", "t.csv:3  byte 3 of the line is 0xe9"),
        (b"a,b\n1,\0\n", Code::UnknownFormat, "is no text", ""),
        (b"\xff\xfea\0,\0b\0", Code::BadEncoding, "UTF-16", ""),
        (few.as_bytes(), Code::NotANumber, "numeric in 38 of 40 rows; 2 values are", "t.csv:8  v = \"n/b\""),
        (inf.as_bytes(), Code::NumberTooLarge, "\"v\" has an infinite value", "t.csv:10  v = \"-inf\""),
        (b"a\n1\n1e999\n", Code::NumberTooLarge, "\"a\" has an infinite value", "t.csv:3  a = \"1e999\""),
        (b"<html><body>", Code::UnknownFormat, "is a web page", ""),
        (b"{\"a\": 1}\n{\"a\": 2}\n", Code::UnknownFormat, "is JSON", ""),
        (b"\x89HDF\r\n\x1a\n1234", Code::UnknownFormat, "is an HDF5 file", ""),
        (b"PK\x03\x04\0\0\0\0", Code::DamagedFile, "zip file is damaged", ""),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", Code::DamagedFile, "gzip data ends too early", ""),
        (b"\x28\xb5\x2f\xfd\x04", Code::DamagedFile, "zstd data", ""),
    ];
    for (text, code, message, place) in cases {
        let shown = String::from_utf8_lossy(text);
        let error = table(text, &ReadOptions::default()).expect_err(&shown);
        assert_eq!(error.code(), *code, "{shown}: {error}");
        assert!(error.message().contains(message), "{shown}: {error}");
        assert_eq!(error.places().first().map_or("", String::as_str), *place, "{shown}: {error}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let few = numbers_but(40, &[(7, "n/b"), (30, "1 204")]);
    let cases: &[(&str, &[&str])] = &[
        (
            &few,
            &[
                "treat as missing: --na \"n/b\" --na \"1 204\"",
                "thousands separator: --thousands \" \"",
                "a category, not a number: --categorical v",
            ],
        ),
        ("a,b\n1,2,3\n", &["put quotes around a field that contains the delimiter"]),
        ("a,b\n1\n", &["complete the row, or give the right --delimiter"]),
        ("1,1\n1,2\n", &["the first line looks like data: add a line with the column names"]),
        ("a,a\n1,2\n", &["rename one of the two"]),
        ("a\ninf\n", &["treat as missing: --na \"inf\""]),
    ];
    for (text, hints) in cases {
        let error = table(text.as_bytes(), &ReadOptions::default()).unwrap_err();
        assert_eq!(error.hints(), *hints, "{text}");
    }
    let unknown = ReadOptions { drop: vec!["prise".into()], ..Default::default() };
    assert_eq!(table(b"price,x\n1,2\n", &unknown).unwrap_err().hints(), ["did you mean \"price\"?"]);
}

#[test]
fn warnings_say_what_was_not_expected() {
    let thirds: String =
        (0..30).map(|i| if i % 3 == 0 { "unknown\n".into() } else { format!("{i}\n") }).collect();
    let cases: &[(&str, &[&str])] = &[
        ("a,b\n1,x\n", &[]),
        (",a\n0,5\n", &["a column has no name and is called \"column_1\""]),
        ("a,,\n1,2,3\n", &["2 columns have no name and are called \"column_2\" to \"column_3\""]),
        (
            "1,2\n3,4\n",
            &[
                "all column names of t.csv are numbers: if its first line is data, add a line with the column names",
            ],
        ),
        (
            "a;b\n1,5;2\n2,5;3\n",
            &["column \"a\" is read as text; its values are numbers with --thousands \".\""],
        ),
        (
            "a;b\n1,204;2\n12,500;3\n",
            &["column \"a\" is read as text; its values are numbers with --thousands \",\""],
        ),
        (
            &("a\n".to_owned() + &thirds),
            &[
                "column \"a\" is read as text: 20 of its 30 values are numbers; --na \"unknown\" would make it numeric",
            ],
        ),
    ];
    for (text, warnings) in cases {
        let loaded = read_bytes(text.as_bytes(), "t.csv", &ReadOptions::default()).unwrap();
        assert_eq!(loaded.warnings, *warnings, "{text}");
    }
}

#[test]
fn a_wide_table() {
    let columns = 30_000; // its header alone is longer than a block
    let line = |cell: &dyn Fn(usize) -> String| (0..columns).map(cell).collect::<Vec<_>>().join(",") + "\n";
    let names = line(&|i| format!("column {i}"));
    let text = [names, line(&|i| i.to_string()), line(&|i| format!("x{}", i % 3))].concat();
    let loaded = read_bytes(text.as_bytes(), "t.csv", &ReadOptions::default()).unwrap();
    let Features::Table(read) = loaded.features else { panic!("no table") };
    assert_eq!((read.rows(), read.names().len()), (2, columns));
    let Column::Text(column) = read.column("column 29999").unwrap() else { panic!("not text") };
    assert_eq!((column.get(0), column.get(1)), (Some("29999"), Some("x2")));
    assert_eq!(loaded.warnings.len(), 6);
    assert_eq!(loaded.warnings[5], "the same holds for 29995 other columns");
}

#[test]
fn settings_that_cannot_be() {
    let default = ReadOptions::default;
    for options in [
        ReadOptions { delimiter: Some(0xe9), ..default() },
        ReadOptions { delimiter: Some(b'"'), ..default() },
        ReadOptions { thousands: Some('5'), ..default() },
        ReadOptions { thousands: Some('-'), ..default() },
    ] {
        assert_eq!(table(b"a\n1\n", &options).unwrap_err().code(), Code::InvalidSetting, "{options:?}");
    }
    let all = ReadOptions { drop: vec!["a".into()], ..default() };
    assert_eq!(table(b"a\n1\n", &all).unwrap_err().message(), "every column is dropped");
}

#[test]
fn a_column_that_contradicts_its_guess_is_read_again() {
    let rows = 60_000; // several blocks
    let text_late = numbers_but(rows, &(rows / 3..=rows).map(|i| (i, "late")).collect::<Vec<_>>());
    let read = table(text_late.as_bytes(), &ReadOptions::default()).unwrap();
    let Column::Text(v) = read.column("v").unwrap() else { panic!("not text") };
    assert_eq!((v.levels.len(), v.get(0), v.get(rows - 1)), (rows / 3, Some("1"), Some("late")));

    let text_early = numbers_but(rows, &(1..=4000).map(|i| (i, "early")).collect::<Vec<_>>());
    let error = table(text_early.as_bytes(), &ReadOptions::default()).unwrap_err();
    assert_eq!(
        error.message(),
        "column \"v\" is numeric in 56,000 of 60,000 rows; 4,000 values are not numbers"
    );
    assert_eq!(error.places()[2], "t.csv:4  v = \"early\"");
}
