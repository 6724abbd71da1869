use super::*;
use crate::data::TextColumn;

fn number(values: &[f64]) -> Column {
    Column::Number(values.to_vec())
}

fn text(codes: &[u32], levels: &[&str]) -> Column {
    Column::Text(TextColumn { codes: codes.to_vec(), levels: levels.iter().map(|&l| l.to_owned()).collect() })
}

fn repeated(values: &[f64], times: usize) -> Column {
    Column::Number(values.repeat(times))
}

fn chosen(column: &Column, wanted: Option<TaskChoice>) -> Result<Choice> {
    choose(column, &(0..column.len() as u32).collect::<Vec<_>>(), wanted)
}

/// A column, and the labels in class order ("" for a regression).
fn check(column: &Column, wanted: Option<TaskChoice>, task: Task, labels: &str) {
    let choice = chosen(column, wanted).unwrap();
    assert_eq!(choice.target.task(), task);
    let shown: Vec<String> = choice.target.labels().iter().map(Label::to_string).collect();
    assert_eq!(shown.join(" "), labels);
    choice.target.check().unwrap();
}

#[test]
fn the_rule() {
    use TaskChoice::{Classification, Regression};
    check(&text(&[0, 1, MISSING, 0], &["yes", "no"]), None, Task::Binary, "no yes");
    check(&text(&[0, 1, 2, 0], &["c", "a", "b", "unused"]), None, Task::Multiclass, "a b c");
    check(&number(&[1.0, 0.0, -0.0, f64::NAN]), None, Task::Binary, "0 1");
    check(&number(&[0.5, 1.5, 0.5]), None, Task::Regression, "");
    check(&number(&[0.5, 1.5, 0.5]), Some(Classification), Task::Binary, "0.5 1.5");
    check(&repeated(&[3.0, 1.0, 2.0], 5), None, Task::Multiclass, "1 2 3");
    check(&repeated(&[3.0, 1.0, 2.0], 4), None, Task::Regression, "");
    check(&repeated(&[3.0, 1.0, 2.0], 5), Some(Regression), Task::Regression, "");
    check(&repeated(&[10.0, 9.0, 2.0], 5), None, Task::Regression, "");
    check(&repeated(&[10.0, 9.0, 2.0], 5), Some(Classification), Task::Multiclass, "2 9 10");
    check(&number(&[5.0, 2.0]), None, Task::Binary, "2 5");
    let many: Vec<f64> = (0..21).map(f64::from).collect();
    check(
        &repeated(&many[1..], 9),
        None,
        Task::Multiclass,
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    );
    check(&repeated(&many, 9), None, Task::Regression, "");
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let refused = |column: &Column, wanted, part: &str| {
        let error = chosen(column, wanted).unwrap_err();
        assert!(error.message().contains(part), "{error} does not say {part}");
    };
    refused(&text(&[0, 0], &["a"]), None, "one class only: \"a\" in all 2 rows");
    refused(&number(&[1.0, 1.0]), None, "one class only");
    refused(&number(&[1.5, 1.5]), None, "is 1.5 in every row");
    refused(&number(&[1.5, 1.5]), Some(TaskChoice::Regression), "is 1.5 in every row");
    refused(&number(&[f64::NAN]), None, "missing in every row");
    refused(&text(&[MISSING], &[]), None, "missing in every row");
    refused(&text(&[0, 1, 2], &["a", "b", "c"]), None, "a class of its own");
    refused(&text(&[0, 1], &["a", "b"]), Some(TaskChoice::Regression), "is text");
    refused(&number(&[1.0, f64::INFINITY]), None, "infinite");
}

#[test]
fn single_rows_are_warned_of() {
    let choice = chosen(&text(&[0, 0, 1, 2, 2], &["a", "b", "c"]), None).unwrap();
    assert_eq!(choice.class_rows, [2, 1, 2]);
    assert_eq!(choice.warnings, ["class \"b\" has one row only: it cannot be validated"]);
}

#[test]
fn labels_are_encoded() {
    let train = text(&[0, 1, 0], &["no", "yes"]);
    let target = chosen(&train, None).unwrap().target;
    let other = text(&[0, 1, 2], &["yes", "no", "maybe"]);
    assert_eq!(target.encode::<f32>(&other, &[1, 0]).unwrap(), [0.0, 1.0]);
    assert_eq!(target.classes(&other, &[0, 0, 1]).unwrap(), [1, 1, 0]);
    let error = target.encode::<f64>(&other, &[0, 2]).unwrap_err();
    assert_eq!(error.code(), Code::UnknownLabel);
    assert_eq!(error.message(), "the label \"maybe\" is none of the model's classes");
    assert_eq!(error.places(), ["data row 3"]);
    assert_eq!(error.notes(), ["classes: \"no\", \"yes\""]);
    // Read as numbers in one file and as text in the other.
    let digits = chosen(&number(&[0.0, 1.0, 1.0]), None).unwrap().target;
    assert_eq!(digits.classes(&text(&[0, 1], &["1", "0"]), &[0, 1]).unwrap(), [1, 0]);
    assert_eq!(digits.classes(&number(&[f64::NAN]), &[0]).unwrap_err().code(), Code::BadTarget);
}

#[test]
fn numbers_are_standardised() {
    let column = number(&[1.0, 3.0, 100.5, f64::NAN]);
    let mut target = chosen(&column, Some(TaskChoice::Regression)).unwrap().target;
    let Column::Number(values) = &column else { unreachable!() };
    target.fit_scale(values, &[0, 1]);
    assert_eq!(target, Target::Number { mean: 2.0, std: 1.0, range: None });
    assert_eq!(target.encode::<f64>(&column, &[0, 1, 2]).unwrap(), [-1.0, 1.0, 98.5]);
    assert_eq!(target.decode(98.5), 100.5);
    target.fit_range(values, &[0, 1]);
    assert_eq!(target, Target::Number { mean: 2.0, std: 1.0, range: Some((1.0, 3.0)) });
    assert_eq!([-98.5, -0.5, 98.5].map(|output| target.decode(output)), [1.0, 1.5, 3.0]);
    // A file of before there were ranges, and one without one, are the same.
    let json = serde_json::json!({ "number": { "mean": 2.0, "std": 1.0 } });
    assert_eq!(serde_json::to_value(Target::Number { mean: 2.0, std: 1.0, range: None }).unwrap(), json);
    assert_eq!(serde_json::from_value::<Target>(json).unwrap().decode(98.5), 100.5);
    target.fit_scale(values, &[0, 1]);
    assert_eq!(Target::unscaled().encode::<f64>(&column, &[2]).unwrap(), [100.5]);
    assert!(target.encode::<f64>(&column, &[3]).is_err());
    assert_eq!(present_rows(&column), [0, 1, 2]);
}

#[test]
fn damaged_targets_are_refused() {
    let number = |v| Label::Number(v);
    for target in [
        Target::Classes { labels: vec![number(1.0)] },
        Target::Classes { labels: vec![number(1.0), number(1.0)] },
        Target::Classes { labels: vec![number(1.0), number(f64::NAN)] },
        Target::Number { mean: 0.0, std: 0.0, range: None },
        Target::Number { mean: f64::INFINITY, std: 1.0, range: None },
        Target::Number { mean: 0.0, std: 1.0, range: Some((2.0, 1.0)) },
        Target::Number { mean: 0.0, std: 1.0, range: Some((0.0, f64::NAN)) },
    ] {
        assert_eq!(target.check().unwrap_err().code(), Code::DamagedModel, "{target:?}");
    }
}
