//! Training: the same bits for any number of threads, resumed or not; what is written and what is kept.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{models, run};

pub fn stage() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("table.csv"), models::TABLE).unwrap();
    directory
}

pub fn succeed(directory: &Path, arguments: &str) -> String {
    let output = run::run(directory, arguments);
    assert!(output.status.success(), "wxb {arguments}\n{}", run::text(&output.stderr));
    run::text(&output.stdout)
}

fn bytes(directory: &Path, name: &str) -> Vec<u8> {
    std::fs::read(directory.join(name)).unwrap()
}

#[test]
fn threads_do_not_change_a_bit() {
    let directory = stage();
    for threads in [1, 2, 3] {
        let flags = format!("--hidden 40,30 --dropout 0.2 --threads {threads} -o t{threads}.wxb -q");
        succeed(directory.path(), &format!("train table.csv --target class --epochs 4 {flags}"));
    }
    assert_eq!(bytes(directory.path(), "t1.wxb"), bytes(directory.path(), "t2.wxb"));
    assert_eq!(bytes(directory.path(), "t1.wxb"), bytes(directory.path(), "t3.wxb"));
}

/// The recipe's model is saved, loaded, inspected and predicts; it has the same bits on any number of threads.
#[test]
fn realmlp() {
    let directory = stage();
    for threads in [1, 2] {
        let flags = format!("--preset realmlp --epochs 3 --threads {threads} -o t{threads}.wxb -q");
        succeed(directory.path(), &format!("train table.csv --target class {flags}"));
    }
    assert_eq!(bytes(directory.path(), "t1.wxb"), bytes(directory.path(), "t2.wxb"));
    let shown = succeed(directory.path(), "inspect t1.wxb");
    for part in ["waves", "scale", "part of selu", "softmax"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let predicted = succeed(directory.path(), "predict t1.wxb table.csv");
    assert_eq!(predicted.lines().count(), models::TABLE.lines().count());
    let output = run::run(directory.path(), "explain t1.wxb table.csv --rows 1");
    let message = run::text(&output.stderr);
    assert!(!output.status.success() && message.contains("only networks of dense layers"), "{message}");
}

/// Without a word about the network three are trained and averaged; the file does all that a model's file does.
#[test]
fn auto() {
    let directory = stage();
    let run = |line: &str| succeed(directory.path(), line);
    let shown = run("train table.csv --target class --threads 1 -o one.wxb");
    for part in ["linear", "mlp", "deep", "counts", "baseline"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    run("train table.csv --target class --threads 2 -o two.wxb -q --checkpoint-every 9");
    assert_eq!(bytes(directory.path(), "one.wxb"), bytes(directory.path(), "two.wxb"));
    run("train table.csv --target class -o two.wxb --force -q --resume");
    assert_eq!(bytes(directory.path(), "one.wxb"), bytes(directory.path(), "two.wxb"));
    let inspected: Value = serde_json::from_str(&run("inspect one.wxb --json")).unwrap();
    let weights = inspected["parts"].as_array().unwrap().iter().map(|part| part["weight"].as_f64().unwrap());
    assert!((weights.sum::<f64>() - 1.0).abs() < 1e-9, "{inspected}");
    assert!(run("inspect one.wxb").contains("certainty temperature"));
    for line in run("predict one.wxb table.csv --proba").lines().skip(1) {
        let sum: f64 = line.split(',').map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{line}");
    }
    assert!(run("gradcheck one.wxb table.csv --part linear --rows 4").contains("passed"));
    assert!(run("train table.csv --target class --cv 2 -q").contains("mean"));
    // What there was time for is the checkpoint's, however much there is now: one member of one epoch.
    let deep_of = |shown: &str| {
        let score = |line: &str| Some(line.trim().strip_prefix("deep ")?.split('(').next()?.to_owned());
        shown.lines().find_map(score).unwrap_or_else(|| panic!("deep counts: {shown}"))
    };
    let quick = run("train table.csv --target class --time-budget 1ms -o quick.wxb --checkpoint-every 1");
    let resumed = run("train table.csv --target class --time-budget 60s -o quick.wxb --resume --force");
    assert_eq!(deep_of(&quick), deep_of(&resumed));
}

/// A checkpoint of the other precision is not damaged.
#[test]
fn resuming_in_another_precision() {
    let directory = stage();
    let train = "train table.csv --target class --hidden 4 --epochs 2 -q -o m.wxb";
    succeed(directory.path(), &format!("{train} --checkpoint-every 1"));
    let output = run::run(directory.path(), &format!("{train} --resume --precision f64"));
    let message = run::text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.starts_with("error[E0101]: it belongs to a training in f32, and this one is in f64"),
        "{message}"
    );
    assert!(message.contains("m.wxb.checkpoint") && message.contains("--precision f32"), "{message}");
}

/// Networks side by side, each without a fold: the same bits on one thread and on two, in one go and resumed.
#[test]
fn bag() {
    let directory = stage();
    let run = |line: &str| succeed(directory.path(), line);
    for flags in [
        "--target class --preset deep",
        "--target size --preset realmlp",
        "--target colour --preset mlp --hidden 6,5 --activation gelu,relu --dropout 0.2 --l2 0.1",
        "--target class --preset linear --optimizer sgd",
    ] {
        let train = format!("train table.csv {flags} --bag 3 --force -q");
        run(&format!("{train} --epochs 2 --threads 1 -o one.wxb"));
        run(&format!("{train} --epochs 2 --threads 2 -o two.wxb"));
        assert_eq!(bytes(directory.path(), "one.wxb"), bytes(directory.path(), "two.wxb"), "{flags}");
        let shown = run("inspect one.wxb");
        assert!(shown.contains("in 3 folds") && shown.contains("out-of-fold"), "{shown}");
        run("predict one.wxb table.csv");
        if !flags.contains("deep") && !flags.contains("realmlp") {
            run(&format!("{train} --epochs 1 -o parts.wxb --checkpoint-every 1"));
            run(&format!("{train} --epochs 2 -o parts.wxb --resume"));
            assert_eq!(bytes(directory.path(), "one.wxb"), bytes(directory.path(), "parts.wxb"), "{flags}");
        }
    }
    let shown = run("train table.csv --target size --bag 3 --seed 2 -o bag.wxb");
    for part in ["linear", "mlp", "deep", "out-of-fold r2", "counts"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(run("predict bag.wxb table.csv --interval 0.8").starts_with("prediction,lower,upper"));
    assert!(run("train table.csv --target class --bag 3 --time-budget 1ms -o quick.wxb").contains("counts"));
    for (flags, message) in [
        ("--preset tabm", "share their weights"),
        ("--optimizer lbfgs", "steps once for all"),
        ("--clip-norm 1", "gradient of all"),
        ("--init-weights weights.npz", "of one network"),
        ("--cv 3", "exclude each other"),
        ("--valid 0.1", "exclude each other"),
        ("--preset deep --members 4", "exclude each other"),
    ] {
        let output = run::run(directory.path(), &format!("train table.csv --target class --bag 3 {flags}"));
        let text = run::text(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains(message), "{flags}: {text}");
    }
}

/// What training says of the validation rows is what `evaluate` says of them.
#[test]
fn auto_is_evaluated_as_it_was_judged() {
    let directory = stage();
    for (target, flags) in [
        ("class", ""),
        ("size", ""),
        ("class", "--calibration none"),
        ("class", "--calibration isotonic"),
        ("colour", "--calibration isotonic"),
    ] {
        let train =
            format!("train table.csv --target {target} --valid table.csv -o v.wxb --force --json {flags}");
        let events = succeed(directory.path(), &train);
        let event = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let result = events.lines().map(event).find(|event| event["type"] == "result").unwrap();
        let evaluated: Value =
            serde_json::from_str(&succeed(directory.path(), "evaluate v.wxb table.csv --json")).unwrap();
        assert_eq!(result["networks"].as_array().unwrap().len(), 3);
        assert_eq!(result["temperature"] == 1.0, target == "size" || !flags.is_empty(), "{result}");
        let is_isotonic = succeed(directory.path(), "inspect v.wxb").contains("isotonic, ");
        assert_eq!(is_isotonic, flags.contains("isotonic"), "{flags}");
        let both = |name| [&result, &evaluated].map(|scores| scores["metrics"][name].as_f64().unwrap());
        if is_isotonic {
            // It was judged by curves that had not seen the rows; the model's have seen all of them.
            let [judged, found] = both("log_loss");
            assert!(judged > found, "{target}: {judged} and {found}");
            continue;
        }
        for name in result["metrics"].as_object().unwrap().keys() {
            let [judged, found] = both(name);
            assert!((judged - found).abs() <= 1e-6 * judged.abs(), "{target} {name}: {judged} and {found}");
        }
    }
}

/// Intervals reach as far to each side as the validation rows say, and `evaluate` counts what they hold.
#[test]
fn intervals() {
    let directory = stage();
    let run = |line: &str| succeed(directory.path(), line);
    run("train table.csv --target size --valid table.csv --hidden 8 --epochs 20 -o m.wxb -q");
    let evaluated: Value =
        serde_json::from_str(&run("evaluate m.wxb table.csv --interval 0.8 --json")).unwrap();
    let interval = &evaluated["interval"];
    let (q, covered) = (interval["half_width"].as_f64().unwrap(), interval["covered"].as_f64().unwrap());
    // The ⌈61 · 0.8⌉ = 49 smallest residuals of the 60 rows, which are those that decided.
    assert!((covered - 49.0 / 60.0).abs() < 1e-9, "{covered}");
    let predicted = run("predict m.wxb table.csv --interval 0.8");
    assert!(predicted.starts_with("prediction,lower,upper\n"), "{predicted}");
    for line in predicted.lines().skip(1) {
        let v: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
        assert!((v[0] - v[1] - q).abs() < 1e-4 && (v[2] - v[0] - q).abs() < 1e-4, "{line}, half width {q}");
    }
    assert!(run("evaluate m.wxb table.csv").contains("90.0 % intervals"));
    run("train table.csv --target size --valid none --hidden 8 --epochs 2 -o none.wxb -q");
    run("train table.csv --target class --hidden 8 --epochs 2 -o class.wxb -q");
    for (line, message) in [
        ("predict none.wxb table.csv --interval 0.9", "without validation rows"),
        ("predict class.wxb table.csv --interval 0.9", "predicts classes"),
        ("predict m.wxb table.csv --interval 0.999", "too few"),
        ("predict m.wxb table.csv --interval 90", "between 0 and 1"),
    ] {
        let output = run::run(directory.path(), line);
        let said = run::text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(message), "{line}: {said}");
    }
    assert!(run("evaluate class.wxb table.csv").contains("probability of yes"));
}

/// A model of y = (x ≥ 50), beside a column that says nothing.
pub fn stage_with_noise() -> tempfile::TempDir {
    let directory = stage();
    let row = |i: usize| format!("{},{},{}\n", i * 7 % 100, i * 13 % 50, i * 7 % 100 / 50);
    let table = std::iter::once("x,noise,y\n".to_owned()).chain((0..300).map(row)).collect::<String>();
    std::fs::write(directory.path().join("xy.csv"), table).unwrap();
    succeed(directory.path(), "train xy.csv --target y --task classification --hidden 8 -o xy.wxb -q");
    directory
}

/// What the columns add is the prediction without what is predicted in the mean, and the column that decides adds nearly all.
#[test]
fn contributions() {
    let directory = stage_with_noise();
    let run = |line: &str| succeed(directory.path(), line);
    let line = "explain xy.wxb xy.csv --row 3,14 --contributions --samples 100";
    let found: Value = serde_json::from_str(&run(&format!("{line} --json"))).unwrap();
    let predicted = run("predict xy.wxb xy.csv --proba");
    for (row, at) in found["rows"].as_array().unwrap().iter().zip([3, 14]) {
        let number = |value: &Value| value.as_f64().unwrap();
        let added: f64 =
            row["columns"].as_array().unwrap().iter().map(|column| number(&column["mean"])).sum();
        let (prediction, expected) = (number(&row["prediction"]), number(&row["expected"]));
        assert!((added - (prediction - expected)).abs() < 1e-9, "{row}");
        let of_one: f64 = predicted.lines().nth(1 + at).unwrap().split(',').nth(1).unwrap().parse().unwrap();
        assert!((prediction - of_one).abs() < 1e-6, "{row}, {of_one}");
        assert_eq!(row["columns"][0]["column"], "x");
        assert!(number(&row["columns"][1]["mean"]).abs() < 0.05, "{row}");
    }
    assert_eq!(run(line), run(&format!("{line} --threads 1")));
    assert!(run(line).contains("x "));
    // Three classes: the probability of the most probable one; a number: the number.
    run("train table.csv --target colour -o colour.wxb --hidden 4 -q");
    assert!(run("explain colour.wxb table.csv --contributions --json").contains("probability of"));
    run("train table.csv --target size -o size.wxb --hidden 4 -q");
    assert!(run("explain size.wxb table.csv --contributions --json").contains("\"what\":\"size\""));
}

/// The column that decides is the most important one, and one that says nothing is worth nothing.
#[test]
fn importance() {
    let directory = stage_with_noise();
    let run = |line: &str| succeed(directory.path(), line);
    let found: Value = serde_json::from_str(&run("importance xy.wxb xy.csv --rows 200 --json")).unwrap();
    let mean = |i: usize| found["columns"][i]["mean"].as_f64().unwrap();
    assert_eq!((&found["columns"][0]["column"], &found["rows"]), (&"x".into(), &200.into()), "{found}");
    assert!(mean(0) > 0.3 && mean(1).abs() < 0.02, "{found}");
    assert_eq!(
        run("importance xy.wxb xy.csv --seed 4"),
        run("importance xy.wxb xy.csv --seed 4 --threads 1")
    );
    assert!(run("importance xy.wxb xy.csv").contains("auc falls by"));
    assert!(run("importance xy.wxb xy.csv --metric log-loss").contains("log-loss rises by"));
}

/// Quantiles never cross, whatever the network gives.
#[test]
fn quantiles_are_in_order() {
    let directory = stage();
    let train = "train table.csv --target size --quantiles 0.45,0.5,0.55 --epochs 3 --lr 0.3 -o q.wxb -q";
    succeed(directory.path(), train);
    let logits = |flags: &str| succeed(directory.path(), &format!("predict q.wxb table.csv {flags}"));
    let cross = |text: &str| {
        let row = |line: &str| line.split(',').map(|v| v.parse::<f64>().unwrap()).collect::<Vec<_>>();
        text.lines().skip(1).filter(|line| !row(line).is_sorted()).count()
    };
    assert!(cross(&logits("--logits")) > 0, "three epochs are not enough to part them");
    assert_eq!(cross(&logits("")), 0);
}

/// The networks of a model are explained one by one.
#[test]
fn auto_is_explained_in_parts() {
    let directory = stage();
    succeed(directory.path(), "train table.csv --target class -o m.wxb -q");
    let output = run::run(directory.path(), "explain m.wxb table.csv --row 1");
    let (shown, said) = (run::text(&output.stdout), run::text(&output.stderr));
    assert!(shown.contains("Z1 = W1 X + b1") && said.contains("whose prediction counts"), "{shown}{said}");
    for (part, message) in [("deep", "only networks of dense layers"), ("forest", "the model has no network")]
    {
        let output = run::run(directory.path(), &format!("explain m.wxb table.csv --part {part}"));
        let said = run::text(&output.stderr);
        assert!(!output.status.success() && said.contains(message), "{said}");
    }
}

/// A network of members from the table to every command: the same bits on any number of threads and after a break.
#[test]
fn tabm() {
    let directory = stage();
    let run = |line: &str| succeed(directory.path(), line);
    for preset in ["tabm", "tabm-mini"] {
        let train = format!("train table.csv --target class --preset {preset} -q");
        run(&format!("{train} --epochs 2 --threads 1 -o one.wxb --force"));
        run(&format!("{train} --epochs 2 --threads 2 -o two.wxb --force"));
        assert_eq!(bytes(directory.path(), "one.wxb"), bytes(directory.path(), "two.wxb"), "{preset}");
        run(&format!("{train} --epochs 1 -o parts.wxb --force --checkpoint-every 1"));
        run(&format!("{train} --epochs 2 -o parts.wxb --resume"));
        assert_eq!(bytes(directory.path(), "one.wxb"), bytes(directory.path(), "parts.wxb"), "{preset}");
        let shown = run("inspect one.wxb");
        for part in ["32 members", "32 x 512 x 2", "softmax"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
    let checked = run("gradcheck two.wxb table.csv --rows 1");
    assert!(checked.contains("passed") && checked.contains("r1"), "{checked}");
    let predicted = run("predict one.wxb table.csv --proba");
    assert_eq!(predicted.lines().count(), models::TABLE.lines().count());
    for line in predicted.lines().skip(1) {
        let sum: f64 = line.split(',').map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{line}");
    }
    assert!(run("evaluate one.wxb table.csv").contains("accuracy"));
    let folds = run("train table.csv --target class --preset tabm-mini --epochs 1 --cv 2 -q");
    assert!(folds.contains("mean"), "{folds}");
}

/// Missing numbers have an input of their own, in another place of the plan: the columns are found all the same.
#[test]
fn realmlp_with_gaps() {
    let directory = stage();
    let row = |i: usize| {
        let age = if i.is_multiple_of(5) { String::new() } else { (20 + i % 40).to_string() };
        format!("{age},{},{}\n", ["red", "green", "blue"][i % 3], i % 40 + 3 * (i % 3))
    };
    let table = |rows: std::ops::Range<usize>| {
        std::iter::once("age,color,price\n".to_owned()).chain(rows.map(row)).collect::<String>()
    };
    std::fs::write(directory.path().join("gaps.csv"), table(0..200)).unwrap();
    std::fs::write(directory.path().join("whole.csv"), "age,color\n31,red\n32,violet\n,\n").unwrap();
    let train = "train gaps.csv --target price --task regression --preset realmlp --epochs 8 -q -o gaps.wxb";
    succeed(directory.path(), train);
    // A script asks for probabilities whatever the model predicts.
    let predicted = succeed(directory.path(), "predict gaps.wxb whole.csv --proba -q");
    let numbers: Vec<f64> = predicted.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert!(predicted.starts_with("prediction\n") && numbers.len() == 3, "{predicted}");
    assert!(numbers.iter().all(|x| x.is_finite()), "{predicted}");
}

/// Prices from 0 to 45 beyond which no prediction goes, however far the age is; mlp goes further.
#[test]
fn predictions_within_those_of_the_training_rows() {
    let directory = stage();
    let rows: String = (0..100).map(|i| format!("{},{}\n", i % 46, i % 46)).collect();
    std::fs::write(directory.path().join("line.csv"), format!("age,price\n{rows}")).unwrap();
    let far = "age,price\n-400,-400\n4000,4000\n";
    std::fs::write(directory.path().join("far.csv"), far).unwrap();
    for (preset, is_clamped) in [("auto", true), ("realmlp --epochs 4", true), ("linear", false)] {
        let train = "train line.csv --target price --task regression -q -o line.wxb --force --preset";
        succeed(directory.path(), &format!("{train} {preset}"));
        let inspected = succeed(directory.path(), "inspect line.wxb");
        assert_eq!(inspected.contains("predictions within 0 to 45"), is_clamped, "{preset}\n{inspected}");
        let predicted = succeed(directory.path(), "predict line.wxb far.csv -q");
        let numbers: Vec<f64> = predicted.lines().skip(1).map(|line| line.parse().unwrap()).collect();
        let is_inside = numbers.iter().all(|x| (0.0..=45.0).contains(x));
        assert_eq!(is_inside, is_clamped, "{preset}\n{predicted}");
        // An evaluation sees the same numbers.
        let scores: Value =
            serde_json::from_str(&succeed(directory.path(), "evaluate line.wxb far.csv --json")).unwrap();
        let mae = numbers.iter().zip([-400.0, 4000.0]).map(|(p, y)| (p - y).abs()).sum::<f64>() / 2.0;
        let found = scores["metrics"]["mae"].as_f64().unwrap();
        assert!((found - mae).abs() < 1e-6 * mae, "{preset}: {found}, not {mae}");
    }
}

#[test]
fn five_epochs_and_five_more_are_ten() {
    let directory = stage();
    for flags in [
        "--optimizer adam --dropout 0.3 --batch-size 16",
        "--optimizer lbfgs",
        "--schedule plateau --precision f64 --batch-size 16",
    ] {
        let train = |more: &str| {
            succeed(directory.path(), &format!("train table.csv --target class -q {flags} {more}"));
        };
        train("--epochs 10 -o whole.wxb --force");
        train("--epochs 5 -o parts.wxb --force --checkpoint-every 2");
        train("--epochs 10 -o parts.wxb --resume");
        assert_eq!(bytes(directory.path(), "whole.wxb"), bytes(directory.path(), "parts.wxb"), "{flags}");
    }
}

#[test]
fn a_killed_training_is_resumed_as_if_it_had_not_been() {
    let directory = stage();
    let train = "train table.csv --target class --batch-size 1 --epochs 400 --no-early-stopping -q";
    succeed(directory.path(), &format!("{train} -o whole.wxb"));
    let arguments = format!("{train} -o killed.wxb --checkpoint-every 1 --resume");
    let checkpoint = directory.path().join("killed.wxb.checkpoint");
    for kill in 1..=3 {
        let mut child = run::wxb(directory.path(), &arguments)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let before = checkpoint.metadata().ok().and_then(|file| file.modified().ok());
        let patience = Instant::now();
        // Killed as soon as it has got one checkpoint further.
        while checkpoint.metadata().ok().and_then(|file| file.modified().ok()) == before {
            assert!(patience.elapsed() < Duration::from_secs(60), "no checkpoint {kill}");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    succeed(directory.path(), &arguments);
    assert_eq!(bytes(directory.path(), "whole.wxb"), bytes(directory.path(), "killed.wxb"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_and_exits_with_130() {
    let directory = stage();
    let arguments =
        "train table.csv --target class --batch-size 1 --epochs 1000000 --no-early-stopping --progress json";
    let mut command = run::wxb(directory.path(), arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    lines
        .by_ref()
        .find(|line| line.as_ref().is_ok_and(|line| line.contains("\"epoch\":2,")))
        .unwrap()
        .unwrap();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    lines.for_each(|line| drop(line.unwrap()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(run::text(&output.stdout).starts_with("result"));
    succeed(directory.path(), "evaluate table.wxb table.csv");
}

#[test]
fn the_same_command_again_works_and_an_explicit_output_is_protected() {
    let directory = stage();
    let train = "train table.csv --target class --epochs 1 -q";
    succeed(directory.path(), train);
    succeed(directory.path(), train);
    succeed(directory.path(), &format!("{train} -o own.wxb"));
    assert_eq!(run::run(directory.path(), &format!("{train} -o own.wxb")).status.code(), Some(2));
    succeed(directory.path(), &format!("{train} -o own.wxb --force"));
}

#[test]
fn a_dry_run_writes_nothing() {
    let directory = stage();
    let text = succeed(directory.path(), "train table.csv --target class --hidden 5 --dry-run");
    assert!(text.contains("W1        6 x 5") && text.contains("memory"), "{text}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// One of the two rows of a class goes to the training part, and so does the other.
#[test]
fn a_class_without_a_validation_row_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let row = |i: u32| format!("{i},{}\n", if i == 7 || i == 31 { "rare" } else { "usual" });
    let table: String = (0..60).map(row).collect();
    std::fs::write(directory.path().join("rare.csv"), format!("x,y\n{table}")).unwrap();
    let train = "train rare.csv --target y --preset mlp --metric auc --epochs 3 --dry-run";
    let text = run::text(&run::run(directory.path(), train).stderr);
    assert!(text.contains("class \"rare\" has no row to validate on"), "{text}");
}

#[test]
fn folds_make_a_table() {
    let directory = stage();
    let text = succeed(directory.path(), "train table.csv --target class --epochs 3 --cv 3 -q");
    let firsts: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(firsts, ["fold", "1", "2", "3", "mean", "std"], "{text}");
    let json = succeed(directory.path(), "train table.csv --target class --epochs 3 --cv 3 --json");
    let last: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "result");
    assert_eq!(last["folds"].as_array().unwrap().len(), 3);
    assert!(last["mean"]["auc"].is_number());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no model is saved");
}

#[test]
fn demos_succeed() {
    // The score that each demo has to reach, and which it is.
    for (data, least) in
        [("xor", "auc"), ("moons", "auc"), ("spiral", "auc"), ("blobs", "accuracy"), ("linear", "r2")]
    {
        let directory = tempfile::tempdir().unwrap();
        succeed(directory.path(), &format!("demo {data}"));
        succeed(directory.path(), &format!("demo {data}"));
        let evaluate = format!("evaluate {data}.wxb {data}.csv --fail-if {least}<0.97");
        succeed(directory.path(), &evaluate);
        let table = directory.path().join(format!("{data}.csv"));
        std::fs::write(&table, "mine").unwrap();
        let output = run::run(directory.path(), &format!("demo {data}"));
        assert_eq!(output.status.code(), Some(2), "another file of that name is not overwritten");
        assert_eq!(std::fs::read(&table).unwrap(), b"mine");
    }
}

#[test]
fn zero_weights_show_their_symmetry() {
    let directory = stage();
    let output = run::run(
        directory.path(),
        "train table.csv --target class --init zeros --activation tanh --epochs 2",
    );
    let text = run::text(&output.stderr);
    assert!(text.contains("SYMMETRIC, all 64 units identical"), "{text}");
}

#[test]
fn a_regression_predicts_in_the_targets_unit() {
    let directory = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..200).map(|i| format!("{i},{}", 1000.0 + 50.0 * f64::from(i))).collect();
    std::fs::write(directory.path().join("line.csv"), format!("x,price\n{}\n", rows.join("\n"))).unwrap();
    succeed(
        directory.path(),
        "train line.csv --target price --hidden none --optimizer lbfgs --valid none -q",
    );
    let text = succeed(directory.path(), "predict line.wxb line.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("prediction"));
    let first: f64 = lines.next().unwrap().parse().unwrap();
    assert!((first - 1000.0).abs() < 1.0, "{first}");
    succeed(directory.path(), "train line.csv --target price --quantiles 0.1,0.9 --epochs 2 -q");
    assert!(succeed(directory.path(), "predict line.wxb line.csv").starts_with("q0.1,q0.9\n"));
}

#[test]
fn a_validation_file_is_read_as_the_training_file_is() {
    let directory = stage();
    // In this file alone the column x would be text: all of it is missing, and colour has a level more.
    let valid = "class,colour,size,x\nyes,pink,3,\nno,blue,2,NA\n";
    std::fs::write(directory.path().join("valid.csv"), valid).unwrap();
    let json =
        succeed(directory.path(), "train table.csv --target class --epochs 2 --valid valid.csv --json");
    let start: Value = serde_json::from_str(json.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&start["train_rows"], &start["valid_rows"]), (&60.into(), &2.into()));
}

#[test]
fn weights_of_one_change_nothing_and_weight_zero_is_absence() {
    let directory = tempfile::tempdir().unwrap();
    let mut lines = models::TABLE.lines();
    let header = lines.next().unwrap();
    let rows: Vec<&str> = lines.collect();
    let write = |name: &str, rows: &mut dyn Iterator<Item = String>, header: String| {
        let text = [header].into_iter().chain(rows).collect::<Vec<_>>().join("\n");
        std::fs::write(directory.path().join(name), text).unwrap();
    };
    write("plain.csv", &mut rows.iter().map(|r| (*r).to_owned()), header.to_owned());
    write("ones.csv", &mut rows.iter().map(|r| format!("{r},1")), format!("{header},w"));
    let mut with_zeros = rows.iter().flat_map(|r| [format!("{r},1"), "9,9,red,yes,0".to_owned()]);
    write("zeros.csv", &mut with_zeros, format!("{header},w"));
    let scores = |name: &str, flag: &str| {
        let json = succeed(
            directory.path(),
            &format!("train {name} --target class --epochs 3 --valid none --json {flag}"),
        );
        let result = json.lines().find(|line| line.contains("\"type\":\"result\"")).unwrap();
        serde_json::from_str::<Value>(result).unwrap()["metrics"].to_string()
    };
    let plain = scores("plain.csv", "");
    assert_eq!(scores("ones.csv", "--weight w"), plain);
    assert_eq!(scores("zeros.csv", "--weight w"), plain);
}

/// They weigh the rows that are learned from; those that decide count as they are, as in an evaluation.
#[test]
fn class_weights() {
    let directory = stage();
    std::fs::copy(directory.path().join("table.csv"), directory.path().join("valid.csv")).unwrap();
    for preset in ["linear", "mlp", "deep"] {
        let flags = format!(
            "--preset {preset} --epochs 3 --class-weight balanced --valid valid.csv -o {preset}.wxb -q"
        );
        succeed(directory.path(), &format!("train table.csv --target class {flags}"));
        let json =
            |command: &str| -> Value { serde_json::from_str(&succeed(directory.path(), command)).unwrap() };
        let record = json(&format!("inspect {preset}.wxb --json"))["record"]["metrics"]["log_loss"].as_f64();
        let evaluated =
            json(&format!("evaluate {preset}.wxb valid.csv --json"))["metrics"]["log_loss"].as_f64();
        assert!((record.unwrap() - evaluated.unwrap()).abs() < 1e-6, "{preset}: {record:?}, {evaluated:?}");
    }
}

#[test]
fn initial_weights_in_the_courses_shapes() {
    // Members W1 (2, 3), b1 (2, 1), W2 (1, 2), b2 (1, 1); the data's features would be scaled without --scale none.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("d.csv"), "a,b,c,y\n1,0,2,0\n0,1,1,1\n1,1,0,1\n0,0,3,0\n").unwrap();
    let weights = include_bytes!("weights.npz");
    std::fs::write(directory.path().join("w.npz"), weights).unwrap();
    let flags = "--init-weights w.npz --precision f64 --optimizer sgd --lr 0.5 --batch-size full --scale none --valid none";
    let json = succeed(directory.path(), &format!("train d.csv --target y {flags} --epochs 2 --json"));
    let losses: Vec<f64> = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "epoch")
        .map(|event| event["train"]["loss"].as_f64().unwrap())
        .collect();
    for (loss, expected) in losses.iter().zip(NUMPY_LOSSES) {
        assert!((loss - expected).abs() < 1e-12, "{losses:?}");
    }
}

/// The costs before the first and the second update, by NumPy in the course's orientation.
const NUMPY_LOSSES: [f64; 2] = [0.6134402478782479, 0.5915738987598679];
