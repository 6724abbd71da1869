"""Functions of arrays: activations, softmax, losses, initial weights, and what the course's notes use.

All are computed by the engine. float32 stays float32, float64 stays float64, whole numbers and lists become
float64.

Examples
--------
>>> from wxb import functional as F
>>> F.sigmoid([0.0, 3.0])
array([0.5       , 0.95257413])
>>> F.softmax([[0.0, 1.0], [1000.0, 999.0]])
array([[0.26894142, 0.73105858],
       [0.73105858, 0.26894142]])
>>> F.normalize_rows([[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]])
array([[0. , 0.6, 0.8],
       [0. , 0. , 0. ]])
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import _wxb, activations, losses
from ._arrays import Floats, as_rows, floats, from_rows, real, unwrapped
from ._functional_init import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    normal,
    orthogonal,
    zeros,
)
from ._functional_losses import (
    absolute_error,
    absolute_error_gradient,
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    cross_entropy,
    cross_entropy_gradient,
    huber,
    huber_gradient,
    poisson,
    poisson_gradient,
    quantile,
    quantile_gradient,
    squared_error,
    squared_error_gradient,
)

__all__ = [
    "absolute_error",
    "absolute_error_gradient",
    "binary_cross_entropy",
    "binary_cross_entropy_gradient",
    "cross_entropy",
    "cross_entropy_gradient",
    "elu",
    "elu_derivative",
    "gelu",
    "gelu_derivative",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "huber",
    "huber_gradient",
    "image2vector",
    "images2columns",
    "leaky_relu",
    "leaky_relu_derivative",
    "lecun_normal",
    "lecun_uniform",
    "log_softmax",
    "mish",
    "mish_derivative",
    "norm",
    "normal",
    "normalize_rows",
    "one_hot",
    "orthogonal",
    "poisson",
    "poisson_gradient",
    "quantile",
    "quantile_gradient",
    "relu",
    "relu_derivative",
    "selu",
    "selu_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "silu",
    "silu_derivative",
    "softmax",
    "softplus",
    "softplus_derivative",
    "squared_error",
    "squared_error_gradient",
    "tanh",
    "tanh_derivative",
    "zeros",
]


def sigmoid(z: ArrayLike) -> Any:
    """σ(z) = 1 / (1 + e⁻ᶻ), without overflow for any z."""
    return activations.Sigmoid()(z)


def sigmoid_derivative(z: ArrayLike) -> Any:
    """σ'(z) = σ(z) (1 − σ(z)), of z and not of σ(z)."""
    return activations.Sigmoid().derivative(z)


def tanh(z: ArrayLike) -> Any:
    """tanh z."""
    return activations.Tanh()(z)


def tanh_derivative(z: ArrayLike) -> Any:
    """1 − tanh² z."""
    return activations.Tanh().derivative(z)


def relu(z: ArrayLike) -> Any:
    """max(0, z)."""
    return activations.Relu()(z)


def relu_derivative(z: ArrayLike) -> Any:
    """1 for z > 0, else 0."""
    return activations.Relu().derivative(z)


def leaky_relu(z: ArrayLike, slope: float = 0.01) -> Any:
    """z for z > 0, slope · z otherwise."""
    return activations.LeakyRelu(slope)(z)


def leaky_relu_derivative(z: ArrayLike, slope: float = 0.01) -> Any:
    """1 for z > 0, slope otherwise."""
    return activations.LeakyRelu(slope).derivative(z)


def elu(z: ArrayLike, alpha: float = 1.0) -> Any:
    """z for z > 0, alpha (eᶻ − 1) otherwise."""
    return activations.Elu(alpha)(z)


def elu_derivative(z: ArrayLike, alpha: float = 1.0) -> Any:
    """1 for z > 0, alpha eᶻ otherwise."""
    return activations.Elu(alpha).derivative(z)


def selu(z: ArrayLike) -> Any:
    """λ ELU(z) with the constants of Klambauer et al. 2017."""
    return activations.Selu()(z)


def selu_derivative(z: ArrayLike) -> Any:
    """The derivative of :func:`selu`."""
    return activations.Selu().derivative(z)


def gelu(z: ArrayLike) -> Any:
    """z Φ(z), Φ the normal distribution function, exact."""
    return activations.Gelu()(z)


def gelu_derivative(z: ArrayLike) -> Any:
    """Φ(z) + z φ(z), φ the normal density."""
    return activations.Gelu().derivative(z)


def silu(z: ArrayLike) -> Any:
    """z σ(z), also called swish."""
    return activations.Silu()(z)


def silu_derivative(z: ArrayLike) -> Any:
    """σ(z) + z σ'(z)."""
    return activations.Silu().derivative(z)


def mish(z: ArrayLike) -> Any:
    """z tanh(ln(1 + eᶻ))."""
    return activations.Mish()(z)


def mish_derivative(z: ArrayLike) -> Any:
    """The derivative of :func:`mish`."""
    return activations.Mish().derivative(z)


def softplus(z: ArrayLike) -> Any:
    """ln(1 + eᶻ), without overflow for any z."""
    return activations.Softplus()(z)


def softplus_derivative(z: ArrayLike) -> Any:
    """σ(z)."""
    return activations.Softplus().derivative(z)


def softmax(z: ArrayLike, axis: int = -1) -> Any:
    """eᶻ / Σ eᶻ along an axis, the largest number subtracted first.

    Parameters
    ----------
    z : array_like
        At least one axis.
    axis : int
        -1 (or 1) for one example per row, 0 for one per column.

    Examples
    --------
    >>> softmax([800.0, 800.0])
    array([0.5, 0.5])
    """
    return losses.CrossEntropy().predict(z, axis=axis)


def log_softmax(z: ArrayLike, axis: int = -1) -> Any:
    """z − ln Σ eᶻ along an axis: finite where softmax itself is rounded to 0.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    """
    logits = floats(z, "z")
    return from_rows(_wxb.log_softmax(as_rows(logits, axis)), logits.shape, axis)


def normalize_rows(x: ArrayLike, axis: int = -1) -> Floats:
    """Each row divided by its Euclidean length, so that it has length 1; a row of zeros stays.

    Parameters
    ----------
    x : array_like
        At least one axis.
    axis : int
        Along which the length is taken: 1 for rows, 0 for columns.

    Examples
    --------
    >>> normalize_rows([[0, 3, 4]])
    array([[0. , 0.6, 0.8]])
    """
    rows = floats(x, "x")
    return from_rows(_wxb.normalize_rows(as_rows(rows, axis)), rows.shape, axis)


def norm(x: ArrayLike, axis: int = -1, keepdims: bool = False) -> Any:
    """√(Σ x²) along an axis; unlike NumPy's, it neither overflows nor vanishes for numbers whose squares do.

    Examples
    --------
    >>> norm([[0.0, 3.0, 4.0], [3e200, 4e200, 0.0]], keepdims=True)
    array([[5.e+000],
           [5.e+200]])
    """
    rows = floats(x, "x")
    lengths = list(rows.shape)
    norms = _wxb.row_norms(as_rows(rows, axis))
    lengths[axis] = 1
    kept = norms.reshape(lengths)
    return kept if keepdims else unwrapped(kept.squeeze(axis))


def one_hot(
    y: ArrayLike, n_classes: int | None = None, *, axis: int = -1, dtype: DTypeLike = np.float32
) -> Floats:
    """A 1 in the place of each class index, 0 elsewhere.

    Parameters
    ----------
    y : array_like of int
        Class indices from 0 on.
    n_classes : int, optional
        How many classes there are; the largest index and one, unless it is given.
    axis : int
        Where the classes go: -1 gives a row for each example, 0 a column.
    dtype : dtype
        Of the result.

    Raises
    ------
    ValueError
        For an index that is none of a class.

    Examples
    --------
    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    classes = real(y, "y")
    whole = np.isfinite(classes) & (np.floor(classes) == classes)
    indices = np.where(whole, classes, -1).astype(np.int64)
    if n_classes is None:
        n_classes = int(indices.max(initial=-1)) + 1
    if not ((indices >= 0) & (indices < n_classes)).all():
        raise ValueError(f"the classes of y are not all whole numbers from 0 to {n_classes - 1}")
    ones: Floats = (indices[..., None] == np.arange(n_classes)).astype(dtype)
    return np.ascontiguousarray(np.moveaxis(ones, -1, axis))


def image2vector(image: ArrayLike) -> Floats:
    """An image (height, width, channels) as one column (height · width · channels, 1), row by row.

    Examples
    --------
    >>> image2vector([[[1, 2]], [[3, 4]]]).T
    array([[1., 2., 3., 4.]])
    """
    return floats(image, "image").reshape(-1, 1)


def images2columns(images: ArrayLike) -> Floats:
    """Images (m, height, width, channels) as the columns of a matrix (height · width · channels, m).

    The result is laid out so that a network of ``orientation="columns"`` takes it without a copy.

    Examples
    --------
    >>> images2columns([[[1, 2]], [[3, 4]]])
    array([[1., 3.],
           [2., 4.]])
    """
    array = floats(images, "images")
    if array.ndim < 2:
        raise ValueError(f"images have the shape {array.shape}, not (m, height, width, channels)")
    columns: Floats = array.reshape(array.shape[0], -1).T
    return columns
