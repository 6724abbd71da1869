//! What the targets share: everything that happens to data between the file and the first training step.

use wxb::data::target::{choose, present_rows};
use wxb::data::{Column, Features, MISSING, Matrix, Table, TextColumn, Values};
use wxb::preprocess::{Kind, PreprocessConfig, Preprocessor, Scale};

/// A file this small must not become a batch larger than this.
const MAX_NUMBERS: usize = 1 << 22;

/// The target of a column, if it can be one, for all its present rows.
pub fn encode_target(column: &Column) {
    let rows = present_rows(column);
    if let Ok(choice) = choose(column, &rows, None) {
        let y: Vec<f32> = choice.target.encode(column, &rows).expect("chosen from the same rows");
        assert_eq!(y.len(), rows.len());
        assert!(y.iter().all(|y| y.is_finite()));
        choice.target.check().expect("what is chosen can be kept");
    }
}

/// Fits the preprocessing on all rows, keeps and reads it as a model file does, and gathers all rows as one batch.
pub fn prepare(features: &Features, scale: Scale) {
    let rows: Vec<u32> = (0..features.rows() as u32).collect();
    let config = PreprocessConfig { scale, ..PreprocessConfig::default() };
    let Ok((fitted, _)) = Preprocessor::fit(features, &rows, &config) else { return };
    fitted.check().expect("what is fitted can be kept");
    let kept: Preprocessor = serde_json::to_string(&fitted)
        .and_then(|text| serde_json::from_str(&text))
        .expect("a record is JSON");
    assert_eq!(kept, fitted);
    gather(&kept, features);
}

/// One batch of all rows, which must consist of finite numbers.
pub fn gather(preprocessor: &Preprocessor, features: &Features) {
    let Ok(encoded) = preprocessor.bind(features) else { return };
    let rows: Vec<u32> = (0..encoded.rows() as u32).collect();
    if rows.len().saturating_mul(encoded.width()) <= MAX_NUMBERS {
        let mut x = vec![f32::NAN; rows.len() * encoded.width()];
        encoded.gather(&rows, &mut x);
        assert!(x.iter().all(|x| x.is_finite()), "{preprocessor:?}");
    }
}

/// The scale that a byte stands for.
pub fn scale(byte: u8) -> Scale {
    Scale::ALL[byte as usize % Scale::ALL.len()]
}

/// Four rows of the columns that a model expects, with a missing cell in each column.
pub fn features(preprocessor: &Preprocessor) -> Features {
    if matches!(preprocessor, Preprocessor::Matrix(_)) {
        let columns = preprocessor.features();
        let values = (0..4 * columns).map(|i| i as f64 - 7.0).collect();
        return Features::Matrix(
            Matrix::new(Values::F64(values), 4, columns).expect("4 rows of its columns"),
        );
    }
    let number = Column::Number(vec![-1.5, f64::NAN, 0.0, 1e9]);
    let levels = ["a", "2026-11-22"].map(str::to_owned).to_vec();
    let text = Column::Text(TextColumn { codes: vec![0, 1, MISSING, 0], levels });
    let column = |kind| if kind == Kind::Number { number.clone() } else { text.clone() };
    let columns = preprocessor.kinds().into_iter().map(|(name, kind)| (name.to_owned(), column(kind)));
    Features::Table(Table::new(columns.collect()).expect("the check refuses a name that is there twice"))
}
