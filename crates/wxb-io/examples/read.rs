//! Reads a file as `wxb` reads it and prints what came out and how long it took:
//! `cargo run --release -p wxb-io --example read -- FILE [REPEATS]`.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::time::Instant;

use wxb::data::{Column, Features};
use wxb_io::{ReadOptions, Source, read};

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "-".into());
    let repeats: usize = args.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let source = if path == "-" { Source::Stdin } else { Source::Path(path.into()) };
    for repeat in 0..repeats {
        let start = Instant::now();
        let loaded = read(&source, &ReadOptions::default());
        let seconds = start.elapsed().as_secs_f64();
        match loaded {
            Ok(loaded) => {
                let (rows, columns) = (loaded.features.rows(), loaded.features.columns());
                println!("{} {rows} rows x {columns} columns  {seconds:.4} s", loaded.format.name());
                if repeat == 0 {
                    describe(&loaded.features);
                    loaded.warnings.iter().for_each(|warning| println!("warning: {warning}"));
                }
            }
            Err(error) => {
                println!("error[{}]: {error}", error.code().name());
                error.places().iter().for_each(|place| println!("  --> {place}"));
                error.notes().iter().for_each(|note| println!("   = {note}"));
                error.hints().iter().for_each(|hint| println!("   = hint: {hint}"));
                std::process::exit(2);
            }
        }
    }
}

fn describe(features: &Features) {
    let Features::Table(table) = features else { return };
    for (name, column) in table.iter() {
        let kind = match column {
            Column::Number(_) => "number".to_owned(),
            Column::Text(text) => format!("text, {} levels", text.levels.len()),
        };
        println!("  {name}: {kind}, {} missing", column.missing());
    }
}
