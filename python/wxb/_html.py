"""Tables and pictures for notebooks: HTML and SVG in the colours of the page, dark or light, with nothing loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

#: Readable on white and on black: a contrast of 3.7 or more with either.
_COLOURS = ("#4269d0", "#e0533d")
_WIDTH, _HEIGHT, _LEFT, _MARGIN = 480, 160, 60, 10

Values = Sequence[float | None]


class Shown:
    """An estimator: in a notebook what it usually is there, and once it is fitted what came of that."""

    def _came_of_it(self) -> str:
        """HTML; empty before `fit`."""
        raise NotImplementedError

    @property
    def _repr_html_(self) -> Callable[[], str]:
        # There is none where scikit-learn is set to display text.
        usual: Callable[[], str] = super()._repr_html_  # type: ignore[misc]
        return lambda: usual() + self._came_of_it()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle = {"text/plain": repr(self)}
        html = getattr(self, "_repr_html_", None)
        return bundle if html is None else {**bundle, "text/html": html()}


def table(rows: Iterable[Sequence[Any]], head: Sequence[str] = (), caption: str = "") -> str:
    """Rows of cells; without a head the first cell of a row says what the others are. Empty where there are none."""

    def line(cells: Sequence[Any], tags: Sequence[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(str(c))}</{tag}>' for c, tag in zip(cells, tags, strict=True))}</tr>"

    rows = list(rows)
    if not rows:
        return ""
    lines = [line(row, ["td" if head or place else "th" for place in range(len(row))]) for row in rows]
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    above += f"<thead>{line(head, ['th'] * len(head))}</thead>" if head else ""
    return f"<table>{above}<tbody>{''.join(lines)}</tbody></table>"


def losses(train: Values, valid: Values = (), said: str = "") -> str:
    """The losses of the epochs as a picture, with words below it; empty where there is none."""
    lines = [("training", _finite(train)), ("validation", _finite(valid))]
    values = [value for _, line in lines for _, value in line]
    if not values:
        return ""
    scale = Scale(len(train), min(values), max(values))
    drawn, keys = [scale.drawn()], []
    for (name, line), colour in zip(lines, _COLOURS, strict=True):
        if line:
            drawn.append(scale.line(line, colour))
            keys.append(f'<span style="color:{colour}">&#9644;</span> {name}')
    if lines[1][1]:
        drawn.append(scale.mark(min(lines[1][1], key=lambda pair: pair[1]), _COLOURS[1]))
    below = " &nbsp; ".join([*keys, *([escape(said)] if said else [])])
    return (
        f'<figure style="margin:0"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'style="max-width:100%" role="img" aria-label="losses of {len(train)} epochs">'
        f"{''.join(drawn)}</svg><figcaption>{below}</figcaption></figure>"
    )


def _finite(values: Values) -> list[tuple[int, float]]:
    """(epoch, value) where there is a value."""
    return [
        (epoch, value) for epoch, value in enumerate(values) if value is not None and math.isfinite(value)
    ]


class Scale(NamedTuple):
    """Where the values of epochs lie in the picture."""

    epochs: int
    low: float
    high: float

    def place(self, epoch: int, value: float) -> tuple[float, float]:
        """From the left and from above."""
        across = epoch / max(self.epochs - 1, 1)
        up = (value - self.low) / ((self.high - self.low) or 1.0)
        return _LEFT + (_WIDTH - _LEFT - _MARGIN) * across, _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * up

    def line(self, values: list[tuple[int, float]], colour: str) -> str:
        """A line through the epochs that have a value."""
        points = " ".join("{:.1f},{:.1f}".format(*self.place(*pair)) for pair in values)
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'

    def mark(self, pair: tuple[int, float], colour: str) -> str:
        """A circle at an epoch."""
        x, y = self.place(*pair)
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="none" stroke="{colour}" stroke-width="1.5"/>'

    def drawn(self) -> str:
        """The lowest and the highest value at the left, each with a faint line."""
        lines = []
        for value in dict.fromkeys((self.low, self.high)):
            x, y = self.place(0, value)
            lines.append(
                f'<line x1="{x}" y1="{y:.1f}" x2="{_WIDTH - _MARGIN}" y2="{y:.1f}" stroke="currentColor" '
                f'stroke-opacity="0.25"/><text x="{x - 6}" y="{y + 3:.1f}" text-anchor="end" font-size="10" '
                f'fill="currentColor">{value:.4g}</text>'
            )
        return "".join(lines)
