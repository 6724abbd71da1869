//! What each column adds to a prediction on the way from one row to another: integrated gradients.
//!
//! ```text
//! c_j = (x_j − b_j) ∫₀¹ ∂f/∂x_j (b + α (x − b)) dα        Σ_j c_j = f(x) − f(b)   (Sundararajan, Taly and Yan 2017)
//! ```
//!
//! x and b are the inputs of a network for the row and for the baseline, and c of a column is the sum over its inputs. The
//! index of a category embedding is no number to walk along: the way there leads from the one level's numbers to the other's.
//! f is the prediction on the scale of probabilities or of the target: the mean over networks and members, calibrated, and of a number
//! before it is kept within the targets of the training, where nothing would add anything ([`Attribution::kept`]).
//! All networks walk at the same time, so that their gradients add up to that of the mean, and the c_j to f(x) − f(b).

use crate::calibration::Calibration;
use crate::data::Features;
use crate::data::target::Target;
use crate::error::{Code, Error, Result};
use crate::layer::{Embed, Layer, Own, OwnLayer, Params};
use crate::loss::Loss;
use crate::model_file::{Model, Part};
use crate::network::Network;
use crate::preprocess::{Encoding, Preprocessor};
use crate::step::{Cache, Keep, Mode, backward, forward};

/// What the columns add.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// f(b).
    pub at_baseline: f64,
    /// f(x).
    pub at_row: f64,
    /// What is predicted of the row instead of f(x), where a network's number is outside the targets of the training and kept within.
    pub kept: Option<f64>,
    /// c of each column, in the order in which they were named.
    pub columns: Vec<f64>,
    /// Steps of the way.
    pub steps: usize,
}

impl Attribution {
    /// Σ_j c_j − (f(x) − f(b)): what the sum over steps, in place of the integral, leaves.
    pub fn gap(&self) -> f64 {
        self.columns.iter().sum::<f64>() - (self.at_row - self.at_baseline)
    }
}

/// Steps at the least and at the most. The waves of a numeric embedding turn many times between two rows.
const STEPS: [usize; 2] = [64, 8192];
/// The gap, and the change of a column by twice as many steps, that are small enough, as a share of Σ_j |c_j|.
const TOLERANCE: f64 = 1e-3;
/// Places of the way that go through a network at a time.
const ROWS: usize = 64;

/// What each of the columns adds to the prediction of the second of two rows beside the first. `output`: the class whose
/// probability is looked at; 0 for a number.
///
/// # Errors
/// Of data that does not fit; [`Code::InvalidSetting`] for a model of arrays, of several quantiles, with isotonic calibration, or
/// with an embedding that is not its first layer.
pub fn integrated_gradients(
    model: &Model,
    rows: &Features,
    columns: &[String],
    output: usize,
) -> Result<Attribution> {
    if let Loss::Quantile { levels } = model.loss()
        && levels.len() > 1
    {
        return Err(refused("the model predicts several quantiles"));
    }
    if let Calibration::Isotonic(_) = model.calibration {
        return Err(refused("curves correct the probabilities, and have corners"));
    }
    let ways = model.parts.iter().map(|part| Way::new(part, rows, columns)).collect::<Result<_>>()?;
    let mut walk = Walk { ways, model, output, columns: columns.len() };
    let [least, most] = STEPS;
    // The trapezoidal rule; twice as many steps need the places in between alone.
    let (ends, mut sums) = walk.gradients(&[0.0, 1.0]);
    sums.iter_mut().for_each(|sum| *sum /= 2.0);
    let (at_baseline, at_row, kept) = (ends[0], ends[1], walk.kept());
    let mut found = Attribution { at_baseline, at_row, kept, columns: sums.clone(), steps: 1 };
    loop {
        let n = found.steps as f64;
        let between: Vec<f64> = (0..found.steps).map(|i| (i as f64 + 0.5) / n).collect();
        for places in between.chunks(ROWS) {
            sums.iter_mut().zip(walk.gradients(places).1).for_each(|(sum, more)| *sum += more);
        }
        found.steps *= 2;
        let better: Vec<f64> = sums.iter().map(|sum| sum / found.steps as f64).collect();
        let change = better.iter().zip(&found.columns).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        found.columns = better;
        let enough = TOLERANCE * found.columns.iter().map(|c| c.abs()).sum::<f64>();
        let is_good = change <= enough && found.gap().abs() <= enough;
        if found.steps >= most || (found.steps >= least && is_good) {
            return Ok(found);
        }
    }
}

fn refused(what: &str) -> Error {
    let message = format!("integrated gradients are not to be had: {what}");
    Error::new(Code::InvalidSetting, message).hint("--method shapley asks the model for predictions alone")
}

/// The way of one network, in the space of its inputs behind category embeddings.
struct Way {
    network: Network<f64>,
    share: f64,
    /// b (n).
    from: Vec<f64>,
    /// x − b (n).
    step: Vec<f64>,
    /// The column of each input.
    column: Vec<usize>,
    cache: Cache<f64>,
    grads: Params<f64>,
}

impl Way {
    fn new(part: &Part, rows: &Features, columns: &[String]) -> Result<Self> {
        let Some(preprocessor @ Preprocessor::Table(_)) = &part.preprocess else {
            return Err(refused("the model is for arrays, whose columns have no names"));
        };
        let network = part.network.to_f64();
        let mut x = vec![0.0; 2 * network.n_in()];
        preprocessor.bind(rows)?.gather(&[0, 1], &mut x);
        let (network, x, width) = behind_embedding(network, x)?;
        let column = columns_of_inputs(preprocessor, columns, width);
        let n = network.n_in();
        if column.len() != n {
            return Err(refused("a network has inputs that belong to no column"));
        }
        let (from, to) = x.split_at(n);
        let step = to.iter().zip(from).map(|(x, b)| x - b).collect();
        let mut cache = Cache::new(&network, ROWS, Keep::Needed);
        cache.with_dx = true;
        let grads = network.params.clone();
        Ok(Self { from: from.to_vec(), network, share: part.weight, step, column, cache, grads })
    }

    /// The predictions of the members at some places of the way: p (k m, n_L) where the logits were. Their mean, times the
    /// network's share, is added to `mean` (m, n_L).
    fn predict(&mut self, places: &[f64], mean: &mut [f64]) {
        let (n, m) = (self.network.n_out(), places.len());
        for (x, &alpha) in self.cache.x.chunks_exact_mut(self.from.len()).zip(places) {
            let inputs = x.iter_mut().zip(&self.from).zip(&self.step);
            inputs.for_each(|((x, from), step)| *x = from + alpha * step);
        }
        forward(&self.network, &mut self.cache, m, Mode::Predicting);
        let members = self.network.members();
        let share = self.share / members as f64;
        let p = &mut self.cache.logits_mut()[..members * m * n];
        p.chunks_exact_mut(n).for_each(|z| self.network.loss().apply_link(z));
        for of_member in p.chunks_exact(m * n) {
            mean.iter_mut().zip(of_member).for_each(|(mean, p)| *mean += share * p);
        }
    }

    /// Adds (x − b) ⊙ ∂f/∂x of some places to the sums of the columns, `dp` (m, n_L) being ∂f/∂ of the mean prediction.
    fn add_gradients(&mut self, m: usize, dp: &[f64], sums: &mut [f64]) {
        let (n, members) = (self.network.n_out(), self.network.members());
        let share = self.share / members as f64;
        let dp: Vec<f64> = dp.iter().map(|dp| share * dp).collect();
        let p = self.cache.logits()[..members * m * n].to_vec();
        let dz = self.cache.dz_last_mut()[..members * m * n].chunks_exact_mut(n);
        let rows = dz.zip(p.chunks_exact(n)).zip(dp.chunks_exact(n).cycle());
        rows.for_each(|((dz, p), dp)| self.network.loss().link_gradient(p, dp, dz));
        backward(&self.network, &mut self.cache, m, &mut self.grads);
        for dx in self.cache.dx(m).chunks_exact(self.from.len()) {
            for ((dx, step), &column) in dx.iter().zip(&self.step).zip(&self.column) {
                sums[column] += dx * step;
            }
        }
    }
}

/// A network without the category embedding that is its first layer, its inputs (2, n) there, and the embedding's width.
fn behind_embedding(network: Network<f64>, x: Vec<f64>) -> Result<(Network<f64>, Vec<f64>, usize)> {
    let layers = network.layers();
    let embeds =
        |layer: &Layer| matches!(layer, Layer::Embed(_) | Layer::Own(Own { layer: OwnLayer::Embed(_), .. }));
    if layers[1..].iter().any(embeds) {
        return Err(refused("a network has an embedding that is not its first layer"));
    }
    let Layer::Embed(Embed { levels, width, .. }) = layers[0] else { return Ok((network, x, 1)) };
    let mut cache = Cache::new(&network, 2, Keep::Needed);
    cache.x.copy_from_slice(&x);
    forward(&network, &mut cache, 2, Mode::Predicting);
    let flat = network.params.flat[levels * width..].to_vec();
    let rest = Network::from_flat(layers[1..].to_vec(), network.loss().clone(), flat)?;
    Ok((rest, cache.a(0).to_vec(), width))
}

/// The place of each input's column among the names; an embedded column has as many inputs as its embedding is wide.
fn columns_of_inputs(preprocessor: &Preprocessor, names: &[String], width: usize) -> Vec<usize> {
    let Preprocessor::Table(plans) = preprocessor else { return vec![] };
    let of = |plan: &crate::preprocess::ColumnPlan| {
        let inputs = match plan.encoding {
            Encoding::Row(_) => width,
            _ => plan.encoding.width(),
        };
        names.iter().position(|name| *name == plan.name).map(|column| vec![column; inputs])
    };
    plans.iter().filter_map(of).flatten().collect()
}

/// All networks of a model on their ways.
struct Walk<'a> {
    ways: Vec<Way>,
    model: &'a Model,
    output: usize,
    columns: usize,
}

impl Walk<'_> {
    /// f at some places of the way, and the sums over them of (x − b) ⊙ ∂f/∂x by column.
    fn gradients(&mut self, places: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (m, n) = (places.len(), self.model.n_out());
        let mut p = vec![0.0; m * n];
        self.ways.iter_mut().for_each(|way| way.predict(places, &mut p));
        let mut dp = vec![0.0; m * n];
        let rows = p.chunks_exact(n).zip(dp.chunks_exact_mut(n));
        let f = rows.map(|(p, dp)| self.prediction(p, dp)).collect();
        let mut sums = vec![0.0; self.columns];
        self.ways.iter_mut().for_each(|way| way.add_gradients(m, &dp, &mut sums));
        (f, sums)
    }

    /// The prediction of the row where it is not f: the mean of the networks' numbers, each kept within the range.
    fn kept(&mut self) -> Option<f64> {
        let target = &self.model.target;
        let Target::Number { mean, std, range: Some(_) } = *target else { return None };
        let (mut kept, mut is_kept) = (0.0, false);
        for way in self.ways.iter_mut().filter(|way| way.share > 0.0) {
            let mut share_of = [0.0];
            way.predict(&[1.0], &mut share_of);
            let output = share_of[0] / way.share;
            let within = target.decode(output);
            is_kept |= within != output * std + mean;
            kept += way.share * within;
        }
        is_kept.then_some(kept)
    }

    /// f of the mean prediction p (n_L) of a row, and dp = ∂f/∂p. Calibrated probabilities are q ∝ p^(1/T).
    fn prediction(&self, p: &[f64], dp: &mut [f64]) -> f64 {
        let (t, at) = (self.model.calibration.temperature(), self.output);
        let inside = |p: f64| p.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        match self.model.loss() {
            Loss::BinaryCrossEntropy { .. } => {
                let p = inside(p[0]);
                let q = 1.0 / (1.0 + (((1.0 - p) / p).ln() / t).exp());
                let slope = q * (1.0 - q) / (t * p * (1.0 - p));
                dp[0] = if at == 1 { slope } else { -slope };
                if at == 1 { q } else { 1.0 - q }
            }
            Loss::CrossEntropy { .. } => {
                let powers: Vec<f64> = p.iter().map(|&p| inside(p).powf(1.0 / t)).collect();
                let total: f64 = powers.iter().sum();
                let q = |j: usize| powers[j] / total;
                for (j, dp) in dp.iter_mut().enumerate() {
                    let is_asked = if j == at { 1.0 } else { 0.0 };
                    *dp = q(at) * (is_asked - q(j)) / (t * inside(p[j]));
                }
                q(at)
            }
            _ => {
                let (mean, std) = match self.model.target {
                    Target::Number { mean, std, .. } => (mean, std),
                    _ => (0.0, 1.0),
                };
                dp[0] = std;
                mean + std * p[0]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::data::target::Label;
    use crate::data::{Column, Table, TextColumn};
    use crate::layer::Periodic;
    use crate::model_file::Reading;
    use crate::network::dense_layers;
    use crate::preprocess::{Categories, PreprocessConfig, Scale};

    /// x, z and a word with three levels; the baseline and the row.
    fn features() -> Features {
        let column = |values: &[f64]| Column::Number(values.to_vec());
        let levels = ["p", "q", "r"].map(String::from).to_vec();
        let columns = vec![
            ("x".to_owned(), column(&[1.0, 3.0, 0.5])),
            ("z".to_owned(), column(&[-1.0, 2.0, 0.0])),
            ("word".to_owned(), Column::Text(TextColumn { codes: vec![0, 2, 1], levels })),
        ];
        Features::Table(Table::new(columns).unwrap())
    }

    /// Of some layers for (x, z) as they are and the word's inputs.
    fn part(name: &str, layers: Vec<Layer>, loss: &Loss, categories: Categories) -> Part {
        let config = PreprocessConfig { scale: Scale::None, categories, ..PreprocessConfig::default() };
        let (preprocessor, _) = Preprocessor::fit(&features(), &[0, 1, 2], &config).unwrap();
        let n: usize = crate::layer::slots(&layers).unwrap().last().unwrap().range().end;
        // Numbers between −1 and 1 that are all different.
        let flat = (0..n).map(|i| (1.0 + 7.0 * i as f64).sin()).collect();
        let network = Network::<f64>::from_flat(layers, loss.clone(), flat).unwrap();
        Part { name: name.into(), weight: 1.0, network: network.into(), preprocess: Some(preprocessor) }
    }

    fn model(parts: Vec<Part>, target: Target) -> Model {
        let share = 1.0 / parts.len() as f64;
        Model {
            baseline: vec![0.5; target.labels().len().max(1)],
            parts: parts.into_iter().map(|part| Part { weight: share, ..part }).collect(),
            calibration: Calibration::None,
            residuals: None,
            target,
            target_name: None,
            reading: Reading::default(),
            record: serde_json::Value::Null,
        }
    }

    fn explained(model: &Model, output: usize) -> Attribution {
        let names = ["x", "z", "word"].map(String::from);
        integrated_gradients(model, &features(), &names, output).unwrap()
    }

    const INPUTS: Categories = Categories::Inputs;
    const EMBEDDED: Categories = Categories::Embedded { above: 2 };

    fn classes(n: usize) -> Target {
        Target::Classes { labels: (0..n).map(|i| Label::Number(i as f64)).collect() }
    }

    fn close(found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off <= tolerance, "{found:?}, not {expected:?}");
    }

    /// A linear network: w (x − b), in the target's unit. The word goes from its first input to its third.
    #[test]
    fn of_a_linear_network() {
        let inputs = part("a", dense_layers(&[6, 1], &[], 0.0).unwrap(), &Loss::SquaredError, INPUTS);
        let w = inputs.network.to_f64().params.flat[..6].to_vec();
        let found = explained(&model(vec![inputs], Target::Number { mean: 5.0, std: 10.0, range: None }), 0);
        close(&found.columns, &[10.0 * 2.0 * w[0], 10.0 * 3.0 * w[1], 10.0 * (w[4] - w[2])], 1e-12);
        assert!(found.gap().abs() < 1e-12 && found.steps == 64, "{found:?}");
    }

    /// σ(w·x): along a straight way each input has its share of w·(x − b) in the change of the probability.
    #[test]
    fn of_a_logistic_regression() {
        let logistic = part("a", dense_layers(&[6, 1], &[], 0.0).unwrap(), &Loss::BINARY, INPUTS);
        let w = logistic.network.to_f64().params.flat.clone();
        let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
        let (b, x) = (w[0] - w[1] + w[2] + w[6], 3.0 * w[0] + 2.0 * w[1] + w[4] + w[6]);
        let slope = (sigma(x) - sigma(b)) / (x - b);
        let expected = [2.0 * w[0] * slope, 3.0 * w[1] * slope, (w[4] - w[2]) * slope];
        let logistic = model(vec![logistic], classes(2));
        let found = explained(&logistic, 1);
        close(&found.columns, &expected, 1e-3);
        close(&[found.at_baseline, found.at_row], &[sigma(b), sigma(x)], 1e-12);
        close(&explained(&logistic, 0).columns, &expected.map(|c| -c), 1e-3);
    }

    /// An embedded word walks from one row of E to the other: (E_r − E_p) · w.
    #[test]
    fn of_an_embedding() {
        let embed = Embed { rest: 2, columns: 1, levels: 4, width: 2 };
        let layers =
            vec![Layer::Embed(embed), Layer::Dense { n_in: 4, n_out: 1, activation: Activation::Identity }];
        let embedded = part("a", layers, &Loss::SquaredError, EMBEDDED);
        let flat = embedded.network.to_f64().params.flat.clone();
        // Row 0 is for missing and unseen levels, p is row 1 and r row 3.
        let (e, w) = flat.split_at(8);
        let word = (e[6] - e[2]) * w[2] + (e[7] - e[3]) * w[3];
        let found = explained(&model(vec![embedded], Target::Number { mean: 0.0, std: 1.0, range: None }), 0);
        close(&found.columns, &[2.0 * w[0], 3.0 * w[1], word], 1e-12);
    }

    /// Waves, hidden layers, two networks of different inputs, three classes, a temperature: what the columns add comes to the
    /// difference of the predictions, and that of each is what an integral by plain differences says.
    #[test]
    fn what_the_columns_add_comes_to_the_difference() {
        let waves = Periodic { columns: 2, rest: 2, frequencies: 3, width: 2 };
        let deep = vec![
            Layer::Embed(Embed { rest: 2, columns: 1, levels: 4, width: 2 }),
            Layer::Periodic(waves),
            Layer::Dense { n_in: 8, n_out: 5, activation: Activation::Tanh },
            Layer::Dense { n_in: 5, n_out: 3, activation: Activation::Identity },
        ];
        let dense = dense_layers(&[6, 4, 3], &[Activation::Softplus], 0.0).unwrap();
        let parts = vec![part("a", deep, &Loss::SOFTMAX, EMBEDDED), part("b", dense, &Loss::SOFTMAX, INPUTS)];
        let mut model = model(parts, classes(3));
        model.calibration = Calibration::Temperature(1.7);
        for output in 0..3 {
            let found = explained(&model, output);
            let size: f64 = found.columns.iter().map(|c| c.abs()).sum();
            assert!(size > 0.01 && found.gap().abs() <= TOLERANCE * size, "{found:?}");
        }
        let total: f64 = (0..3).map(|output| explained(&model, output).at_row).sum();
        assert!((total - 1.0).abs() < 1e-12, "probabilities add up to 1: {total}");
    }

    /// Two networks whose numbers are kept within a range before their mean is taken: by hand from those of each alone.
    #[test]
    fn of_numbers_outside_the_range() {
        let linear = || part("a", dense_layers(&[6, 1], &[], 0.0).unwrap(), &Loss::SquaredError, INPUTS);
        let dense = part(
            "b",
            dense_layers(&[6, 4, 1], &[Activation::Tanh], 0.0).unwrap(),
            &Loss::SquaredError,
            INPUTS,
        );
        let of = |parts, range| explained(&model(parts, Target::Number { mean: 5.0, std: 10.0, range }), 0);
        let alone = [of(vec![linear()], None).at_row, of(vec![dense.clone()], None).at_row];
        let high = (alone[0] + alone[1]) / 2.0;
        let (below, above) = (alone[0].min(alone[1]), alone[0].max(alone[1]));
        assert!(above - below > 1.0, "{alone:?}");
        let both = of(vec![linear(), dense.clone()], Some((below - 1.0, high)));
        close(&[both.at_row, both.kept.unwrap()], &[high, (below + high) / 2.0], 1e-9);
        assert!(both.gap().abs() <= 0.01 * (above - below), "{both:?}");
        assert_eq!(of(vec![linear(), dense], Some((below - 1.0, above + 1.0))).kept, None);
    }

    #[test]
    fn what_is_refused() {
        let quantiles = Loss::Quantile { levels: vec![0.1, 0.9] };
        let part = part("a", dense_layers(&[6, 2], &[], 0.0).unwrap(), &quantiles, INPUTS);
        let model = model(vec![part], Target::Number { mean: 0.0, std: 1.0, range: None });
        let names = ["x".to_owned()];
        let error = integrated_gradients(&model, &features(), &names, 0).unwrap_err();
        assert_eq!(error.code(), Code::InvalidSetting);
    }
}
