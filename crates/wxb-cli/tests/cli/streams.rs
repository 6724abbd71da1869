//! What goes to stdout, what to stderr, and what JSON looks like.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::{models, run};

/// A directory with `table.csv` and `table.wxb`.
fn stage() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("table.csv"), models::TABLE).unwrap();
    std::fs::write(directory.path().join("table.wxb"), models::trained()).unwrap();
    directory
}

fn json(directory: &Path, arguments: &str) -> Value {
    let output = run::run(directory, arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", run::text(&output.stdout)))
}

/// The keys of an object, sorted, and those of the objects in it: `a, b{c, d}`.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}{}", shape(value))).collect();
            keys.sort();
            format!("{{{}}}", keys.join(" "))
        }
        Value::Array(items) => items.first().map_or(String::new(), |item| match shape(item).as_str() {
            "" => String::new(),
            shape => format!("[{shape}]"),
        }),
        _ => String::new(),
    }
}

#[test]
fn one_shot_commands_print_one_object() {
    let directory = stage();
    for (arguments, expected) in [
        (
            "evaluate table.wxb table.csv --fail-if auc<0.1 --json",
            "{baseline{metrics{accuracy auc balanced_accuracy brier ece f1 log_loss} name} confusion{classes counts} \
             data gates[{expr failed value}] loss metrics{accuracy auc balanced_accuracy brier ece f1 log_loss} model \
             reliability[{from observed predicted rows to}] rows schema}",
        ),
        ("predict table.wxb table.csv --json", "{data model predictions[{no prediction yes}] rows schema}"),
        (
            "gradcheck table.wxb table.csv --json",
            "{data model passed rows schema tensors[{compared gradient_norm name parameters relative_error \
             worst_analytic worst_index worst_numeric}] tolerance}",
        ),
        (
            "explain table.wxb table.csv --backward --json",
            "{after_one_step{gradient_check loss lr} convention data inputs loss model rows schema steps[{formula layer \
             name values}]}",
        ),
        ("env --json", "{arch debug_build features os schema threads variables[{known name value}] version}"),
    ] {
        let object = json(directory.path(), arguments);
        let command = arguments.split(' ').next().unwrap();
        assert_eq!(object["schema"], format!("wxb.{command}/1"));
        assert_eq!(shape(&object), expected, "{arguments}");
    }
    let inspect = json(directory.path(), "inspect table.wxb --tensors --json");
    assert_eq!(inspect["schema"], "wxb.inspect/2");
    assert_eq!(inspect["parts"][0]["tensors"][0]["name"], "W1");
    assert_eq!(inspect["target"], "class");
}

#[test]
fn an_error_is_an_object_too() {
    let directory = stage();
    for arguments in
        ["evaluate table.wxb none.csv --json", "train table.csv --target klass --json", "trian --json"]
    {
        let error = json(directory.path(), arguments);
        assert_eq!(error["schema"], "wxb.error/1", "{arguments}");
        assert_eq!(shape(&error), "{code hints message notes places schema}");
    }
}

#[test]
fn training_prints_events() {
    let directory = stage();
    let output = run::run(
        directory.path(),
        "train table.csv --target class --epochs 2 -o e.wxb --checkpoint-every 1 --json",
    );
    let lines: Vec<Value> =
        run::text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let expected = [
        "setup",
        "run_start",
        "epoch",
        "checkpoint",
        "epoch",
        "checkpoint",
        "run_end",
        "checkpoint",
        "result",
        "health",
        "saved",
    ];
    assert_eq!(kinds, expected);
    for (seq, line) in lines.iter().enumerate() {
        assert_eq!(line["schema"], "wxb.event/1");
        assert_eq!(line["seq"], seq);
        assert!(line["t"].as_f64().unwrap() > 1.7e9);
    }
    let shapes: Vec<String> = lines.iter().map(shape).collect();
    assert_eq!(shapes[2], "{best epoch lr rows_per_s schema seq step t train{loss} type valid{auc loss}}");
    assert_eq!(shapes[10], "{bytes model schema seq t type}");
    // The same events on stderr, for who wants the text of the result on stdout.
    let output =
        run::run(directory.path(), "train table.csv --target class --epochs 1 -o f.wxb --progress json -q");
    assert!(run::text(&output.stdout).starts_with("result"), "{}", run::text(&output.stdout));
    let first = run::text(&output.stderr).lines().next().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["type"], "setup");
}

/// A column that numbers the rows is dropped with a warning.
#[test]
fn warnings_are_events_of_the_stream() {
    let directory = stage();
    let rows = models::TABLE.lines().enumerate().map(|(i, line)| match i {
        0 => format!("{line},id"),
        i => format!("{line},k{i}"),
    });
    std::fs::write(directory.path().join("more.csv"), rows.collect::<Vec<_>>().join("\n")).unwrap();
    let train = "train more.csv --target class --epochs 1";
    let events = |text: &[u8]| -> Vec<Value> {
        let lines = run::text(text);
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let output = run::run(directory.path(), &format!("{train} --json"));
    assert_eq!(events(&output.stdout).len(), run::text(&output.stdout).lines().count());
    let on_stderr = run::run(directory.path(), &format!("{train} --progress json"));
    let folds = run::run(directory.path(), &format!("{train} --cv 2 --json -qq"));
    assert!(folds.stderr.is_empty(), "{}", run::text(&folds.stderr));
    for stream in [output.stdout, on_stderr.stderr, folds.stdout] {
        let events = events(&stream);
        let warnings: Vec<&Value> = events.iter().filter(|event| event["type"] == "warning").collect();
        let messages: Vec<&str> = warnings.iter().map(|w| w["message"].as_str().unwrap()).collect();
        let [message] = messages[..] else { panic!("{messages:?}") };
        assert!(message.starts_with("id: an identifier"), "{message}");
        assert_eq!(shape(warnings[0]), "{message schema seq t type}");
        for (seq, event) in events.iter().enumerate() {
            assert_eq!((&event["schema"], &event["seq"]), (&"wxb.event/1".into(), &seq.into()));
        }
        // The text is for people, and stays.
        assert!(run::text(&output.stderr).contains("warning: id: an identifier"));
    }
    // One object is one object.
    let dry = json(directory.path(), &format!("{train} --dry-run --json"));
    assert_eq!(dry["schema"], "wxb.dry_run/1");
    assert_eq!(json(directory.path(), "evaluate more.wxb more.csv --json")["schema"], "wxb.evaluate/1");
}

#[test]
fn stdout_is_the_result_and_nothing_else() {
    let directory = stage();
    let output = run::run(directory.path(), "predict table.wxb table.csv --keep size");
    let text = run::text(&output.stdout);
    assert!(text.starts_with("size,prediction,no,yes\n"), "{text}");
    assert_eq!(text.lines().count(), models::TABLE.lines().count());
    assert!(output.stderr.is_empty(), "{}", run::text(&output.stderr));
    let output = run::run(directory.path(), "train table.csv --target class --epochs 1 -qq");
    assert!(output.stderr.is_empty(), "{}", run::text(&output.stderr));
    assert!(run::text(&output.stdout).starts_with("result"));
}

#[test]
fn stdin_is_a_csv() {
    let directory = stage();
    let mut command = run::wxb(directory.path(), "predict table.wxb - --label");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), models::TABLE.as_bytes()).unwrap();
    let text = run::text(&child.wait_with_output().unwrap().stdout);
    let file = run::text(&run::run(directory.path(), "predict table.wxb table.csv --label").stdout);
    assert_eq!(text, file);
    assert!(text.starts_with("prediction\n"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let directory = stage();
    // More than a pipe holds, so that the writer meets its end.
    let rows = models::TABLE.lines().skip(1).cycle().take(20_000);
    let table: Vec<&str> = models::TABLE.lines().take(1).chain(rows).collect();
    std::fs::write(directory.path().join("long.csv"), table.join("\n")).unwrap();
    let mut command = run::wxb(directory.path(), "predict table.wxb long.csv");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut head = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut head).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", run::text(&output.stderr));
}

#[test]
fn tables_as_markdown_and_csv() {
    let directory = stage();
    let text = |format: &str| {
        run::text(
            &run::run(directory.path(), &format!("evaluate table.wxb table.csv --output-format {format}"))
                .stdout,
        )
    };
    assert!(
        text("md").starts_with("| metric | model | baseline |\n| --- | ---: | ---: |\n| log-loss |"),
        "{}",
        text("md")
    );
    assert!(text("csv").starts_with("metric,model,baseline\nlog-loss,0."), "{}", text("csv"));
}
