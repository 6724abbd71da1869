//! The files that `wxb predict -o` writes.

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use wxb::Loss;
use wxb::conformal::Residuals;
use wxb::data::target::Target;
use wxb::data::{Column, Features, Table};
use wxb::evaluate::Evaluation;
use wxb_io::{ReadOptions, Source};

use super::training::succeed;
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

/// Numbers far from 0 beside how far they are apart, and beyond what single precision holds: the file is as near to the targets as
/// `evaluate` says, and its columns are those of Parquet.
#[test]
fn numbers_of_any_scale_are_written_whole() {
    for (mean, std) in [(1e9, 3.7), (1.7e9, 1e7), (0.0, 1e40), (0.0, 1e-90), (22.5, 9.2)] {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let y = |i: u32| mean + std * (0.1 * f64::from(i) + 0.05 * f64::from(i * 7 % 5));
        let rows = (0..30).map(|i| format!("{},{:e}\n", 0.1 * f64::from(i), y(i)));
        std::fs::write(at("xy.csv"), format!("x,y\n{}", rows.collect::<String>())).unwrap();
        let target = Target::Number { mean, std, range: None };
        let mut model = models::of_lines(&[(1.0, &[1.0], &[0.0])], &Loss::SquaredError, &target);
        let residuals = (1..=9).map(|i| 0.1 * std * f64::from(i)).collect();
        model.residuals =
            Residuals::of(&Evaluation::new(Loss::SquaredError, 1, vec![0.0; 9], residuals, None));
        std::fs::write(at("line.wxb"), model.to_bytes()).unwrap();
        predict(directory.path(), "line.wxb xy.csv --interval 0.5", "p.csv");
        predict(directory.path(), "line.wxb xy.csv --interval 0.5", "p.parquet");
        let (csv, parquet) = (read(directory.path(), "p.csv"), read(directory.path(), "p.parquet"));
        let column = |table: &Table, name: &str| match table.column(name).unwrap() {
            Column::Number(values) => values.clone(),
            Column::Text(_) => panic!("{name} is text"),
        };
        for name in ["prediction", "lower", "upper"] {
            let (csv, parquet) = (column(&csv, name), column(&parquet, name));
            let off = csv.iter().zip(&parquet).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off <= 1e-6 * std, "{mean} {std}: {name} is off by {off}");
        }
        let squares =
            column(&csv, "prediction").iter().zip(0..).map(|(p, i)| (p - y(i)).powi(2)).sum::<f64>();
        let found = succeed(directory.path(), "evaluate line.wxb xy.csv --json");
        let found: Value = serde_json::from_str(&found).unwrap();
        let (rmse, told) = ((squares / 30.0).sqrt(), found["metrics"]["rmse"].as_f64().unwrap());
        assert!((rmse - told).abs() <= 1e-5 * told, "{mean} {std}: {rmse}, and evaluate says {told}");
        let width = column(&csv, "upper")[3] - column(&csv, "lower")[3];
        assert!((width - std).abs() <= 1e-5 * std, "{mean} {std}: intervals of {width}");
    }
}
