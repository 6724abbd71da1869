//! Health of a network's layers, from one batch: what is dead, saturated, identical, vanishing or exploding.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::data::Dataset;
use crate::layer::{Ensemble, Layer, Params, Role, Slot};
use crate::network::Network;
use crate::real::Real;
use crate::step::{Cache, Keep, Mode, backward, forward, loss};
use crate::trainer::{Run, TrainConfig, trial_update};

/// Rows that are looked at.
const ROWS: usize = 1024;
/// A unit of sigmoid or tanh counts as saturated where |g'| is below this share of its largest value.
const SATURATED: f64 = 0.05;
/// Shares above which units are a finding.
const MANY_DEAD: f64 = 0.4;
const MANY_SATURATED: f64 = 0.5;
/// A gradient whose norm is this much smaller than that of the last layer vanishes.
const VANISHED: f64 = 1e-5;
/// An update larger than this share of its weights is a jump.
const JUMP: f64 = 0.1;

/// One layer of units; with members, all of them together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerHealth {
    /// From 1.
    pub layer: usize,
    /// g; the loss's link for the last layer.
    pub activation: String,
    /// n_in and n_out.
    pub shape: (usize, usize),
    /// The mean of |A|.
    pub mean_activation: f64,
    /// Units whose A is 0 for every row (ReLU); `None` where that cannot be.
    pub dead: Option<usize>,
    /// The share of A where g' is nearly 0 (sigmoid, tanh); `None` for other activations.
    pub saturated: Option<f64>,
    /// ‖dW‖.
    pub gradient_norm: f64,
    /// ‖ΔW‖ / ‖W‖ of the next update; 0 if W is 0.
    pub update_ratio: f64,
    /// Units that are copies of another unit of the layer: same weights, same bias.
    pub identical: usize,
    /// What to make of it.
    pub verdict: Verdict,
}

/// What to make of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing to report.
    Healthy,
    /// All units are the same: nothing made them differ at the start.
    Symmetric,
    /// Many units are 0 for every row.
    ManyDead,
    /// Many activations are at the flat ends of g.
    Saturated,
    /// The gradient is far smaller than in the last layer.
    VanishingGradient,
    /// Updates are large against the weights.
    LargeUpdates,
}

impl Verdict {
    /// In a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Healthy => "healthy",
            Verdict::Symmetric => "SYMMETRIC",
            Verdict::ManyDead => "many dead units",
            Verdict::Saturated => "saturated",
            Verdict::VanishingGradient => "vanishing gradient",
            Verdict::LargeUpdates => "large updates",
        }
    }

    /// Why it is so, and what to do; empty if healthy.
    pub fn remedy(self) -> &'static str {
        match self {
            Verdict::Healthy => "",
            Verdict::Symmetric => {
                "all units of the layer are identical: weights that start equal get equal gradients and stay equal. \
                 Start from random weights: --init auto"
            }
            Verdict::ManyDead => {
                "units whose input is negative for every row get no gradient. Lower --lr, or use \
                 --activation leaky_relu, elu or silu"
            }
            Verdict::Saturated => {
                "g' is nearly 0 there, so little is learnt. Scale the columns (--scale standard), \
                 start from smaller weights, or use --activation relu"
            }
            Verdict::VanishingGradient => {
                "the gradient hardly reaches this layer. Fewer layers, --init auto, or \
                 --activation relu, selu or silu"
            }
            Verdict::LargeUpdates => {
                "a step moves the weights by more than a tenth of their size. Lower --lr, or add \
                 --schedule cosine"
            }
        }
    }
}

/// Looks at every dense layer of a run's network on up to 1,024 rows of the data. Changes nothing.
pub fn examine<T: Real>(run: &Run<T>, data: &Dataset<'_, T>, config: &TrainConfig) -> Vec<LayerHealth> {
    let network = run.best_network();
    let at_most = ROWS.div_ceil(network.members());
    // Every k-th row: some data is sorted.
    let rows: Vec<u32> = data.rows().iter().copied().step_by(data.len().div_ceil(at_most).max(1)).collect();
    let mut cache = Cache::new(&network, rows.len(), Keep::Needed);
    data.load(&rows, &mut cache);
    forward(&network, &mut cache, rows.len(), Mode::Predicting);
    let mut grads = network.params.clone();
    loss(&network, &mut cache, rows.len());
    backward(&network, &mut cache, rows.len(), &mut grads);
    let of_units: Vec<usize> =
        (0..network.layers().len()).filter(|&l| network.layers()[l].units().is_some()).collect();
    let activities: Vec<Activity> =
        of_units.iter().map(|&l| activity(&network, l, &cache, rows.len())).collect();
    // The activations of so many rows are of the size of a large network: they do not lie beside what follows.
    drop(cache);
    let updated = trial_update(run, &network, &grads, config);
    let mut layers: Vec<LayerHealth> = of_units
        .into_iter()
        .zip(activities)
        .enumerate()
        .map(|(i, (l, activity))| layer_health(&network, i + 1, l, activity, [&grads, &updated]))
        .collect();
    judge(&mut layers);
    layers
}

/// What a layer's units give for the rows that are looked at.
struct Activity {
    mean: f64,
    dead: Option<usize>,
    saturated: Option<f64>,
}

fn activity<T: Real>(network: &Network<T>, l: usize, cache: &Cache<T>, m: usize) -> Activity {
    let layers = network.layers();
    let [_, n_out] = layers[l].units().expect("only layers of units are looked at");
    let (of_a, activation) = activation_of(layers, l);
    let has_members = layers[..=l].iter().any(|layer| layer.members().is_some());
    let rows = if has_members { m * network.members() } else { m };
    let a = &cache.a(of_a)[..rows * n_out];
    Activity {
        mean: a.iter().map(|a| a.f64().abs()).sum::<f64>() / a.len() as f64,
        dead: dead_units(activation, a, n_out),
        saturated: saturated_share(activation, a),
    }
}

/// g of a layer of units, and whose A it gives: batch normalisation stands between Z and g.
fn activation_of(layers: &[Layer], l: usize) -> (usize, Activation) {
    match (layers[l], layers.get(l + 1)) {
        (_, Some(Layer::BatchNorm { activation, .. })) => (l + 1, *activation),
        (Layer::Dense { activation, .. } | Layer::Ensemble(Ensemble { activation, .. }), _) => {
            (l, activation)
        }
        _ => (l, Activation::Identity),
    }
}

fn layer_health<T: Real>(
    network: &Network<T>,
    number: usize,
    l: usize,
    activity: Activity,
    [grads, updated]: [&Params<T>; 2],
) -> LayerHealth {
    let layers = network.layers();
    let [n_in, n_out] = layers[l].units().expect("only layers of units are looked at");
    let (_, activation) = activation_of(layers, l);
    let of_layer = |role: Role| move |slot: &&Slot| slot.layer == l && slot.role == role;
    let slot = |role| network.params.slots().iter().find(of_layer(role)).expect("units have W and b");
    let (weight, bias) = (slot(Role::Weight), slot(Role::Bias));
    let (w, dw, w_new) = (network.params.of(weight), grads.of(weight), updated.of(weight));
    let moved = norm(w_new.iter().zip(w).map(|(new, w)| new.f64() - w.f64()));
    let size = norm(w.iter().map(|w| w.f64()));
    let last = l + 1 == layers.len();
    LayerHealth {
        layer: number,
        activation: if last { network.loss().link().into() } else { activation.name().into() },
        shape: (n_in, n_out),
        mean_activation: activity.mean,
        dead: activity.dead,
        saturated: activity.saturated,
        gradient_norm: norm(dw.iter().map(|dw| dw.f64())),
        update_ratio: if size > 0.0 { moved / size } else { 0.0 },
        identical: if last { 0 } else { identical_units(w, network.params.of(bias), n_out) },
        verdict: Verdict::Healthy,
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

fn dead_units<T: Real>(activation: Activation, a: &[T], n_out: usize) -> Option<usize> {
    matches!(activation, Activation::Relu)
        .then(|| (0..n_out).filter(|&j| a[j..].iter().step_by(n_out).all(|a| *a <= T::ZERO)).count())
}

fn saturated_share<T: Real>(activation: Activation, a: &[T]) -> Option<f64> {
    let largest = match activation {
        Activation::Sigmoid => 0.25,
        Activation::Tanh => 1.0,
        _ => return None,
    };
    let flat = a.iter().filter(|a| activation.derivative(T::ZERO, **a).f64() < SATURATED * largest).count();
    Some(flat as f64 / a.len() as f64)
}

/// Units whose column of W and whose b are those of an earlier unit, to the bit.
fn identical_units<T: Real>(w: &[T], b: &[T], n_out: usize) -> usize {
    let bits = |j: usize| {
        let mut bytes = Vec::new();
        w[j..].iter().step_by(n_out).for_each(|w| (*w + T::ZERO).write_le(&mut bytes)); // −0 is 0
        (b[j] + T::ZERO).write_le(&mut bytes);
        bytes
    };
    let distinct: std::collections::HashSet<_> = (0..n_out).map(bits).collect();
    n_out - distinct.len()
}

/// The most telling verdict for each layer.
fn judge(layers: &mut [LayerHealth]) {
    let last_norm = layers.last().map_or(0.0, |layer| layer.gradient_norm);
    for layer in layers.iter_mut() {
        let units = layer.shape.1 as f64;
        layer.verdict = if layer.identical > 0 && layer.identical + 1 == layer.shape.1 {
            Verdict::Symmetric
        } else if layer.dead.is_some_and(|dead| dead as f64 > MANY_DEAD * units) {
            Verdict::ManyDead
        } else if layer.saturated.is_some_and(|share| share > MANY_SATURATED) {
            Verdict::Saturated
        } else if layer.gradient_norm < VANISHED * last_norm {
            Verdict::VanishingGradient
        } else if layer.update_ratio > JUMP {
            Verdict::LargeUpdates
        } else {
            Verdict::Healthy
        };
    }
}
