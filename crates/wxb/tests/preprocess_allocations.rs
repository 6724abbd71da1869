//! Gathering a batch allocates nothing, whatever the columns.
#![allow(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use wxb::data::{Column, Features, Matrix, Table, TextColumn, Values};
use wxb::preprocess::{PreprocessConfig, Preprocessor, Scale};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROWS: usize = 200;

/// Numbers with an outlier and missing cells, categories, dates, and a column that is only there or not.
fn table() -> Features {
    let cell = |i: usize| if i.is_multiple_of(9) { f64::NAN } else { ((i * 7919) % 101) as f64 };
    let numbers = (0..ROWS).map(|i| if i == 5 { 1e9 } else { cell(i) }).collect();
    let text = |levels: Vec<String>| {
        let codes = (0..ROWS)
            .map(|i| if i.is_multiple_of(8) { u32::MAX } else { (i % levels.len()) as u32 })
            .collect();
        Column::Text(TextColumn { codes, levels })
    };
    let columns = vec![
        ("number".to_owned(), Column::Number(numbers)),
        ("category".to_owned(), text((0..7).map(|i| format!("level {i}")).collect())),
        ("date".to_owned(), text((1..29).map(|day| format!("2020-02-{day:02} 06:00")).collect())),
        ("id".to_owned(), text((0..ROWS).map(|i| format!("name {i}")).collect())),
    ];
    Features::Table(Table::new(columns).unwrap())
}

fn matrix(values: Values) -> Features {
    Features::Matrix(Matrix::new(values, ROWS, 3).unwrap())
}

fn allocations(features: &Features, scale: Scale) -> usize {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let config = PreprocessConfig { scale, ..Default::default() };
    let (preprocessor, _) = Preprocessor::fit(features, &rows, &config).unwrap();
    let encoded = preprocessor.bind(features).unwrap();
    let mut x = vec![0f32; ROWS * preprocessor.width()];
    let count = || ALLOCATOR.stats().allocations + ALLOCATOR.stats().reallocations;
    let before = count();
    for _ in 0..10 {
        encoded.gather(&rows, &mut x);
    }
    count() - before
}

/// A program of its own, of one thread: the counts are the whole process's. The usual harness allocates beside a test that it
/// runs, and so do threads that fitting has started, whenever they come to it.
fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().unwrap();
    let numbers = || (0..3 * ROWS).map(|i| ((i * 7919) % 257) as f64);
    let all = [
        table(),
        matrix(Values::U8(numbers().map(|x| x as u8).collect())),
        matrix(Values::F32(numbers().map(|x| if x == 3.0 { f32::NAN } else { x.powi(9) as f32 }).collect())),
        matrix(Values::F64(numbers().collect())),
    ];
    for scale in Scale::ALL {
        for features in &all {
            assert_eq!(allocations(features, scale), 0, "{}, {} columns", scale.name(), features.columns());
        }
    }
}
