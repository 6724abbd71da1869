//! The model that a command is given.

use wxb::model_file::Model;
use wxb::{Code, Result};
use wxb_train::model::load;

/// Reads the model of a command that takes data, too: the two are easily exchanged.
///
/// # Errors
/// As [`load`].
pub fn load_for(path: &str, data: &str) -> Result<Model> {
    load(path).map_err(|error| match error.code() {
        Code::NotAModel | Code::UnreadableFile if data.ends_with(".wxb") || path == "-" => {
            error.hint(format!("the model comes before the data: {data} {path}"))
        }
        _ => error,
    })
}
