//! `testdata/corpus/layers.json`: what NumPy computes for small networks of every kind of layer, its gradients by complex steps,
//! against the engine in both precisions.

use std::collections::BTreeSet;

use crate::engine::{check_close, rows};
use crate::textbook::{Matrix, Vector};
use serde::Deserialize;
use wxb::step::{Cache, Keep, Mode, forward, gradient, track};
use wxb::{Layer, Loss, Network, Own, OwnLayer, Params, Real};

#[derive(Deserialize)]
struct Corpus {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    layers: Vec<Layer>,
    loss: Loss,
    /// Whether each member has rows of its own.
    apart: bool,
    /// Whether the running statistics normalise, and nothing is dropped.
    predicting: bool,
    learning_rate: f64,
    params: Vector,
    x: Matrix,
    y: Matrix,
    weights: Option<Vector>,
    /// Of each dropout layer: 1 for what stays.
    masks: Vec<Matrix>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(rename = "A")]
    a: Vec<Matrix>,
    loss: f64,
    gradient: Vector,
    params_after_3_updates: Vector,
}

fn cases() -> Vec<Case> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/corpus/layers.json");
    let text = std::fs::read_to_string(file).expect("the corpus is part of the repository");
    let corpus: Corpus = serde_json::from_str(&text).expect("a corpus file");
    assert_eq!(corpus.cases.len(), 37);
    corpus.cases
}

/// The names of an enum's variants, and that of a value's variant. Both come from one list, so that a new variant does not compile
/// until it stands in the list, and then fails until the corpus has it.
macro_rules! variants {
    ($all:ident, $name:ident: $kind:ident::{$($variant:ident),*}) => {
        const $all: &[&str] = &[$(concat!(stringify!($kind), "::", stringify!($variant))),*];

        fn $name(kind: &$kind) -> &'static str {
            match kind {
                $($kind::$variant { .. } => concat!(stringify!($kind), "::", stringify!($variant)),)*
            }
        }
    };
}

variants!(KINDS, kind: Layer::{
    Dense, Dropout, Scale, Blend, BatchNorm, Residual, Periodic, Plr, Bins, Piecewise, Embed, Members, MemberScale, Ensemble,
    Heads, Own
});
variants!(OWN_KINDS, own_kind: OwnLayer::{Dense, Blend, Periodic, Embed});

/// With and without row weights; layers of members with the same rows for all of them, and with rows of their own.
#[test]
fn every_kind_of_layer_has_a_row() {
    let (mut found, mut of_members) = (BTreeSet::new(), BTreeSet::new());
    for case in cases() {
        for layer in &case.layers {
            let own = if let Layer::Own(Own { layer, .. }) = layer { Some(own_kind(layer)) } else { None };
            for kind in own.into_iter().chain([kind(layer)]) {
                found.insert((kind, "row weights", case.weights.is_some()));
                found.insert((kind, "rows of their own", case.apart));
                if layer.members().is_some() {
                    of_members.insert(kind);
                }
            }
        }
    }
    for &kind in KINDS.iter().chain(OWN_KINDS) {
        let rows_of_their_own = of_members.contains(kind).then_some("rows of their own");
        for what in rows_of_their_own.into_iter().chain(["row weights"]) {
            for is_so in [false, true] {
                assert!(found.contains(&(kind, what, is_so)), "no {kind} in the corpus with {what}: {is_so}");
            }
        }
    }
}

/// A cache that holds the batch and the masks.
fn cache<T: Real>(network: &Network<T>, case: &Case) -> Cache<T> {
    let m = case.x.len() / if case.apart { network.members() } else { 1 };
    let mut cache = Cache::new(network, m, Keep::Needed);
    let fill = |to: &mut [T], from: &Matrix, factor: f64| {
        to.iter_mut().zip(from.iter().flatten()).for_each(|(to, &from)| *to = T::of(factor * from));
    };
    cache.apart = case.apart;
    fill(&mut cache.x, &case.x, 1.0);
    fill(&mut cache.y, &case.y, 1.0);
    cache.weights = case.weights.iter().flatten().map(|&w| T::of(w)).collect();
    let rate = |(l, layer): (usize, &Layer)| match *layer {
        Layer::Dropout { rate } => Some((l, rate)),
        _ => None,
    };
    let rates = case.layers.iter().enumerate().filter_map(rate);
    rates.zip(&case.masks).for_each(|((l, rate), mask)| fill(cache.mask_mut(l), mask, 1.0 / (1.0 - rate)));
    cache
}

/// Slot by slot.
fn check_params<T: Real>(what: &str, found: &Params<T>, expected: &[f64], tolerance: f64) {
    assert_eq!(found.flat.len(), expected.len(), "{what}");
    for slot in found.slots() {
        let (found, expected) =
            (rows(found.of(slot), slot.columns), rows(&expected[slot.range()], slot.columns));
        check_close(&format!("{what}, {}", slot.name), &found, &expected, tolerance);
    }
}

fn check<T: Real>(case: &Case, tolerance: f64) {
    let (what, expected) = (format!("{} in {}", case.name, T::NAME), &case.expected);
    let params = case.params.iter().map(|&theta| T::of(theta)).collect();
    let mut network = Network::from_flat(case.layers.clone(), case.loss.clone(), params).expect("they fit");
    let (mut cache, mut grads) = (cache(&network, case), network.params.clone());
    let (m, mode) = (cache.capacity(), if case.predicting { Mode::Predicting } else { Mode::SameMasks });

    forward(&network, &mut cache, m, mode);
    assert_eq!(expected.a.len(), case.layers.len(), "{what}");
    for (l, a) in expected.a.iter().enumerate() {
        // In front of the members the cache has room for more rows.
        let found = rows(&cache.a(l)[..a.concat().len()], a[0].len());
        check_close(&format!("{what}: A of layer {l}"), &found, a, tolerance);
    }
    for t in 1..=3 {
        let (j, _) = gradient(&network, &mut cache, m, mode, &mut grads);
        if t == 1 {
            check_close(&format!("{what}: loss"), &[vec![j]], &[vec![expected.loss]], tolerance);
            check_params(&format!("{what}: gradient"), &grads, &expected.gradient, tolerance);
        }
        track(&mut network, &cache, t);
        let lr = T::of(case.learning_rate);
        network.params.flat.iter_mut().zip(&grads.flat).for_each(|(theta, &g)| *theta -= lr * g);
    }
    let after = &expected.params_after_3_updates;
    check_params(&format!("{what}: after 3 updates"), &network.params, after, tolerance);
}

#[test]
fn the_engine_agrees_with_numpy() {
    for case in cases() {
        // A few dozen roundings of ε = 2.2e-16 or 1.2e-7; the slopes along the frequencies of waves, which have the factor 2π x,
        // come nearest: 2e-6.
        check::<f64>(&case, 1e-13);
        check::<f32>(&case, 1e-5);
    }
}
