//! The engine against the textbook: random networks of up to three hidden layers, sizes 1 to 17, batches of 1 to 17
//! rows, every activation with every loss, with and without weights, every optimizer, in both precisions.

#[allow(dead_code, reason = "tests/main.rs uses another part")]
mod engine;
#[allow(dead_code, reason = "tests/main.rs uses another part")]
mod textbook;

use crate::engine::draw::{Draw, activations, losses};
use crate::engine::{cache, check_close, compute, distance_to_kinks, network, train};
use crate::textbook::{Batch, Textbook, update};
use wxb::cpu::Isa;
use wxb::step::{Mode, forward};
use wxb::trainer::TrainConfig;
use wxb::{Activation, Loss, Optimizer, Real};

/// Four products of up to 17 terms, forward and back: 17·4·2 roundings of ε = 2.2e-16 and 1.2e-7, with room for
/// numbers that cancel. A wrong formula is off by 1e-2 or more.
const F64: f64 = 1e-12;
const F32: f64 = 3e-5;

/// A random case with no Z near a kink, where f32 could take the other side.
fn draw(case: u64, activation: Activation, loss: &Loss, n_out: usize) -> (Textbook, Batch) {
    for attempt in 0.. {
        let mut draw = Draw::new(case << 16 | attempt);
        let hidden = draw.size(4) - 1;
        let mut sizes: Vec<usize> = (0..=hidden).map(|_| draw.size(17)).collect();
        sizes.push(n_out);
        let book = draw.textbook(&sizes, &vec![activation; hidden], loss.clone());
        let m = draw.size(17);
        let mut batch = draw.batch(&book, m);
        if case % 2 == 1 {
            batch.weights = draw.row_weights(m);
        }
        let network = network::<f64>(&book, 0.0);
        let mut cache = cache(&network, &batch, false);
        forward(&network, &mut cache, m, Mode::Predicting);
        if distance_to_kinks(&network, &cache) > 1e-4 {
            return (book, batch);
        }
    }
    unreachable!("the attempts do not end")
}

/// Z, A, loss, dW and db of the engine and of the textbook.
fn check<T: Real>(name: &str, book: &Textbook, batch: &Batch, tolerance: f64) {
    let found = compute::<T>(book, batch, batch.weights.iter().any(|&w| w != 1.0));
    let ((z, a), gradients) = (book.forward(&batch.x), book.backward(batch));
    for l in 0..z.len() {
        let name = |of: &str| format!("{name} in {}: {of}{}", T::NAME, l + 1);
        check_close(&name("Z"), &found.z[l], &z[l], tolerance);
        check_close(&name("A"), &found.a[l], &a[l], tolerance);
        check_close(&name("dW"), &found.dw[l], &gradients.dw[l], tolerance);
        check_close(&name("db"), &found.db[l..=l], &gradients.db[l..=l], tolerance);
    }
    check_close(&format!("{name}: loss"), &[vec![found.loss]], &[vec![book.cost(batch)]], tolerance);
}

#[test]
fn one_step_of_every_activation_with_every_loss() {
    let mut case = 0;
    for activation in activations() {
        for n in [1, 4] {
            for (loss, n_out) in losses(n) {
                for _ in 0..2 {
                    let (book, batch) = draw(case, activation, &loss, n_out);
                    let name = format!("case {case}, {activation:?}, {loss:?}, {} rows", batch.x.len());
                    check::<f64>(&name, &book, &batch, F64);
                    check::<f32>(&name, &book, &batch, F32);
                    case += 1;
                }
            }
        }
    }
}

/// Sizes beyond one tile, one task and one piece of the depth of the kernels, none a multiple of another, with every
/// instruction set that the machine has.
#[test]
fn one_step_of_large_layers() {
    let rows = [
        (&[301, 67, 5][..], 131, Activation::Relu, Loss::SOFTMAX),
        (&[29, 533, 18, 3], 97, Activation::Gelu, Loss::SquaredError),
        (&[7, 100, 1], 613, Activation::Tanh, Loss::BINARY),
    ];
    for (case, (sizes, m, activation, loss)) in rows.into_iter().enumerate() {
        let mut draw = Draw::new(3 << 40 | case as u64);
        let book = draw.textbook(sizes, &vec![activation; sizes.len() - 2], loss);
        let mut batch = draw.batch(&book, m);
        batch.weights = draw.row_weights(m);
        // A sum of 600 terms instead of 17. In f32 some of 10,000 Z lie so close to a kink that they change sides;
        // each moves its gradient by 1/m of a row at most.
        for isa in Isa::ALL.into_iter().filter(|&isa| isa <= Isa::detect()) {
            Isa::limit(isa);
            let name = format!("{sizes:?}, {m} rows, {}", isa.name());
            check::<f64>(&name, &book, &batch, 1e-11);
            check::<f32>(&name, &book, &batch, 1e-3);
        }
    }
}

/// A row so far out that a naive formula overflows; the expected numbers are limits, found by hand.
#[test]
fn numbers_far_out_do_not_overflow() {
    let book = |loss: Loss, n: usize| Textbook {
        w: vec![vec![vec![1.0; n]]],
        b: vec![(0..n).map(|j| -2000.0 * j as f64).collect()],
        g: vec![Activation::Identity],
        loss,
        l2: 0.0,
        l1: 0.0,
    };
    let check = |loss: Loss, n: usize, x: f64, y: f64, expected: f64, db: &[f64]| {
        let batch = Batch { x: vec![vec![x]], y: vec![vec![y]], weights: vec![1.0] };
        let found = compute::<f32>(&book(loss.clone(), n), &batch, false);
        check_close(
            &format!("{loss:?} at {x}"),
            &[vec![found.loss], found.db[0].clone()],
            &[vec![expected], db.to_vec()],
            1e-6,
        );
    };
    check(Loss::BINARY, 1, 1000.0, 0.0, 1000.0, &[1.0]);
    check(Loss::BINARY, 1, -1000.0, 0.0, 0.0, &[0.0]);
    check(Loss::BINARY, 1, -1000.0, 1.0, 1000.0, &[-1.0]);
    check(Loss::SOFTMAX, 2, 1000.0, 1.0, 2000.0, &[1.0, -1.0]);
    check(Loss::SOFTMAX, 2, 1000.0, 0.0, 0.0, &[0.0, 0.0]);
    check(Loss::Poisson, 1, -1000.0, 2.0, 2000.0, &[-2.0]);
}

/// Five updates by the textbook.
fn train_textbook(book: &Textbook, batch: &Batch, optimizer: &Optimizer, lr: f64, decay: f64) -> Textbook {
    let mut book = book.clone();
    let mut moments: Vec<(f64, f64)> = vec![];
    for t in 1..=5 {
        let gradients = book.backward(batch);
        let dw = gradients.dw.iter().flatten().flatten().copied();
        let g: Vec<f64> = dw.chain(gradients.db.iter().flatten().copied()).collect();
        moments.resize(g.len(), (0.0, 0.0));
        let mut parameters = g.iter().zip(&mut moments);
        let mut step = |theta: &mut f64, decay: f64| {
            let (&g, (m, s)) = parameters.next().expect("a gradient for every parameter");
            *theta = update(optimizer, lr, t, (1.0 - lr * decay) * *theta, g, m, s);
        };
        book.w.iter_mut().flatten().flatten().for_each(|w| step(w, decay));
        book.b.iter_mut().flatten().for_each(|b| step(b, 0.0));
    }
    book
}

fn check_training<T: Real>(book: &Textbook, batch: &Batch, optimizer: Optimizer, decay: f64, tolerance: f64) {
    let expected = train_textbook(book, batch, &optimizer, 0.03125, decay);
    let weighted = batch.weights.iter().any(|&w| w != 1.0);
    let config = TrainConfig {
        optimizer,
        lr: 0.03125,
        weight_decay: Some(decay),
        epochs: 5,
        ..TrainConfig::default()
    };
    let (w, b) = train::<T>(book, batch, weighted, &config);
    let name = format!("{optimizer:?}, decay {decay}, l2 {}, l1 {}, in {}", book.l2, book.l1, T::NAME);
    for (l, w) in w.iter().enumerate() {
        check_close(&format!("{name}: W{}", l + 1), w, &expected.w[l], tolerance);
    }
    check_close(&format!("{name}: b"), &b, &expected.b, tolerance);
}

#[test]
fn five_updates_of_every_optimizer() {
    let (beta1, beta2, epsilon) = (0.875, 0.96875, 1e-3);
    let optimizers = [
        Optimizer::Sgd,
        Optimizer::Momentum { beta: 0.75, averaged: false },
        Optimizer::Momentum { beta: 0.75, averaged: true },
        Optimizer::Nesterov { beta: 0.75 },
        Optimizer::RmsProp { rho: 0.875, epsilon },
        Optimizer::Adam { beta1, beta2, epsilon },
        Optimizer::AdamW { beta1, beta2, epsilon },
    ];
    let penalties = [(0.0, 0.0, 0.0), (0.125, 0.0, 0.0), (0.0, 0.5, 0.25)]; // decay, l2, l1
    for (i, optimizer) in optimizers.into_iter().enumerate() {
        for (j, (decay, l2, l1)) in penalties.into_iter().enumerate() {
            let case = 10_000 + 3 * i as u64 + j as u64;
            let (mut book, batch) = draw(case, Activation::Tanh, &Loss::SquaredError, 3);
            (book.l2, book.l1) = (l2, l1);
            check_training::<f64>(&book, &batch, optimizer, decay, 1e-11);
            // A step of Adam or RMSProp divides by √s: where g is small, its rounding is not.
            check_training::<f32>(&book, &batch, optimizer, decay, 1e-3);
        }
    }
}
