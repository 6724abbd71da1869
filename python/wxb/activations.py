"""Activation functions as objects with their constants: what ``hidden=`` of a network takes beside names.

Examples
--------
>>> from wxb import activations
>>> g = activations.LeakyRelu(slope=0.1)
>>> g([-2.0, 3.0])
array([-0.2,  3. ])
>>> g.derivative([-2.0, 3.0])
array([0.1, 1. ])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import ArrayLike

from . import _wxb
from ._arrays import floats, unwrapped
from ._settings import Setting


@dataclass(frozen=True)
class Activation(Setting):
    """An elementwise function g, and its derivative."""

    kind: ClassVar[str] = "activation"

    def __call__(self, z: ArrayLike) -> Any:
        """g(z), in the precision and shape of z."""
        return unwrapped(_wxb.activate(self.to_json(), floats(z, "z"), False))

    def derivative(self, z: ArrayLike) -> Any:
        """g'(z), in the precision and shape of z."""
        return unwrapped(_wxb.activate(self.to_json(), floats(z, "z"), True))


@dataclass(frozen=True)
class Identity(Activation):
    """g(z) = z."""

    name: ClassVar[str] = "identity"
    aliases: ClassVar[tuple[str, ...]] = ("linear",)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """g(z) = 1 / (1 + e⁻ᶻ)."""

    name: ClassVar[str] = "sigmoid"
    aliases: ClassVar[tuple[str, ...]] = ("logistic",)


@dataclass(frozen=True)
class Tanh(Activation):
    """g(z) = tanh z."""

    name: ClassVar[str] = "tanh"


@dataclass(frozen=True)
class Relu(Activation):
    """g(z) = max(0, z); g'(0) = 0."""

    name: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyRelu(Activation):
    """g(z) = z for z > 0, slope · z otherwise."""

    name: ClassVar[str] = "leaky_relu"
    slope: float = 0.01


@dataclass(frozen=True)
class Elu(Activation):
    """g(z) = z for z > 0, alpha (eᶻ − 1) otherwise."""

    name: ClassVar[str] = "elu"
    alpha: float = 1.0


@dataclass(frozen=True)
class Selu(Activation):
    """g(z) = λ ELU(z), with the constants of Klambauer et al. 2017."""

    name: ClassVar[str] = "selu"


@dataclass(frozen=True)
class Gelu(Activation):
    """g(z) = z Φ(z), Φ the normal distribution function, exact."""

    name: ClassVar[str] = "gelu"


@dataclass(frozen=True)
class Silu(Activation):
    """g(z) = z σ(z), also called swish."""

    name: ClassVar[str] = "silu"
    aliases: ClassVar[tuple[str, ...]] = ("swish",)


@dataclass(frozen=True)
class Mish(Activation):
    """g(z) = z tanh(ln(1 + eᶻ))."""

    name: ClassVar[str] = "mish"


@dataclass(frozen=True)
class Softplus(Activation):
    """g(z) = ln(1 + eᶻ)."""

    name: ClassVar[str] = "softplus"
