//! Models that tests start from.

use std::path::Path;
use std::sync::OnceLock;

use wxb::calibration::Calibration;
use wxb::data::target::{Label, Target};
use wxb::data::{Column, Features, Table};
use wxb::model_file::{Model, Part, Reading};
use wxb::network::dense_layers;
use wxb::preprocess::{PreprocessConfig, Preprocessor, Scale};
use wxb::{Activation, Loss, Network};

use super::run;

/// The training table of [`trained`]: two numbers, a category, two classes.
pub const TABLE: &str = include_str!("table.csv");

/// The bytes of a small model of `table.csv`, trained once.
pub fn trained() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("table.csv"), TABLE).unwrap();
        let output = run::run(directory.path(), "train table.csv --target class --epochs 3 --hidden 4 -q");
        assert!(output.status.success(), "{}", run::text(&output.stderr));
        std::fs::read(directory.path().join("table.wxb")).unwrap()
    })
}

/// XOR with the weights of the worked example, tanh then sigmoid; writes `xor.csv` and `xor.wxb`.
pub fn write_worked_example(directory: &Path) {
    std::fs::write(directory.join("xor.csv"), "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n").unwrap();
    let column = |values: &[f64]| Column::Number(values.to_vec());
    let columns =
        vec![("x1".into(), column(&[0.0, 0.0, 1.0, 1.0])), ("x2".into(), column(&[0.0, 1.0, 0.0, 1.0]))];
    let features = Features::Table(Table::new(columns).unwrap());
    let config = PreprocessConfig { scale: Scale::None, ..PreprocessConfig::default() };
    let (preprocessor, _) = Preprocessor::fit(&features, &[0, 1, 2, 3], &config).unwrap();
    let layers = dense_layers(&[2, 2, 1], &[Activation::Tanh], 0.0).unwrap();
    let flat = vec![0.5, 0.3, -0.5, 0.8, 0.1, -0.2, 0.7, -0.4, 0.05];
    let model = Model {
        parts: vec![Part {
            name: "mlp".into(),
            weight: 1.0,
            network: Network::<f64>::from_flat(layers, Loss::BINARY, flat).unwrap().into(),
            preprocess: Some(preprocessor),
        }],
        calibration: Calibration::None,
        residuals: None,
        target: Target::Classes { labels: vec![Label::Number(0.0), Label::Number(1.0)] },
        target_name: Some("y".into()),
        baseline: vec![0.5, 0.5],
        reading: Reading::default(),
        record: serde_json::Value::Null,
    };
    std::fs::write(directory.join("xor.wxb"), model.to_bytes()).unwrap();
}

/// A model of y in single precision whose networks are lines through x as it is: each with its share, the slopes of its outputs, and
/// their intercepts.
pub fn of_lines(lines: &[(f64, &[f32], &[f32])], loss: &Loss, target: &Target) -> Model {
    let x = Column::Number(vec![0.0, 1.0]);
    let features = Features::Table(Table::new(vec![("x".into(), x)]).unwrap());
    let config = PreprocessConfig { scale: Scale::None, ..PreprocessConfig::default() };
    let (preprocessor, _) = Preprocessor::fit(&features, &[0, 1], &config).unwrap();
    let part = |(at, &(weight, slopes, intercepts)): (usize, &(f64, &[f32], &[f32]))| Part {
        name: format!("line{at}"),
        weight,
        network: Network::<f32>::from_flat(
            dense_layers(&[1, slopes.len()], &[], 0.0).unwrap(),
            loss.clone(),
            [slopes, intercepts].concat(),
        )
        .unwrap()
        .into(),
        preprocess: Some(preprocessor.clone()),
    };
    Model {
        parts: lines.iter().enumerate().map(part).collect(),
        calibration: Calibration::None,
        residuals: None,
        target: target.clone(),
        target_name: Some("y".into()),
        baseline: vec![0.0; lines[0].1.len()],
        reading: Reading::default(),
        record: serde_json::Value::Null,
    }
}
