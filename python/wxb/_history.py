"""The epochs of a training, which notebooks draw."""

from __future__ import annotations

from html import escape
from typing import Any

_WIDTH, _HEIGHT, _MARGIN = 480, 160, 8
_COLOURS = {"train_loss": "#4269d0", "valid_loss": "#ff725c"}


class History(list[dict[str, Any]]):
    """A list of epochs; in a notebook a picture of their losses."""

    def _repr_html_(self) -> str:
        lines = {name: [epoch.get(name) for epoch in self] for name in _COLOURS}
        values = [value for line in lines.values() for value in line if value is not None]
        if not values:
            return escape(repr(list(self)))
        low, high = min(values), max(values)
        drawn = "".join(_line(line, _COLOURS[name], low, high) for name, line in lines.items())
        last = self[-1]
        said = [f"{len(self)} epochs", f"training loss {last['train_loss']:.4g}"]
        if last.get("valid_loss") is not None:
            best = min(value for value in lines["valid_loss"] if value is not None)
            said.append(f"best validation loss {best:.4g}")
        return (
            f'<figure style="margin:0"><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" '
            f'aria-label="losses of the epochs">{drawn}</svg>'
            f"<figcaption>{escape(', '.join(said))}</figcaption></figure>"
        )


def _line(values: list[float | None], colour: str, low: float, high: float) -> str:
    """A polyline through the epochs that have a value."""
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    scale = (_HEIGHT - 2 * _MARGIN) / ((high - low) or 1.0)
    points = " ".join(
        f"{_MARGIN + place * step:.1f},{_HEIGHT - _MARGIN - (value - low) * scale:.1f}"
        for place, value in enumerate(values)
        if value is not None
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>' if points else ""
