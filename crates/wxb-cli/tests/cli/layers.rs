//! Networks with layers that are not dense, from the table to every command: the same bits on any number of threads and after a
//! break.

use std::path::Path;

use super::{models, run};

fn stage() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("table.csv"), models::TABLE).unwrap();
    directory
}

fn succeed(directory: &Path, arguments: &str) -> String {
    let output = run::run(directory, arguments);
    assert!(output.status.success(), "wxb {arguments}\n{}", run::text(&output.stderr));
    run::text(&output.stdout)
}

/// Trains with some flags on one thread, on two, and in two halves; the model file must be the same. It is `one.wxb` afterwards.
fn train(directory: &Path, flags: &str) {
    let run = |more: &str| succeed(directory, &format!("train table.csv --target class -q {flags} {more}"));
    let bytes = |name: &str| std::fs::read(directory.join(name)).unwrap();
    run("--epochs 6 --threads 1 -o one.wxb --force");
    run("--epochs 6 --threads 2 -o two.wxb --force");
    assert!(bytes("one.wxb") == bytes("two.wxb"), "{flags}: threads");
    if flags.contains("realmlp") {
        return; // its rates depend on the number of epochs
    }
    run("--epochs 3 -o parts.wxb --force --checkpoint-every 2");
    run("--epochs 6 -o parts.wxb --resume");
    assert!(bytes("one.wxb") == bytes("parts.wxb"), "{flags}: resumed");
}

/// What every command makes of `one.wxb`: `shown` are words of `inspect`, `tensors` of `gradcheck`.
fn use_it(directory: &Path, shown: &[&str], tensors: &[&str]) {
    let run = |line: &str| succeed(directory, line);
    let inspected = run("inspect one.wxb");
    shown.iter().for_each(|word| assert!(inspected.contains(word), "{word}: {inspected}"));
    run("inspect one.wxb --tensors");
    let checked = run("gradcheck one.wxb table.csv --rows 6");
    assert!(checked.contains("passed"), "{checked}");
    tensors.iter().for_each(|name| assert!(checked.contains(name), "{name}: {checked}"));
    assert!(run("evaluate one.wxb table.csv").contains("accuracy"));
    assert!(run("explain one.wxb table.csv --row 1 --contributions").contains("colour"));
    assert!(run("importance one.wxb table.csv --repeats 1").contains("falls"));
    let refused = run::run(directory, "explain one.wxb table.csv --row 1");
    let message = run::text(&refused.stderr);
    assert!(!refused.status.success() && message.contains("only networks of dense layers"), "{message}");
    // A row's prediction does not depend on the rows beside it.
    let first = models::TABLE.lines().take(2).collect::<Vec<_>>().join("\n");
    std::fs::write(directory.join("first.csv"), first).unwrap();
    let (all, one) = (run("predict one.wxb table.csv --logits"), run("predict one.wxb first.csv --logits"));
    assert_eq!(all.lines().count(), models::TABLE.lines().count());
    assert_eq!(all.lines().take(2).collect::<Vec<_>>(), one.lines().collect::<Vec<_>>());
}

fn refuse(directory: &Path, rows: &[(&str, &str)]) {
    for (flags, message) in rows {
        let output = run::run(directory, &format!("train table.csv --target class -o x.wxb {flags}"));
        let said = run::text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(message), "{flags}: {said}");
    }
}

#[test]
fn batch_normalisation_and_residual_layers() {
    let directory = stage();
    let flags = "--hidden 16,16 --activation gelu --batch-norm --residual --dropout 0.1 --batch-size 16";
    train(directory.path(), flags);
    let shown = ["batch norm, gelu", "+ output before the last 3 layers", "dropout"];
    use_it(directory.path(), &shown, &["gamma1", "beta2", "W3"]);
    let checked = succeed(directory.path(), "gradcheck one.wxb table.csv --rows 6");
    assert!(!checked.contains("mean1") && !checked.contains("variance1"), "{checked}");
    let dry = succeed(directory.path(), "train table.csv --target class --batch-norm --dry-run");
    assert!(dry.contains("variance2 1 x 32"), "{dry}");
    refuse(
        directory.path(),
        &[
            ("--hidden none --batch-norm", "--batch-norm has an effect with hidden layers only"),
            ("--residual", "no two neighbours have one width"),
            ("--preset tabm --batch-norm", "--preset tabm fixes what --batch-norm says"),
            ("--preset auto --hidden 8,8 --residual", "--preset auto fixes what"),
            ("--batch-norm --optimizer lbfgs", "needs the same network in each step"),
        ],
    );
}

#[test]
fn realmlp_s() {
    let directory = stage();
    train(directory.path(), "--preset realmlp-s");
    use_it(directory.path(), &["scale", "selu", "256 x 256"], &["gamma1", "W4"]);
    refuse(directory.path(), &[("--preset realmlp-s --dropout 0.1", "--preset realmlp-s fixes what")]);
}

#[test]
fn embeddings_of_numbers() {
    let directory = stage();
    for (form, shown, tensors) in [
        ("ple", "bins", ["W1", "b2"]),
        ("piecewise", "pieces", ["V1", "c1"]),
        ("plr", "waves, relu", ["w1", "A1"]),
        ("pbld", "waves", ["beta1", "A1"]),
    ] {
        train(directory.path(), &format!("--numbers {form} --hidden 8,8 --activation gelu --batch-norm"));
        use_it(directory.path(), &[shown, "batch norm"], &tensors);
        let checked = succeed(directory.path(), "gradcheck one.wxb table.csv --rows 6");
        assert!(!checked.contains("edges1"), "{checked}");
    }
    // A sum of a function for each column.
    succeed(directory.path(), "train table.csv --target size --preset linear --numbers ple -o sum.wxb -q");
    let lbfgs =
        "train table.csv --target size --hidden none --numbers ple --optimizer lbfgs --l2 1 --valid none -q";
    succeed(directory.path(), &format!("{lbfgs} -o sum.wxb --force"));
    succeed(directory.path(), "predict sum.wxb table.csv");
    std::fs::write(directory.path().join("text.csv"), "a,y\nx,1\ny,2\nx,1\ny,2\nx,3\n").unwrap();
    let output = run::run(directory.path(), "train text.csv --target y --task regression --numbers plr");
    let said = run::text(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("columns of numbers"), "{said}");
    refuse(
        directory.path(),
        &[
            ("--preset realmlp --numbers ple", "--preset realmlp fixes what --numbers says"),
            ("--numbers ple --init-weights w.npz", "w.npz"),
        ],
    );
}

/// A missing number is said by an input of its own, wherever the columns of numbers stand.
#[test]
fn embeddings_of_numbers_with_gaps() {
    let directory = stage();
    let row = |i: usize| {
        let age = if i.is_multiple_of(5) { String::new() } else { (20 + i % 40).to_string() };
        format!("{},{age},{},{}\n", ["red", "green", "blue"][i % 3], i % 7, i % 40 + 3 * (i % 3))
    };
    let table =
        std::iter::once("color,age,kids,price\n".to_owned()).chain((0..200).map(row)).collect::<String>();
    std::fs::write(directory.path().join("gaps.csv"), table).unwrap();
    std::fs::write(directory.path().join("new.csv"), "kids,color,age\n3,red,31\n,violet,\n2,,1e9\n").unwrap();
    for form in ["ple", "piecewise", "plr", "pbld"] {
        let train = format!("train gaps.csv --target price --task regression --numbers {form} --epochs 8 -q");
        succeed(directory.path(), &format!("{train} -o gaps.wxb --force"));
        let predicted = succeed(directory.path(), "predict gaps.wxb new.csv -q");
        let numbers: Vec<f64> = predicted.lines().skip(1).map(|line| line.parse().unwrap()).collect();
        assert!(numbers.len() == 3 && numbers.iter().all(|x| x.is_finite()), "{predicted}");
    }
}
