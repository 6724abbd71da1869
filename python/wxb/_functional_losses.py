"""J of logits and targets, the mean over the examples, and its gradient ∂J/∂z.

Arrays have one example per row (``axis=-1``) or one per column (``axis=0``); of an array of one axis each
number is an example.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from . import losses


def squared_error(
    z: ArrayLike,
    y: ArrayLike,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """½ (z − y)², summed over the outputs.

    Examples
    --------
    >>> squared_error([[3.0, 1.0]], [[1.0, 0.0]])
    2.5
    """
    return losses.SquaredError()(z, y, axis=axis, sample_weight=sample_weight)


def squared_error_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`squared_error`, in the shape of z."""
    return losses.SquaredError().gradient(z, y, axis=axis, sample_weight=sample_weight)


def absolute_error(
    z: ArrayLike,
    y: ArrayLike,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """|z − y|, summed over the outputs.

    Examples
    --------
    >>> absolute_error([3.0, 1.0], [1.0, 0.0])
    1.5
    """
    return losses.AbsoluteError()(z, y, axis=axis, sample_weight=sample_weight)


def absolute_error_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`absolute_error`, in the shape of z."""
    return losses.AbsoluteError().gradient(z, y, axis=axis, sample_weight=sample_weight)


def huber(
    z: ArrayLike,
    y: ArrayLike,
    *,
    delta: float = 1.0,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """½ r² for |r| ≤ delta, delta (|r| − ½ delta) outside, r = z − y.

    Examples
    --------
    >>> huber([0.5, -3.0], [0.0, 0.0])  # (0.125 + 2.5) / 2
    1.3125
    """
    return losses.Huber(delta)(z, y, axis=axis, sample_weight=sample_weight)


def huber_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    delta: float = 1.0,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`huber`, in the shape of z."""
    return losses.Huber(delta).gradient(z, y, axis=axis, sample_weight=sample_weight)


def poisson(
    z: ArrayLike,
    y: ArrayLike,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """eᶻ − y z; y from 0 on, and the predicted rate is eᶻ.

    Examples
    --------
    >>> poisson([0.0], [3.0])
    1.0
    """
    return losses.Poisson()(z, y, axis=axis, sample_weight=sample_weight)


def poisson_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`poisson`, in the shape of z."""
    return losses.Poisson().gradient(z, y, axis=axis, sample_weight=sample_weight)


def binary_cross_entropy(
    z: ArrayLike,
    y: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """−y ln σ(z) − (1 − y) ln(1 − σ(z)) = softplus(z) − z y, from the logits z.

    Examples
    --------
    >>> binary_cross_entropy([900.0, -900.0], [0.0, 0.0])  # no ln(0)
    450.0
    """
    return losses.BinaryCrossEntropy(label_smoothing)(z, y, axis=axis, sample_weight=sample_weight)


def binary_cross_entropy_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`binary_cross_entropy`, in the shape of z."""
    return losses.BinaryCrossEntropy(label_smoothing).gradient(z, y, axis=axis, sample_weight=sample_weight)


def cross_entropy(
    z: ArrayLike,
    y: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """−ln softmax(z)_y, from the logits z; y are class indices, or rows with a 1 in the class's place.

    Examples
    --------
    >>> cross_entropy([[800.0, 0.0, -800.0]], [1])
    800.0
    """
    return losses.CrossEntropy(label_smoothing)(z, y, axis=axis, sample_weight=sample_weight)


def cross_entropy_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`cross_entropy`, in the shape of z."""
    return losses.CrossEntropy(label_smoothing).gradient(z, y, axis=axis, sample_weight=sample_weight)


def quantile(
    z: ArrayLike,
    y: ArrayLike,
    *,
    levels: Sequence[float] = (0.5,),
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """max(τ r, (τ − 1) r), r = y − z_τ, summed over the levels τ, an output each.

    Examples
    --------
    >>> quantile([[0.0, 0.0]], [2.0], levels=[0.25, 0.75])  # 0.5 + 1.5
    2.0
    """
    return losses.Quantile(levels)(z, y, axis=axis, sample_weight=sample_weight)


def quantile_gradient(
    z: ArrayLike,
    y: ArrayLike,
    *,
    levels: Sequence[float] = (0.5,),
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """∂J/∂z of :func:`quantile`, in the shape of z."""
    return losses.Quantile(levels).gradient(z, y, axis=axis, sample_weight=sample_weight)
