//! What is written can be read again, and nothing is lost on the way.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wxb::Code;
use wxb::data::{Column, Features, MISSING, Table, TextColumn};
use wxb_io::CsvCell::{Missing, Number, Text};
use wxb_io::{
    ColumnKind, Compression, CsvCell, OutputColumn, ReadOptions, check_target, read_bytes, write_atomically,
    write_compressed, write_csv_row, write_csv_table,
};

#[test]
fn rows_of_cells() {
    let cases: &[(&[CsvCell], &str)] = &[
        (&[Text("a"), Number(1.0), Missing], "a,1,"),
        (&[Text("a,b"), Text("say \"no\""), Text("x\ny")], "\"a,b\",\"say \"\"no\"\"\",\"x\ny\""),
        (&[Text(" a ")], "\" a \""),
        (&[Missing], "\"\""),
        (&[Text("")], "\"\""),
        (&[Number(f64::NAN), Number(f64::NAN)], ","),
        (&[Number(0.1), Number(-0.0), Number(1e-7), Number(1e300)], "0.1,-0,1e-7,1e300"),
        (&[Number(123_456_789.0), Number(1.0 / 3.0)], "123456789,0.3333333333333333"),
    ];
    for (cells, expected) in cases {
        let mut out = Vec::new();
        write_csv_row(&mut out, b',', cells.iter().copied()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
    }
}

#[test]
fn rows_with_tabs_come_back() {
    let rows: [&[CsvCell]; 5] = [
        &[Text("a"), Text("b, c"), Text("d")],
        &[Number(0.1), Text("tab\there"), Text("2")],
        &[Missing, Missing, Missing],
        &[Number(-1e300), Text("say \"no\""), Number(1e-7)],
        &[Number(f64::NAN), Text("x,y"), Missing],
    ];
    let mut tsv = Vec::new();
    for row in rows {
        write_csv_row(&mut tsv, b'\t', row.iter().copied()).unwrap();
    }
    assert!(tsv.starts_with(b"a\t\"b, c\"\td\n0.1\t\"tab\there\"\t2\n\t\t\n"));
    let Features::Table(back) = read_bytes(&tsv, "t.tsv", &ReadOptions::default()).unwrap().features else {
        panic!("text with delimiters is a table")
    };
    let cells: Vec<String> = back
        .iter()
        .map(|(name, column)| match column {
            Column::Number(values) => format!("{name} {values:?}"),
            Column::Text(text) => {
                format!("{name} {:?}", (0..4).map(|row| text.get(row).unwrap_or("-")).collect::<Vec<_>>())
            }
        })
        .collect();
    assert_eq!(
        cells,
        [
            "a [0.1, NaN, -1e300, NaN]",
            "b, c [\"tab\\there\", \"-\", \"say \\\"no\\\"\", \"x,y\"]",
            "d [2.0, NaN, 1e-7, NaN]"
        ]
    );
}

#[test]
fn cells_have_the_digits_of_their_precision() {
    let single = OutputColumn::Single(vec![0.3, f32::NAN, 16_777_216.0]);
    let numbers = |column: &OutputColumn| {
        let mut out = Vec::new();
        write_csv_row(&mut out, b',', (0..3).map(|row| column.cell(row))).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(numbers(&single), "0.3,,16777216\n");
    let double = OutputColumn::Double(vec![f64::from(0.3_f32), f64::NAN, 0.3]);
    assert_eq!(numbers(&double), "0.30000001192092896,,0.3\n");
}

#[test]
fn compressed_text_is_the_text() {
    let lines: String = (0..20_000).map(|i| format!("{i},{}\n", i * i)).collect();
    let written = |compression| {
        let mut out = Vec::new();
        let content =
            |out: &mut dyn Write| lines.split_inclusive(',').try_for_each(|p| out.write_all(p.as_bytes()));
        write_compressed(&mut out, compression, content).unwrap();
        out
    };
    let read = |mut from: Box<dyn io::Read + '_>| {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    };
    let (gzip, zstd) = (written(Compression::Gzip), written(Compression::Zstd));
    assert!(gzip.len() < lines.len() / 2 && zstd.len() < lines.len() / 2, "{} {}", gzip.len(), zstd.len());
    assert_eq!(read(Box::new(flate2::read::GzDecoder::new(&gzip[..]))), lines);
    assert_eq!(read(Box::new(zstd::Decoder::new(&zstd[..]).unwrap())), lines);
    assert_eq!(written(Compression::None), lines.as_bytes());

    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let full = |_: &mut dyn Write| Err(io::Error::from(io::ErrorKind::StorageFull));
        let error = write_compressed(&mut Vec::new(), compression, full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{compression:?}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder was made by the test");
    entries.map(|entry| entry.expect("nobody removes files here").path()).collect()
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let write =
        |text: &'static str, force| write_atomically(&path, force, move |out| out.write_all(text.as_bytes()));
    write("one", false).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(write("two", false).unwrap_err().code(), Code::FileExists);
    assert_eq!(fs::read(&path).unwrap(), b"one");
    write("three", true).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"three");

    let full = |out: &mut dyn Write| {
        out.write_all(&[0; 100_000])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    };
    assert_eq!(write_atomically(&path, true, full).unwrap_err().code(), Code::DiskFull);
    assert_eq!(fs::read(&path).unwrap(), b"three");
    assert_eq!(files(folder.path()), [path]);
}

#[test]
fn targets_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    fs::write(&there, "x").unwrap();
    let cases: &[(PathBuf, bool, Code, &str)] = &[
        (folder.path().to_owned(), true, Code::WriteFailed, "it is a folder"),
        (folder.path().join("no/out"), true, Code::WriteFailed, "there is no folder"),
        (there.join("out"), true, Code::WriteFailed, "there is no folder"),
        (there.clone(), false, Code::FileExists, "is there already"),
    ];
    for (path, force, code, message) in cases {
        for error in [check_target(path, *force), write_atomically(path, *force, |_| Ok(()))] {
            let error = error.unwrap_err();
            assert_eq!(error.code(), *code, "{error}");
            assert!(error.message().contains(message), "{error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn links_devices_and_modes_stay_what_they_are() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("out"), folder.path().join("link"));
    write_atomically(&path, false, |out| out.write_all(b"one")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_ne!(mode(&path) & 0o400, 0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    write_atomically(&link, true, |out| out.write_all(b"two")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o640));

    write_atomically(Path::new("/dev/null"), false, |out| out.write_all(b"three")).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    if Path::new("/dev/full").exists() {
        let error = write_atomically(Path::new("/dev/full"), false, |out| out.write_all(b"x")).unwrap_err();
        assert_eq!(error.code(), Code::DiskFull);
    }
}

/// Text without surrounding blanks that is no missing mark: what a reader can give back.
fn word() -> impl Strategy<Value = String> {
    "[a-zé\",;|][a-zé\",;\r\n\t |]{0,6}x[ \",\n]{0,2}y"
}

fn tables() -> impl Strategy<Value = Table> {
    let number = prop_oneof![any::<f64>().prop_filter("finite", |v| v.is_finite()), Just(f64::NAN)];
    let rows = prop::collection::vec((number, prop::option::of(word())), 1..20);
    rows.prop_map(|rows| {
        let mut text = TextColumn::default();
        for (_, cell) in &rows {
            let code = cell.as_ref().map_or(MISSING, |cell| {
                text.levels.iter().position(|level| level == cell).unwrap_or_else(|| {
                    text.levels.push(cell.clone());
                    text.levels.len() - 1
                }) as u32
            });
            text.codes.push(code);
        }
        let numbers = rows.iter().map(|row| row.0).collect();
        Table::new(vec![("a".into(), Column::Number(numbers)), ("b, \"c\"".into(), Column::Text(text))])
            .expect("two columns of one length")
    })
}

proptest! {
    #[test]
    fn a_table_comes_back_bit_by_bit(table in tables()) {
        let mut csv = Vec::new();
        write_csv_table(&mut csv, &table).unwrap();
        let kinds = [("b, \"c\"".to_owned(), ColumnKind::Text)].into();
        let options = ReadOptions { kinds, delimiter: Some(b','), ..Default::default() };
        let Features::Table(back) = read_bytes(&csv, "t.csv", &options).unwrap().features else { panic!() };
        prop_assert_eq!(format!("{table:?}"), format!("{back:?}"));
    }
}
