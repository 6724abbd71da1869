//! What a person is told about a model: how it came about, what it looks at, how its predictions depend on columns, and how far
//! its members are apart.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use wxb::Loss;
use wxb::calibration::Calibration;
use wxb::data::target::Target;
use wxb::model_file::{Model, Part};

use super::training::{stage, stage_with_noise, succeed};
use super::{models, run};

fn json(directory: &Path, arguments: &str) -> Value {
    serde_json::from_str(&succeed(directory, &format!("{arguments} --json"))).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A directory with `table.csv` and `auto.wxb`, the default's model of it, trained once.
fn stage_with_auto() -> tempfile::TempDir {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let directory = stage();
    let path = directory.path().join("auto.wxb");
    let model = MODEL.get_or_init(|| {
        succeed(directory.path(), "train table.csv --target class -o auto.wxb -q");
        std::fs::read(&path).unwrap()
    });
    std::fs::write(&path, model).unwrap();
    directory
}

#[test]
fn a_model_tells_how_it_came_about() {
    let directory = stage_with_auto();
    let found = json(directory.path(), "inspect auto.wxb");
    let story = found["story"].as_array().unwrap();
    let about = |about: &str| {
        let line = story.iter().find(|line| line["about"] == about);
        line.unwrap_or_else(|| panic!("nothing about {about} in {found}"))["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(about("recipe").starts_with("auto: linear, mlp, deep trained, and averaged"), "{found}");
    assert!(about("trained").contains("to validate (seed 0)"), "{found}");
    assert_eq!(about("networks").lines().count(), 3, "{found}");
    let linear = &found["record"]["networks"][0];
    assert!(number(&linear["gain"]["error"]) >= 0.0 && about("linear?").contains("alone: "), "{found}");
    // The validation rows are too few for more than the training allows.
    let importance = &found["record"]["importance"];
    assert_eq!(importance["rows"], found["record"]["valid_rows"], "{found}");
    assert_eq!(importance["columns"].as_array().unwrap().len(), 3, "{found}");
    let text = succeed(directory.path(), "inspect auto.wxb");
    assert!(text.contains("columns by importance") && text.contains("falls by"), "{text}");
}

/// What training stores is what `wxb importance` says of the same rows, as far as another draw of orders goes.
#[test]
fn training_measures_importance() {
    let directory = stage_with_noise();
    let found = json(directory.path(), "inspect xy.wxb");
    let columns = &found["record"]["importance"]["columns"];
    assert_eq!((&columns[0]["column"], &columns[1]["column"]), (&"x".into(), &"noise".into()), "{found}");
    assert!(number(&columns[0]["mean"]) > 0.3 && number(&columns[1]["mean"]).abs() < 0.02, "{found}");
    let without =
        "train xy.csv --target y --task classification --hidden 8 --valid none --epochs 2 -o none.wxb -q";
    succeed(directory.path(), without);
    let found = json(directory.path(), "inspect none.wxb");
    assert!(found["record"].get("importance").is_none());
    let asked = found["story"].as_array().unwrap().iter().find(|line| line["about"] == "asked").unwrap();
    assert_eq!(asked["text"], "--epochs 2 --hidden 8 --task classification --valid none");
}

/// A record that says nothing, or something else, is no error.
#[test]
fn a_model_without_a_story() {
    let directory = tempfile::tempdir().unwrap();
    models::write_worked_example(directory.path());
    let text = succeed(directory.path(), "inspect xor.wxb");
    assert!(text.contains("file ") && !text.contains("recipe"), "{text}");
}

/// What the columns add is the prediction without that of the usual row; the column that decides adds nearly all.
#[test]
fn integrated_gradients() {
    let directory = stage_with_noise();
    let line = "explain xy.wxb xy.csv --row 3,14 --contributions --method integrated-gradients";
    let found = json(directory.path(), line);
    assert_eq!(found["schema"], "wxb.integrated_gradients/1");
    let predicted = succeed(directory.path(), "predict xy.wxb xy.csv --proba");
    for (row, at) in found["rows"].as_array().unwrap().iter().zip([3, 14]) {
        let columns = row["columns"].as_array().unwrap();
        let added: f64 = columns.iter().map(|column| number(&column["adds"])).sum();
        let (prediction, baseline) = (number(&row["prediction"]), number(&row["baseline"]));
        assert!((added - (prediction - baseline) - number(&row["gap"])).abs() < 1e-9, "{row}");
        let size: f64 = columns.iter().map(|column| number(&column["adds"]).abs()).sum();
        assert!(size > 0.1 && number(&row["gap"]).abs() <= 1e-3 * size, "{row}");
        let of_one: f64 = predicted.lines().nth(1 + at).unwrap().split(',').nth(1).unwrap().parse().unwrap();
        assert!((prediction - of_one).abs() < 1e-5, "{row}, {of_one}");
        assert_eq!((&columns[0]["column"], &columns[1]["usual"]), (&"x".into(), &"24".into()), "{row}");
    }
    assert_eq!(succeed(directory.path(), line), succeed(directory.path(), &format!("{line} --threads 1")));
    // A number in its unit.
    succeed(directory.path(), "train table.csv --target size -o size.wxb --hidden 4 -q");
    let size = json(directory.path(), "explain size.wxb table.csv --contributions --method ig");
    assert_eq!(size["rows"][0]["what"], "size");
}

/// The mean of three networks, one of them with members, waves and a temperature.
#[test]
fn integrated_gradients_of_a_mean() {
    let directory = stage_with_auto();
    let line = "explain auto.wxb table.csv --row 7 --contributions --method integrated-gradients";
    let row = &json(directory.path(), line)["rows"][0];
    let size: f64 = row["columns"].as_array().unwrap().iter().map(|c| number(&c["adds"]).abs()).sum();
    assert!(number(&row["gap"]).abs() <= 1e-3 * size, "{row}");
    let predicted = succeed(directory.path(), "predict auto.wxb table.csv --proba");
    let of_one: f64 = predicted.lines().nth(8).unwrap().split(',').nth(1).unwrap().parse().unwrap();
    assert!((number(&row["prediction"]) - of_one).abs() < 1e-5, "{row}, {of_one}");
}

/// f̄ at a value is the mean of what `predict` says of the rows with that value in the column.
#[test]
fn partial_dependence() {
    let directory = stage_with_noise();
    let found = json(directory.path(), "partial xy.wxb xy.csv --column x --points 5");
    assert_eq!((&found["schema"], &found["what"]), (&"wxb.partial/1".into(), &"probability of 1".into()));
    let curve = &found["columns"][0];
    let values: Vec<f64> = curve["values"].as_array().unwrap().iter().map(number).collect();
    assert!(values.len() <= 5 && values.is_sorted(), "{curve}");
    let rows = (0..300).map(|i: usize| format!("{},{}\n", values[1], i * 13 % 50));
    let table = std::iter::once("x,noise\n".to_owned()).chain(rows).collect::<String>();
    std::fs::write(directory.path().join("set.csv"), table).unwrap();
    let predicted = succeed(directory.path(), "predict xy.wxb set.csv --proba");
    let p = predicted.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse::<f64>().unwrap());
    assert!((p.sum::<f64>() / 300.0 - number(&curve["mean"][1])).abs() < 1e-6, "{curve}");
    assert_eq!(curve["curves"].as_array().unwrap().len(), 60);
    // Both columns, the important one first, as tables and as a picture.
    let text = succeed(directory.path(), "partial xy.wxb xy.csv");
    assert!(text.find(" x ").unwrap() < text.find(" noise ").unwrap(), "{text}");
    assert_eq!(succeed(directory.path(), "partial xy.wxb xy.csv -o a.svg -q"), "");
    let svg = std::fs::read_to_string(directory.path().join("a.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    assert_eq!(svg.matches("class=\"mean\"").count(), 2);
    let again = run::run(directory.path(), "partial xy.wxb xy.csv -o a.svg");
    assert_eq!(again.status.code(), Some(2), "{}", run::text(&again.stderr));
}

#[test]
fn partial_dependence_on_texts_and_of_a_class() {
    let directory = stage_with_auto();
    let found = json(directory.path(), "partial auto.wxb table.csv --column colour --class no --rows 20");
    let curve = &found["columns"][0];
    let shares: f64 = curve["data"].as_array().unwrap().iter().map(number).sum();
    assert!((shares - 1.0).abs() < 1e-9 && found["what"] == "probability of no", "{found}");
    let csv = succeed(
        directory.path(),
        "partial auto.wxb table.csv --column colour,x --rows 20 --output-format csv",
    );
    assert!(csv.starts_with("column,value,mean\ncolour,"), "{csv}");
}

/// By hand: two networks of one member each that count 0.6 and 0.4 are √(0.6 · 0.4) |p − q| apart.
#[test]
fn spread_of_networks() {
    let directory = stage_with_auto();
    let at = |name: &str| directory.path().join(name);
    let auto = Model::from_bytes(&std::fs::read(at("auto.wxb")).unwrap()).unwrap();
    let small = |name: &str| {
        let part = auto.parts.iter().find(|part| part.network.members() == 1 && part.name == name);
        part.unwrap_or_else(|| panic!("{name} counts nothing")).clone()
    };
    let write = |file: &str, parts: &[(f64, &str)]| {
        let parts = parts.iter().map(|&(weight, name)| Part { weight, ..small(name) }).collect();
        std::fs::write(at(file), Model { parts, calibration: Calibration::None, ..auto.clone() }.to_bytes())
            .unwrap();
    };
    write("p.wxb", &[(1.0, "linear")]);
    write("q.wxb", &[(1.0, "mlp")]);
    write("both.wxb", &[(0.6, "linear"), (0.4, "mlp")]);
    let column = |line: &str, column: usize| -> Vec<f64> {
        let text = succeed(directory.path(), line);
        text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect()
    };
    let (p, q) = (column("predict p.wxb table.csv", 2), column("predict q.wxb table.csv", 2));
    let spread = column("predict both.wxb table.csv --spread", 3);
    assert!(spread.iter().any(|&s| s > 1e-3), "{spread:?}");
    for ((p, q), spread) in p.iter().zip(&q).zip(&spread) {
        assert!((spread - 0.24_f64.sqrt() * (p - q).abs()).abs() < 1e-6, "{p} {q}: {spread}");
    }
}

#[test]
fn spread_of_members() {
    let directory = stage_with_auto();
    let predicted = succeed(directory.path(), "predict auto.wxb table.csv --spread");
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("prediction,no,yes,spread"));
    for line in lines {
        let spread: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        assert!((0.0..=0.5).contains(&spread), "{line}");
    }
    let found = json(directory.path(), "predict auto.wxb table.csv --spread --label");
    assert!(number(&found["predictions"][0]["spread"]) > 0.0, "{found}");
}

/// A directory with a model of lines and three rows for it, the first of which is the usual one.
fn stage_with_lines(lines: &[(f64, &[f32], &[f32])], loss: &Loss, target: &Target) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let model = models::of_lines(lines, loss, target).to_bytes();
    std::fs::write(directory.path().join("line.wxb"), model).unwrap();
    std::fs::write(directory.path().join("x.csv"), "x\n1\n0\n8\n").unwrap();
    directory
}

/// Of several quantiles the one nearest to the median is explained, or the one that is asked for; it is called as its column is.
#[test]
fn quantiles_are_explained_one_by_one() {
    let loss = Loss::Quantile { levels: vec![0.1, 0.45, 0.9] };
    let target = Target::Number { mean: 0.0, std: 1.0, range: None };
    let directory = stage_with_lines(&[(1.0, &[1.0, 2.0, 3.0], &[0.0, 0.5, 1.0])], &loss, &target);
    assert!(
        succeed(directory.path(), "predict line.wxb x.csv")
            .ends_with("q0.1,q0.45,q0.9\n1,2.5,4\n0,0.5,1\n8,16.5,25\n")
    );
    for (flag, what, prediction, at_8) in [
        ("", "q0.45 of y", 2.5, 16.5),
        ("--level 0.9", "q0.9 of y", 4.0, 25.0),
        ("--level 0.1", "q0.1 of y", 1.0, 8.0),
    ] {
        let found = json(directory.path(), &format!("explain line.wxb x.csv --contributions {flag}"));
        let row = &found["rows"][0];
        assert_eq!((&row["what"], number(&row["prediction"])), (&what.into(), prediction), "{found}");
        let found = json(directory.path(), &format!("partial line.wxb x.csv {flag}"));
        let mean = found["columns"][0]["mean"].as_array().unwrap();
        assert_eq!((&found["what"], number(mean.last().unwrap())), (&what.into(), at_8), "{found}");
    }
    for command in ["explain line.wxb x.csv --contributions", "partial line.wxb x.csv"] {
        let refused = run::run(directory.path(), &format!("{command} --level 0.5"));
        let message = run::text(&refused.stderr);
        assert!(message.contains("E0101") && message.contains("levels: 0.1, 0.45, 0.9"), "{message}");
    }
}

/// Two networks whose numbers are kept within 0 to 10: what is explained is told apart from what is predicted, and members are as far
/// apart as they are within.
#[test]
fn numbers_kept_within_the_targets() {
    let target = Target::Number { mean: 1.0, std: 2.0, range: Some((0.0, 10.0)) };
    let directory =
        stage_with_lines(&[(0.5, &[0.5], &[0.0]), (0.5, &[5.0], &[0.0])], &Loss::SquaredError, &target);
    let predicted = succeed(directory.path(), "predict line.wxb x.csv --spread");
    // x = 8: 9 and 81, which becomes 10; x = 1: 2 and 11, which becomes 10.
    assert_eq!(predicted, "prediction,spread\n6,4\n1,0\n9.5,0.5\n");
    let line = "explain line.wxb x.csv --row 1,2 --contributions --method integrated-gradients";
    let found = json(directory.path(), line);
    assert!(found["rows"][0].get("kept").is_none(), "{found}");
    let row = &found["rows"][1];
    assert!(
        (number(&row["prediction"]) - 45.0).abs() < 1e-9 && (number(&row["kept"]) - 9.5).abs() < 1e-9,
        "{row}"
    );
    let told = run::run(directory.path(), line);
    assert!(run::text(&told.stderr).contains("predict says 9.5"), "{}", run::text(&told.stderr));
}

/// Many rows are one table for a program, whose numbers have all their digits.
#[test]
fn contributions_as_csv() {
    let directory = stage_with_auto();
    for (method, heading) in [("shapley", "adds,error"), ("integrated-gradients", "usual,adds")] {
        let line = format!("explain auto.wxb table.csv --row 1,2 --contributions --method {method}");
        let csv = succeed(directory.path(), &format!("{line} --output-format csv"));
        assert!(csv.starts_with(&format!("row,column,value,{heading}\n1,")), "{csv}");
        let rows: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(rows, ["1", "1", "1", "2", "2", "2"], "{csv}");
        let found = json(directory.path(), &line);
        let column = &found["rows"][0]["columns"][0];
        let adds = column.get("adds").unwrap_or(&column["mean"]);
        assert!(csv.lines().nth(1).unwrap().contains(&number(adds).to_string()), "{csv}{found}");
        let markdown = succeed(directory.path(), &format!("{line} --output-format md"));
        assert!(markdown.starts_with("| row | column |"), "{markdown}");
    }
}

/// Without a flag about the pass the columns' contributions stand below that of one row.
#[test]
fn explain_says_what_the_columns_add() {
    let directory = stage_with_auto();
    let text = succeed(directory.path(), "explain auto.wxb table.csv --row 3");
    let alone = succeed(directory.path(), "explain auto.wxb table.csv --row 3 --contributions");
    assert!(text.starts_with("Z1 = ") && text.ends_with(&format!("\n\n{alone}")), "{text}\n{alone}");
    let found = json(directory.path(), "explain auto.wxb table.csv --row 3");
    assert_eq!(found["contributions"]["row"], 3, "{found}");
    assert_eq!(found["contributions"]["columns"].as_array().unwrap().len(), 3, "{found}");
    for flags in ["--layer 1", "--full", "--part linear", "--convention rows", "--backward", "--row 4"] {
        let found = json(directory.path(), &format!("explain auto.wxb table.csv --row 3 {flags}"));
        assert!(found.get("contributions").is_none(), "{flags}: {found}");
    }
    let told = run::run(directory.path(), "explain auto.wxb table.csv --row 3,4");
    assert!(run::text(&told.stderr).ends_with("--contributions\n"), "{}", run::text(&told.stderr));
    std::fs::write(
        directory.path().join("one.csv"),
        models::TABLE.lines().take(2).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
    assert!(succeed(directory.path(), "explain auto.wxb one.csv").starts_with("Z1 = "));
    // What the environment says to other commands is no error here.
    let mut command = run::wxb(directory.path(), "explain auto.wxb table.csv");
    let output = command.env("WXB_SEED", "3").env("WXB_LR", "0.1").output().unwrap();
    assert!(output.status.success(), "{}", run::text(&output.stderr));
}
