"""Tensors as views of one flat array: what is written into them is written into the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from .._arrays import Floats, finite, floats


@dataclass(frozen=True)
class Slot:
    """Where a tensor lies in the flat array."""

    name: str
    role: str
    layer: int
    offset: int
    rows: int
    columns: int
    learned: bool

    @property
    def range(self) -> slice:
        """Its numbers in the flat array."""
        return slice(self.offset, self.offset + self.rows * self.columns)

    def view(self, flat: Floats, orientation: str) -> Floats:
        """W (n_in, n_out) and b (n_out); with columns as examples W (n_out, n_in) and b (n_out, 1)."""
        matrix: Floats = flat[self.range].reshape(self.rows, self.columns)
        if orientation == "columns":
            columns: Floats = matrix.T
            return columns
        # One number for each unit, except for W of a single input.
        is_vector = self.rows == 1 and self.role != "weight"
        view: Floats = matrix[0] if is_vector else matrix
        return view


def assign(view: Floats, value: ArrayLike, name: str) -> None:
    """The numbers of an array of the same shape into a view."""
    array = finite(floats(value, name, view.dtype), name)
    if array.shape != view.shape:
        raise ValueError(f"{name} has the shape {view.shape}, not {array.shape}")
    view[...] = array


class Views(Sequence[Floats]):
    """Some of a network's tensors by their place, as views; ``views[l] = array`` copies into one."""

    def __init__(self, named: Mapping[str, Floats]) -> None:
        self._named = dict(named)
        self._arrays = list(self._named.values())

    @overload
    def __getitem__(self, index: int) -> Floats: ...
    @overload
    def __getitem__(self, index: slice) -> list[Floats]: ...
    def __getitem__(self, index: int | slice) -> Floats | list[Floats]:
        """The view at a place."""
        return self._arrays[index]

    def __setitem__(self, index: int, value: ArrayLike) -> None:
        """Copy an array into the view at a place."""
        assign(self._arrays[index], value, list(self._named)[index])

    def __len__(self) -> int:
        """How many there are."""
        return len(self._arrays)

    def __repr__(self) -> str:
        """Names and shapes."""
        return f"<{', '.join(f'{name} {array.shape}' for name, array in self._named.items())}>"

    def set_all(self, values: Sequence[ArrayLike]) -> None:
        """Copy an array into each view."""
        if len(values) != len(self):
            raise ValueError(f"{len(values)} arrays for {len(self)}: {self}")
        for name, view, value in zip(self._named, self._arrays, values, strict=True):
            _fits(name, view, value)
        for index, value in enumerate(values):
            self[index] = value


class NamedViews(Mapping[str, Floats]):
    """A network's tensors by name, as views; ``views["W1"] = array`` copies into one."""

    def __init__(self, named: Mapping[str, Floats]) -> None:
        self._named = dict(named)

    def __getitem__(self, name: str) -> Floats:
        """The view of a name."""
        if name not in self._named:
            raise KeyError(f"no {name!r}: there are {', '.join(self._named)}")
        return self._named[name]

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        """Copy an array into the view of a name."""
        assign(self[name], value, name)

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of computation."""
        return iter(self._named)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._named)

    def __repr__(self) -> str:
        """Names and shapes."""
        return f"<{', '.join(f'{name} {array.shape}' for name, array in self._named.items())}>"

    def set_all(self, values: Mapping[str, ArrayLike]) -> None:
        """Copy the arrays of some names."""
        for name, value in values.items():
            _fits(name, self[name], value)
        for name, value in values.items():
            self[name] = value


def _fits(name: str, view: Floats, value: ArrayLike) -> None:
    if np.shape(value) != view.shape:
        raise ValueError(f"{name} has the shape {view.shape}, not {np.shape(value)}")
