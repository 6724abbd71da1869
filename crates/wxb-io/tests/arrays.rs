//! NPY, NPZ and IDX files that NumPy wrote (`data/make.py`) in, matrices and labels or errors out.

use std::path::PathBuf;

use wxb::Code;
use wxb::data::{Column, Features, Values};
use wxb_io::{Loaded, ReadOptions, Source, read, read_npz_f64};

fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).join(name)
}

fn load(name: &str, options: &ReadOptions) -> wxb::Result<Loaded> {
    read(&Source::Path(data(name)), options)
}

/// `u8 (2, 3) 0 1 2 2 1 0`
fn shown(features: &Features) -> String {
    let Features::Matrix(matrix) = features else { panic!("an array became a table") };
    let width = match matrix.values() {
        Values::U8(_) => "u8",
        Values::F32(_) => "f32",
        Values::F64(_) => "f64",
    };
    let values: Vec<String> =
        (0..matrix.values().len()).map(|i| matrix.values().get(i).to_string()).collect();
    format!("{width} ({}, {}) {}", matrix.rows(), matrix.columns(), values.join(" "))
}

fn labels(column: Option<&Column>) -> String {
    match column {
        None => "none".into(),
        Some(Column::Number(values)) => format!("{values:?}"),
        Some(Column::Text(text)) => {
            format!("{:?}", (0..text.codes.len()).filter_map(|i| text.get(i)).collect::<Vec<_>>())
        }
    }
}

fn check(name: &str, options: &ReadOptions, expected: &str, expected_labels: &str) {
    match load(name, options) {
        Ok(loaded) => {
            assert_eq!(shown(&loaded.features), expected, "{name}");
            assert_eq!(labels(loaded.labels.as_ref()), expected_labels, "{name}");
        }
        Err(e) => panic!("{name}: {e} {:?}", e.notes()),
    }
}

#[test]
fn element_types() {
    let cases: &[(&str, &str)] = &[
        ("u1", "u8"),
        ("i1", "f32"),
        ("le_u2", "f32"),
        ("be_u2", "f32"),
        ("le_i2", "f32"),
        ("be_i2", "f32"),
        ("le_u4", "f64"),
        ("be_i4", "f64"),
        ("le_u8", "f64"),
        ("le_i8", "f64"),
        ("be_i8", "f64"),
        ("le_f2", "f32"),
        ("be_f2", "f32"),
        ("le_f4", "f32"),
        ("be_f4", "f32"),
        ("le_f8", "f64"),
        ("be_f8", "f64"),
    ];
    for (kind, width) in cases {
        let expected = format!("{width} (2, 3) 0 1 2 2 1 0");
        check(&format!("type_{kind}.npy"), &ReadOptions::default(), &expected, "none");
    }
    check("type_bool.npy", &ReadOptions::default(), "u8 (2, 3) 0 1 1 1 1 0", "none");
    for (code, width) in [(8, "u8"), (9, "f32"), (11, "f32"), (12, "f64"), (13, "f32"), (14, "f64")] {
        let expected = format!("{width} (3, 4) 0 1 2 3 4 5 6 7 8 9 10 11");
        check(&format!("type_{code}.idx"), &ReadOptions::default(), &expected, "none");
    }
}

#[test]
fn members_and_labels() {
    let default = ReadOptions::default;
    let x = |name: &str| ReadOptions { x: Some(name.into()), ..default() };
    let xy = |first: &str, second: &str| ReadOptions { y: Some(second.into()), ..x(first) };
    let with_labels = |name: &str| ReadOptions { labels: Some(data(name)), ..default() };
    let cube = "f32 (2, 12) 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23";
    let pairs = "u8 (3, 2) 0 1 2 3 4 5";
    let images = "u8 (3, 4) 0 1 2 3 4 5 6 7 8 9 10 11";
    let cases: &[(&str, ReadOptions, &str, &str)] = &[
        ("cube_c.npy", default(), cube, "none"),
        ("cube_fortran.npy", default(), cube, "none"),
        ("rank1.npy", default(), "f64 (3, 1) 1.5 2.5 3.5", "none"),
        ("digits.npz", default(), pairs, "[0.0, 1.0, 1.0]"),
        ("digits.npz", x("x"), pairs, "[0.0, 1.0, 1.0]"),
        ("compressed.npz", default(), "f32 (3, 2) 0 1 2 3 4 5", "[0.0, 1.0, 1.0]"),
        ("keras.npz", default(), pairs, "[0.0, 1.0, 1.0]"),
        ("keras.npz", x("x_test"), "u8 (1, 2) 0 1", "[0.0]"),
        ("other.npz", xy("first", "second"), pairs, "[0.0, 1.0, 1.0]"),
        ("other.npz", x("first"), pairs, "none"),
        ("alone.npz", default(), pairs, "none"),
        ("labels.npz", default(), pairs, "[\"cat\", \"dog\", \"cat\"]"),
        ("images.idx.gz", with_labels("labels.idx.gz"), images, "[7.0, 0.0, 9.0]"),
        ("images.idx.gz", with_labels("labels.npy"), images, "[7.0, 0.0, 9.0]"),
        ("images.idx.gz", with_labels("labels.csv"), images, "[7.0, 0.0, 9.0]"),
        ("rank1.npy", with_labels("bytes.npy"), "f64 (3, 1) 1.5 2.5 3.5", "[\"no\", \"yes\", \"no\"]"),
    ];
    for (name, options, expected, labels) in cases {
        check(name, options, expected, labels);
    }
}

#[test]
fn refused() {
    let default = ReadOptions::default;
    let x = |name: &str| ReadOptions { x: Some(name.into()), ..default() };
    let with_labels = |name: &str| ReadOptions { labels: Some(data(name)), ..default() };
    let cases: &[(&str, ReadOptions, Code, &str)] = &[
        ("missing.npy", default(), Code::UnreadableFile, "there is no such file"),
        ("", default(), Code::UnreadableFile, "is a directory"),
        ("scalar.npy", default(), Code::ShapeMismatch, "its shape is ()"),
        ("empty.npy", default(), Code::EmptyData, "its shape is (0, 3)"),
        ("text.npy", default(), Code::UnsupportedType, "an array of text"),
        ("objects.npy", default(), Code::UnsupportedType, "Python objects"),
        ("complex.npy", default(), Code::UnsupportedType, "complex numbers"),
        ("dates.npy", default(), Code::UnsupportedType, "dates or times"),
        ("structured.npy", default(), Code::UnsupportedType, "a structured array"),
        ("infinite.npy", default(), Code::NumberTooLarge, "infinite values"),
        ("no_arrays.npz", default(), Code::UnknownFormat, "a zip file without NumPy arrays"),
        ("other.npz", default(), Code::UnknownMember, "not clear which of its arrays"),
        ("digits.npz", x("z"), Code::UnknownMember, "no array \"z\""),
        ("unequal.npz", default(), Code::ShapeMismatch, "3 rows, but 2 labels"),
        ("cube_c.npy", with_labels("labels.npy"), Code::ShapeMismatch, "2 rows, but 3 labels"),
        (
            "rank1.npy",
            with_labels("cube_c.npy"),
            Code::ShapeMismatch,
            "one value per row, its shape is (2, 3, 4)",
        ),
        ("rank1.npy", with_labels("digits.npz"), Code::UnknownFormat, "labels cannot be read from a NPZ"),
    ];
    for (name, options, code, message) in cases {
        let error = load(name, options).expect_err(name);
        assert_eq!(error.code(), *code, "{name}: {error}");
        assert!(error.message().contains(message), "{name}: {error}");
    }
    let error = load("other.npz", &default()).unwrap_err();
    assert_eq!(error.notes(), ["arrays: first (3, 2), second (3,)"]);
}

#[test]
fn text_labels_keep_their_characters() {
    for (name, expected) in
        [("text.npy", r#"["no", "yes", "", "größer"]"#), ("text_be.npy", r#"["no", "yes"]"#)]
    {
        let source = if name == "text.npy" { b"a\n1\n2\n3\n4\n".as_slice() } else { b"a\n1\n2\n" };
        let options = ReadOptions { labels: Some(data(name)), ..Default::default() };
        let loaded = wxb_io::read_bytes(source, "a.csv", &options).unwrap();
        assert_eq!(labels(loaded.labels.as_ref()), expected);
    }
}

#[test]
fn weights_at_double_width() {
    let weights = read_npz_f64(&data("weights.npz")).unwrap();
    let shown: Vec<String> = weights.iter().map(|(n, w)| format!("{n} {:?} {:?}", w.shape(), w)).collect();
    assert_eq!(weights[0].1, wxb::ndarray::array![[0.5, -0.5], [0.3, 0.8]].into_dyn(), "{shown:?}");
    // Single precision is widened, not rounded to the decimal it came from.
    assert_eq!(weights[1].1, wxb::ndarray::array![[f64::from(0.1f32)], [f64::from(-0.2f32)]].into_dyn());
    assert_eq!((weights[0].0.as_str(), weights[1].0.as_str()), ("W1", "b1"));
}

/// Bytes of headers that claim what is not there, each with a part of the message.
#[test]
fn hostile_headers() {
    let npy = |dictionary: &str| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(((dictionary.len() + 1) as u16).to_le_bytes());
        bytes.extend(dictionary.as_bytes());
        bytes.push(b'\n');
        bytes.extend([0; 64]);
        bytes
    };
    let shape = |shape: &str| npy(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}"));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (shape("(9,)"), "ends too early"),
        (shape("(7,)"), "longer than its header says"),
        (shape("(1000000000000,)"), "far more than the file holds"),
        (shape("(4294967296, 4294967296, 4294967296)"), "far more than the file holds"),
        (shape("(99999999999999999999999,)"), "header is damaged"),
        (shape("(-1, 3)"), "header is damaged"),
        (shape("(0, 99999999999999)"), "longer than its header says"),
        (shape("3"), "header is damaged"),
        (npy(&"[".repeat(5000)), "nested too deeply"),
        (npy("{'descr': '<U999999999', 'fortran_order': False, 'shape': (1,)}"), "unknown type"),
        (npy("{'descr': '<U0', 'fortran_order': False, 'shape': (99999999999,)}"), "far more"),
        (npy("{'descr': '', 'fortran_order': False, 'shape': (1,)}"), "unknown type"),
        (npy("{'descr': 'é8', 'fortran_order': False, 'shape': (1,)}"), "header is damaged"),
        (npy("{}"), "header is damaged"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "too long"),
        (b"\x93NUMPY\x09\x00\x01\x00\x00\x00\n".to_vec(), "header is damaged"),
        (b"\x93NUMPY".to_vec(), "ends too early"),
        (b"\0\0\x08\x01\x00\x00\x00\x09\x01\x02".to_vec(), "ends too early"),
        (b"\0\0\x08\x01\x00\x00\x00\x01\x01\x02".to_vec(), "longer than its header says"),
        (b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), "far more"),
        // No elements, and a row of 2⁹⁶ of them.
        (b"\0\0\x08\x04\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), "far more"),
        (b"\0\0\x0a\x01\x00\x00\x00\x01\x01".to_vec(), "no element type of IDX"),
        (b"\0\0\x08\x01\x00\x00\x00\x00".to_vec(), "has no values"),
    ];
    for (bytes, message) in cases {
        let error = wxb_io::read_bytes(&bytes, "hostile", &ReadOptions::default()).unwrap_err();
        assert!(error.message().contains(message), "{message}: {error}");
    }
}
