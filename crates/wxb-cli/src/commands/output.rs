//! Where the result goes.

use std::path::{Path, PathBuf};

use wxb::{Code, Error, Result};

use wxb_train::args::value::Valid;

use crate::args::train::TrainCommand;

/// The path of the model file, checked before anything is trained.
///
/// # Errors
/// [`Code::FileExists`] for a file that must not be overwritten, [`Code::WriteFailed`] for a folder that is not
/// there, [`Code::InvalidSetting`] for a file that the training reads.
pub fn model_path(args: &TrainCommand) -> Result<PathBuf> {
    let path = match &args.output.output {
        Some(given) => PathBuf::from(given),
        None => named_after(&args.data),
    };
    refuse_inputs(&path, &inputs(args))?;
    let is_ours = args.output.output.is_none() && is_model(&path);
    wxb_io::check_target(&path, args.output.force || is_ours || args.output.resume)?;
    Ok(path)
}

/// The files that a training reads, with what they are.
fn inputs(args: &TrainCommand) -> Vec<(&'static str, &str)> {
    let (validation, reading) = (&args.settings.validation, &args.settings.reading);
    let valid = match &validation.valid {
        Some(Valid::File(file)) => Some(file),
        _ => None,
    };
    let others = [
        ("validation", valid),
        ("labels", reading.labels.as_ref()),
        ("labels", validation.valid_labels.as_ref()),
    ];
    let others = others.into_iter().filter_map(|(what, file)| Some((what, file?.as_str())));
    [("data", args.data.as_str())].into_iter().chain(others).collect()
}

/// No --force makes a command overwrite what it reads.
///
/// # Errors
/// [`Code::InvalidSetting`] if the output is one of these files, of which each has the word for what it is.
pub fn refuse_inputs(output: &Path, inputs: &[(&str, &str)]) -> Result<()> {
    match inputs.iter().find(|(_, file)| is_same_file(output, Path::new(file))) {
        Some((what, _)) => {
            let message = format!("-o {} is the {what} file", output.display());
            Err(Error::new(Code::InvalidSetting, message).hint("name another file: nothing was written"))
        }
        None => Ok(()),
    }
}

/// `data/titanic.csv.gz` gives `titanic.wxb`, in the current folder: the data's may be read-only.
fn named_after(data: &str) -> PathBuf {
    let name = Path::new(data).file_name().and_then(|name| name.to_str()).unwrap_or("model");
    let name = if data == "-" { "model" } else { name };
    let packed = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let stem = Path::new(packed).file_stem().and_then(|stem| stem.to_str()).unwrap_or("model");
    PathBuf::from(format!("{stem}.wxb"))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Whether a file looks like a model: what an earlier run of the same command has left may be replaced.
fn is_model(path: &Path) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    // A safetensors header begins after its length with JSON; ours names wxb in it.
    let read = std::fs::File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
    read.is_ok() && head.get(8) == Some(&b'{') && head.windows(5).any(|window| window == b"\"wxb\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_after_their_data() {
        for (data, name) in [
            ("titanic.csv", "titanic.wxb"),
            ("../data/adult_train.csv.gz", "adult_train.wxb"),
            ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte.wxb"),
            ("digits.npz", "digits.wxb"),
            ("-", "model.wxb"),
        ] {
            assert_eq!(named_after(data), PathBuf::from(name));
        }
    }
}
