//! Layers and the one buffer that holds all of their parameters.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::error::{Code, Error, Result};
use crate::real::Real;

/// A layer: a closed set, each with its forward and backward in [`crate::step`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// A = g(A_in W + b).   A_in (m, n_in)  W (n_in, n_out)  b (n_out)  A (m, n_out)
    Dense {
        /// Inputs of each unit.
        n_in: usize,
        /// Units.
        n_out: usize,
        /// g; the identity for the output layer, whose link belongs to the loss.
        activation: Activation,
    },
    /// A = A_in ⊙ mask / (1 − rate), mask 0 with probability `rate`; A = A_in when predicting (inverted dropout,
    /// Srivastava et al. 2014).
    Dropout {
        /// The share of inputs set to zero, in 0..1.
        rate: f64,
    },
}

/// What a slot's numbers are; penalties and decay act on weights only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// W.
    Weight,
    /// b.
    Bias,
}

/// Where a tensor lies in the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// `"W1"`, `"b1"`, …: numbered by dense layer, from 1, as in the formulas.
    pub name: String,
    /// Weight or bias.
    pub role: Role,
    /// Index into the layers.
    pub layer: usize,
    /// First number.
    pub offset: usize,
    /// n_in (1 for a bias).
    pub rows: usize,
    /// n_out.
    pub columns: usize,
}

impl Slot {
    /// The numbers of this slot in the flat buffer.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.rows * self.columns
    }
}

/// Every parameter in one buffer; gradients and moments have this form too.
#[derive(Clone, Debug, PartialEq)]
pub struct Params<T> {
    /// All numbers: W1 row-major, b1, W2, …
    pub flat: Vec<T>,
    slots: Vec<Slot>,
}

impl<T: Real> Params<T> {
    /// Zeros for the layers.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`] if the count of parameters cannot be held.
    pub fn zeros(layers: &[Layer]) -> Result<Self> {
        let slots = slots(layers)?;
        let length = slots.last().map_or(0, |slot| slot.range().end);
        Ok(Self { flat: vec![T::ZERO; length], slots })
    }

    /// The slots, in the order of the buffer.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The numbers of a slot, row-major (rows, columns).
    pub fn of(&self, slot: &Slot) -> &[T] {
        &self.flat[slot.range()]
    }

    /// W (n_in, n_out) and b (n_out) of the dense layer at index `layer`.
    pub fn dense(&self, layer: usize) -> (&[T], &[T]) {
        let (w, b) = dense_slots(&self.slots, layer);
        (&self.flat[w.range()], &self.flat[b.range()])
    }

    /// W and b (or dW and db) of the dense layer at index `layer`, to be written.
    pub fn dense_mut(&mut self, layer: usize) -> (&mut [T], &mut [T]) {
        let (w, b) = dense_slots(&self.slots, layer);
        self.flat[w.offset..b.range().end].split_at_mut(w.range().len())
    }

    /// The first slot with a number that is infinite or NaN.
    pub fn first_non_finite(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| self.of(slot).iter().any(|v| !v.is_finite()))
    }
}

fn dense_slots(slots: &[Slot], layer: usize) -> (&Slot, &Slot) {
    let i = slots
        .iter()
        .position(|slot| slot.layer == layer)
        .expect("only dense layers are asked for their slots");
    (&slots[i], &slots[i + 1])
}

/// The slots of some layers; no memory is taken for their numbers.
pub(crate) fn slots(layers: &[Layer]) -> Result<Vec<Slot>> {
    let (mut slots, mut offset, mut number) = (Vec::new(), 0_usize, 0);
    for (layer, kind) in layers.iter().enumerate() {
        let Layer::Dense { n_in, n_out, .. } = *kind else { continue };
        number += 1;
        for (role, rows) in [(Role::Weight, n_in), (Role::Bias, 1)] {
            let name = format!("{}{number}", if role == Role::Weight { "W" } else { "b" });
            slots.push(Slot { name, role, layer, offset, rows, columns: n_out });
            offset = rows
                .checked_mul(n_out)
                .and_then(|length| offset.checked_add(length))
                .filter(|&end| end <= MAX_PARAMS)
                .ok_or_else(|| too_large(n_in, n_out))?;
        }
    }
    Ok(slots)
}

/// 2³³ parameters: 32 GiB in f32. More is a typing error, not a network on a table.
const MAX_PARAMS: usize = 1 << 33;

fn too_large(n_in: usize, n_out: usize) -> Error {
    Error::new(Code::InvalidSetting, format!("a layer of {n_in} inputs and {n_out} units is too large"))
        .hint("make the hidden layers smaller")
}
