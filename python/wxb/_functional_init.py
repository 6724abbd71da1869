"""Initial weights W (n_in, n_out); the same seed gives the same numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from . import init
from ._arrays import Floats


def zeros(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) of zeros."""
    return init.Zeros()(n_in, n_out, seed=seed, dtype=dtype)


def normal(
    n_in: int, n_out: int, *, scale: float = 0.01, seed: int = 0, dtype: DTypeLike = np.float32
) -> Floats:
    """W (n_in, n_out) ~ N(0, scale²)."""
    return init.Normal(scale)(n_in, n_out, seed=seed, dtype=dtype)


def glorot_normal(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) ~ N(0, 2/(n_in + n_out))."""
    return init.GlorotNormal()(n_in, n_out, seed=seed, dtype=dtype)


def glorot_uniform(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) ~ U(±√(6/(n_in + n_out)))."""
    return init.GlorotUniform()(n_in, n_out, seed=seed, dtype=dtype)


def he_normal(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) ~ N(0, 2/n_in)."""
    return init.HeNormal()(n_in, n_out, seed=seed, dtype=dtype)


def he_uniform(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) ~ U(±√(6/n_in))."""
    return init.HeUniform()(n_in, n_out, seed=seed, dtype=dtype)


def lecun_normal(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) ~ N(0, 1/n_in)."""
    return init.LecunNormal()(n_in, n_out, seed=seed, dtype=dtype)


def lecun_uniform(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) ~ U(±√(3/n_in))."""
    return init.LecunUniform()(n_in, n_out, seed=seed, dtype=dtype)


def orthogonal(n_in: int, n_out: int, *, seed: int = 0, dtype: DTypeLike = np.float32) -> Floats:
    """W (n_in, n_out) with orthonormal rows or columns, whichever are fewer."""
    return init.Orthogonal()(n_in, n_out, seed=seed, dtype=dtype)
