"""Numbers of any kind as arrays that the engine takes: float32 or float64, row-major."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

#: An array of float32 or float64.
Floats: TypeAlias = NDArray[Any]


def dtype_of(dtype: DTypeLike) -> np.dtype[Any]:
    """float32 or float64.

    Raises
    ------
    TypeError
        For another one.
    """
    known = np.dtype(dtype)
    if known not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"the engine works in float32 or float64, not in {known}")
    return known


def real(x: ArrayLike, what: str) -> NDArray[Any]:
    """An array of real numbers.

    Raises
    ------
    TypeError
        For text, objects, dates, complex numbers, sparse matrices.
    ValueError
        For masked entries, whose values would be taken for numbers.
    """
    if np.ma.is_masked(x):
        raise ValueError(f"{what} has masked entries")
    if hasattr(x, "tocsr"):
        raise TypeError(f"{what} is a sparse matrix: a Network takes arrays, such as {what}.toarray()")
    array = np.asarray(x)
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{what}: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} is an array of {array.dtype}, not of real numbers")
    return array


def floats(x: ArrayLike, what: str = "the array", dtype: DTypeLike | None = None) -> Floats:
    """A row-major array in the wanted precision; else in its own, whole numbers in float64."""
    array = real(x, what)
    if dtype is None:
        dtype = np.float32 if array.dtype in (np.float16, np.float32) else np.float64
    return np.require(array, dtype=dtype, requirements=("C_CONTIGUOUS", "ALIGNED"))


def finite(x: Floats, what: str) -> Floats:
    """The array itself.

    Raises
    ------
    ValueError
        If a number is infinite or NaN, with its place.
    """
    if not np.isfinite(x).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"{what} at {list(place)} is {x[place]}: every number has to be finite")
    return x


def as_rows(x: Floats, axis: int) -> Floats:
    """x with one axis as the columns of a matrix, all others as its rows."""
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"there is no axis {axis} in an array of shape {x.shape}")
    moved = np.moveaxis(x, axis, -1)
    # Counted, not divided: rows of no numbers are rows, too.
    rows = math.prod(moved.shape[:-1])
    return np.ascontiguousarray(moved.reshape(rows, moved.shape[-1]))


def from_rows(rows: Floats, shape: tuple[int, ...], axis: int) -> Floats:
    """The array of that shape whose :func:`as_rows` these rows are."""
    lengths = list(shape)
    last = lengths.pop(axis)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(*lengths, last), -1, axis))


def unwrapped(array: Floats) -> Any:
    """A number for an array without axes, as NumPy's functions give it."""
    return array[()] if array.ndim == 0 else array
