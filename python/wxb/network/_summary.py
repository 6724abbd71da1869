"""A network as text and as a table of HTML."""

from __future__ import annotations

from typing import Any

from .. import _html
from ._fit import Fits

#: Layer, outputs, activation, shapes of the parameters, how many are learned.
Row = tuple[str, str, str, str, str]
_HEAD: Row = ("layer", "outputs", "activation", "parameters", "learned")


class Shown(Fits):
    """How a network is shown."""

    def summary(self) -> str:
        """A line for each layer: outputs, activation, parameters."""
        rows = [_HEAD, *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        lines.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
        return "\n".join([line.rstrip() for line in [*lines, self._foot()]])

    def _foot(self) -> str:
        loss = self.loss_function
        link = "" if loss.link == "identity" else f" with {loss.link}"
        return f"{self.sizes[0]} inputs, {self.n_params:,} parameters of {self.dtype}, loss {loss.name}{link}"

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for place, (layer, width) in enumerate(zip(self._layers, self._engine.outputs, strict=True)):
            kind, constants = next(iter(layer.items())) if isinstance(layer, dict) else (layer, {})
            slots = [slot for slot in self._slots if slot.layer == place]
            activation = constants.get("activation", "")
            if kind == "dropout":
                activation = f"rate {constants['rate']:g}"
            learned = sum(slot.rows * slot.columns for slot in slots if slot.learned)
            shapes = ", ".join(
                f"{slot.name} {slot.view(self._flat, self._orientation).shape}" for slot in slots
            )
            rows.append((kind, str(width), _in_words(activation), shapes, f"{learned:,}" if slots else ""))
        return rows

    def __repr__(self) -> str:
        """Sizes, loss, precision."""
        sizes = ", ".join(map(str, self.sizes))
        columns = ", columns" if self._orientation == "columns" else ""
        size = f"{self.n_params:,} parameters, {self.dtype}{columns}"
        return f"<Network [{sizes}] {self.loss_function.name}, {size}>"

    def _repr_html_(self) -> str:
        trained = "" if self._history is None else self._history._repr_html_()
        return _html.table(self._rows(), _HEAD, self._foot()) + trained


def _in_words(activation: Any) -> str:
    """``"elu"`` or ``{"elu": {"alpha": 1.0}}`` as ``elu(alpha=1)``."""
    if not isinstance(activation, dict):
        return str(activation)
    name, constants = next(iter(activation.items()))
    return f"{name}({', '.join(f'{key}={value:g}' for key, value in constants.items())})"
