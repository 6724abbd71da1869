//! Writes any table that `wxb` reads as CSV: `cargo run -p wxb-io --example to_csv -- FILE > table.csv`.

use std::io::{BufWriter, Write, stdout};

use wxb::data::Features;
use wxb_io::{ReadOptions, Source, read, write_csv_table};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which FILE?")?;
    let mut out = BufWriter::new(stdout().lock());
    match read(&Source::Path(path.into()), &ReadOptions::default())?.features {
        Features::Table(table) => write_csv_table(&mut out, &table)?,
        Features::Matrix(_) => return Err("an array has no columns with names".into()),
    }
    Ok(out.flush()?)
}
