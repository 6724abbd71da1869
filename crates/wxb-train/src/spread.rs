//! How far the networks of a model, and the members of each, are apart.

use wxb::data::target::Target;
use wxb::metrics::predicted_class;
use wxb::model_file::{AnyNetwork, Model, Part};
use wxb::spread::{Spread, predict_members};
use wxb::{Code, Error, Network, Real, Result};

use super::examples::Examples;
use super::model::Ready;

/// The standard deviation of what the members of all networks predict, each with its share: of each number (rows, n_L) in the
/// target's unit, kept within the targets of the training where the model's predictions are; of classes (rows) that of the probability of the predicted class, `values` (rows, n_L) being the predictions.
///
/// # Errors
/// [`Code::InvalidSetting`] for a model of one network with one member; data that does not fit the model.
pub fn spread(model: &Model, examples: &Examples, values: &[f64]) -> Result<Vec<f64>> {
    if let [part] = model.parts.as_slice()
        && part.network.members() == 1
    {
        let what = "--spread is how far networks are apart, and the model has one network with one member";
        return Err(
            Error::new(Code::InvalidSetting, what).hint("train without --preset, or with --preset deep")
        );
    }
    let mut spread = Spread::new(values.len());
    for part in &model.parts {
        let members = part.network.members();
        let mut all = match &part.network {
            AnyNetwork::F32(network) => members_of(network, part, examples)?,
            AnyNetwork::F64(network) => members_of(network, part, examples)?,
        };
        model.calibration.apply(model.loss(), model.n_out(), &mut all);
        keep_within(&model.target, &mut all);
        for of_member in all.chunks_exact(values.len().max(1)) {
            spread.add(part.weight / members as f64, of_member);
        }
    }
    let (std, n) = (spread.std(), model.n_out());
    if model.target.labels().is_empty() {
        let unit = if let Target::Number { std, .. } = model.target { std } else { 1.0 };
        return Ok(std.into_iter().map(|std| unit * std).collect());
    }
    // The two classes of one output are as far apart.
    let class = |p: &[f64]| if n == 1 { 0 } else { predicted_class(p) };
    Ok(std.chunks_exact(n).zip(values.chunks_exact(n)).map(|(std, p)| std[class(p)]).collect())
}

/// Keeps scaled numbers within the targets of the training, as predictions are.
fn keep_within(target: &Target, scaled: &mut [f64]) {
    if let Target::Number { mean, std, range: Some((low, high)) } = target {
        let (low, high) = ((low - mean) / std, (high - mean) / std);
        scaled.iter_mut().for_each(|value| *value = value.clamp(low, high));
    }
}

fn members_of<T: Real>(network: &Network<T>, part: &Part, examples: &Examples) -> Result<Vec<f64>> {
    let bound = Ready::<T>::new(part.preprocess.as_ref(), examples, network.n_in())?;
    let rows: Vec<u32> = (0..examples.features.rows() as u32).collect();
    Ok(predict_members(network, &bound.inputs(), &rows))
}
