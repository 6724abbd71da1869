"""Losses as objects with their constants: what ``loss=`` of a network takes beside names.

A loss owns its link, which turns logits z into predictions, and is computed from the logits: no ln(0), and no
digit lost.

Examples
--------
>>> from wxb import losses
>>> loss = losses.Huber(delta=1.0)
>>> loss([0.5, -3.0], [0.0, 0.0])  # (0.125 + 2.5) / 2
1.3125
>>> loss.gradient([0.5, -3.0], [0.0, 0.0])
array([ 0.25, -0.5 ])
>>> losses.CrossEntropy().predict([0.0, 0.0])
array([0.5, 0.5])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _wxb
from ._arrays import Floats, as_rows, finite, floats, from_rows, real, unwrapped
from ._settings import Setting


@dataclass(frozen=True)
class Loss(Setting):
    """ℓ(z, y) of one example; J = Σ w ℓ / Σ w over the examples is what training minimises."""

    kind: ClassVar[str] = "loss"
    #: The function from logits to predictions.
    link: ClassVar[str] = "identity"
    #: Whether an example has one target for all of its outputs.
    one_target: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Nothing to refuse before the number of outputs is known."""

    def __call__(
        self, z: ArrayLike, y: ArrayLike, *, axis: int = -1, sample_weight: ArrayLike | None = None
    ) -> float:
        """J, the mean of ℓ over the examples.

        Parameters
        ----------
        z : array_like
            Logits. An array of one axis has one output for each example.
        y : array_like
            Targets in the shape of z; class indices have one axis less.
        axis : int
            Where the outputs of an example lie: -1 for one example per row, 0 for one per column.
        sample_weight : array_like, optional
            A weight for each example.
        """
        rows = self._rows(z, y, axis)
        weights = _weights(sample_weight, rows.of_examples)
        return float(np.sum(weights * rows.loss, dtype=np.float64) / np.sum(weights, dtype=np.float64))

    def gradient(
        self, z: ArrayLike, y: ArrayLike, *, axis: int = -1, sample_weight: ArrayLike | None = None
    ) -> Any:
        """∂J/∂z = w/Σw ∂ℓ/∂z, in the shape of z: with unit weights it holds the factor 1/m."""
        rows = self._rows(z, y, axis)
        weights = _weights(sample_weight, rows.of_examples)
        scale = (weights / np.sum(weights, dtype=np.float64)).astype(rows.dz.dtype)
        return unwrapped(rows.shaped(rows.dz * scale[:, None]))

    def per_example(self, z: ArrayLike, y: ArrayLike, *, axis: int = -1) -> Any:
        """ℓ of each example, a sum over its outputs."""
        rows = self._rows(z, y, axis)
        return unwrapped(rows.loss.reshape(rows.of_examples))

    def predict(self, z: ArrayLike, *, axis: int = -1) -> Any:
        """The predictions of logits: the link applied, in the shape of z."""
        logits = floats(z, "z")
        rows = as_rows(logits, axis) if self.one_target else logits.reshape(-1, 1)
        linked = _wxb.link(self.to_json(), rows)
        return unwrapped(
            from_rows(linked, logits.shape, axis) if self.one_target else linked.reshape(logits.shape)
        )

    def _rows(self, z: ArrayLike, y: ArrayLike, axis: int) -> _Rows:
        logits = finite(floats(z, "the logits"), "the logit")
        shape, axis = _with_outputs(logits.shape, axis, self.one_target)
        matrix = as_rows(logits.reshape(shape), axis)
        of_examples = logits.shape if shape != logits.shape else _without(logits.shape, axis)
        targets = self._targets(real(y, "the targets"), logits, matrix.shape, (shape, axis, of_examples))
        loss, dz = _wxb.loss_rows(self.to_json(), matrix, floats(targets, "the targets", matrix.dtype))
        return _Rows(loss, dz, of_examples, (logits.shape, shape, axis))

    def _targets(
        self,
        y: NDArray[Any],
        logits: Floats,
        matrix: tuple[int, ...],
        place: tuple[tuple[int, ...], int, tuple[int, ...]],
    ) -> NDArray[Any]:
        shape, axis, of_examples = place
        if not self.one_target and _squeezed(y.shape) == _squeezed(logits.shape):
            return as_rows(y.reshape(shape), axis)
        if self.one_target and y.size == matrix[0] and _squeezed(y.shape) == _squeezed(of_examples):
            return y.reshape(-1, 1)
        wanted = of_examples if self.one_target else logits.shape
        raise ValueError(
            f"{self.name} of logits {logits.shape}: the targets have the shape {y.shape}, not {wanted}"
        )


@dataclass
class _Rows:
    """ℓ (m) and ∂ℓ/∂z (m, n), and the shapes that they come from."""

    loss: Floats
    dz: Floats
    of_examples: tuple[int, ...]
    place: tuple[tuple[int, ...], tuple[int, ...], int]

    def shaped(self, rows: Floats) -> Floats:
        shape, with_outputs, axis = self.place
        return from_rows(rows, with_outputs, axis).reshape(shape)


def _with_outputs(shape: tuple[int, ...], axis: int, one_target: bool) -> tuple[tuple[int, ...], int]:
    """The shape with an axis of outputs, and which that is."""
    if len(shape) == 0 or (len(shape) == 1 and not one_target):
        return (*shape, 1), len(shape)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"there is no axis {axis} in logits of shape {shape}")
    return shape, axis % len(shape)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _weights(sample_weight: ArrayLike | None, of_examples: tuple[int, ...]) -> Floats:
    count = int(np.prod(of_examples))
    if count == 0:
        raise ValueError("there is no example")
    if sample_weight is None:
        return np.ones(count)
    weights = floats(sample_weight, "sample_weight", np.float64)
    if _squeezed(weights.shape) != _squeezed(of_examples):
        raise ValueError(f"sample_weight has the shape {weights.shape}, not {of_examples}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ValueError("weights are finite, from 0 on, and not all 0")
    return weights.reshape(count)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """−y ln σ(z) − (1 − y) ln(1 − σ(z)), summed over the outputs; y in 0 to 1.

    Parameters
    ----------
    label_smoothing : float
        ε: y becomes (1 − ε) y + ε/2.
    """

    name: ClassVar[str] = "binary_cross_entropy"
    aliases: ClassVar[tuple[str, ...]] = ("bce", "log_loss")
    link: ClassVar[str] = "sigmoid"
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """−ln softmax(z)_y; y is a class index, or a row with a 1 in the class's place and 0 in the others.

    Parameters
    ----------
    label_smoothing : float
        ε: the class has the share 1 − ε, and ε is spread over all classes.
    """

    name: ClassVar[str] = "cross_entropy"
    aliases: ClassVar[tuple[str, ...]] = ("softmax_cross_entropy", "categorical_cross_entropy")
    link: ClassVar[str] = "softmax"
    one_target: ClassVar[bool] = True
    label_smoothing: float = 0.0

    def _targets(
        self,
        y: NDArray[Any],
        logits: Floats,
        matrix: tuple[int, ...],
        place: tuple[tuple[int, ...], int, tuple[int, ...]],
    ) -> NDArray[Any]:
        if y.shape == logits.shape and y.ndim > 0:
            return class_indices(as_rows(y, place[1]))
        return super()._targets(y, logits, matrix, place)


def class_indices(rows: NDArray[Any]) -> NDArray[Any]:
    """The place of the 1 in each row, (m, 1).

    Raises
    ------
    ValueError
        For a row that is not one 1 among zeros.
    """
    is_one_hot = ((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)
    if not is_one_hot.all():
        row = int(np.argmin(is_one_hot))
        raise ValueError(f"the targets of example {row} are {rows[row]}, not a 1 among zeros")
    indices: NDArray[Any] = np.argmax(rows, axis=1)[:, None]
    return indices


@dataclass(frozen=True)
class SquaredError(Loss):
    """½ (z − y)², summed over the outputs."""

    name: ClassVar[str] = "squared_error"
    aliases: ClassVar[tuple[str, ...]] = ("mse", "l2")


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """|z − y|, summed over the outputs."""

    name: ClassVar[str] = "absolute_error"
    aliases: ClassVar[tuple[str, ...]] = ("mae", "l1")


@dataclass(frozen=True)
class Huber(Loss):
    """½ r² for |r| ≤ delta, delta (|r| − ½ delta) outside, r = z − y, summed over the outputs."""

    name: ClassVar[str] = "huber"
    delta: float = 1.0


@dataclass(frozen=True)
class Poisson(Loss):
    """eᶻ − y z, summed over the outputs; y from 0 on."""

    name: ClassVar[str] = "poisson"
    link: ClassVar[str] = "exp"


@dataclass(frozen=True)
class Quantile(Loss):
    """max(τ r, (τ − 1) r), r = y − z_τ, summed over the levels τ: an output for each, one target for all.

    Parameters
    ----------
    levels : sequence of float
        Ascending, each in 0 to 1.
    """

    name: ClassVar[str] = "quantile"
    aliases: ClassVar[tuple[str, ...]] = ("pinball",)
    one_target: ClassVar[bool] = True
    levels: Sequence[float] = (0.5,)

    def __post_init__(self) -> None:
        """Keep the levels in a form that compares and hashes."""
        object.__setattr__(self, "levels", tuple(float(level) for level in self.levels))
