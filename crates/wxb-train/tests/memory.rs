//! Trainings on what is in memory: the model that a file would give, followed and broken off.

use std::path::{Path, PathBuf};

use wxb::data::{Column, Features, Table, TextColumn};
use wxb::evaluate::Output;
use wxb::trainer::{Event, Stop};
use wxb::{Code, Real, Result};
use wxb_io::{ReadOptions, Source};
use wxb_train::read::{for_model, for_training};
use wxb_train::{Ask, Examples, Given, Listener, News, TrainArgs, Trained, model, train};

/// Keeps what it hears, and breaks off after so many steps.
#[derive(Default)]
struct Log {
    warnings: Vec<String>,
    heard: Vec<String>,
    steps: usize,
    most_steps: Option<usize>,
}

impl Listener for Log {
    fn warn(&mut self, warning: &str) {
        self.warnings.push(warning.to_owned());
    }

    fn hear<T: Real>(&mut self, news: News<'_, T>) {
        self.heard.push(match news {
            News::Data(problem) => format!("data {}", problem.prepared.examples.name),
            News::Remark(_) => return,
            News::Task(problem) => format!("task {}", problem.prepared.choice.target.task().name()),
            News::Beside { candidate, .. } => format!("beside {}", candidate.name),
            News::Plan { network, .. } => format!("plan {}", network.loss().name()),
            News::Training { event: Event::Step { .. }, .. } => {
                self.steps += 1;
                return;
            }
            News::Training { network, event: Event::RunEnd { .. } } => format!("end {network}"),
            News::Training { .. } => return,
        });
    }

    fn breaks_off(&mut self) -> bool {
        self.most_steps.is_some_and(|most| self.steps >= most)
    }
}

/// y = 3 x - 2 with a category that adds 1 on 60 rows, and a column that says nothing.
fn table() -> Table {
    let x: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60) / 20.0).collect();
    let kind = TextColumn { codes: (0..60).map(|i| i % 2).collect(), levels: vec!["a".into(), "b".into()] };
    let y = x.iter().zip(&kind.codes).map(|(x, &code)| 3.0 * x - 2.0 + f64::from(code)).collect();
    let columns = [
        ("x", Column::Number(x)),
        ("kind", Column::Text(kind)),
        ("same", Column::Number(vec![7.0; 60])),
        ("y", Column::Number(y)),
    ];
    Table::new(columns.map(|(name, column)| (name.to_owned(), column)).to_vec())
        .expect("columns of one length")
}

fn settings(flags: &str) -> TrainArgs {
    TrainArgs::from_flags(flags.split_whitespace().map(str::to_owned)).expect("flags that there are")
}

/// Of [`table`].
fn trained(flags: &str, listener: &mut impl Listener) -> Result<Option<Trained>> {
    let args = settings(flags);
    let examples = Examples::new("lines", Features::Table(table()), None, None)?;
    train(&args, Given::new(examples.for_training(&args.columns)?), listener)
}

fn titanic() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/titanic.csv")
}

#[test]
fn memory_gives_the_bytes_of_a_file() {
    let args = settings("--target survived --categorical pclass --drop ticket,cabin --hidden 8 --epochs 3");
    let path = titanic();
    let file = path.to_str().unwrap();
    let from_file = for_training(file, &args.columns, &args.reading, &[], |_| ()).unwrap();
    let model = train(&args, Given::new(from_file), &mut ()).unwrap().unwrap().model;

    let read = || wxb_io::read(&Source::Path(path.clone()), &ReadOptions::default()).unwrap().features;
    let examples = Examples::new("titanic.csv", read(), None, None).unwrap();
    let in_memory = train(&args, Given::new(examples.for_training(&args.columns).unwrap()), &mut ());
    assert!(in_memory.unwrap().unwrap().model.to_bytes() == model.to_bytes());

    let predictions = |examples: &Examples| model::outputs(&model, examples, Output::Linked).unwrap();
    let ask = Ask { needs_target: true, ..Ask::default() };
    let memory = Examples::new("titanic.csv", read(), None, None).unwrap().for_model(&model, &ask).unwrap();
    let file = for_model(file, &model, &ask, &args.reading, |_| ()).unwrap();
    assert_eq!(predictions(&memory), predictions(&file));
    assert!(memory.target == file.target);
}

#[test]
fn marks_of_the_training_file_count_in_memory() {
    let flags = "--target y --preset linear --optimizer lbfgs --na b --na 0.05";
    let model = trained(flags, &mut ()).unwrap().unwrap().model;
    let examples = Examples::new("lines", Features::Table(table()), None, None).unwrap();
    let Features::Table(table) = examples.for_model(&model, &Ask::default()).unwrap().features else {
        panic!("a table stays one")
    };
    let missing = ["kind", "x", "same"].map(|name| table.column(name).unwrap().missing());
    assert_eq!(missing, [30, 1, 0]);
}

#[test]
fn a_target_and_weights_of_their_own() {
    let mut table = table();
    let y = table.take("y").unwrap();
    let new = |target, weights| Examples::new("lines", Features::Table(table.clone()), target, weights);
    let args = settings("--target y --preset linear --optimizer lbfgs --valid none");
    let given = Given::new(new(Some(y.clone()), None).unwrap().for_training(&args.columns).unwrap());
    let alone = train(&args, given, &mut ()).unwrap().unwrap();
    let whole =
        trained("--target y --preset linear --optimizer lbfgs --valid none", &mut ()).unwrap().unwrap();
    assert!(alone.model.to_bytes() == whole.model.to_bytes());

    let refused = |target: Option<Column>, weights, code| {
        let error = new(target, weights).and_then(|examples| examples.for_training(&args.columns));
        let error = error.err().expect("it is refused");
        assert_eq!(error.code(), code, "{error}");
        assert!(format!("{error:?}").contains("lines"), "{error:?}");
    };
    refused(Some(y.select(&[0, 1])), None, Code::ShapeMismatch);
    refused(Some(y.clone()), Some(vec![1.0; 3]), Code::ShapeMismatch);
    refused(Some(y), Some([vec![1.0; 59], vec![-1.0]].concat()), Code::InvalidSetting);
    refused(None, None, Code::UnknownColumn);
}

#[test]
fn rows_to_validate_on_may_be_given() {
    let args = settings("--target y --preset linear --epochs 2");
    let examples = || Examples::new("lines", Features::Table(table()), None, None).unwrap();
    let prepared = || examples().for_training(&args.columns).unwrap();
    let given = Given { valid: Some(prepared()), ..Given::new(prepared()) };
    let trained = train(&args, given, &mut ()).unwrap().unwrap();
    assert_eq!((trained.on, trained.evaluation.targets.len(), trained.history.len()), ("valid", 60, 2));
    assert_eq!(trained.problem.parts.train.len(), 60);

    let given = Given { valid: Some(prepared()), ..Given::new(prepared()) };
    let error = train(&settings("--target y --valid 0.5"), given, &mut ()).err().expect("two splits");
    assert_eq!(error.code(), Code::InvalidSetting);
}

#[test]
fn a_listener_hears_everything_in_order() {
    let mut log = Log::default();
    let trained = trained("--target y --drop x --time-budget 1s", &mut log).unwrap().unwrap();
    let expected = [
        "data lines",
        "task regression",
        "end linear",
        "beside linear",
        "end mlp",
        "beside mlp",
        "plan squared_error",
        "end deep",
    ];
    assert_eq!(log.heard, expected);
    let names: Vec<&str> = trained.networks.iter().map(|network| network.name).collect();
    assert_eq!(names, ["linear", "mlp", "deep"]);
    assert!((trained.networks.iter().map(|network| network.share).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn a_listener_breaks_off() {
    let flags = "--target y --preset mlp --batch-size full --epochs 50";
    let mut log = Log { most_steps: Some(3), ..Log::default() };
    let broken = trained(flags, &mut log).unwrap().unwrap();
    assert_eq!((broken.stop, broken.epochs, log.steps), (Stop::Interrupted, 3, 3));
    assert_eq!(broken.model.record["importance"], serde_json::Value::Null);

    let mut log = Log { most_steps: Some(3), ..Log::default() };
    assert!(trained("--target y", &mut log).unwrap().is_none(), "the large network was not begun");
    assert_eq!(log.heard, ["data lines", "task regression", "end linear"]);
}

#[test]
fn errors_name_the_data() {
    for (flags, code) in [
        ("", Code::NoTarget),
        ("--target z", Code::UnknownColumn),
        ("--target y --drop z", Code::UnknownColumn),
        ("--target y --categorical z", Code::UnknownColumn),
        ("--target y --weight kind", Code::WrongKind),
        ("--target y --weight x --categorical x", Code::WrongKind),
    ] {
        let error = trained(flags, &mut ()).err().expect(flags);
        assert_eq!(error.code(), code, "{flags}");
        assert!(format!("{error:?}").contains("lines"), "{flags}: {error:?}");
    }
    let error = trained("--target y --cv 3", &mut ()).err().expect("no model comes of it");
    assert_eq!(error.code(), Code::InvalidSetting);
}
