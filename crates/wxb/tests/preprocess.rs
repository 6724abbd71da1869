//! Columns become inputs: expected values by hand, and a naive reference over random tables.
#![allow(clippy::unwrap_used, reason = "what tests share may fail a test, too")]

use proptest::prelude::*;
use wxb::Code;
use wxb::data::{Column, Features, MISSING, Matrix, Table, TextColumn, Values};
use wxb::preprocess::{Encoding, Kind, PreprocessConfig, Preprocessor, Scale, Scaling};

const NAN: f64 = f64::NAN;

fn number(values: &[f64]) -> Column {
    Column::Number(values.to_vec())
}

/// A text column; "" is missing.
fn text(cells: &[&str]) -> Column {
    let mut levels: Vec<String> = vec![];
    let mut code = |cell: &&str| {
        if cell.is_empty() {
            return MISSING;
        }
        let known = levels.iter().position(|l| l == cell);
        known.unwrap_or_else(|| {
            levels.push((*cell).to_owned());
            levels.len() - 1
        }) as u32
    };
    let codes = cells.iter().map(&mut code).collect();
    Column::Text(TextColumn { codes, levels })
}

fn table(columns: Vec<(&str, Column)>) -> Features {
    Features::Table(Table::new(columns.into_iter().map(|(n, c)| (n.to_owned(), c)).collect()).unwrap())
}

fn all_rows(features: &Features) -> Vec<u32> {
    (0..features.rows() as u32).collect()
}

fn config(scale: Scale) -> PreprocessConfig {
    PreprocessConfig { scale, ..Default::default() }
}

fn fit(features: &Features, config: &PreprocessConfig) -> Preprocessor {
    Preprocessor::fit(features, &all_rows(features), config).unwrap().0
}

fn gather(preprocessor: &Preprocessor, features: &Features) -> Vec<f64> {
    let encoded = preprocessor.bind(features).unwrap();
    let mut x = vec![NAN; features.rows() * preprocessor.width()];
    encoded.gather(&all_rows(features), &mut x);
    x
}

/// Fits one column to all of its rows and gathers other cells of it.
fn check(scale: Scale, train: &Column, cells: &Column, names: &[&str], inputs: &[f64]) {
    let train = table(vec![("c", train.clone())]);
    let preprocessor = fit(&train, &config(scale));
    assert_eq!(preprocessor.input_names(), names);
    let x = gather(&preprocessor, &table(vec![("c", cells.clone())]));
    assert_eq!(x.len(), inputs.len());
    for (x, expected) in x.iter().zip(inputs) {
        assert!((x - expected).abs() < 1e-12, "{scale:?}: {x} is not {expected}");
    }
}

/// Each number but the two-valued one comes a second time; what is missing is said once.
#[test]
fn a_second_scale() {
    let columns = vec![
        ("a", number(&[1.0, 2.0, 3.0, 4.0, 10.0])),
        ("two", number(&[0.0, 1.0, 0.0, 1.0, 1.0])),
        ("b", number(&[1.0, NAN, 2.0, 4.0, 5.0])),
        ("t", text(&["x", "y", "z", "x", "y"])),
    ];
    let features = table(columns);
    let both = PreprocessConfig { second_scale: Some(Scale::Robust), ..config(Scale::MinMax) };
    let preprocessor = fit(&features, &both);
    let names = preprocessor.input_names();
    assert_eq!(names[..6], ["a", "a (again)", "two", "b", "b=(missing)", "b (again)"]);
    assert_eq!(preprocessor.features(), 4);
    let x = gather(&preprocessor, &features);
    // a: 4 in 1 … 10; median 3, quartiles 2 and 4. b: the median 3 where it is missing; quartiles of 1, 2, 4, 5 are 1.75, 4.25.
    let width = preprocessor.width();
    assert_eq!((x[3 * width], x[3 * width + 1], x[3 * width + 2]), (3.0 / 9.0, 0.5, 1.0));
    assert_eq!((x[width + 3], x[width + 4], x[width + 5]), (0.5, 1.0, 0.0));
    assert_eq!(x[5], (1.0 - 3.0) / 2.5);
}

#[test]
fn numbers_are_scaled() {
    let train = number(&[1.0, 2.0, 3.0, 4.0, 10.0]); // mean 4, variance 10, median 3, quartiles 2 and 4
    let s = 10f64.sqrt();
    let cells = number(&[4.0, 14.0]);
    check(Scale::None, &train, &cells, &["c"], &[4.0, 14.0]);
    check(Scale::Standard, &train, &cells, &["c"], &[0.0, 10.0 / s]);
    check(Scale::Auto, &train, &cells, &["c"], &[0.0, 10.0 / s]);
    check(Scale::Robust, &train, &cells, &["c"], &[0.5, 5.5]);
    check(Scale::MinMax, &train, &cells, &["c"], &[3.0 / 9.0, 13.0 / 9.0]);
}

#[test]
fn auto_has_logarithmic_tails() {
    let train = number(&[-1.0, 1.0]); // mean 0, standard deviation 1
    let e = std::f64::consts::E;
    check(Scale::Auto, &train, &number(&[8.0, -8.0 * e, 8.0 * e * e]), &["c"], &[8.0, -16.0, 24.0]);
    check(Scale::Standard, &train, &number(&[8.0 * e]), &["c"], &[8.0 * e]);
}

#[test]
fn a_missing_number_is_the_median_and_says_so() {
    let train = number(&[1.0, NAN, 3.0, 8.0]); // median 3
    check(Scale::None, &train, &number(&[5.0, NAN]), &["c", "c=(missing)"], &[5.0, 0.0, 3.0, 1.0]);
    check(Scale::None, &number(&[1.0, 2.0, 6.0]), &number(&[5.0, NAN]), &["c"], &[5.0, 2.0]);
    check(Scale::Auto, &number(&[7.0, NAN]), &number(&[9.0, NAN]), &["c=(missing)"], &[0.0, 1.0]);
}

#[derive(serde::Deserialize)]
struct QuantileCase {
    name: String,
    at: Vec<f64>,
    x: Vec<f64>,
    z: Vec<f64>,
}

/// `testdata/quantiles.json`, made by `testdata/make_quantiles.py`.
#[test]
fn normal_scores_are_scikit_learns() {
    let cases: Vec<QuantileCase> =
        serde_json::from_str(include_str!("../../../testdata/quantiles.json")).unwrap();
    for QuantileCase { name, at, x, z } in cases {
        let scaling = Scaling::Normal { at };
        for (&x, z) in x.iter().zip(z) {
            let found = scaling.apply(x);
            assert!((found - z).abs() < 2e-9 * (1.0 + z.abs()), "{name}: {x} becomes {found}, not {z}");
        }
        assert!(scaling.apply(NAN).is_nan());
    }
}

/// Values of many rows get the middle of their shares, the smallest and the largest one, too; a missing one the median.
#[test]
fn normal_scores_of_few_values() {
    let train: Vec<f64> = (0..3000).map(|i| if i < 1200 { 0.0 } else { 1.0 }).collect();
    let preprocessor = fit(&table(vec![("c", number(&train))]), &config(Scale::Normal));
    let x = gather(&preprocessor, &table(vec![("c", number(&[0.0, 1.0, NAN, -9.0, 9.0]))]));
    // scipy.stats.norm.ppf(0.2) and (0.7); 100 knots, so that a share is off by 1/99 at the most.
    for (x, expected) in x.iter().zip([-0.84162, 0.52440, 0.52440, -5.19934, 5.19934]) {
        assert!((x - expected).abs() < 0.04, "{x} is not {expected}");
    }
}

#[test]
fn texts_are_one_hot() {
    let train = text(&["a", "a", "b", "b", "c", "c", "rare", ""]);
    let names = ["c=a", "c=b", "c=c", "c=(missing)", "c=(other)"];
    let cells = text(&["b", "new", "", "rare"]);
    let x = [0., 1., 0., 0., 0., 0., 0., 0., 0., 1., 0., 0., 0., 1., 0., 0., 0., 0., 0., 1.];
    check(Scale::Auto, &train, &cells, &names, &x);
    check(
        Scale::Auto,
        &text(&["m", "f", "f", "m"]),
        &text(&["f", "m", "x", ""]),
        &["c=m"],
        &[-1., 1., 0., 0.],
    );
    // A column that is empty in the new file is read as numbers.
    check(Scale::Auto, &train, &number(&[NAN]), &names, &[0., 0., 0., 1., 0.]);
    check(Scale::None, &number(&[1.0, 2.0, 6.0]), &text(&[""]), &["c"], &[2.0]);
}

#[test]
fn dates_are_taken_apart() {
    let train = text(&["2020-02-29", "2021-08-31 12:00", ""]); // a Saturday, a Tuesday
    let preprocessor = fit(&table(vec![("d", train)]), &config(Scale::None));
    let names = "d.year d.month_sin d.month_cos d.day d.weekday_sin d.weekday_cos d.hour_sin d.hour_cos d.days \
        d=(missing)";
    assert_eq!(preprocessor.input_names().join(" "), names);
    let x = gather(&preprocessor, &table(vec![("d", text(&["1970-01-01T06:00", ""]))]));
    let turn = std::f64::consts::TAU;
    let thursday = 3.0 / 7.0 * turn;
    let expected = [1970.0, 0.0, 1.0, 1.0, thursday.sin(), thursday.cos(), 1.0, 0.0, 0.25, 0.0];
    assert!(x[..10].iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-12), "{x:?}");
    // The median of two is their mean.
    assert_eq!((x[10], x[19]), (2020.5, 1.0));
    let error = preprocessor.bind(&table(vec![("d", text(&["yesterday"]))])).unwrap_err();
    assert_eq!(error.code(), Code::NotADate);
}

/// One column in, the note and its weight out.
fn check_note(column: Column, expected: &str, is_warning: bool) {
    let useful: Vec<f64> = (0..column.len()).map(|i| (i % 3) as f64).collect();
    let features = table(vec![("useful", number(&useful)), ("c_id", column)]);
    let (_, notes) = Preprocessor::fit(&features, &all_rows(&features), &config(Scale::Auto)).unwrap();
    let shown: Vec<String> = notes.iter().map(ToString::to_string).collect();
    assert_eq!(shown, [format!("c_id: {expected}")]);
    assert_eq!(notes[0].is_warning, is_warning);
}

#[test]
fn notes() {
    let names: Vec<String> = (0..40).map(|i| format!("name {i}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    check_note(number(&[5.0; 4]), "constant, dropped", false);
    check_note(number(&[NAN; 4]), "always missing, dropped", false);
    check_note(text(&["", ""]), "always missing, dropped", false);
    check_note(text(&["a", "a"]), "constant, dropped", false);
    check_note(text(&names), "an identifier (40 different texts in 40 rows), dropped; --keep uses it", true);
    names[0] = "";
    let text_of_it = "an identifier (39 different texts in 39 rows): only whether it is missing is used; --keep uses \
        its texts";
    check_note(text(&names), text_of_it, true);
    let rows: Vec<f64> = (0..9).map(f64::from).collect();
    check_note(number(&rows), "looks like a row number; leave it out with --drop if it is one", true);
    let dates = text(&["2020-02-01", "2021-03-04"]);
    check_note(dates, "dates like 2011-01-31, taken apart", false);
    let ambiguous = text(&["02/01/2020", "03/04/2021"]);
    check_note(ambiguous, "dates read as month/day/year; day/month/year is possible too", true);
}

#[test]
fn many_levels_are_cut() {
    let cells: Vec<String> =
        (0..50).flat_map(|i| vec![format!("{i:02}"); if i < 5 { 4 } else { 2 }]).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let features = table(vec![("c", text(&cells))]);
    let config = PreprocessConfig { max_levels: 5, ..Default::default() };
    let (preprocessor, notes) = Preprocessor::fit(&features, &all_rows(&features), &config).unwrap();
    assert_eq!(preprocessor.input_names().join(" "), "c=00 c=01 c=02 c=03 c=04 c=(other)");
    assert!(
        notes[0].is_warning && notes[0].text.starts_with("50 levels: the 5 most frequent"),
        "{}",
        notes[0]
    );
    assert!(notes[0].text.ends_with("(81.8 % of the rows)"), "{}", notes[0]);
}

#[test]
fn columns_are_found_by_name() {
    let train =
        table(vec![("a", number(&[1.0, 2.0])), ("constant", number(&[1.0, 1.0])), ("b", text(&["x", "y"]))]);
    let preprocessor = fit(&train, &config(Scale::None));
    assert_eq!(preprocessor.kinds(), [("a", Kind::Number), ("b", Kind::Text)]);
    let other_order = table(vec![("b", text(&["y"])), ("extra", number(&[0.0])), ("a", number(&[5.0]))]);
    assert_eq!(gather(&preprocessor, &other_order), [5.0, 1.0]);
    let refused = |features: Features, code| {
        assert_eq!(preprocessor.bind(&features).unwrap_err().code(), code);
    };
    refused(table(vec![("a", number(&[5.0]))]), Code::UnknownColumn);
    refused(table(vec![("a", text(&["five"])), ("b", text(&["y"]))]), Code::WrongKind);
    refused(table(vec![("a", number(&[5.0])), ("b", number(&[1.0]))]), Code::WrongKind);
    refused(table(vec![("a", number(&[f64::INFINITY])), ("b", text(&["y"]))]), Code::NumberTooLarge);
    refused(Features::Matrix(Matrix::new(Values::U8(vec![1]), 1, 1).unwrap()), Code::ShapeMismatch);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let refused = |features: &Features, config: &PreprocessConfig, rows: &[u32], code| {
        assert_eq!(Preprocessor::fit(features, rows, config).unwrap_err().code(), code);
    };
    let auto = config(Scale::Auto);
    let fine = table(vec![("a", number(&[1.0, 2.0]))]);
    refused(&fine, &auto, &[], Code::EmptyData);
    refused(&table(vec![("a", number(&[1.0, 1.0]))]), &auto, &[0, 1], Code::NoInputs);
    refused(&table(vec![("a", number(&[1.0, 1e101]))]), &auto, &[0, 1], Code::NumberTooLarge);
    refused(&fine, &PreprocessConfig { divide_by: Some(0.0), ..auto.clone() }, &[0, 1], Code::InvalidSetting);
    refused(&fine, &PreprocessConfig { max_levels: 0, ..auto.clone() }, &[0, 1], Code::InvalidSetting);
    let both = PreprocessConfig { divide_by: Some(2.0), ..config(Scale::Robust) };
    refused(&fine, &both, &[0, 1], Code::InvalidSetting);
}

#[test]
fn matrices_keep_their_columns() {
    let bytes = Features::Matrix(Matrix::new(Values::U8(vec![0, 0, 0, 255, 0, 255]), 2, 3).unwrap());
    let divided = PreprocessConfig { divide_by: Some(255.0), scale: Scale::None, ..Default::default() };
    assert_eq!(gather(&fit(&bytes, &divided), &bytes), [0.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    let dim = Features::Matrix(Matrix::new(Values::U8(vec![0, 0, 4, 16, 0, 8]), 2, 3).unwrap());
    assert_eq!(gather(&fit(&dim, &config(Scale::Auto)), &dim), [0.0, 0.0, 0.25, 1.0, 0.0, 0.5]);

    let floats = Values::F64(vec![1.0, 7.0, NAN, 3.0, 7.0, 2.0, 5.0, 7.0, 4.0]);
    let floats = Features::Matrix(Matrix::new(floats, 3, 3).unwrap());
    let preprocessor = fit(&floats, &config(Scale::MinMax));
    assert_eq!(preprocessor.input_names(), ["x0", "x1", "x2", "x2=(missing)"]);
    let expected = [0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    assert_eq!(gather(&preprocessor, &floats), expected);
    // Bytes for a model that was trained on floats with missing values.
    let bytes = Features::Matrix(Matrix::new(Values::U8(vec![5, 7, 2]), 1, 3).unwrap());
    assert_eq!(gather(&preprocessor, &bytes), [1.0, 0.0, 0.0, 0.0]);
    let raw = fit(&floats, &config(Scale::None));
    assert_eq!(gather(&raw, &bytes), [5.0, 7.0, 2.0, 0.0]);
    let narrow = Features::Matrix(Matrix::new(Values::U8(vec![5, 7]), 1, 2).unwrap());
    assert_eq!(raw.bind(&narrow).unwrap_err().code(), Code::ShapeMismatch);
}

#[test]
fn quantiles_are_normal_scores() {
    let values: Vec<f64> = (0..3001).map(|i| f64::from(i) * f64::from(i)).collect();
    let features = table(vec![("c", number(&values))]);
    let x = gather(&fit(&features, &config(Scale::Quantile)), &features);
    assert!(x.is_sorted());
    assert!(x[1500].abs() < 1e-3, "the median becomes {}", x[1500]);
    assert!((x[2925] - 1.959964).abs() < 0.01, "the 97.5 % quantile becomes {}", x[2925]);
    let spread = (x.iter().map(|z| z * z).sum::<f64>() / x.len() as f64).sqrt();
    assert!((spread - 1.0).abs() < 0.02, "standard deviation {spread}");
    // Nine tenths are the same number: still told apart from the rest, and finite.
    let ties: Vec<f64> = (0..100).map(|i| if i < 90 { 0.0 } else { f64::from(i) }).collect();
    let features = table(vec![("c", number(&ties))]);
    let x = gather(&fit(&features, &config(Scale::Quantile)), &features);
    assert!(x[0] < 0.0 && x[95] > 1.0 && x.iter().all(|z| z.is_finite()));
}

#[test]
fn the_untrained_inputs_are_those_of_unseen_levels() {
    let train = table(vec![
        ("n", number(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])),
        ("trained", text(&["a", "a", "b", "b", "c", "c", "d"])),
        ("untrained", text(&["a", "a", "b", "b", "c", "c", "c"])),
        ("signed", text(&["a", "a", "b", "b", "b", "b", "b"])),
    ]);
    let preprocessor = fit(&train, &config(Scale::Auto));
    let names = preprocessor.input_names();
    let untrained: Vec<&str> = preprocessor.untrained_inputs().iter().map(|&j| names[j].as_str()).collect();
    assert_eq!(untrained, ["untrained=(other)"]);
    let x = gather(&preprocessor, &train);
    let is_zero = |j: usize| x.chunks(names.len()).all(|row| row[j] == 0.0);
    assert_eq!((0..names.len()).filter(|&j| is_zero(j)).collect::<Vec<_>>(), preprocessor.untrained_inputs());
}

#[test]
fn damaged_preprocessors_are_refused() {
    let train = table(vec![("n", number(&[1.0, 2.0, NAN])), ("c", text(&["a", "b", "c"]))]);
    let json = serde_json::to_string(&fit(&train, &config(Scale::Standard))).unwrap();
    let check = |from: &str, to: &str| {
        assert!(json.contains(from), "{from} is not in {json}");
        let read = serde_json::from_str::<Preprocessor>(&json.replace(from, to));
        assert!(read.is_err() || read.unwrap().check().is_err(), "{to} passes");
    };
    check("\"unit\":0.5", "\"unit\":0.0");
    check("\"unit\":0.5", "\"unit\":1e999");
    check("\"fill\":1.5", "\"fill\":null");
    check("[\"a\",\"b\",\"c\"]", "[\"a\",\"c\",\"b\"]");
    check("[\"a\",\"b\",\"c\"]", "[]");
    check("\"name\":\"c\"", "\"name\":\"n\"");
    let empty: Preprocessor = serde_json::from_str("{\"table\":[]}").unwrap();
    assert_eq!(empty.check().unwrap_err().code(), Code::DamagedModel);
    let wide = "{\"matrix\":{\"columns\":4294967295,\"scaling\":{\"common\":{\"shift\":0,\"unit\":1}},\
        \"fill\":[],\"missing\":[]}}";
    assert!(serde_json::from_str::<Preprocessor>(wide).unwrap().check().is_err());
}

// ---- over random tables

fn random_table(rows: usize) -> impl Strategy<Value = Features> {
    let cell = prop_oneof![4 => -1e3..1e3f64, 1 => Just(NAN), 1 => Just(0.0)];
    let numbers = prop::collection::vec(prop::collection::vec(cell, rows), 1..4);
    let level = prop_oneof![Just(""), Just("a"), Just("b"), Just("c"), Just("dd"), Just("e")];
    let texts = prop::collection::vec(prop::collection::vec(level, rows), 0..4);
    (numbers, texts).prop_map(|(numbers, texts)| {
        let numbers = numbers.iter().enumerate().map(|(i, c)| (format!("n{i}"), number(c)));
        let texts = texts.iter().enumerate().map(|(i, c)| (format!("t{i}"), text(c)));
        Features::Table(Table::new(numbers.chain(texts).collect()).unwrap())
    })
}

/// What one cell becomes, straight from the fitted plan.
fn naive_inputs(encoding: &Encoding, column: &Column, row: usize) -> Vec<f64> {
    let is_missing = match column {
        Column::Number(values) => values[row].is_nan(),
        Column::Text(text) => text.get(row).is_none(),
    };
    let flag = f64::from(u8::from(is_missing));
    match (encoding, column) {
        (Encoding::Dropped(_), _) => vec![],
        (Encoding::Presence { .. }, _) => vec![flag],
        (Encoding::Number(input) | Encoding::Again(input), Column::Number(values)) => {
            let x = if is_missing { input.fill } else { values[row] };
            let z = match &input.scaling {
                Scaling::Affine { shift, unit } => (x - shift) / unit,
                other => other.apply(x),
            };
            if input.missing > 0 { vec![z, flag] } else { vec![z] }
        }
        (Encoding::Category(input), Column::Text(text)) => {
            let names = input.input_names();
            let cell = text.get(row);
            let own = cell.unwrap_or("(missing)");
            if input.is_signed() {
                let is_known =
                    if is_missing { input.missing > 0 } else { input.levels.iter().any(|l| l == own) };
                let z = if names[0] == own {
                    1.0
                } else if is_known {
                    -1.0
                } else {
                    0.0
                };
                return vec![z];
            }
            let at = names.iter().position(|n| n == own).unwrap_or(names.len() - 1);
            (0..names.len()).map(|j| f64::from(u8::from(j == at))).collect()
        }
        _ => unreachable!("the kinds belong together"),
    }
}

fn subset(features: &Features, keep: &[bool]) -> Vec<u32> {
    all_rows(features).into_iter().filter(|&r| keep[r as usize]).collect()
}

const SCALES: [Scale; 8] = Scale::ALL;

proptest! {
    #[test]
    fn gathering_is_the_naive_reference(features in random_table(30), scale in 0usize..8, rows in prop::collection::vec(0u32..30, 0..40)) {
        let Ok((preprocessor, _)) = Preprocessor::fit(&features, &(5..25).collect::<Vec<_>>(), &config(SCALES[scale])) else {
            return Ok(()); // every column constant
        };
        let encoded = preprocessor.bind(&features).unwrap();
        let mut x = vec![0f32; rows.len() * preprocessor.width()];
        encoded.gather(&rows, &mut x);
        let (Preprocessor::Table(plans), Features::Table(table)) = (&preprocessor, &features) else { unreachable!() };
        let naive: Vec<f32> = rows.iter().flat_map(|&row| {
            plans.iter().zip(table.iter()).flat_map(move |(plan, (_, column))| naive_inputs(&plan.encoding, column, row as usize))
        }).map(|z| z as f32).collect();
        prop_assert_eq!(&x, &naive);
        // A row's inputs do not depend on its batch.
        for (i, &row) in rows.iter().enumerate() {
            let mut one = vec![0f32; preprocessor.width()];
            encoded.gather(&[row], &mut one);
            prop_assert_eq!(&one[..], &x[i * one.len()..][..one.len()]);
        }
    }

    #[test]
    fn other_rows_are_not_looked_at(train in random_table(20), other in random_table(20), keep in prop::collection::vec(any::<bool>(), 20), scale in 0usize..8) {
        let (Features::Table(train), Features::Table(other)) = (&train, &other) else { unreachable!() };
        // The same columns, the rows that do not train replaced, the levels numbered in another order.
        let mixed: Vec<(String, Column)> = train.iter().map(|(name, column)| {
            let mixed = match (column, other.column(name)) {
                (Column::Number(t), Ok(Column::Number(o))) =>
                    Column::Number((0..20).map(|i| if keep[i] { t[i] } else { o[i] }).collect()),
                (Column::Text(t), Ok(Column::Text(o))) => {
                    let cells: Vec<&str> = (0..20).map(|i| if keep[i] { t.get(i) } else { o.get(i) }.unwrap_or("")).collect();
                    text(&cells)
                }
                (column, _) => column.clone(),
            };
            (name.to_owned(), mixed)
        }).collect();
        let (train, mixed) = (Features::Table(train.clone()), Features::Table(Table::new(mixed).unwrap()));
        let rows = subset(&train, &keep);
        let fit = |features| Preprocessor::fit(features, &rows, &config(SCALES[scale])).map_err(|e| e.code());
        prop_assert_eq!(fit(&train), fit(&mixed));
    }

    #[test]
    fn a_file_keeps_every_bit(features in random_table(20), scale in 0usize..8) {
        if let Ok((preprocessor, _)) = Preprocessor::fit(&features, &all_rows(&features), &config(SCALES[scale])) {
            let json = serde_json::to_string(&preprocessor).unwrap();
            let read: Preprocessor = serde_json::from_str(&json).unwrap();
            prop_assert!(read.check().is_ok());
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), json);
            prop_assert_eq!(read, preprocessor);
        }
    }

    #[test]
    fn a_matrix_is_scaled_as_its_columns(values in prop::collection::vec(prop_oneof![6 => -50.0..50.0f64, 1 => Just(NAN)], 60), scale in 1usize..8) {
        let columns = |j: usize| number(&values.iter().skip(j).step_by(3).copied().collect::<Vec<_>>());
        let as_table = table(vec![("x0", columns(0)), ("x1", columns(1)), ("x2", columns(2))]);
        let as_matrix = Features::Matrix(Matrix::new(Values::F64(values.clone()), 20, 3).unwrap());
        let config = config(SCALES[scale]);
        let (t, m) = (fit(&as_table, &config), fit(&as_matrix, &config));
        let (x, y) = (gather(&t, &as_table), gather(&m, &as_matrix));
        let of = |names: &[String], x: &[f64], name: &str| -> Vec<f64> {
            let j = names.iter().position(|n| n == name).unwrap();
            x.iter().skip(j).step_by(names.len()).copied().collect()
        };
        let mut names = t.input_names();
        names.sort();
        let mut matrix_names = m.input_names();
        matrix_names.sort();
        prop_assert_eq!(&names, &matrix_names);
        for name in &names {
            prop_assert_eq!(of(&t.input_names(), &x, name), of(&m.input_names(), &y, name), "{}", name);
        }
    }
}
