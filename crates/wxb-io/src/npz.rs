//! NPZ: a zip of NumPy arrays.

use std::path::Path;

use wxb::data::{Column, Matrix};
use wxb::ndarray::ArrayD;
use wxb::{Code, Error, Result};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::array::{Array, shape_text};
use crate::input::{Input, ReadSeek};
use crate::{Format, ReadOptions, format, npy};

/// Names under which the inputs and the labels are usually saved, the likeliest first.
const USUAL: &[(&str, &str)] = &[
    ("x", "y"),
    ("X", "y"),
    ("X", "Y"),
    ("x_train", "y_train"),
    ("X_train", "y_train"),
    ("train_x", "train_y"),
    ("train_X", "train_y"),
    ("features", "labels"),
    ("images", "labels"),
    ("data", "target"),
    ("data", "labels"),
    ("inputs", "targets"),
];

/// An open archive.
struct Archive<'i> {
    input: &'i Input<'i>,
    zip: ZipArchive<Box<dyn ReadSeek + Send + 'i>>,
    /// Without `.npy`.
    names: Vec<String>,
}

/// Reads the inputs and, where there are any, the labels.
pub(crate) fn read(input: &Input, options: &ReadOptions) -> Result<(Matrix, Option<Column>)> {
    let mut archive = Archive::open(input)?;
    let (x, y) = archive.choose(options)?;
    let labels = match y {
        Some(y) => Some(archive.array(&y)?.into_column(&archive.place(&y))?),
        None => None,
    };
    let matrix = archive.array(&x)?.into_matrix(&archive.place(&x))?;
    Ok((matrix, labels))
}

/// Every array of an NPZ file at double width, in the order of the file.
///
/// # Errors
/// As [`crate::read`]; [`Code::UnsupportedType`] for an array that is not numeric.
pub fn read_npz_f64(path: &Path) -> Result<Vec<(String, ArrayD<f64>)>> {
    let input = Input::path(path)?;
    if format::detect(&input)? != Format::Npz {
        return Err(Error::new(Code::UnknownFormat, format!("{} is no NPZ file", input.name())));
    }
    let mut archive = Archive::open(&input)?;
    let names = archive.names.clone();
    let read = |name: String| {
        let array = archive.array(&name)?.into_f64(&archive.place(&name))?;
        Ok((name, array))
    };
    names.into_iter().map(read).collect()
}

impl<'i> Archive<'i> {
    fn open(input: &'i Input<'i>) -> Result<Self> {
        let zip = ZipArchive::new(input.stored()?).map_err(|e| damaged(input.name(), &e))?;
        let names: Vec<String> =
            zip.file_names().filter_map(|name| name.strip_suffix(".npy")).map(str::to_owned).collect();
        if names.is_empty() {
            let what = format!("{} is a zip file without NumPy arrays", input.name());
            return Err(Error::new(Code::UnknownFormat, what)
                .hint("if it is a workbook (.xlsx) or a packed CSV, save or unpack it as CSV"));
        }
        Ok(Self { input, zip, names })
    }

    fn place(&self, name: &str) -> String {
        format!("{}[{name:?}]", self.input.name())
    }

    fn array(&mut self, name: &str) -> Result<Array> {
        let place = self.place(name);
        let mut member = self.zip.by_name(&format!("{name}.npy")).map_err(|e| damaged(&place, &e))?;
        npy::read_array(&mut member, self.input, &place)
    }

    /// The names of the inputs and of the labels.
    fn choose(&mut self, options: &ReadOptions) -> Result<(String, Option<String>)> {
        let has = |name: &str| self.names.iter().any(|n| n == name);
        let usual = USUAL.iter().find(|(x, y)| has(x) && has(y));
        let x = match (&options.x, self.names.as_slice()) {
            (Some(x), _) => x.clone(),
            (None, [only]) => only.clone(),
            (None, _) => match usual.or_else(|| USUAL.iter().find(|(x, _)| has(x))) {
                Some((x, _)) => (*x).to_owned(),
                None => return Err(self.unknown("it is not clear which of its arrays are the inputs")),
            },
        };
        let y = match (&options.y, &options.x) {
            (Some(y), _) => Some(y.clone()),
            // `x_test` goes with `y_test`, not with the usual `y_train`.
            (None, Some(x)) => [x.replace(['x', 'X'], "y"), x.replace(['x', 'X'], "Y")]
                .into_iter()
                .find(|y| y != x && has(y)),
            (None, None) => usual.map(|(_, y)| (*y).to_owned()),
        };
        let missing = [Some(&x), y.as_ref()].into_iter().flatten().find(|name| !has(name)).cloned();
        match missing {
            Some(missing) => Err(self.unknown(&format!("it has no array {missing:?}"))),
            None => Ok((x, y)),
        }
    }

    /// The error for a choice that cannot be made; lists what is there.
    fn unknown(&mut self, what: &str) -> Error {
        const SHOWN: usize = 20;
        let mut list = Vec::new();
        for name in self.names.iter().take(SHOWN) {
            let place = format!("{}[{name:?}]", self.input.name());
            let shape = self.zip.by_name(&format!("{name}.npy")).map_err(|e| damaged(&place, &e));
            let header = shape.and_then(|mut member| npy::read_header(&mut member, self.input, &place));
            list.push(
                header.map_or(format!("{name} (unreadable)"), |h| format!("{name} {}", shape_text(&h.shape))),
            );
        }
        if self.names.len() > SHOWN {
            list.push("…".into());
        }
        Error::new(Code::UnknownMember, format!("{}: {what}", self.input.name()))
            .note(format!("arrays: {}", list.join(", ")))
            .hint("choose with --x NAME --y NAME")
    }
}

fn damaged(place: &str, error: &ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(what) => {
            Error::new(Code::UnsupportedType, format!("{place}: the zip file cannot be read: {what}"))
                .hint("save it again with numpy.savez")
        }
        other => Error::new(Code::DamagedFile, format!("{place}: the zip file is damaged: {other}"))
            .hint("fetch or save the file again"),
    }
}
