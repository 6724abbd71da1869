//! What weights and row order must and must not change.

use crate::engine::draw::{Draw, activations, losses};
use crate::engine::{cache, check_close, network};
use crate::textbook::{Batch, Textbook};
use wxb::step::{Mode, backward, forward, loss};
use wxb::{Params, Real};

/// Loss and gradient, all numbers in one vector.
fn loss_and_gradient<T: Real>(book: &Textbook, batch: &Batch, weighted: bool) -> Vec<T> {
    let (network, m) = (network::<T>(book, 0.0), batch.x.len());
    let mut cache = cache(&network, batch, weighted);
    let mut grads = Params::zeros(network.layers()).expect("the same layers");
    forward(&network, &mut cache, m, Mode::Predicting);
    let (value, _) = loss(&network, &mut cache, m);
    backward(&network, &mut cache, m, &mut grads);
    grads.flat.iter().copied().chain([T::of(value)]).collect()
}

fn for_each_case(check: impl Fn(&Textbook, Batch, &mut Draw)) {
    for (i, activation) in activations().into_iter().enumerate() {
        for (j, (loss, n_out)) in losses(3).into_iter().enumerate() {
            let mut draw = Draw::new(2 << 40 | (100 * i + j) as u64);
            let sizes = [draw.size(17), draw.size(17), n_out];
            let book = draw.textbook(&sizes, &[activation], loss);
            let m = 1 + draw.size(16);
            let batch = draw.batch(&book, m);
            check(&book, batch, &mut draw);
        }
    }
}

fn check_ones<T: Real>(book: &Textbook, batch: &Batch) {
    let (none, ones) =
        (loss_and_gradient::<T>(book, batch, false), loss_and_gradient::<T>(book, batch, true));
    assert_eq!(none, ones, "{book:?}");
}

#[test]
fn weights_of_one_give_the_same_bits_as_none() {
    for_each_case(|book, batch, _| {
        check_ones::<f32>(book, &batch);
        check_ones::<f64>(book, &batch);
    });
}

#[test]
fn a_row_of_weight_zero_is_not_there() {
    for_each_case(|book, mut batch, draw| {
        let m = batch.x.len();
        batch.weights = draw.row_weights(m);
        // The first row has weight; every third one has none, and numbers that would be noticed.
        for i in (1..m).step_by(3) {
            batch.weights[i] = 0.0;
            batch.x[i].iter_mut().for_each(|x| *x *= 3.0);
        }
        let there: Vec<usize> = (0..m).filter(|&i| batch.weights[i] != 0.0).collect();
        let rest = Batch {
            x: there.iter().map(|&i| batch.x[i].clone()).collect(),
            y: there.iter().map(|&i| batch.y[i].clone()).collect(),
            weights: there.iter().map(|&i| batch.weights[i]).collect(),
        };
        let (all, rest) =
            (loss_and_gradient::<f64>(book, &batch, true), loss_and_gradient(book, &rest, true));
        check_close("rows of weight 0", &[all], &[rest], 1e-13);
    });
}

/// A weight of 2 is the row twice.
#[test]
fn a_row_of_weight_two_is_there_twice() {
    for_each_case(|book, mut batch, _| {
        let doubled: Vec<f64> = (0..batch.x.len()).map(|i| if i % 2 == 0 { 2.0 } else { 1.0 }).collect();
        let twice: Vec<usize> = (0..batch.x.len()).flat_map(|i| vec![i; doubled[i] as usize]).collect();
        let repeated = Batch {
            x: twice.iter().map(|&i| batch.x[i].clone()).collect(),
            y: twice.iter().map(|&i| batch.y[i].clone()).collect(),
            weights: vec![1.0; twice.len()],
        };
        batch.weights = doubled;
        let (weighted, repeated) =
            (loss_and_gradient::<f64>(book, &batch, true), loss_and_gradient(book, &repeated, false));
        check_close("rows of weight 2", &[weighted], &[repeated], 1e-13);
    });
}

/// A batch in a larger cache, after a larger batch: nothing of the earlier rows is left.
#[test]
fn a_smaller_last_batch_divides_by_its_own_m() {
    for_each_case(|book, batch, draw| {
        let alone = loss_and_gradient::<f32>(book, &batch, false);
        let network = network::<f32>(book, 0.0);
        let m = batch.x.len();
        let larger = draw.batch(book, m + 7);
        let mut cache = cache(&network, &larger, false);
        let mut grads = Params::zeros(network.layers()).expect("the same layers");
        let mut step = |cache: &mut wxb::step::Cache<f32>, m: usize| {
            forward(&network, cache, m, Mode::Predicting);
            let (value, _) = loss(&network, cache, m);
            backward(&network, cache, m, &mut grads);
            grads.flat.iter().copied().chain([value as f32]).collect::<Vec<f32>>()
        };
        step(&mut cache, m + 7);
        let small = crate::engine::cache(&network, &batch, false);
        cache.x[..small.x.len()].copy_from_slice(&small.x);
        cache.y[..small.y.len()].copy_from_slice(&small.y);
        assert_eq!(step(&mut cache, m), alone);
    });
}
