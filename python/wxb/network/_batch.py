"""Inputs, targets and weights in the form that the engine takes: one example per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arrays import Floats, finite, floats, real
from ..losses import CrossEntropy, Loss, class_indices


class Form:
    """What a network takes: n₀ inputs, so many targets, in an orientation and precision."""

    def __init__(self, sizes: list[int], n_targets: int, loss: Loss, orientation: str, dtype: Any) -> None:
        self.n_in, self.n_out = sizes[0], sizes[-1]
        self.n_targets = n_targets
        self.loss = loss
        self.columns = orientation == "columns"
        self.dtype = dtype

    def _shape(self, rows: Any, width: Any) -> str:
        return f"({width}, {rows})" if self.columns else f"({rows}, {width})"

    def inputs(self, X: ArrayLike, name: str = "X") -> Floats:
        """X (m, n₀), row-major and finite."""
        array = real(X, name)
        if array.ndim != 2 or array.shape[0 if self.columns else 1] != self.n_in:
            where = "column" if self.columns else "row"
            wanted = f"{self._shape('m', self.n_in)}, one example per {where}"
            raise ValueError(f"{name} has the shape {array.shape}, not {wanted}")
        if array.size == 0:
            raise ValueError(f"{name} has no example: its shape is {array.shape}")
        rows = floats(array.T if self.columns else array, name, self.dtype)
        if not np.isfinite(rows).all():
            finite(floats(array, name, self.dtype), name)
        return rows

    def targets(self, Y: ArrayLike, m: int, name: str = "Y") -> Floats:
        """Y (m, n_targets), row-major; class indices where the loss has classes."""
        array = real(Y, name)
        rows: NDArray[Any] = array.T if self.columns else array
        if isinstance(self.loss, CrossEntropy) and rows.shape == (m, self.n_out):
            rows = class_indices(rows)
        if rows.shape == (m,) and self.n_targets == 1:
            rows = rows[:, None]
        if rows.shape != (m, self.n_targets):
            wanted = self._shape(m, self.n_targets)
            wanted += f" or ({m},)" if self.n_targets == 1 else ""
            raise ValueError(f"{name} has the shape {array.shape}, not {wanted}")
        return floats(rows, name, self.dtype)

    def weights(self, sample_weight: ArrayLike | None, m: int) -> Floats | None:
        """Weights (m)."""
        if sample_weight is None:
            return None
        array = floats(sample_weight, "sample_weight", self.dtype)
        if array.shape not in ((m,), (m, 1), (1, m)):
            raise ValueError(f"sample_weight has the shape {array.shape}, not ({m},)")
        return array.reshape(m)

    def output(self, rows: Floats) -> Floats:
        """Rows in the network's orientation."""
        return rows.T if self.columns else rows
