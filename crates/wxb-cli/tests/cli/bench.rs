//! `wxb bench`: what it prints. Its times are nothing that a test could know.

use std::path::Path;

use serde_json::Value;

use super::run;

fn object(arguments: &str) -> Value {
    let output = run::run(Path::new(env!("CARGO_TARGET_TMPDIR")), arguments);
    assert!(output.status.success(), "wxb {arguments}: {}", run::text(&output.stderr));
    serde_json::from_str(&run::text(&output.stdout)).unwrap()
}

fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("{key} of {object}"))
}

#[test]
fn a_training_step() {
    for threads in [1, 2] {
        let network = "--sizes 4,8,1 --batch-size 8 --seconds 0.05 --json";
        let found = object(&format!("bench {network} --threads {threads}"));
        assert_eq!(found["schema"], "wxb.bench/1");
        assert_eq!(found["threads"], threads);
        assert_eq!(found["parameters"], 4 * 8 + 8 + 8 + 1);
        for key in [
            "seconds_per_step",
            "seconds_per_step_p10",
            "samples_per_second",
            "gflops",
            "fraction_of_fma_peak",
            "fraction_of_gemm_peak",
        ] {
            assert!(number(&found, key) > 0.0, "{key} of {found}");
        }
        assert!(number(&found, "seconds_per_step_p10") <= number(&found, "seconds_per_step"), "{found}");
        assert_eq!(number(&found, "allocations_per_step"), 0.0, "{found}");
        assert!(number(&found, "loss_last") < 0.5 * number(&found, "loss_first"), "{found}");
    }
}

#[test]
fn a_prediction() {
    let found = object("bench --sizes 4,8,3 --predict --seconds 0.05 --precision f64 --json");
    assert_eq!(found["precision"], "f64");
    let ratio = number(&found, "seconds_per_prediction") * number(&found, "samples_per_second");
    assert!((ratio - 1.0).abs() < 1e-9, "{found}");
    assert!(number(&found, "seconds_per_prediction_p10") > 0.0 && found["loss_first"].is_null(), "{found}");
}

/// Every loss learns on its made-up data, and steps without a clock give the same losses each time.
#[test]
fn losses_fall() {
    let losses = [
        ("cross-entropy", 3),
        ("squared-error", 2),
        ("absolute-error", 1),
        ("huber", 1),
        ("poisson", 1),
        ("quantile", 3),
    ];
    for (loss, outputs) in losses {
        let command = format!("bench --sizes 6,16,{outputs} --loss {loss} --steps 200 --json");
        let found = object(&command);
        assert_eq!(found, object(&command));
        assert_eq!(found["steps"], 200);
        assert!(number(&found, "loss_last") < 0.9 * number(&found, "loss_first"), "{found}");
    }
}

#[test]
fn the_table() {
    let run = |flags: &str| {
        run::run(
            Path::new(env!("CARGO_TARGET_TMPDIR")),
            &format!("bench --workload W1,w2 --seconds 0.02 {flags}"),
        )
    };
    let output = run("");
    let (table, explained) = (run::text(&output.stdout), run::text(&output.stderr));
    let starts: Vec<_> = table.lines().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
    assert_eq!(starts, ["workload", "W1", "W2"]);
    for column in ["time", "p10", "GFLOP/s", "of FMA", "of GEMM", "allocs", "loss"] {
        let is_explained = explained.lines().any(|line| line.starts_with(column));
        assert!(table.contains(column) && is_explained, "{column}: {table}{explained}");
    }
    let objects = run::text(&run("--json").stdout);
    let names: Vec<Value> =
        objects.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["workload"].take()).collect();
    assert_eq!(names, ["W1", "W2"]);
}
