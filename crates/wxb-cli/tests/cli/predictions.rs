//! The files that `wxb predict -o` writes.

use std::io::Read;
use std::path::Path;

use wxb::data::{Column, Features, Table};
use wxb_io::{ReadOptions, Source};

use super::{models, run};

/// Columns to keep with gaps, and with all that has to be quoted.
const NEW: &str =
    "x,size,colour,note\n-0.03,6.52,blue,\"a, \"\"b\"\"\"\n0.1,,red,\"tab\there\"\n2.5,1.91,,\n";

/// A directory with `new.csv`, `table.wxb` in single and `xor.wxb` in double precision.
fn stage() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("new.csv"), NEW).unwrap();
    std::fs::write(directory.path().join("table.wxb"), models::trained()).unwrap();
    models::write_worked_example(directory.path());
    directory
}

fn predict(directory: &Path, arguments: &str, file: &str) {
    let output = run::run(directory, &format!("predict {arguments} -o {file}"));
    assert!(output.status.success(), "{file}: {}", run::text(&output.stderr));
    assert!(output.stdout.is_empty(), "{file}");
}

fn read(directory: &Path, file: &str) -> Table {
    let loaded = wxb_io::read(&Source::Path(directory.join(file)), &ReadOptions::default());
    match loaded.unwrap_or_else(|e| panic!("{file}: {e}")).features {
        Features::Table(table) => table,
        Features::Matrix(_) => panic!("{file} became a matrix"),
    }
}

fn texts(column: &Column) -> Vec<Option<String>> {
    match column {
        Column::Number(values) => values.iter().map(|v| (!v.is_nan()).then(|| v.to_string())).collect(),
        Column::Text(text) => (0..text.codes.len()).map(|row| text.get(row).map(str::to_owned)).collect(),
    }
}

#[test]
fn text_with_delimiters_holds_what_stdout_shows() {
    let directory = stage();
    let arguments = "table.wxb new.csv --keep note,size,colour";
    let shown = run::text(&run::run(directory.path(), &format!("predict {arguments}")).stdout);
    for file in ["p.csv", "p.tsv", "p.csv.gz", "p.csv.zst", "p.tsv.gz", "p.tsv.zst", "p"] {
        predict(directory.path(), arguments, file);
    }
    assert_eq!(std::fs::read_to_string(directory.path().join("p.csv")).unwrap(), shown);
    assert_eq!(std::fs::read_to_string(directory.path().join("p")).unwrap(), shown);
    let expected = read(directory.path(), "p.csv");
    assert_eq!(expected.names(), ["note", "size", "colour", "prediction", "no", "yes"]);
    assert_eq!(texts(expected.column("size").unwrap()), [Some("6.52".into()), None, Some("1.91".into())]);
    for file in ["p.tsv", "p.csv.gz", "p.csv.zst", "p.tsv.gz", "p.tsv.zst"] {
        assert_eq!(format!("{:?}", read(directory.path(), file)), format!("{expected:?}"), "{file}");
    }
}

#[test]
fn compressed_files_hold_the_plain_ones() {
    let directory = stage();
    for plain in ["p.csv", "p.tsv", "p.json", "p.jsonl"] {
        for file in [plain.to_owned(), format!("{plain}.gz"), format!("{plain}.zst")] {
            predict(directory.path(), "table.wxb new.csv --keep note", &file);
        }
        let bytes = |ending: &str| std::fs::read(directory.path().join(format!("{plain}{ending}"))).unwrap();
        let mut gzip = Vec::new();
        flate2::read::GzDecoder::new(&bytes(".gz")[..]).read_to_end(&mut gzip).unwrap();
        assert_eq!(run::text(&gzip), run::text(&bytes("")), "{plain}.gz");
        let zstd = zstd::decode_all(&bytes(".zst")[..]).unwrap();
        assert_eq!(run::text(&zstd), run::text(&bytes("")), "{plain}.zst");
    }
}

/// Numbers come back from text in the digits of their precision, from Parquet as they are.
#[test]
fn parquet_holds_the_numbers_of_the_network() {
    let directory = stage();
    for (arguments, is_single) in
        [("table.wxb new.csv --keep size,note", true), ("xor.wxb xor.csv --keep x1", false)]
    {
        for file in ["p.csv", "p.parquet"] {
            predict(directory.path(), &format!("{arguments} --force"), file);
        }
        let (csv, parquet) = (read(directory.path(), "p.csv"), read(directory.path(), "p.parquet"));
        assert_eq!(parquet.names(), csv.names());
        for (name, column) in csv.iter() {
            match (column, parquet.column(name).unwrap()) {
                (Column::Number(shown), Column::Number(stored)) => {
                    let is_output = !["size", "x1"].contains(&name);
                    let of = |v: f64| if is_single && is_output { f64::from(v as f32) } else { v };
                    let shown: Vec<f64> = shown.iter().map(|&v| of(v)).collect();
                    assert_eq!(format!("{stored:?}"), format!("{shown:?}"), "{arguments}: {name}");
                }
                (shown, stored) => assert_eq!(texts(stored), texts(shown), "{arguments}: {name}"),
            }
        }
    }
}
