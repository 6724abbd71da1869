"""The gradient against finite differences."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._arrays import Floats
from .._wxb import Engine


class TensorCheck(NamedTuple):
    """One tensor's comparison.

    Attributes
    ----------
    name : str
        ``"W1"``, ``"b1"``, …
    compared, of : int
        How many of its numbers were compared, and how many it has.
    norm : float
        The Euclidean length of the compared gradient.
    relative_error : float
        ‖analytic − numeric‖ / (‖analytic‖ + ‖numeric‖).
    worst : tuple
        The number with the largest difference: its index, analytic and numeric.
    """

    name: str
    compared: int
    of: int
    norm: float
    relative_error: float
    worst: tuple[int, float, float]


class GradCheck(list[TensorCheck]):
    """The comparisons of all tensors."""

    @property
    def relative_error(self) -> float:
        """The largest of all tensors."""
        return max((check.relative_error for check in self), default=0.0)

    def __repr__(self) -> str:
        """A line for each tensor."""
        lines = [f"{check.name:>10}  {check.relative_error:.1e}" for check in self]
        return "\n".join(["    tensor  relative error", *lines])


def gradcheck(
    engine: Engine,
    flat: Floats,
    batch: tuple[Floats, Floats, Floats | None],
    per_tensor: int,
    seed: int,
    training: tuple[int, int] | None,
    threads: int,
) -> GradCheck:
    """The engine's comparison."""
    checks: list[Any] = engine.gradcheck(flat, batch, per_tensor, seed, training, threads)
    return GradCheck(
        TensorCheck(name, compared[0], compared[1], norm, error, worst)
        for name, compared, norm, error, worst in checks
    )
