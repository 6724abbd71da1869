"""Initial weights as objects: what ``init=`` of a network takes beside names.

What breaks the symmetry of a layer's units is that they differ, not that they are small; the scale keeps the
variance of A (forward) or of dA (backward) from layer to layer.

Examples
--------
>>> from wxb import init
>>> w = init.HeNormal()(400, 100, seed=1)
>>> w.shape, bool(abs(w.std() - (2 / 400) ** 0.5) < 0.002)
((400, 100), True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from . import _wxb
from ._arrays import Floats, dtype_of
from ._settings import Setting, resolve
from .activations import Activation


@dataclass(frozen=True)
class Initializer(Setting):
    """How W (n_in, n_out) is drawn; biases start at 0."""

    kind: ClassVar[str] = "initializer"

    def __call__(
        self,
        n_in: int,
        n_out: int,
        *,
        seed: int = 0,
        activation: str | Activation = "identity",
        dtype: DTypeLike = np.float32,
    ) -> Floats:
        """W (n_in, n_out), the first layer's in a network of that seed.

        Parameters
        ----------
        n_in, n_out : int
            Inputs and units.
        seed : int
            The same seed gives the same numbers.
        activation : str or Activation
            What follows; ``Auto`` and ``Orthogonal`` ask for it.
        dtype : dtype
            float32 or float64.
        """
        double = dtype_of(dtype) == np.float64
        after = resolve(Activation, activation)
        return _wxb.initial_weights(self.to_json(), after.to_json(), (n_in, n_out), seed, double)


@dataclass(frozen=True)
class Auto(Initializer):
    """By activation: He for the ReLU family, LeCun for SELU, Glorot (uniform) for the others."""

    name: ClassVar[str] = "auto"


@dataclass(frozen=True)
class Zeros(Initializer):
    """0: right for a network without hidden layers; with one, all units of a layer stay equal for ever."""

    name: ClassVar[str] = "zeros"


@dataclass(frozen=True)
class Normal(Initializer):
    """N(0, scale²); the course's 0.01."""

    name: ClassVar[str] = "normal"
    scale: float = 0.01


@dataclass(frozen=True)
class GlorotNormal(Initializer):
    """N(0, 2/(n_in + n_out))."""

    name: ClassVar[str] = "glorot_normal"
    aliases: ClassVar[tuple[str, ...]] = ("glorot", "xavier", "xavier_normal")


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """U(±√(6/(n_in + n_out)))."""

    name: ClassVar[str] = "glorot_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("xavier_uniform",)


@dataclass(frozen=True)
class HeNormal(Initializer):
    """N(0, 2/n_in)."""

    name: ClassVar[str] = "he_normal"
    aliases: ClassVar[tuple[str, ...]] = ("he", "kaiming", "kaiming_normal")


@dataclass(frozen=True)
class HeUniform(Initializer):
    """U(±√(6/n_in))."""

    name: ClassVar[str] = "he_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("kaiming_uniform",)


@dataclass(frozen=True)
class LecunNormal(Initializer):
    """N(0, 1/n_in)."""

    name: ClassVar[str] = "lecun_normal"
    aliases: ClassVar[tuple[str, ...]] = ("lecun",)


@dataclass(frozen=True)
class LecunUniform(Initializer):
    """U(±√(3/n_in))."""

    name: ClassVar[str] = "lecun_uniform"


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer, times √2 before a ReLU."""

    name: ClassVar[str] = "orthogonal"
