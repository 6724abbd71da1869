//! Layers and the one buffer that holds all of their parameters.

mod own;

use serde::{Deserialize, Serialize};

pub use own::{Own, OwnLayer, side_by_side};

use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::error::{Code, Error, Result};
use crate::real::Real;

/// A layer: a closed set, each with its forward and backward side by side in [`crate::step`].
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
    /// A = γ ⊙ A_in: how much each input counts is learned.   γ (n), 1 at the start
    Scale {
        /// Inputs and outputs.
        n: usize,
    },
    /// A = Z + α ⊙ (g(Z) − Z), Z = A_in: how far each unit goes from the identity to g is learned (the parametric
    /// activation of Holzmüller, Grinsztajn and Steinwart 2024).   α (n), 1 at the start
    Blend {
        /// Inputs and outputs.
        n: usize,
        /// g.
        activation: Activation,
    },
    /// A = g(γ ⊙ (A_in − mean) / √(variance + ε) + β): each input is centred and scaled, in training by mean and variance of the
    /// batch's rows, in prediction by those of the batches so far, which the layer keeps (batch normalisation, Ioffe and Szegedy
    /// 2015; ε = 10⁻⁵). Row weights do not count.   γ, β, mean, variance (n); γ = 1 and β = 0 at the start
    BatchNorm {
        /// Inputs and outputs.
        n: usize,
        /// g.
        activation: Activation,
    },
    /// A = A_in + A_s, s the layer before those that are jumped over, of the same width (He et al. 2016).
    Residual {
        /// How many layers are jumped over: 1 adds the input of the layer before to its output.
        skip: usize,
    },
    /// A numeric embedding.
    Periodic(Periodic),
    /// A numeric embedding of waves.
    Plr(Plr),
    /// Numbers as places among bins.
    Bins(Bins),
    /// A piecewise-linear embedding of numbers.
    Piecewise(Piecewise),
    /// A category embedding.
    Embed(Embed),
    /// From here on, every example has a row for each of several members.
    Members(Members),
    /// A_i = r_i ⊙ A_in,i: member i's own scale of its inputs.   r (k, n)
    MemberScale(Members),
    /// A dense layer whose members share W.
    Ensemble(Ensemble),
    /// A dense layer without activation for each member.
    Heads(Heads),
    /// Another layer for each member.
    Own(Own),
}

/// k networks in one, which share all but a few numbers (BatchEnsemble of Wen, Tran and Ba 2020; TabM of Gorishniy,
/// Kotelnikov and Babenko 2024): X (m, n) becomes (k m, n), the m rows of member 1, then those of member 2, …. In training
/// each member may have examples of its own ([`Cache::apart`](crate::step::Cache)). The predictions of the members are
/// averaged ([`average`](crate::step::average)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// k.
    pub members: usize,
    /// Inputs and outputs.
    pub n: usize,
}

/// A_i = g(s_i ⊙ ((r_i ⊙ A_in,i) W) + b_i) for each member i: one W, seen through the member's own scales.
/// A_in (k m, n_in)  r (k, n_in)  W (n_in, n_out)  s, b (k, n_out)  A (k m, n_out)
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    /// k.
    pub members: usize,
    /// Inputs of each unit.
    pub n_in: usize,
    /// Units of each member.
    pub n_out: usize,
    /// g.
    pub activation: Activation,
}

/// A_i = A_in,i W_i + b_i for each member i.   A_in (k m, n_in)  W (k, n_in, n_out)  b (k, n_out)  A (k m, n_out)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// k.
    pub members: usize,
    /// Inputs of each unit.
    pub n_in: usize,
    /// Units of each member.
    pub n_out: usize,
}

/// Each of the first inputs x, one for each column, becomes e = A u + c with u = cos(2π w x + β), w, β (frequencies),
/// A (width, frequencies), c (width): a column learns which bends it needs (Gorishniy, Rubachev and Babenko 2022; PBLD of
/// Holzmüller et al. 2024). The outputs are the e of all columns, the x of all columns, and the other inputs as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periodic {
    /// How many inputs are embedded, from the first on.
    pub columns: usize,
    /// How many inputs follow.
    pub rest: usize,
    /// Waves for each column.
    pub frequencies: usize,
    /// Numbers for each column, x not counted.
    pub width: usize,
}

impl Periodic {
    /// columns + rest.
    pub fn n_in(self) -> usize {
        self.columns.saturating_add(self.rest)
    }

    /// columns (width + 1) + rest.
    pub fn n_out(self) -> usize {
        self.columns.saturating_mul(self.width.saturating_add(1)).saturating_add(self.rest)
    }

    /// Waves of all columns.
    pub fn waves(self) -> usize {
        self.columns.saturating_mul(self.frequencies)
    }
}

/// Each of the first inputs x, one for each column, becomes e = max(0, A u + c) with u = [cos(2π w x) ; sin(2π w x)] (PLR of Gorishniy,
/// Rubachev and Babenko 2022). The outputs are the e of all columns, and the other inputs as they are.
/// w (columns, frequencies)  A (columns · width, 2 frequencies)  c (columns, width)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plr {
    /// How many inputs are embedded, from the first on.
    pub columns: usize,
    /// How many inputs follow.
    pub rest: usize,
    /// Frequencies for each column.
    pub frequencies: usize,
    /// Numbers for each column.
    pub width: usize,
}

impl Plr {
    /// columns + rest.
    pub fn n_in(self) -> usize {
        self.columns.saturating_add(self.rest)
    }

    /// columns · width + rest.
    pub fn n_out(self) -> usize {
        self.columns.saturating_mul(self.width).saturating_add(self.rest)
    }

    /// Cosines and sines of all columns.
    pub fn waves(self) -> usize {
        self.columns.saturating_mul(self.frequencies.saturating_mul(2))
    }
}

/// Each of the first inputs x, one for each column, becomes its place among T bins with the edges b₀ < b₁ < … (PLE of Gorishniy,
/// Rubachev and Babenko 2022): p_t = (x − b_{t−1})/(b_t − b_{t−1}), cut to 0 … 1, where below the first edge and above the last
/// the line goes on. A column of fewer bins repeats its last edge, and the p that it does not need are 0. The edges are told by the
/// data ([`fit_edges`](crate::init::fit_edges)); before, they are evenly spaced within ±3. The outputs are the p of all
/// columns, and the other inputs as they are.   edges (columns, T + 1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bins {
    /// How many inputs are encoded, from the first on.
    pub columns: usize,
    /// How many inputs follow.
    pub rest: usize,
    /// T.
    pub bins: usize,
}

impl Bins {
    /// columns + rest.
    pub fn n_in(self) -> usize {
        self.columns.saturating_add(self.rest)
    }

    /// columns · T: how many numbers the encoded inputs become.
    pub fn components(self) -> usize {
        self.columns.saturating_mul(self.bins)
    }

    /// columns · T + rest.
    pub fn n_out(self) -> usize {
        self.components().saturating_add(self.rest)
    }
}

/// Each of the first inputs x becomes e = w⁰ x + b⁰ + V p, p its place among bins ([`Bins`]): a line for each of `width` numbers, which
/// learns its bends (version B in the TabM program of Gorishniy, Kotelnikov and Babenko 2024; V is 0 at the start).
/// w⁰, b⁰ (columns, width)  V (columns · width, T)  edges (columns, T + 1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piecewise {
    /// Which inputs, and how many bins.
    pub bins: Bins,
    /// Numbers for each column.
    pub width: usize,
}

impl Piecewise {
    /// columns · width + rest.
    pub fn n_out(self) -> usize {
        self.bins.columns.saturating_mul(self.width).saturating_add(self.bins.rest)
    }
}

/// Each of the last inputs, one for each column, is the number of a row of E (levels, width), which takes its place. The
/// columns share E; each has rows of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embed {
    /// How many inputs come before, which stay as they are.
    pub rest: usize,
    /// How many inputs are replaced.
    pub columns: usize,
    /// Rows of E.
    pub levels: usize,
    /// Numbers for each column.
    pub width: usize,
}

impl Embed {
    /// rest + columns.
    pub fn n_in(self) -> usize {
        self.rest.saturating_add(self.columns)
    }

    /// rest + columns · width.
    pub fn n_out(self) -> usize {
        self.columns.saturating_mul(self.width).saturating_add(self.rest)
    }
}

impl Layer {
    /// How many inputs it takes; dropout and residual layers take any number.
    pub fn n_in(&self) -> Option<usize> {
        match *self {
            Layer::Dense { n_in, .. } => Some(n_in),
            Layer::Dropout { .. } | Layer::Residual { .. } => None,
            Layer::Scale { n } | Layer::Blend { n, .. } | Layer::BatchNorm { n, .. } => Some(n),
            Layer::Periodic(layer) => Some(layer.n_in()),
            Layer::Plr(layer) => Some(layer.n_in()),
            Layer::Bins(bins) | Layer::Piecewise(Piecewise { bins, .. }) => Some(bins.n_in()),
            Layer::Embed(layer) => Some(layer.n_in()),
            Layer::Members(Members { n, .. }) | Layer::MemberScale(Members { n, .. }) => Some(n),
            Layer::Ensemble(Ensemble { n_in, .. }) | Layer::Heads(Heads { n_in, .. }) => Some(n_in),
            Layer::Own(own) => own.layer.one().n_in(),
        }
    }

    /// How many outputs it has for so many inputs.
    pub fn n_out(&self, inputs: usize) -> usize {
        match *self {
            Layer::Dense { n_out, .. } => n_out,
            Layer::Dropout { .. } | Layer::Residual { .. } => inputs,
            Layer::Scale { n } | Layer::Blend { n, .. } | Layer::BatchNorm { n, .. } => n,
            Layer::Periodic(layer) => layer.n_out(),
            Layer::Plr(layer) => layer.n_out(),
            Layer::Bins(layer) => layer.n_out(),
            Layer::Piecewise(layer) => layer.n_out(),
            Layer::Embed(layer) => layer.n_out(),
            Layer::Members(Members { n, .. }) | Layer::MemberScale(Members { n, .. }) => n,
            Layer::Ensemble(Ensemble { n_out, .. }) | Layer::Heads(Heads { n_out, .. }) => n_out,
            Layer::Own(own) => own.layer.one().n_out(inputs),
        }
    }

    /// [n_in, n_out] of a layer of units, which has a W.
    pub fn units(&self) -> Option<[usize; 2]> {
        match *self {
            Layer::Dense { n_in, n_out, .. }
            | Layer::Ensemble(Ensemble { n_in, n_out, .. })
            | Layer::Heads(Heads { n_in, n_out, .. }) => Some([n_in, n_out]),
            Layer::Own(own) => own.layer.one().units(),
            _ => None,
        }
    }

    /// k, of a layer that knows of members.
    pub fn members(&self) -> Option<usize> {
        match *self {
            Layer::Members(Members { members, .. })
            | Layer::MemberScale(Members { members, .. })
            | Layer::Ensemble(Ensemble { members, .. })
            | Layer::Heads(Heads { members, .. })
            | Layer::Own(Own { members, .. }) => Some(members),
            _ => None,
        }
    }

    /// How many numbers it learns.
    pub fn parameters(&self) -> u64 {
        let of = |(_, rows, columns)| (rows as u64).saturating_mul(columns as u64);
        self.tensors().into_iter().filter(|(role, ..)| role.is_learned()).map(of).fold(0, u64::saturating_add)
    }

    /// Its tensors: role, rows, columns.
    fn tensors(&self) -> Vec<(Role, usize, usize)> {
        match *self {
            Layer::Dense { n_in, n_out, .. } => vec![(Role::Weight, n_in, n_out), (Role::Bias, 1, n_out)],
            Layer::Dropout { .. } | Layer::Members(_) | Layer::Residual { .. } => vec![],
            Layer::Scale { n } => vec![(Role::Scale, 1, n)],
            Layer::Blend { n, .. } => vec![(Role::Blend, 1, n)],
            Layer::BatchNorm { n, .. } => {
                [Role::Scale, Role::Offset, Role::Mean, Role::Variance].map(|role| (role, 1, n)).to_vec()
            }
            Layer::Periodic(Periodic { columns, frequencies, width, .. }) => vec![
                (Role::Frequency, columns, frequencies),
                (Role::Phase, columns, frequencies),
                (Role::Mix, columns.saturating_mul(width), frequencies),
                (Role::Shift, columns, width),
            ],
            Layer::Plr(Plr { columns, frequencies, width, .. }) => vec![
                (Role::Frequency, columns, frequencies),
                (Role::Mix, columns.saturating_mul(width), frequencies.saturating_mul(2)),
                (Role::Shift, columns, width),
            ],
            Layer::Bins(bins) => vec![(Role::Edge, bins.columns, bins.bins.saturating_add(1))],
            Layer::Piecewise(Piecewise { bins: Bins { columns, bins, .. }, width }) => vec![
                (Role::Slope, columns, width),
                (Role::Shift, columns, width),
                (Role::Bend, columns.saturating_mul(width), bins),
                (Role::Edge, columns, bins.saturating_add(1)),
            ],
            Layer::Embed(Embed { levels, width, .. }) => vec![(Role::Embedding, levels, width)],
            Layer::MemberScale(Members { members, n }) => vec![(Role::ScaleIn, members, n)],
            Layer::Ensemble(Ensemble { members, n_in, n_out, .. }) => vec![
                (Role::ScaleIn, members, n_in),
                (Role::Weight, n_in, n_out),
                (Role::ScaleOut, members, n_out),
                (Role::Bias, members, n_out),
            ],
            Layer::Heads(Heads { members, n_in, n_out }) => {
                vec![(Role::Weight, members.saturating_mul(n_in), n_out), (Role::Bias, members, n_out)]
            }
            Layer::Own(Own { members, layer }) => {
                let of_member = layer.one().tensors().into_iter();
                of_member.map(|(role, rows, columns)| (role, members.saturating_mul(rows), columns)).collect()
            }
        }
    }
}

/// What a slot's numbers are; penalties, and decay where nothing else is said, act on weights only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// W of a dense layer; of heads, those of all members, one below the other.
    Weight,
    /// b of a dense layer; with members, one row for each of them.
    Bias,
    /// γ of a scaling layer, and of batch normalisation.
    Scale,
    /// α of a blended activation.
    Blend,
    /// w of a numeric embedding.
    Frequency,
    /// β of a numeric embedding.
    Phase,
    /// A of a numeric embedding.
    Mix,
    /// c of a numeric embedding; b⁰ of a piecewise-linear one.
    Shift,
    /// E of a category embedding.
    Embedding,
    /// r of the members.
    ScaleIn,
    /// s of the members.
    ScaleOut,
    // New ones come last: the random start of numeric embeddings is keyed by the place.
    /// β of batch normalisation.
    Offset,
    /// The running mean of batch normalisation.
    Mean,
    /// The running variance of batch normalisation.
    Variance,
    /// w⁰ of a piecewise-linear embedding.
    Slope,
    /// V of a piecewise-linear embedding.
    Bend,
    /// The edges of bins.
    Edge,
}

impl Role {
    /// Whether the numbers are learned. Those of the other roles are told by the data: their gradient is 0, no rule of an optimizer
    /// moves what has none, and they do not decay.
    pub fn is_learned(self) -> bool {
        !matches!(self, Role::Mean | Role::Variance | Role::Edge)
    }

    /// The letters of the formulas.
    fn letter(self) -> &'static str {
        match self {
            Role::Weight => "W",
            Role::Bias => "b",
            Role::Scale => "gamma",
            Role::Blend => "alpha",
            Role::Frequency | Role::Slope => "w",
            Role::Phase | Role::Offset => "beta",
            Role::Mean => "mean",
            Role::Variance => "variance",
            Role::Bend => "V",
            Role::Edge => "edges",
            Role::Mix => "A",
            Role::Shift => "c",
            Role::Embedding => "E",
            Role::ScaleIn => "r",
            Role::ScaleOut => "s",
        }
    }
}

/// Where a tensor lies in the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// `"W1"`, `"b1"`, `"gamma1"`, …: each letter is numbered, from 1, as in the formulas.
    pub name: String,
    /// What its numbers are.
    pub role: Role,
    /// Index into the layers.
    pub layer: usize,
    /// First number.
    pub offset: usize,
    /// n_in for W, k n_in for one of each member; 1 for what has one number for each unit, k where each member has its own.
    pub rows: usize,
    /// n_out for W and b.
    pub columns: usize,
    /// n_in of the layer; 1 for layers without units.
    pub n_in: usize,
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
    pub flat: Aligned<T>,
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
        Ok(Self { flat: Aligned::zeros(length), slots })
    }

    /// The slots, in the order of the buffer.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The numbers of a slot, row-major (rows, columns).
    pub fn of(&self, slot: &Slot) -> &[T] {
        &self.flat[slot.range()]
    }

    /// W (n_in, n_out) and b (n_out) of the dense layer at index `layer`; of heads those of all members.
    pub fn dense(&self, layer: usize) -> (&[T], &[T]) {
        let [w, b] = self.tensors(layer);
        (w, b)
    }

    /// The tensors of the layer at index `layer`, in their order; N as many as it has.
    ///
    /// # Panics
    /// If the layer has none.
    pub fn tensors<const N: usize>(&self, layer: usize) -> [&[T]; N] {
        let first = self.first_slot(layer);
        std::array::from_fn(|i| self.of(&self.slots[first + i]))
    }

    /// As [`Params::tensors`], to be written.
    pub fn tensors_mut<const N: usize>(&mut self, layer: usize) -> [&mut [T]; N] {
        let first = self.first_slot(layer);
        let mut rest = &mut self.flat[self.slots[first].offset..];
        std::array::from_fn(|i| {
            let (tensor, after) = std::mem::take(&mut rest).split_at_mut(self.slots[first + i].range().len());
            rest = after;
            tensor
        })
    }

    fn first_slot(&self, layer: usize) -> usize {
        let of_layer = |slot: &Slot| slot.layer == layer;
        self.slots.iter().position(of_layer).expect("only layers with parameters are asked for them")
    }

    /// W and b (or dW and db) of the dense layer at index `layer`, to be written.
    pub fn dense_mut(&mut self, layer: usize) -> (&mut [T], &mut [T]) {
        let [w, b] = self.tensors_mut(layer);
        (w, b)
    }

    /// The first slot with a number that is infinite or NaN.
    pub fn first_non_finite(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| self.of(slot).iter().any(|v| !v.is_finite()))
    }
}

/// The slots of some layers; no memory is taken for their numbers.
pub(crate) fn slots(layers: &[Layer]) -> Result<Vec<Slot>> {
    let (mut slots, mut offset) = (Vec::<Slot>::new(), 0_usize);
    for (layer, kind) in layers.iter().enumerate() {
        for (role, rows, columns) in kind.tensors() {
            let number = 1 + slots.iter().filter(|slot| slot.role.letter() == role.letter()).count();
            slots.push(Slot {
                name: format!("{}{number}", role.letter()),
                role,
                layer,
                offset,
                rows,
                columns,
                n_in: kind.units().map_or(1, |[n_in, _]| n_in),
            });
            offset = rows
                .checked_mul(columns)
                .and_then(|length| offset.checked_add(length))
                .filter(|&end| end <= MAX_PARAMS)
                .ok_or_else(|| too_large(rows, columns))?;
        }
    }
    Ok(slots)
}

/// 2³³ parameters: 32 GiB in f32. More is a typing error, not a network on a table.
const MAX_PARAMS: usize = 1 << 33;

fn too_large(rows: usize, columns: usize) -> Error {
    Error::new(Code::InvalidSetting, format!("a layer of {rows} inputs and {columns} units is too large"))
        .hint("make the hidden layers smaller")
}
