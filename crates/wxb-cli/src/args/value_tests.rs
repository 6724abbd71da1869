use std::fmt;

use super::*;

fn check<T: FromStr<Err = Rejected> + PartialEq + fmt::Debug>(text: &str, expected: Option<T>) {
    assert_eq!(text.parse::<T>().ok(), expected, "{text:?}");
}

#[test]
fn rows() {
    check("3", Some(RowRange { first: 3, last: 3 }));
    check("10-14", Some(RowRange { first: 10, last: 14 }));
    check::<RowRange>("14-10", None);
    check::<RowRange>("last", None);
}

#[test]
fn gates() {
    let gate = |expression: &str, comparison, bound| {
        let (expression, metric) = (expression.to_owned(), "auc".to_owned());
        Some(Gate { expression, metric, comparison, bound })
    };
    check("auc<0.9", gate("auc<0.9", Comparison::Below, 0.9));
    check("auc <= 0.9", gate("auc <= 0.9", Comparison::AtMost, 0.9));
    check("auc>=1", gate("auc>=1", Comparison::AtLeast, 1.0));
    check::<Gate>("auc", None);
    check::<Gate>("<0.9", None);
    check::<Gate>("auc<high", None);
}
