//! A training step allocates nothing after the first, on one thread or two.

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use wxb::optimizer::Step;
use wxb::step::{Cache, Keep, Mode, backward, forward, loss};
use wxb::{Activation, Initializer, Layer, Loss, Network, Optimizer, Params};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A network wide enough that its products and its update go to several threads.
fn network(loss: Loss, n_out: usize) -> Network<f32> {
    let layers = vec![
        Layer::Dense { n_in: 300, n_out: 256, activation: Activation::Gelu },
        Layer::Dropout { rate: 0.2 },
        Layer::Dense { n_in: 256, n_out: 64, activation: Activation::Relu },
        Layer::Dense { n_in: 64, n_out, activation: Activation::Identity },
    ];
    Network::with_layers(layers, loss, Initializer::Auto, 1).expect("the layers fit each other")
}

/// Allocations of 100 steps after the first.
fn allocations(loss_function: Loss, n_out: usize, optimizer: Optimizer) -> usize {
    // Two chunks of rows for the loss, and products above the threshold of one thread.
    const M: usize = 72;
    let mut network = network(loss_function, n_out);
    let mut cache = Cache::new(&network, M, Keep::Needed);
    cache.x.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 7) as f32 - 3.0);
    cache.y.iter_mut().enumerate().for_each(|(i, y)| *y = (i % 2) as f32);
    let mut grads = Params::zeros(network.layers()).expect("as many as the network has");
    let mut moments = [0, 1].map(|k| vec![0.0; if k < optimizer.moments() { network.n_params() } else { 0 }]);
    let mut before = 0;
    for t in 1..=101 {
        forward(&network, &mut cache, M, Mode::Training { seed: 1, step: t });
        loss(&network, &mut cache, M);
        backward(&network, &mut cache, M, &mut grads);
        let [m, v] = &mut moments;
        let step = Step { lr: 1e-3, t, weight_decay: 0.0 };
        optimizer.update(step, &mut network.params.flat, &grads.flat, m, v);
        if t == 1 {
            before = ALLOCATOR.stats().allocations + ALLOCATOR.stats().reallocations;
        }
    }
    ALLOCATOR.stats().allocations + ALLOCATOR.stats().reallocations - before
}

/// One test: the counts are the whole process's, so nothing may run beside it.
#[test]
fn a_step_allocates_nothing_after_the_first() {
    let rows = [
        (Loss::SOFTMAX, 10, Optimizer::ADAM),
        (Loss::BINARY, 1, Optimizer::Sgd),
        (Loss::SquaredError, 3, Optimizer::Momentum { beta: 0.9, averaged: true }),
        (Loss::Quantile { levels: vec![0.1, 0.5, 0.9] }, 3, Optimizer::Nesterov { beta: 0.9 }),
    ];
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (loss, n_out, optimizer) in rows.clone() {
            let shown = format!("{} with {}, {threads} threads", loss.name(), optimizer.name());
            assert_eq!(pool.install(|| allocations(loss, n_out, optimizer)), 0, "{shown}");
        }
    }
}
