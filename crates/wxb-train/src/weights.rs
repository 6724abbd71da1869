//! Initial weights from an NPZ file: W1, b1, W2, … in the course's shapes.

use std::path::Path;

use wxb::layer::Role;
use wxb::ndarray::ArrayD;
use wxb::{Code, Error, Network, Real, Result};

/// W (units, inputs) and b (units) of each layer.
pub struct GivenWeights {
    file: String,
    layers: Vec<(ArrayD<f64>, ArrayD<f64>)>,
}

/// Reads the members W1, b1, W2, … of an NPZ file.
///
/// # Errors
/// Of the reader; [`Code::ShapeMismatch`] if a member is missing or is no matrix.
pub fn read(file: &str) -> Result<GivenWeights> {
    let mut members = wxb_io::read_npz_f64(Path::new(file))?;
    let mut take = |name: String| {
        let place = members.iter().position(|(n, _)| n.eq_ignore_ascii_case(&name));
        place.map(|i| members.swap_remove(i).1)
    };
    let mut layers = vec![];
    while let Some(w) = take(format!("W{}", layers.len() + 1)) {
        let l = layers.len() + 1;
        let b = take(format!("b{l}")).ok_or_else(|| bad(file, format!("it has W{l} but no b{l}")))?;
        if w.ndim() != 2 || b.len() != w.shape()[0] {
            let shapes = format!("W{l} has the shape {:?} and b{l} {:?}", w.shape(), b.shape());
            return Err(bad(file, shapes).hint("W is (units, inputs), b is (units, 1) or (units)"));
        }
        layers.push((w, b));
    }
    if layers.is_empty() {
        return Err(bad(file, "it has no member W1".into()).hint("members are named W1, b1, W2, b2, …"));
    }
    Ok(GivenWeights { file: file.to_owned(), layers })
}

fn bad(file: &str, what: String) -> Error {
    Error::new(Code::ShapeMismatch, format!("{file} cannot be taken as initial weights: {what}"))
}

impl GivenWeights {
    /// The units of the hidden layers.
    pub fn hidden(&self) -> Vec<usize> {
        let hidden = self.layers.len() - 1;
        self.layers[..hidden].iter().map(|(w, _)| w.shape()[0]).collect()
    }

    /// Replaces every W and b of a network.
    ///
    /// # Errors
    /// [`Code::ShapeMismatch`] if the shapes are others than the network's.
    pub fn put_into<T: Real>(self, network: &mut Network<T>) -> Result<()> {
        let sizes = network.sizes();
        let found: Vec<usize> = self.layers.iter().map(|(w, _)| w.shape()[0]).collect();
        let inputs: Vec<usize> = self.layers.iter().map(|(w, _)| w.shape()[1]).collect();
        if found != sizes[1..] || inputs != sizes[..sizes.len() - 1] {
            let shape = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
            let theirs: Vec<usize> = inputs.iter().take(1).chain(&found).copied().collect();
            let what = format!("it has layers {}, the network is {}", shape(&theirs), shape(&sizes));
            return Err(bad(&self.file, what));
        }
        let weights = network.params.slots().iter().filter(|slot| slot.role == Role::Weight);
        let dense: Vec<usize> = weights.map(|slot| slot.layer).collect();
        for (layer, (w, b)) in dense.into_iter().zip(self.layers) {
            // The course's W (units, inputs) read column by column is ours (inputs, units).
            let columns = w.t();
            let (ours_w, ours_b) = network.params.dense_mut(layer);
            ours_w.iter_mut().zip(columns.iter()).for_each(|(ours, &w)| *ours = T::of(w));
            ours_b.iter_mut().zip(b.iter()).for_each(|(ours, &b)| *ours = T::of(b));
        }
        Ok(())
    }
}
