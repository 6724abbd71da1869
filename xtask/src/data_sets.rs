//! The data sets of ../shared/data, each with the usual split of its source.

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// One data set: what `wxb train` and `wxb evaluate` are given.
pub(crate) struct DataSet {
    pub(crate) name: &'static str,
    split: Split,
}

enum Split {
    /// The source has a file for each part.
    Files(&'static str, &'static str),
    /// The first rows train, the rest tests.
    First(usize),
    /// A pseudo-random fifth of the rows tests, the others train.
    Fifth,
    /// Images and labels in IDX files of these two parts.
    Idx(&'static str, &'static str),
    /// Members train_x, train_y, test_x, test_y of one NPZ file.
    Npz(&'static str),
}

use Split::{Fifth, Files, First, Idx, Npz};

/// (name, split); the rows of the README beside the data, in its order.
#[rustfmt::skip]
pub(crate) const DATA_SETS: [DataSet; 25] = [
    row("breast_cancer", Fifth),
    row("titanic", Fifth),
    row("adult", Files("adult_train", "adult_test")),
    row("bank_marketing", Fifth),
    row("german_credit", Fifth),
    row("pima_diabetes", Fifth),
    row("spambase", Fifth),
    row("iris", Fifth),
    row("wine", Fifth),
    row("digits", Fifth),
    row("letter", First(16_000)),
    row("satellite", First(4_435)),
    row("shuttle", First(43_500)),
    row("kddcup99_10pct", Fifth),
    row("diabetes_progression", Fifth),
    row("california_housing", Fifth),
    row("diamonds", Fifth),
    row("bike_sharing_hour", Fifth),
    row("auto_mpg", Fifth),
    row("wine_quality", Fifth),
    row("gss_wages", Fifth),
    row("nycflights13", Fifth),
    // The same images as in the two HDF5 files, a format without a reader in wxb.
    row("cat", Npz("../course/npz/cat.npz")),
    row("mnist", Idx("mnist-train", "mnist-t10k")),
    row("fashion", Idx("fashion-train", "fashion-t10k")),
];

const fn row(name: &'static str, split: Split) -> DataSet {
    DataSet { name, split }
}

/// What stands behind `wxb train` and behind `wxb evaluate MODEL`.
pub(crate) struct Arguments {
    pub(crate) train: Vec<String>,
    pub(crate) test: Vec<String>,
}

impl DataSet {
    /// Arguments for both commands; the parts of a shuffled or cut table are written to `folder`.
    pub(crate) fn arguments(&self, data: &Path, folder: &Path) -> Result<Arguments> {
        let file = |name: String| data.join(name).to_string_lossy().into_owned();
        let table = |name: &str| file(format!("{name}.csv.gz"));
        let images = |part: &str| {
            let labels = file(format!("{part}-labels-idx1-ubyte.gz"));
            vec![file(format!("{part}-images-idx3-ubyte.gz")), "--labels".into(), labels]
        };
        let members = |name: &str, part: &str| {
            vec![file(name.into()), "--x".into(), format!("{part}_x"), "--y".into(), format!("{part}_y")]
        };
        match self.split {
            Files(train, test) => for_tables(table(train), table(test)),
            First(rows) => cut(&table(self.name), &folder.join(self.name), |row| row < rows),
            Fifth => {
                cut(&table(self.name), &folder.join(self.name), |row| !mix(row as u64).is_multiple_of(5))
            }
            Idx(train, test) => Ok(Arguments { train: images(train), test: images(test) }),
            Npz(name) => Ok(Arguments { train: members(name, "train"), test: members(name, "test") }),
        }
    }
}

/// The target of every table is its last column.
fn for_tables(train: String, test: String) -> Result<Arguments> {
    let headers = open(&train)?.headers()?.clone();
    let target = headers.iter().next_back().with_context(|| format!("{train} has no columns"))?;
    Ok(Arguments { train: vec![train, "--target".into(), target.into()], test: vec![test] })
}

/// Writes the rows for which `trains` holds to STEM_train.csv, the others to STEM_test.csv.
fn cut(table: &str, stem: &Path, trains: impl Fn(usize) -> bool) -> Result<Arguments> {
    let parts = ["train", "test"].map(|part| format!("{}_{part}.csv", stem.display()));
    let mut reader = open(table)?;
    let mut writers = Vec::new();
    for part in &parts {
        let mut writer = csv::Writer::from_path(part).with_context(|| format!("cannot write {part}"))?;
        writer.write_byte_record(reader.byte_headers()?)?;
        writers.push(writer);
    }
    for (row, record) in reader.byte_records().enumerate() {
        writers[usize::from(!trains(row))].write_byte_record(&record?)?;
    }
    writers.iter_mut().try_for_each(csv::Writer::flush)?;
    let [train, test] = parts;
    for_tables(train, test)
}

fn open(path: &str) -> Result<csv::Reader<Box<dyn Read>>> {
    let file = File::open(path).with_context(|| format!("cannot open {path}"))?;
    let compressed = Path::new(path).extension().is_some_and(|extension| extension == "gz");
    let bytes: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(csv::Reader::from_reader(bytes))
}

/// The finaliser of SplitMix64: bits that no pattern in the row numbers survives.
fn mix(row: u64) -> u64 {
    let z = row.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
