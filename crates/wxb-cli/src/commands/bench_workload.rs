//! What `wxb bench` measures: networks, and made-up data that lies in memory, a batch for each step of a round.

use std::hint::black_box;

use wxb::aligned::Aligned;
use wxb::layer::{Params, Role};
use wxb::network::dense_layers;
use wxb::rng::{Purpose, stream, unit};
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{Divergence, Run, TrainConfig, train_step};
use wxb::{Activation, Error, Initializer, Loss, Network, Optimizer, Real};
use wxb_train::memory;

use crate::args::choice::WorkloadName;

/// A network and how it is trained.
pub struct Workload {
    /// Of a standard workload.
    pub name: Option<&'static str>,
    /// n₀, …, n_L.
    pub sizes: Vec<usize>,
    /// m.
    pub batch_size: usize,
    /// Batches that steps go round.
    pub batches: usize,
    pub optimizer: Optimizer,
    pub lr: f64,
    pub activations: Vec<Activation>,
    pub loss: Loss,
    /// Whether inputs are |x|/4 of normal x, as pixels are, not x itself.
    pub pixels: bool,
}

const MOMENTUM: Optimizer = Optimizer::Momentum { beta: 0.9, averaged: false };

/// From logistic regression on a small table over digits to a network that fills the caches; all with ReLU.
pub fn standard(name: WorkloadName) -> Workload {
    use WorkloadName::{W1, W2, W3, W4, W5, W6};
    let (name, sizes, batch_size, batches, optimizer, lr): (_, &[usize], _, _, _, _) = match name {
        W1 => ("W1", &[30, 1], 32, 16, Optimizer::Sgd, 0.01),
        W2 => ("W2", &[20, 64, 64, 1], 32, 16, Optimizer::ADAM, 1e-3),
        W3 => ("W3", &[100, 256, 256, 256, 10], 256, 8, Optimizer::ADAM, 1e-3),
        W4 => ("W4", &[784, 512, 512, 10], 128, 16, MOMENTUM, 0.01),
        W5 => ("W5", &[1024, 2048, 2048, 2048, 1000], 1024, 2, Optimizer::ADAM, 1e-4),
        // The course's network for pictures of 64 × 64 pixels in three colours.
        W6 => ("W6", &[12_288, 20, 7, 5, 1], 209, 1, Optimizer::Sgd, 0.0075),
    };
    Workload {
        name: Some(name),
        sizes: sizes.to_vec(),
        batch_size,
        batches,
        optimizer,
        lr,
        activations: vec![Activation::Relu; sizes.len() - 2],
        loss: classes(sizes[sizes.len() - 1]),
        pixels: name == "W6",
    }
}

/// Cross-entropy for one output or one per class.
pub fn classes(n_out: usize) -> Loss {
    if n_out == 1 { Loss::BINARY } else { Loss::SOFTMAX }
}

/// A round of at most 16 batches that takes 8 MB at the most: data of another step, as a training has.
pub fn round(inputs: usize, batch_size: usize) -> usize {
    (8_000_000 / (4 * inputs * batch_size)).clamp(1, 16)
}

impl Workload {
    /// FLOP of the products of one step: 2 m n_in n_out for Z, dW, and dZ of every layer but the first.
    pub fn flop_per_step(&self) -> f64 {
        let first = 2.0 * self.batch_size as f64 * self.sizes[0] as f64 * self.sizes[1] as f64;
        3.0 * self.batch_size as f64 * self.flop_per_prediction() - first
    }

    /// FLOP of the products of one row's forward pass.
    pub fn flop_per_prediction(&self) -> f64 {
        2.0 * self.sizes.windows(2).map(|pair| pair[0] as f64 * pair[1] as f64).sum::<f64>()
    }

    /// The network, He-normal with the last layer halved, so that the first loss is near that of no knowledge.
    fn network<T: Real>(&self) -> Result<Network<T>, Error> {
        let layers = dense_layers(&self.sizes, &self.activations, 0.0)?;
        let batches = (self.batches * self.batch_size) as u64 * (self.sizes[0] + 1) as u64;
        let training = memory::estimate(&layers, self.optimizer, self.batch_size, size_of::<T>());
        let needed = training.saturating_add(batches * size_of::<T>() as u64);
        memory::check(needed, "smaller --sizes or a smaller --batch-size")?;
        let mut network = Network::with_layers(layers, self.loss.clone(), Initializer::HeNormal, 1)?;
        let last = network.params.slots().iter().rfind(|slot| slot.role == Role::Weight);
        let range = last.expect("a network has a dense layer").range();
        network.params.flat[range].iter_mut().for_each(|w| *w *= T::of(0.5));
        Ok(network)
    }

    /// X (m, n₀) of a batch.
    fn inputs<T: Real>(&self, batch: usize, rows: usize) -> Aligned<T> {
        let mut rng = stream(2, Purpose::Demo, batch as u64);
        let n = rows * self.sizes[0];
        let mut x = Vec::with_capacity(n + 1);
        while x.len() < n {
            let radius = (-2.0 * (1.0 - unit(&mut rng)).ln()).sqrt(); // Box and Muller 1958
            let (sin, cos) = (std::f64::consts::TAU * unit(&mut rng)).sin_cos();
            x.extend(
                [radius * cos, radius * sin].map(|x| T::of(if self.pixels { x.abs() / 4.0 } else { x })),
            );
        }
        x.truncate(n);
        Aligned::from(&x[..])
    }
}

/// The data of a step.
struct Batch<T> {
    /// X (m, n₀).
    x: Aligned<T>,
    /// Y (m, n_targets).
    y: Aligned<T>,
}

/// A training that can be advanced step by step.
pub struct Training<T> {
    pub run: Run<T>,
    grads: Params<T>,
    cache: Cache<T>,
    config: TrainConfig,
    batches: Vec<Batch<T>>,
    next: usize,
}

impl<T: Real> Training<T> {
    /// Everything that steps need, and nothing that they would have to make.
    pub fn new(workload: &Workload) -> Result<Self, Error> {
        let network = workload.network()?;
        let config = TrainConfig { optimizer: workload.optimizer, lr: workload.lr, ..TrainConfig::default() };
        Ok(Self {
            grads: network.params.clone(),
            cache: Cache::new(&network, workload.batch_size, Keep::Needed),
            batches: batches(workload)?,
            run: Run::new(network, &config)?,
            config,
            next: 0,
        })
    }

    /// Takes `count` steps; the loss of the last one before its update.
    pub fn steps(&mut self, count: usize) -> Result<f64, Divergence> {
        let mut last = f64::NAN;
        for _ in 0..count {
            let Self { run, grads, cache, config, batches, next } = self;
            let Batch { x, y } = &mut batches[*next];
            // The batch lies in the cache for its step only; nothing is copied.
            std::mem::swap(&mut cache.x, x);
            std::mem::swap(&mut cache.y, y);
            let loss = train_step(run, grads, cache, cache.capacity(), (config, config.base_rates()));
            std::mem::swap(&mut cache.x, x);
            std::mem::swap(&mut cache.y, y);
            last = loss?;
            *next = (*next + 1) % batches.len();
        }
        Ok(last)
    }
}

/// All batches; Y is what a linear teacher says: a network without hidden layers.
fn batches<T: Real>(workload: &Workload) -> Result<Vec<Batch<T>>, Error> {
    let (n_in, n_out) = (workload.sizes[0], workload.sizes[workload.sizes.len() - 1]);
    let layers = dense_layers(&[n_in, n_out], &[], 0.0)?;
    let teacher = Network::with_layers(layers, workload.loss.clone(), Initializer::LecunNormal, 3)?;
    let mut cache = Cache::new(&teacher, workload.batch_size, Keep::Needed);
    let batch = |batch| {
        cache.x = workload.inputs(batch, workload.batch_size);
        forward(&teacher, &mut cache, workload.batch_size, Mode::Predicting);
        let z = cache.logits().chunks_exact(n_out);
        let y = z.flat_map(|z| targets(&workload.loss, z)).collect();
        Batch { x: std::mem::take(&mut cache.x), y }
    };
    Ok((0..workload.batches).map(batch).collect())
}

/// The targets of a row with the teacher's outputs z.
fn targets<T: Real>(loss: &Loss, z: &[T]) -> Vec<T> {
    match loss {
        Loss::BinaryCrossEntropy { .. } => {
            z.iter().map(|&z| if z > T::ZERO { T::ONE } else { T::ZERO }).collect()
        }
        Loss::CrossEntropy { .. } => {
            let largest = (0..z.len()).max_by(|&i, &j| z[i].f64().total_cmp(&z[j].f64()));
            vec![T::of(largest.unwrap_or(0) as f64)]
        }
        Loss::Poisson => z.iter().map(|z| T::of(z.f64().abs().round())).collect(),
        Loss::Quantile { .. } => vec![z[0]],
        _ => z.to_vec(),
    }
}

/// A network and one row to predict.
pub struct Prediction<T> {
    pub network: Network<T>,
    cache: Cache<T>,
}

impl<T: Real> Prediction<T> {
    /// The network and a cache that holds the row.
    pub fn new(workload: &Workload) -> Result<Self, Error> {
        let network = workload.network()?;
        let mut cache = Cache::new(&network, 1, Keep::Needed);
        cache.x = workload.inputs(0, 1);
        Ok(Self { network, cache })
    }

    /// Predicts the row `count` times.
    pub fn predictions(&mut self, count: usize) {
        for _ in 0..count {
            forward(black_box(&self.network), &mut self.cache, 1, Mode::Predicting);
            black_box(self.cache.logits());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flop_by_hand() {
        // W2: 20·64 + 64·64 + 64 = 5440 multiplications a row; 6 · 32 · 5440 − 2 · 32 · 1280.
        let workload = standard(WorkloadName::W2);
        assert_eq!(workload.flop_per_prediction(), 10_880.0);
        assert_eq!(workload.flop_per_step(), 962_560.0);
    }

    #[test]
    fn targets_by_hand() {
        let z = [-0.5, 2.6, 0.0];
        for (loss, expected) in [
            (Loss::BINARY, vec![0.0, 1.0, 0.0]),
            (Loss::SOFTMAX, vec![1.0]),
            (Loss::SquaredError, vec![-0.5, 2.6, 0.0]),
            (Loss::Poisson, vec![1.0, 3.0, 0.0]),
            (Loss::Quantile { levels: vec![0.2, 0.5, 0.8] }, vec![-0.5]),
        ] {
            assert_eq!(targets(&loss, &z), expected, "{}", loss.name());
        }
    }

    #[test]
    fn rounds() {
        for (inputs, batch_size, expected) in [(4, 8, 16), (784, 128, 16), (12_288, 209, 1), (1024, 1024, 1)]
        {
            assert_eq!(round(inputs, batch_size), expected);
        }
    }
}
