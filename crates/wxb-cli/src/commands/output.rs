//! Where the model goes.

use std::path::{Path, PathBuf};

use wxb::{Code, Error, Result};

use crate::args::train::TrainCommand;

/// The path of the model file, checked before anything is trained.
///
/// # Errors
/// [`Code::FileExists`] for a file that must not be overwritten, [`Code::WriteFailed`] for a folder that is not
/// there, [`Code::InvalidSetting`] for the data file itself.
pub fn model_path(args: &TrainCommand) -> Result<PathBuf> {
    let path = match &args.output.output {
        Some(given) => PathBuf::from(given),
        None => named_after(&args.data),
    };
    if is_same_file(&path, Path::new(&args.data)) {
        return Err(Error::new(Code::InvalidSetting, format!("-o {} is the data file", path.display())));
    }
    let is_ours = args.output.output.is_none() && is_model(&path);
    wxb_io::check_target(&path, args.output.force || is_ours || args.output.resume)?;
    Ok(path)
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
