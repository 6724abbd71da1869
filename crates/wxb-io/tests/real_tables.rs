//! Every table of `../shared/data` is read, its task is the one its README gives, and its rows become finite inputs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot read its table fails, or says so"
)]

use std::path::PathBuf;

use wxb::data::{Features, split, target};
use wxb::preprocess::{PreprocessConfig, Preprocessor};
use wxb_io::{ReadOptions, Source, read};

/// The folder of the tables, where the repository has it beside itself.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        println!("{} is missing: nothing tested", folder.display());
        return None;
    }
    Some(folder)
}

/// The task (number of classes, 1 for a regression) and the unused columns of a table whose target is last.
fn check(file: &str, classes: usize, unused: &[&str]) {
    let Some(folder) = folder() else { return };
    let source = Source::Path(folder.join(file));
    let Features::Table(mut table) = read(&source, &ReadOptions::default()).unwrap().features else {
        panic!("{file} is no table")
    };
    let y = table.take(&table.names().last().unwrap().clone()).unwrap();
    let rows = target::present_rows(&y);
    let target = target::choose(&y, &rows, None).unwrap().target;
    assert_eq!(target.labels().len().max(1), classes, "{file}: {:?}", target.task());

    let strata = target.classes(&y, &rows).ok();
    let (train, valid) = split::holdout(rows.len(), strata.as_deref(), 0.2, 0).unwrap();
    let features = Features::Table(table);
    let (preprocessor, notes) = Preprocessor::fit(&features, &train, &PreprocessConfig::default()).unwrap();
    let warned: Vec<&str> = notes.iter().filter(|n| n.is_warning).map(|n| n.column.as_str()).collect();
    assert_eq!(warned, unused, "{file}");
    all_finite(&preprocessor, &features, &train);
    all_finite(&preprocessor, &features, &valid);
}

fn all_finite(preprocessor: &Preprocessor, features: &Features, rows: &[u32]) {
    let encoded = preprocessor.bind(features).unwrap();
    let mut x = vec![0f32; 256 * preprocessor.width()];
    for rows in rows.chunks(256) {
        let x = &mut x[..rows.len() * preprocessor.width()];
        encoded.gather(rows, x);
        assert!(x.iter().all(|x| x.is_finite() && x.abs() < 100.0), "an input is far off");
    }
}

macro_rules! tables {
    ($($name:ident $classes:literal [$($unused:literal),*];)*) => {
        $(#[test] fn $name() { check(concat!(stringify!($name), ".csv.gz"), $classes, &[$($unused),*]); })*
    };
}

tables! {
    adult_test 2 [];
    adult_train 2 [];
    auto_mpg 1 ["name"];
    bank_marketing 2 [];
    bike_sharing_hour 1 [];
    breast_cancer 2 [];
    california_housing 1 [];
    diabetes_progression 1 [];
    diamonds 1 [];
    digits 10 [];
    german_credit 2 [];
    gss_wages 1 [];
    iris 3 [];
    kddcup99_10pct 23 [];
    letter 26 [];
    nycflights13 1 ["tailnum"];
    pima_diabetes 2 [];
    satellite 6 [];
    shuttle 7 [];
    spambase 2 [];
    titanic 2 ["name", "ticket", "cabin", "home.dest"];
    wine 3 [];
    wine_quality 1 []; // integers 3 … 9: a rating, not numbered classes
}
