"""How the prediction depends on one column."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _html
from ._wxb import Frame, Model


class PartialDependence(NamedTuple):
    """What is predicted as a column is set to one value after the other, the other columns of the rows being as they are.

    `mean` is `curves.mean(axis=0)`: partial dependence (Friedman 2001) is the mean over the rows, each of which has a curve of its own
    (Goldstein, Kapelner, Bleich and Pitkin 2015). Curves that are not parallel are interactions with other columns.

    Attributes
    ----------
    column : str
        The column.
    values : ndarray of shape (n_values,)
        What it is set to: ascending numbers, or texts, the most frequent one first and dates in their order; `None` is a missing one.
        If the model looks only at whether there is a text, `"(there)"` stands for all.
    mean : ndarray of shape (n_values,)
        The mean prediction at each: the probability of a class, or a number.
    curves : ndarray of shape (n_rows, n_values)
        The prediction of each row at each.
    distribution : ndarray of shape (n_values,) or (25,)
        Where the rows of `X` are. Of texts: the share with each. Of numbers: the share in each of 25 bins of one width, the first with
        the first value in its middle, the last with the last one.
    class_ : label or None
        The class whose probability it is; `None` for numbers.
    """

    column: str
    values: Any
    mean: Any
    curves: Any
    distribution: Any
    class_: Any

    @property
    def has_numbers(self) -> bool:
        """Whether the column has numbers, and no texts."""
        return bool(self.values.dtype.kind == "f")

    def labels(self) -> list[str]:
        """The values as people read them."""
        if self.has_numbers:
            return [f"{value:.6g}" for value in self.values]
        return ["(missing)" if value is None else str(value) for value in self.values]

    def in_words(self) -> str:
        """What the mean is of."""
        what = "prediction" if self.class_ is None else f"probability of {self.class_}"
        return f"mean {what} with {self.column} set to a value, {len(self.curves):,} rows"

    def _repr_html_(self) -> str:
        """Values with the mean at each, not more than a page has."""
        shown = np.unique(np.linspace(0, len(self.values) - 1, 20).round().astype(int))
        labels = self.labels()
        columns = [[labels[i] for i in shown], [f"{self.mean[i]:.4g}" for i in shown]]
        head = [self.column, "mean prediction"]
        if not self.has_numbers:
            columns.append([f"{self.distribution[i]:.1%}" for i in shown])
            head.append("of the rows")
        return _html.table(zip(*columns, strict=True), head, self.in_words())


def partial_dependence(
    model: Model,
    frame: Frame,
    asked: tuple[str, str | None],
    points: int,
    drawn: tuple[int, int],
    threads: int,
) -> tuple[PartialDependence, int | None]:
    """On a column, of a class; its number of the engine's comes beside."""
    (values, is_presence), mean, curves, shares, place = model.partial_dependence(
        frame, asked, points, drawn, threads
    )
    if isinstance(values, list):
        # Of such a column the engine takes any text.
        texts = [text if text is None or not is_presence else "(there)" for text in values]
        values = np.array(texts, dtype=object)
    found = PartialDependence(asked[0], values, mean, curves.reshape(-1, len(values)), shares, None)
    return found, place
