//! TabM and TabM-mini of Gorishniy, Kotelnikov and Babenko 2024, "TabM: advancing tabular deep learning with parameter-efficient
//! ensembling", with the defaults of their package (tabm 0.0.3, no numeric embeddings) and the paper's training.
//!
//! ```text
//! numbers     normal scores through n/30 quantiles; where one is missing the median, and an input that says so
//! levels      an input each; two levels are one input, −1 and 1; rare and unseen levels share one
//! network     32 members: 3 × [512 units, ReLU, dropout] → logits of each member
//!     TabM        each layer has one W, and r, s, b of each member: ReLU(s ⊙ ((r ⊙ h) W) + b)
//!     TabM-mini   the members differ by the scale r of their inputs and by their last layer alone
//! loss        the mean over the members of their losses, never the loss of their mean
//! training    AdamW, gradients of norm 1 at most, batches by the number of rows, an order of its own for each member, until 16
//!             epochs bring no better mean prediction
//! prediction  the mean over the members: of probabilities, not of logits
//! ```

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use crate::activation::Activation;
use crate::data::target::Task;
use crate::error::{Code, Error, Result};
use crate::layer::{Ensemble, Heads, Layer, Members};
use crate::loss::Loss;
use crate::metrics::Metric;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::preprocess::{PreprocessConfig, Preprocessor, Scale};
use crate::real::Real;
use crate::rng::{Purpose, stream, unit};
use crate::trainer::{BatchSize, Batches, TrainConfig};

/// k.
pub const MEMBERS: usize = 32;
/// Units of each hidden layer.
const HIDDEN: [usize; 3] = [512, 512, 512];
/// The share of units that a step leaves out.
const DROPOUT: f64 = 0.1;
/// AdamW's α.
const LEARNING_RATE: f64 = 2e-3;
/// AdamW's λ, for W, r and s.
const WEIGHT_DECAY: f64 = 3e-4;
/// The most that the norm of a gradient may be.
const CLIP_NORM: f64 = 1.0;
/// Examples that each member sees in a step, for fewer training rows than stand before them.
const BATCHES: [(usize, usize); 6] =
    [(2_800, 32), (4_500, 64), (6_400, 128), (32_000, 256), (108_000, 512), (usize::MAX, 1024)];
/// The published loop goes on for 16 epochs without a better one, and stops after the next.
const PATIENCE: u64 = 17;
/// The published loop has no limit. Patience ends a training long before this one.
const EPOCHS: u64 = 10_000;

/// How columns become inputs. `keep`: as in [`PreprocessConfig`].
pub fn preprocessing(keep: bool) -> PreprocessConfig {
    PreprocessConfig { scale: Scale::Normal, keep, ..PreprocessConfig::default() }
}

/// Cross-entropy of one logit for each class, two for two; the squared error of a standardised target.
pub fn loss(task: Task) -> Loss {
    if task == Task::Regression { Loss::SquaredError } else { Loss::SOFTMAX }
}

/// The layers of TabM.
pub fn layers(n_in: usize, members: usize, n_out: usize) -> Vec<Layer> {
    let mut layers = vec![Layer::Members(Members { members, n: n_in })];
    hidden(&mut layers, n_in, |n_in, n_out| {
        Layer::Ensemble(Ensemble { members, n_in, n_out, activation: Activation::Relu })
    });
    with_heads(layers, members, n_out)
}

/// The layers of TabM-mini.
pub fn mini_layers(n_in: usize, members: usize, n_out: usize) -> Vec<Layer> {
    let all = Members { members, n: n_in };
    let mut layers = vec![Layer::Members(all), Layer::MemberScale(all)];
    hidden(&mut layers, n_in, |n_in, n_out| Layer::Dense { n_in, n_out, activation: Activation::Relu });
    with_heads(layers, members, n_out)
}

fn hidden(layers: &mut Vec<Layer>, mut n_in: usize, layer: impl Fn(usize, usize) -> Layer) {
    for units in HIDDEN {
        layers.push(layer(n_in, units));
        layers.push(Layer::Dropout { rate: DROPOUT });
        n_in = units;
    }
}

fn with_heads(mut layers: Vec<Layer>, members: usize, n_out: usize) -> Vec<Layer> {
    let n_in = HIDDEN[HIDDEN.len() - 1];
    layers.push(Layer::Heads(Heads { members, n_in, n_out }));
    layers
}

/// The settings of the training, on so many rows.
pub fn training(metric: Metric, rows: usize, seed: u64) -> TrainConfig {
    let [.., (_, largest)] = BATCHES;
    let batch = BATCHES.iter().find(|(limit, _)| rows < *limit).map_or(largest, |&(_, batch)| batch);
    TrainConfig {
        optimizer: Optimizer::ADAMW,
        lr: LEARNING_RATE,
        epochs: EPOCHS,
        batch_size: BatchSize::Rows(batch),
        batches: Batches::Own,
        weight_decay: Some(WEIGHT_DECAY),
        clip_norm: Some(CLIP_NORM),
        patience: Some(PATIENCE),
        metric: Some(metric),
        stop_on_metric: true,
        seed,
        ..TrainConfig::default()
    }
}

/// The start: W and b ~ U(±1/√n_in), b the same for all members of a layer with one W; r and s are 1, but the first r, which
/// makes the members differ: −1 or 1, the same for the inputs that are levels of one column.
///
/// # Errors
/// [`Code::ShapeMismatch`] if the network has other inputs.
pub fn initialize<T: Real>(network: &mut Network<T>, inputs: &Preprocessor, seed: u64) -> Result<()> {
    if inputs.width() != network.n_in() {
        let message = format!("{} inputs for a network of {}", inputs.width(), network.n_in());
        return Err(Error::new(Code::ShapeMismatch, message));
    }
    // Both are for the first layer that has an r, or a W.
    let (mut signs, mut silent) = (Some(inputs.blocks()), inputs.untrained_inputs());
    for l in 0..network.layers().len() {
        let mut rng = stream(seed, Purpose::Init, START + l as u64);
        let (layer, params) = (network.layers()[l], &mut network.params);
        match layer {
            Layer::MemberScale(_) => {
                let [r] = params.tensors_mut(l);
                signs.take().into_iter().for_each(|blocks| draw_signs(r, &blocks, &mut rng));
            }
            Layer::Ensemble(Ensemble { n_in, n_out, .. }) => {
                let [r, w, s, b] = params.tensors_mut(l);
                uniform(w, n_in, &mut rng);
                silence(w, n_out, &std::mem::take(&mut silent));
                uniform(&mut b[..n_out], n_in, &mut rng);
                let (first, others) = b.split_at_mut(n_out);
                others.chunks_exact_mut(n_out).for_each(|b| b.copy_from_slice(first));
                r.fill(T::ONE);
                s.fill(T::ONE);
                signs.take().into_iter().for_each(|blocks| draw_signs(r, &blocks, &mut rng));
            }
            Layer::Dense { n_in, n_out, .. } | Layer::Heads(Heads { n_in, n_out, .. }) => {
                let (w, b) = params.dense_mut(l);
                uniform(w, n_in, &mut rng);
                silence(w, n_out, &std::mem::take(&mut silent));
                uniform(b, n_in, &mut rng);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The streams of this start, beyond those of the usual ones.
const START: u64 = 1 << 41;

fn uniform<T: Real>(values: &mut [T], n_in: usize, rng: &mut ChaCha8Rng) {
    let bound = 1.0 / (n_in as f64).sqrt();
    values.iter_mut().for_each(|v| *v = T::of(bound * (2.0 * unit(rng) - 1.0)));
}

/// No row of the training sets these inputs: an unseen level is to say nothing.   w (n_in, n_out)
fn silence<T: Real>(w: &mut [T], n_out: usize, inputs: &[usize]) {
    inputs.iter().for_each(|&i| w[i * n_out..(i + 1) * n_out].fill(T::ZERO));
}

/// r (k, n): a sign for each member and block of inputs.
fn draw_signs<T: Real>(r: &mut [T], blocks: &[usize], rng: &mut ChaCha8Rng) {
    for r in r.chunks_exact_mut(blocks.iter().sum()) {
        let mut rest = r;
        for &width in blocks {
            let (block, after) = rest.split_at_mut(width);
            block.fill(if rng.next_u32().is_multiple_of(2) { T::ONE } else { -T::ONE });
            rest = after;
        }
    }
}
