//! The example learns something.

#[path = "../examples/first_model.rs"]
#[allow(dead_code, reason = "the example's main is not called here")]
mod example;

#[test]
fn the_example_learns() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/titanic.csv");
    let auc = example::train_titanic(path).unwrap();
    assert!(auc > 0.8, "AUC {auc}");
}
