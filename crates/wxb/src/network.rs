//! The model: layers, loss, parameters. Plain data: no device, no cache, no handle.

use crate::activation::Activation;
use crate::error::{Code, Error, Result};
use crate::init::{Initializer, initialize};
use crate::layer::{
    Bins, Embed, Ensemble, Heads, Layer, Members, Own, Params, Periodic, Piecewise, Plr, Role, Slot, slots,
};
use crate::loss::Loss;
use crate::real::Real;

/// A dense network. Its last layer gives the logits; the loss's link turns them into predictions.
///
/// ```
/// use wxb::{Activation, Initializer, Loss, Network};
/// let network: Network = Network::new(&[4, 16, 3], Activation::Relu, Loss::SOFTMAX, Initializer::Auto, 7)?;
/// assert_eq!(network.n_params(), 4 * 16 + 16 + 16 * 3 + 3);
/// # Ok::<(), wxb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T = f32> {
    layers: Vec<Layer>,
    loss: Loss,
    /// W1, b1, W2, …
    pub params: Params<T>,
}

impl<T: Real> Network<T> {
    /// A network of `sizes` n₀, n₁, …, n_L with one activation in all hidden layers.
    ///
    /// # Errors
    /// As [`Network::with_layers`].
    pub fn new(
        sizes: &[usize],
        activation: Activation,
        loss: Loss,
        initializer: Initializer,
        seed: u64,
    ) -> Result<Self> {
        let hidden = vec![activation; sizes.len().saturating_sub(2)];
        Self::with_layers(dense_layers(sizes, &hidden, 0.0)?, loss, initializer, seed)
    }

    /// A network of any layers. The last one is a dense one without activation, or heads.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`] for layers that do not fit each other or the loss, or a constant out of range.
    pub fn with_layers(layers: Vec<Layer>, loss: Loss, initializer: Initializer, seed: u64) -> Result<Self> {
        initializer.check()?;
        let n_out = check_layers(&layers)?;
        loss.check(n_out)?;
        let mut params = Params::zeros(&layers)?;
        initialize(&mut params, &layers, initializer, seed);
        Ok(Self { layers, loss, params })
    }

    /// A network from all of its parameters, in the order of the flat buffer.
    ///
    /// # Errors
    /// As [`Network::with_layers`], for a variance below 0, and [`Code::ShapeMismatch`] for another number of parameters.
    pub fn from_flat(layers: Vec<Layer>, loss: Loss, flat: Vec<T>) -> Result<Self> {
        let expected = slots(&layers)?.last().map_or(0, |slot| slot.range().end);
        if flat.len() != expected {
            let message = format!("{} parameters for a network of {expected}", flat.len());
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        let mut network = Self::with_layers(layers, loss, Initializer::Zeros, 0)?;
        network.params.flat.copy_from_slice(&flat);
        let is_variance = |slot: &&Slot| slot.role == Role::Variance;
        let variances = network.params.slots().iter().filter(is_variance);
        match variances.flat_map(|slot| network.params.of(slot)).find(|variance| **variance < T::ZERO) {
            Some(variance) => bad(format!("a variance is {variance}, below 0")),
            None => Ok(network),
        }
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The loss, which owns the link.
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// n₀: how many numbers an example has.
    pub fn n_in(&self) -> usize {
        self.layers[0].n_in().expect("dropout is not the first layer")
    }

    /// n_L: how many logits an example gets.
    pub fn n_out(&self) -> usize {
        self.dense_sizes().next_back().expect("a network has a dense layer")[1]
    }

    /// How many target columns the loss wants.
    pub fn n_targets(&self) -> usize {
        self.loss.n_targets(self.n_out())
    }

    /// k: how many members each example has a row of logits for; 1 where there are none.
    pub fn members(&self) -> usize {
        self.layers.iter().find_map(Layer::members).unwrap_or(1)
    }

    /// n₀ and the units of each layer of units, n₁, …, n_L.
    pub fn sizes(&self) -> Vec<usize> {
        std::iter::once(self.n_in()).chain(self.dense_sizes().map(|[_, n_out]| n_out)).collect()
    }

    /// [n_in, n_out] of each layer of units. An iterator: a training step asks for it and must not allocate.
    fn dense_sizes(&self) -> impl DoubleEndedIterator<Item = [usize; 2]> + '_ {
        self.layers.iter().filter_map(Layer::units)
    }

    /// How many numbers are learned.
    pub fn n_params(&self) -> usize {
        let learned = self.params.slots().iter().filter(|slot| slot.role.is_learned());
        learned.map(|slot| slot.range().len()).sum()
    }

    /// The same network at another precision.
    pub fn to_precision<U: Real>(&self) -> Network<U> {
        let mut params = Params::zeros(&self.layers).expect("the same layers were built before");
        params.flat.iter_mut().zip(&self.params.flat).for_each(|(u, t)| *u = U::of(t.f64()));
        Network { layers: self.layers.clone(), loss: self.loss.clone(), params }
    }
}

/// What the layers of an [`mlp`] have beside units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Blocks {
    /// The rate of dropout after each hidden layer; 0: none.
    pub dropout: f64,
    /// Whether each hidden layer's sums are normalised over the batch before its activation.
    pub batch_norm: bool,
    /// Whether a hidden layer as wide as the one before adds that one's output to its own.
    pub residual: bool,
}

/// The layers of sizes n₀, …, n_L: one activation per hidden layer, dropout after each if `dropout` > 0.
///
/// # Errors
/// As [`mlp`].
pub fn dense_layers(sizes: &[usize], hidden: &[Activation], dropout: f64) -> Result<Vec<Layer>> {
    mlp(sizes, hidden, Blocks { dropout, ..Blocks::default() })
}

/// The layers of sizes n₀, …, n_L, one activation per hidden layer: a hidden layer is Z = A_in W + b, batch normalisation, g,
/// dropout, and + A_in, as far as `blocks` asks for them.
///
/// # Errors
/// [`Code::InvalidSetting`] if there are not two sizes, or another number of activations than hidden layers.
pub fn mlp(sizes: &[usize], hidden: &[Activation], blocks: Blocks) -> Result<Vec<Layer>> {
    if sizes.len() < 2 || hidden.len() != sizes.len() - 2 {
        let message =
            format!("{} activations for {} hidden layers", hidden.len(), sizes.len().saturating_sub(2));
        return Err(
            Error::new(Code::InvalidSetting, message).hint("give one activation, or one per hidden layer")
        );
    }
    let mut layers = Vec::new();
    for (i, pair) in sizes.windows(2).enumerate() {
        let [n_in, n_out] = [pair[0], pair[1]];
        let Some(&activation) = hidden.get(i) else {
            layers.push(Layer::Dense { n_in, n_out, activation: Activation::Identity });
            continue;
        };
        let first = layers.len();
        if blocks.batch_norm {
            layers.push(Layer::Dense { n_in, n_out, activation: Activation::Identity });
            layers.push(Layer::BatchNorm { n: n_out, activation });
        } else {
            layers.push(Layer::Dense { n_in, n_out, activation });
        }
        if blocks.dropout != 0.0 {
            layers.push(Layer::Dropout { rate: blocks.dropout });
        }
        if blocks.residual && i > 0 && n_in == n_out {
            layers.push(Layer::Residual { skip: layers.len() - first });
        }
    }
    Ok(layers)
}

/// Checks that each layer takes what the one before gives; returns n_L.
fn check_layers(layers: &[Layer]) -> Result<usize> {
    let (mut width, mut members) = (None, None);
    // Width and members after each layer.
    let mut after = Vec::with_capacity(layers.len());
    for layer in layers {
        check_layer(layer)?;
        match (layer, layer.members()) {
            (Layer::Members(_), of_layer) if members.is_none() => members = of_layer,
            (Layer::Members(_), _) => return bad("a network has its members once".into()),
            (_, Some(k)) if members != Some(k) => {
                return bad(format!(
                    "a layer is for {k} members, and the network has another number of them"
                ));
            }
            (Layer::BatchNorm { .. }, _) if members.is_some() => {
                return bad(
                    "batch normalisation would mix the members' rows; it stands before the members".into()
                );
            }
            (Layer::Residual { skip }, _) => {
                let source = skip.checked_add(1).and_then(|back| after.len().checked_sub(back));
                if source.map(|source| after[source]) != Some((width, members)) || *skip == 0 {
                    return bad(format!(
                        "a residual layer adds the outputs of the layer {skip} before, and these are not of its width"
                    ));
                }
            }
            _ => {}
        }
        match (layer.n_in(), width) {
            (None, None) => return bad("dropout comes before the first layer".into()),
            (Some(n_in), Some(width)) if n_in != width => {
                return bad(format!("a layer takes {n_in} inputs, the one before gives {width}"));
            }
            (n_in, before) => width = Some(layer.n_out(n_in.or(before).unwrap_or(0))),
        }
        after.push((width, members));
    }
    match (layers.last(), width) {
        (Some(Layer::Dense { activation: Activation::Identity, .. } | Layer::Heads(_)), Some(n_out)) => {
            Ok(n_out)
        }
        (Some(Layer::Dense { .. }), _) => {
            bad("the last layer has an activation; its link belongs to the loss".into())
        }
        _ => bad("a network ends with a dense layer".into()),
    }
}

fn bad<T>(problem: String) -> Result<T> {
    Err(Error::new(Code::InvalidSetting, problem))
}

/// More members than this are a damaged file, or a mistake.
const MAX_MEMBERS: usize = 1024;

/// Whether a layer makes sense by itself.
fn check_layer(layer: &Layer) -> Result<()> {
    match *layer {
        Layer::Dense { n_in, n_out, .. } if n_in == 0 || n_out == 0 => {
            bad(format!("a layer of {n_in} inputs and {n_out} units is empty"))
        }
        Layer::Dense { activation, .. } => activation.check(),
        Layer::Dropout { rate } if !(0.0..1.0).contains(&rate) => {
            bad(format!("dropout is {rate}, not in 0 to 1 (without 1)"))
        }
        Layer::Scale { n: 0 } | Layer::Blend { n: 0, .. } | Layer::BatchNorm { n: 0, .. } => {
            bad("a layer of no units is empty".into())
        }
        Layer::Blend { activation, .. } | Layer::BatchNorm { activation, .. } => activation.check(),
        Layer::Periodic(Periodic { columns, frequencies, width, .. })
        | Layer::Plr(Plr { columns, frequencies, width, .. })
            if columns == 0 || frequencies == 0 || width == 0 =>
        {
            bad(format!(
                "a numeric embedding of {columns} columns in {width} numbers from {frequencies} waves is empty"
            ))
        }
        Layer::Bins(Bins { columns, bins, .. })
        | Layer::Piecewise(Piecewise { bins: Bins { columns, bins, .. }, .. })
            if columns == 0 || bins == 0 =>
        {
            bad(format!("{columns} columns in {bins} bins are empty"))
        }
        Layer::Piecewise(Piecewise { width: 0, .. }) => {
            bad("a numeric embedding in 0 numbers is empty".into())
        }
        Layer::Embed(Embed { columns, levels, width, .. }) if columns == 0 || levels == 0 || width == 0 => {
            bad(format!(
                "a category embedding of {columns} columns and {levels} levels in {width} numbers is empty"
            ))
        }
        Layer::Members(Members { members, .. })
        | Layer::MemberScale(Members { members, .. })
        | Layer::Ensemble(Ensemble { members, .. })
        | Layer::Heads(Heads { members, .. })
        | Layer::Own(Own { members, .. })
            if !(1..=MAX_MEMBERS).contains(&members) =>
        {
            bad(format!("a network has 1 to {MAX_MEMBERS} members, not {members}"))
        }
        Layer::Members(Members { n: 0, .. })
        | Layer::MemberScale(Members { n: 0, .. })
        | Layer::Ensemble(Ensemble { n_in: 0, .. } | Ensemble { n_out: 0, .. })
        | Layer::Heads(Heads { n_in: 0, .. } | Heads { n_out: 0, .. }) => {
            bad("a layer of no inputs or no units is empty".into())
        }
        Layer::Ensemble(Ensemble { activation, .. }) => activation.check(),
        Layer::Own(own) => check_layer(&own.layer.one()),
        Layer::Dropout { .. } | Layer::Scale { .. } | Layer::Residual { .. } => Ok(()),
        Layer::Periodic(_) | Layer::Embed(_) | Layer::Plr(_) | Layer::Bins(_) | Layer::Piecewise(_) => Ok(()),
        Layer::Members(_) | Layer::MemberScale(_) | Layer::Heads(_) => Ok(()),
    }
}
