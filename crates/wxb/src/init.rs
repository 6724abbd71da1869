//! Initial weights. What breaks the symmetry of a layer's units is that they differ, not that they are small;
//! the scale keeps the variance of A (forward) or of dA (backward) from layer to layer. Biases start at 0.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::data::Dataset;
use crate::error::{Code, Error, Result};
use crate::layer::{Ensemble, Heads, Layer, Own, OwnLayer, Params, Periodic, Piecewise, Plr, Role, Slot};
use crate::network::Network;
use crate::preprocess::quantile;
use crate::real::Real;
use crate::rng::{Purpose, shuffle, stream, unit};
use crate::step::{Cache, Keep, Mode, forward};

/// How W (n_in, n_out) is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// By activation: He for the ReLU family, LeCun for SELU, Glorot (uniform) for the others.
    #[default]
    Auto,
    /// 0: right for a network without hidden layers; with one, all units of a layer stay equal for ever.
    Zeros,
    /// N(0, scale²); the course's 0.01.
    Normal {
        /// The standard deviation.
        scale: f64,
    },
    /// N(0, 2/(n_in + n_out)) (Glorot and Bengio 2010, eq. 12).
    GlorotNormal,
    /// U(±√(6/(n_in + n_out))) (Glorot and Bengio 2010, eq. 16).
    GlorotUniform,
    /// N(0, 2/n_in) (He et al. 2015, eq. 10).
    HeNormal,
    /// U(±√(6/n_in)).
    HeUniform,
    /// N(0, 1/n_in) (LeCun et al. 1998).
    LecunNormal,
    /// U(±√(3/n_in)).
    LecunUniform,
    /// Orthonormal rows or columns, whichever are fewer, times √2 before a ReLU (Saxe, McClelland and Ganguli 2014).
    Orthogonal,
}

impl Initializer {
    /// Whether the scale is in its range.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`].
    pub fn check(self) -> Result<()> {
        match self {
            Initializer::Normal { scale } if !(scale >= 0.0 && scale.is_finite()) => {
                Err(Error::new(Code::InvalidSetting, format!("the initial scale is {scale}, not 0 or above")))
            }
            _ => Ok(()),
        }
    }

    /// The rule that `Auto` stands for before an activation.
    fn resolve(self, activation: Activation) -> Self {
        match (self, activation) {
            (
                Initializer::Auto,
                Activation::Relu
                | Activation::LeakyRelu { .. }
                | Activation::Elu { .. }
                | Activation::Gelu
                | Activation::Silu
                | Activation::Mish,
            ) => Initializer::HeNormal,
            (Initializer::Auto, Activation::Selu) => Initializer::LecunNormal,
            (Initializer::Auto, _) => Initializer::GlorotUniform,
            (chosen, _) => chosen,
        }
    }
}

/// Draws every W, each layer from a stream of its own. Scales and blends start at 1, so that members differ by their heads
/// alone; numeric embeddings have few and slow waves at random phases, category embeddings normal numbers (Holzmüller et al.
/// 2024).
pub(crate) fn initialize<T: Real>(params: &mut Params<T>, layers: &[Layer], rule: Initializer, seed: u64) {
    for slot in params.slots().to_vec() {
        let mut rng = stream(seed, Purpose::Init, slot.layer as u64);
        let values = &mut params.flat[slot.range()];
        match (slot.role, layers[slot.layer]) {
            (Role::Weight, Layer::Dense { activation, .. }) => {
                draw(values, &slot, rule.resolve(activation), activation, &mut rng);
            }
            (Role::Weight, Layer::Ensemble(Ensemble { activation, .. })) => {
                draw(values, &slot, rule.resolve(activation), activation, &mut rng);
            }
            (Role::Weight, Layer::Heads(Heads { n_in, n_out, .. })) => {
                let rule = rule.resolve(Activation::Identity);
                values
                    .chunks_exact_mut(n_in * n_out)
                    .for_each(|w| draw(w, &slot, rule, Activation::Identity, &mut rng));
            }
            (Role::Scale | Role::Blend | Role::ScaleIn | Role::ScaleOut | Role::Variance, _) => {
                values.fill(T::ONE)
            }
            (Role::Weight, Layer::Own(Own { layer: OwnLayer::Dense { n_in, n_out, activation }, .. })) => {
                let of_members = values.chunks_exact_mut(n_in * n_out);
                of_members.for_each(|w| draw(w, &slot, rule.resolve(activation), activation, &mut rng));
            }
            (
                role,
                Layer::Periodic(Periodic { frequencies, .. })
                | Layer::Own(Own { layer: OwnLayer::Periodic(Periodic { frequencies, .. }), .. }),
            ) => draw_waves(values, role, frequencies, seed, slot.layer),
            (role @ (Role::Slope | Role::Shift), Layer::Piecewise(Piecewise { width, .. })) => {
                draw_waves(values, role, width, seed, slot.layer)
            }
            (Role::Frequency, Layer::Plr(_)) => values.iter_mut().for_each(|w| *w = T::of(slow(&mut rng))),
            (role, Layer::Plr(Plr { frequencies, .. })) => {
                draw_waves(values, role, 2 * frequencies, seed, slot.layer)
            }
            (Role::Edge, _) => values.chunks_exact_mut(slot.columns).for_each(even_edges),
            (Role::Embedding, _) => values.iter_mut().for_each(|e| *e = T::of(normal(&mut rng))),
            _ => {}
        }
    }
}

/// Evenly spaced from −3 to 3.
fn even_edges<T: Real>(edges: &mut [T]) {
    let bins = (edges.len() - 1) as f64;
    edges.iter_mut().enumerate().for_each(|(t, edge)| *edge = T::of(6.0 * t as f64 / bins - 3.0));
}

/// w ~ N(0, 0.1²), β ~ U(±π), A and c ~ U(±1/√F); w⁰ and b⁰ of a piecewise-linear embedding ~ U(±1/√width).
fn draw_waves<T: Real>(values: &mut [T], role: Role, frequencies: usize, seed: u64, layer: usize) {
    // 2¹⁶ layers are more than any network on a table has.
    let mut rng = stream(seed, Purpose::Init, ((role as u64 + 1) << 16) | layer as u64);
    match role {
        Role::Frequency => values.iter_mut().for_each(|w| *w = T::of(FREQUENCY * normal(&mut rng))),
        Role::Phase => uniform(values, std::f64::consts::PI, &mut rng),
        _ => uniform(values, 1.0 / (frequencies as f64).sqrt(), &mut rng),
    }
}

/// A frequency of PLR ~ N(0, 0.01²), within ±3 standard deviations.
fn slow(rng: &mut ChaCha8Rng) -> f64 {
    loop {
        let z = normal(rng);
        if z.abs() <= 3.0 {
            return 0.01 * z;
        }
    }
}

/// The standard deviation of the frequencies: too large ones harm, too small ones are safe.
const FREQUENCY: f64 = 0.1;

fn draw<T: Real>(w: &mut [T], slot: &Slot, rule: Initializer, activation: Activation, rng: &mut ChaCha8Rng) {
    let (n_in, n_out) = (slot.n_in as f64, slot.columns as f64);
    let mut normal = |variance: f64, rng: &mut ChaCha8Rng| {
        w.iter_mut().for_each(|w| *w = T::of(variance.sqrt() * normal(rng)));
    };
    match rule {
        Initializer::Zeros => w.fill(T::ZERO),
        Initializer::Normal { scale } => normal(scale * scale, rng),
        Initializer::GlorotNormal => normal(2.0 / (n_in + n_out), rng),
        Initializer::HeNormal => normal(2.0 / n_in, rng),
        Initializer::LecunNormal => normal(1.0 / n_in, rng),
        Initializer::GlorotUniform | Initializer::Auto => uniform(w, (6.0 / (n_in + n_out)).sqrt(), rng),
        Initializer::HeUniform => uniform(w, (6.0 / n_in).sqrt(), rng),
        Initializer::LecunUniform => uniform(w, (3.0 / n_in).sqrt(), rng),
        Initializer::Orthogonal => {
            let gain = if activation == Activation::Relu { std::f64::consts::SQRT_2 } else { 1.0 };
            // Of heads each has an n_in of its own.
            orthogonal(w, slot.n_in, slot.columns, gain, rng);
        }
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn uniform<T: Real>(w: &mut [T], bound: f64, rng: &mut ChaCha8Rng) {
    w.iter_mut().for_each(|w| *w = T::of(bound * (2.0 * unit(rng) - 1.0)));
}

/// Gram and Schmidt on normal vectors, each pass twice (Björck 1967: twice is enough).
fn orthogonal<T: Real>(w: &mut [T], rows: usize, columns: usize, gain: f64, rng: &mut ChaCha8Rng) {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut v: Vec<f64> = (0..length).map(|_| normal(rng)).collect();
        for q in basis.iter().chain(basis.iter()) {
            let along: f64 = q.iter().zip(&v).map(|(q, v)| q * v).sum();
            v.iter_mut().zip(q).for_each(|(v, q)| *v -= along * q);
        }
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        v.iter_mut().for_each(|v| *v /= norm);
        basis.push(v);
    }
    for i in 0..rows {
        for j in 0..columns {
            let q = if rows <= columns { basis[i][j] } else { basis[j][i] };
            w[i * columns + j] = T::of(gain * q);
        }
    }
}

/// Sets the edges of every layer with bins to quantiles of its inputs on the rows of the data (65,536 of them, if there are more), at
/// evenly spaced levels from the smallest to the largest; equal ones count once.
///
/// # Errors
/// As [`Dataset::check`].
pub fn fit_edges<T: Real>(network: &mut Network<T>, data: &Dataset<'_, T>, seed: u64) -> Result<()> {
    /// As many rows tell a quantile to half a percent.
    const ROWS: usize = 1 << 16;
    /// Rows that go through the layers before at a time.
    const BATCH: usize = 512;
    data.check(network)?;
    let mut rows = data.rows().to_vec();
    if rows.len() > ROWS {
        shuffle(&mut stream(seed, Purpose::Init, EDGES), &mut rows);
        rows.truncate(ROWS);
    }
    let mut cache = Cache::new(network, BATCH.min(rows.len().max(1)), Keep::Needed);
    for l in 0..network.layers().len() {
        let (Layer::Bins(bins) | Layer::Piecewise(Piecewise { bins, .. })) = network.layers()[l] else {
            continue;
        };
        let mut columns = vec![Vec::with_capacity(rows.len()); bins.columns];
        for rows in rows.chunks(cache.capacity()) {
            data.load(rows, &mut cache);
            if l > 0 {
                forward(network, &mut cache, rows.len(), Mode::Predicting);
            }
            let a_in = if l > 0 { cache.a(l - 1) } else { &cache.x };
            for x in a_in.chunks_exact(bins.n_in()).take(rows.len()) {
                columns.iter_mut().zip(x).for_each(|(column, x)| column.push(x.f64()));
            }
        }
        let edges = network.params.slots().iter().find(|slot| slot.layer == l && slot.role == Role::Edge);
        let edges = edges.expect("a layer with bins has edges").range();
        let edges = network.params.flat[edges].chunks_exact_mut(bins.bins + 1);
        edges.zip(&mut columns).for_each(|(edges, column)| quantile_edges(edges, column));
    }
    Ok(())
}

/// The different ones of T + 1 quantiles; the last one again where they are fewer.
fn quantile_edges<T: Real>(edges: &mut [T], column: &mut [f64]) {
    column.sort_unstable_by(f64::total_cmp);
    let bins = (edges.len() - 1) as f64;
    let level = |t: usize| T::of(quantile(column, t as f64 / bins));
    let mut different: Vec<T> = (0..edges.len()).filter(|_| !column.is_empty()).map(level).collect();
    different.dedup();
    let Some(&last) = different.last() else { return };
    edges.iter_mut().enumerate().for_each(|(t, edge)| *edge = different.get(t).copied().unwrap_or(last));
}

/// The stream of the rows that edges are fitted to.
const EDGES: u64 = 1 << 43;

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rule: Initializer, n_in: usize, n_out: usize, activation: Activation) -> Vec<f64> {
        let layers = [Layer::Dense { n_in, n_out, activation }];
        let mut params = Params::zeros(&layers).unwrap();
        initialize(&mut params, &layers, rule, 3);
        assert!(params.dense(0).1.iter().all(|&b| b == 0.0), "biases start at 0");
        params.dense(0).0.to_vec()
    }

    fn check(rule: Initializer, activation: Activation, variance: f64) {
        let w = drawn(rule, 300, 200, activation);
        let measured = w.iter().map(|w| w * w).sum::<f64>() / w.len() as f64;
        // 60,000 draws: the variance's relative standard error is at most √(2/60000) = 0.6 %.
        assert!((measured / variance - 1.0).abs() < 0.03, "{rule:?}: variance {measured}, not {variance}");
    }

    #[test]
    fn variances_are_the_papers() {
        use Initializer::*;
        check(Normal { scale: 0.01 }, Activation::Tanh, 1e-4);
        check(GlorotNormal, Activation::Tanh, 2.0 / 500.0);
        check(GlorotUniform, Activation::Tanh, 2.0 / 500.0);
        check(HeNormal, Activation::Relu, 2.0 / 300.0);
        check(HeUniform, Activation::Relu, 2.0 / 300.0);
        check(LecunNormal, Activation::Selu, 1.0 / 300.0);
        check(LecunUniform, Activation::Selu, 1.0 / 300.0);
        check(Auto, Activation::Relu, 2.0 / 300.0);
        check(Auto, Activation::Sigmoid, 2.0 / 500.0);
        check(Auto, Activation::Selu, 1.0 / 300.0);
        assert!(drawn(Zeros, 3, 4, Activation::Relu).iter().all(|&w| w == 0.0));
    }

    #[test]
    fn orthogonal_rows_or_columns() {
        for (n_in, n_out) in [(5, 9), (9, 5), (6, 6)] {
            let w = drawn(Initializer::Orthogonal, n_in, n_out, Activation::Tanh);
            let short = n_in.min(n_out);
            for i in 0..short {
                for j in 0..short {
                    let dot: f64 = if n_in <= n_out {
                        (0..n_out).map(|k| w[i * n_out + k] * w[j * n_out + k]).sum()
                    } else {
                        (0..n_in).map(|k| w[k * n_out + i] * w[k * n_out + j]).sum()
                    };
                    assert!((dot - f64::from(i == j)).abs() < 1e-12);
                }
            }
        }
    }
}
