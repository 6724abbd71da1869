//! Several predictions of the same rows made one: how much each counts, and how sure the mean may be.
//!
//! Both are learned on rows that the networks were not trained on, and have few numbers to learn: a share for each network
//! (stacking; Wolpert 1992, with the shares of Breiman 1996: not negative, adding up to 1), and one temperature (Guo, Pleiss,
//! Sun and Weinberger 2017).

use crate::evaluate::Evaluation;

/// Rows that the prior on the shares counts for. It draws them towards equal ones, the more the fewer rows there are: the epoch
/// that a network stopped at was chosen on the same rows, which flatters it.
const PRIOR_ROWS: f64 = 20.0;
/// A network with a smaller share than this is not worth its time.
const SMALLEST: f64 = 0.05;
/// Shares are found to within this.
const TOLERANCE: f64 = 1e-6;

/// The share of each evaluation (all of the same rows and loss) in a mean of their predictions: those that maximise the
/// likelihood of the targets, Σ_i w_i ln p_i with p_i = Σ_k s_k p_ik the probability of row i's class or, of a number, a normal
/// distribution round the mean prediction, times Π_k s_k^(λ/K) for the prior. Shares that come out small are 0.
///
/// # Panics
/// If there is no evaluation.
pub fn shares(evaluations: &[&Evaluation]) -> Vec<f64> {
    let fit = Fit::new(evaluations);
    let mut used = vec![true; evaluations.len()];
    loop {
        let shares = fit.best(&used);
        // One at a time: without it the others are to be found anew.
        let least = (0..shares.len()).filter(|&k| used[k]).min_by(|&a, &b| shares[a].total_cmp(&shares[b]));
        match least.filter(|&k| shares[k] < SMALLEST) {
            Some(k) => used[k] = false,
            None => return shares,
        }
    }
}

/// What the likelihood of shares needs of the predictions: one number for each row and network.
struct Fit {
    /// Row-major (rows, K): the probability of the row's class, or the residual.
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    k: usize,
    /// σ² of the normal distribution round a mean prediction: the smallest mean square of one network; none for classes.
    variance: Option<f64>,
}

impl Fit {
    fn new(evaluations: &[&Evaluation]) -> Self {
        let k = evaluations.len();
        let of_each: Vec<Vec<f64>> = evaluations.iter().map(|evaluation| evaluation.fits()).collect();
        let rows = of_each[0].len();
        let values = (0..rows).flat_map(|i| of_each.iter().map(move |values| values[i])).collect();
        let weights = evaluations[0].weights.clone();
        let mean_square = |values: &Vec<f64>| {
            let weight = |i: usize| weights.as_ref().map_or(1.0, |weights| weights[i]);
            let total: f64 = (0..rows).map(weight).sum();
            (0..rows).map(|i| weight(i) * values[i] * values[i]).sum::<f64>() / total
        };
        let smallest =
            || of_each.iter().map(mean_square).fold(f64::INFINITY, f64::min).max(f64::MIN_POSITIVE);
        let variance = (!evaluations[0].is_of_classes()).then(smallest);
        Self { values, weights, k, variance }
    }

    /// −ln of likelihood and prior.
    fn cost(&self, shares: &[f64], used: &[bool]) -> f64 {
        let of_row = |(i, values): (usize, &[f64])| {
            let mean: f64 = values.iter().zip(shares).map(|(value, share)| share * value).sum();
            let weight = self.weights.as_ref().map_or(1.0, |weights| weights[i]);
            weight
                * match self.variance {
                    Some(variance) => 0.5 * mean * mean / variance,
                    None => -mean.max(f64::MIN_POSITIVE).ln(),
                }
        };
        let likelihood: f64 = self.values.chunks_exact(self.k).enumerate().map(of_row).sum();
        let of_used = || shares.iter().zip(used).filter(|(_, used)| **used).map(|(share, _)| *share);
        let each = PRIOR_ROWS / of_used().count() as f64;
        likelihood - of_used().map(|share| each * share.max(f64::MIN_POSITIVE).ln()).sum::<f64>()
    }

    /// The best shares of the networks that are used: from equal ones on, what two of them have together is shared anew
    /// between them, until nothing moves. The cost is convex, so that this ends at its minimum.
    fn best(&self, used: &[bool]) -> Vec<f64> {
        const SWEEPS: usize = 100;
        let members: Vec<usize> = (0..self.k).filter(|&k| used[k]).collect();
        let mut shares = vec![0.0; self.k];
        members.iter().for_each(|&k| shares[k] = 1.0 / members.len() as f64);
        for _ in 0..SWEEPS {
            let before = shares.clone();
            for (place, &i) in members.iter().enumerate() {
                for &j in &members[place + 1..] {
                    let both = shares[i] + shares[j];
                    let split = |part: f64| {
                        let mut shares = shares.clone();
                        (shares[i], shares[j]) = (both * part, both * (1.0 - part));
                        shares
                    };
                    shares = split(minimum(0.0, 1.0, |part| self.cost(&split(part), used)));
                }
            }
            if shares.iter().zip(&before).all(|(now, before)| (now - before).abs() < TOLERANCE) {
                break;
            }
        }
        shares
    }
}

/// The temperature T that minimises the cross-entropy of the probabilities' T-th roots ([`Evaluation::calibrated`]); 1 where a
/// prediction is no probability.
///
/// The targets are those of Platt 1999: as if there were one row more that is recognised and one that is not, so that a few rows
/// that are all recognised do not make the model sure of everything.
pub fn temperature(evaluation: &Evaluation) -> f64 {
    /// Beyond these a model says nothing, or all.
    const LIMIT: f64 = 10.0;
    if !evaluation.is_of_classes() {
        return 1.0;
    }
    let weight = |i: usize| evaluation.weights.as_ref().map_or(1.0, |weights| weights[i]);
    let rows: f64 = (0..evaluation.targets.len()).map(weight).sum();
    let wrong = 1.0 / (rows + 2.0);
    let ln = |p: f64| p.max(f64::MIN_POSITIVE).ln();
    let cost = |ln_t: f64| {
        let p = evaluation.fits_at(ln_t.exp());
        let of_row = |(i, p): (usize, &f64)| -weight(i) * ((1.0 - wrong) * ln(*p) + wrong * ln(1.0 - p));
        p.iter().enumerate().map(of_row).sum::<f64>()
    };
    minimum(-LIMIT.ln(), LIMIT.ln(), cost).exp()
}

/// The place of the minimum of a function with one minimum, by golden sections.
fn minimum(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    while high - low > TOLERANCE / 10.0 {
        if at_a <= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = f(b);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::Loss;
    use crate::rng::{Purpose, stream, unit};

    const ROWS: usize = 4000;

    fn normals(index: u64) -> Vec<f64> {
        let mut rng = stream(0, Purpose::Init, index);
        (0..ROWS).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    fn numbers(predictions: Vec<f64>) -> Evaluation {
        Evaluation::new(Loss::SquaredError, 1, predictions, vec![0.0; ROWS], None)
    }

    /// Classes drawn with the probabilities p, and the prediction p^a, normalised.
    fn classes(power: f64, weights: Option<Vec<f64>>) -> Evaluation {
        let mut rng = stream(0, Purpose::Init, 7);
        let p: Vec<f64> = (0..ROWS).map(|_| 0.02 + 0.96 * unit(&mut rng)).collect();
        let y = p.iter().map(|&p| f64::from(unit(&mut rng) < p)).collect();
        let predictions = p.iter().map(|p| p.powf(power) / (p.powf(power) + (1.0 - p).powf(power))).collect();
        Evaluation::new(Loss::BINARY, 1, predictions, y, weights)
    }

    /// Two unbiased predictions with independent errors count by the inverse of their variances: 1/1² to 1/2².
    #[test]
    fn a_mean_of_independent_errors_weighs_them_by_their_variances() {
        let twice = normals(2).iter().map(|v| 2.0 * v).collect();
        let shares = shares(&[&numbers(normals(1)), &numbers(twice)]);
        assert!((shares[0] - 0.8).abs() < 0.02 && (shares[0] + shares[1] - 1.0).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn equal_predictions_have_equal_shares_and_a_useless_one_has_none() {
        let good = numbers(normals(1));
        let far = numbers(normals(2).iter().map(|v| 100.0 * v).collect());
        let found = shares(&[&good, &far, &good]);
        assert!((found[0] - 0.5).abs() < 1e-4 && found[1] == 0.0, "{found:?}");
        assert_eq!(shares(&[&far]), [1.0]);
    }

    /// No share on a grid costs less.
    #[test]
    fn the_shares_of_probabilities_are_the_most_likely_ones() {
        let (right, vague) = (classes(1.0, None), classes(0.4, None));
        let mut wrong = right.clone();
        wrong.predictions.iter_mut().for_each(|p| *p = 1.0 - *p);
        let all = [&vague, &right, &wrong];
        let (found, fit) = (shares(&all), Fit::new(&all));
        let used: Vec<bool> = found.iter().map(|&share| share > 0.0).collect();
        assert_eq!(used, [true, true, false], "{found:?}");
        let least = fit.cost(&found, &used);
        for step in 1..100 {
            let share = f64::from(step) / 100.0;
            assert!(
                fit.cost(&[share, 1.0 - share, 0.0], &used) >= least - 1e-6,
                "{share} is better than {found:?}"
            );
        }
    }

    /// Probabilities that are too sure by a factor of 2 in the logits come back to what they were drawn with.
    #[test]
    fn a_temperature_undoes_what_it_is() {
        let evaluation = classes(2.0, None);
        let t = temperature(&evaluation);
        assert!((t - 2.0).abs() < 0.1, "{t}");
        let calibrated = evaluation.calibrated(2.0);
        let exact = classes(1.0, None);
        for (found, expected) in calibrated.predictions.iter().zip(&exact.predictions) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
        assert!((calibrated.loss - exact.loss).abs() < 1e-12);
        assert_eq!(temperature(&numbers(normals(1))), 1.0);
    }

    /// Twenty rows that are all recognised, most of them clearly: the model may become surer, but not of everything.
    #[test]
    fn a_few_recognised_rows_prove_little() {
        let predictions = (0..20).map(|i| if i % 2 == 0 { 0.1 } else { 0.9 }).collect();
        let targets = (0..20).map(|i| f64::from(i % 2)).collect();
        let t = temperature(&Evaluation::new(Loss::BINARY, 1, predictions, targets, None));
        // p^(1/T) = 21/22 where p was 0.9.
        let expected = (0.9_f64 / 0.1).ln() / 21_f64.ln();
        assert!((t - expected).abs() < 1e-3, "{t}, not {expected}");
    }

    /// A row of weight 3 is three rows.
    #[test]
    fn weights_count_as_rows() {
        let weight = |i: usize| 1 + i % 3;
        let weights: Vec<f64> = (0..ROWS).map(|i| weight(i) as f64).collect();
        let weighted = [classes(2.0, Some(weights.clone())), classes(0.5, Some(weights))];
        let repeated = [classes(2.0, None), classes(0.5, None)].map(|evaluation| {
            let of = |values: &[f64]| {
                values.iter().enumerate().flat_map(|(i, &v)| std::iter::repeat_n(v, weight(i))).collect()
            };
            Evaluation::new(Loss::BINARY, 1, of(&evaluation.predictions), of(&evaluation.targets), None)
        });
        assert!((temperature(&weighted[0]) - temperature(&repeated[0])).abs() < 1e-6);
        let found = shares(&[&weighted[0], &weighted[1]]);
        let expected = shares(&[&repeated[0], &repeated[1]]);
        assert!((found[0] - expected[0]).abs() < 1e-4, "{found:?}, not {expected:?}");
    }
}
