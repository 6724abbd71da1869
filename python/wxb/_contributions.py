"""What each column adds to a prediction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _html
from ._wxb import Frame, Model


class Contributions(NamedTuple):
    """What each column adds to the predictions of some rows.

    `predictions[i]` is `expected[i] + values[i].sum()`: the prediction of row i is what is expected of rows like the others, and what
    each of its columns adds to that.

    Attributes
    ----------
    columns : list of str
        The columns that the model looks at.
    values : ndarray of shape (n_rows, n_columns)
        What each adds: to the probability of a class, or to the number.
    errors : ndarray of shape (n_rows, n_columns)
        Their standard errors, as Shapley values are means over samples; 0 with integrated gradients.
    predictions : ndarray of shape (n_rows,)
        Of the rows.
    expected : ndarray of shape (n_rows,)
        What they are compared with: the mean over the other rows that were drawn, or the prediction of the usual row.
    classes : ndarray of shape (n_rows,) or None
        The class whose probability it is: the second of two, of more the row's most probable one; `None` for numbers.
    """

    columns: list[str]
    values: Any
    errors: Any
    predictions: Any
    expected: Any
    classes: Any

    def largest(self, place: int = 0, top: int | None = None) -> list[tuple[str, float, float]]:
        """Of a row the columns that add or take away most: name, what it adds, the error of that."""
        order = np.argsort(-np.abs(self.values[place]), kind="stable")[:top]
        return [(self.columns[i], float(self.values[place, i]), float(self.errors[place, i])) for i in order]

    def in_words(self, place: int = 0) -> str:
        """What a row's numbers are about."""
        what = "prediction" if self.classes is None else f"probability of {self.classes[place]}"
        return f"{what} {self.predictions[place]:.4g}, expected {self.expected[place]:.4g}"

    def _repr_html_(self) -> str:
        """The first rows, a table each."""
        shown = range(min(len(self.values), 3))
        head = ("column", "adds", "±")
        return "".join(
            _html.table(
                [(name, f"{adds:+.4g}", f"{error:.2g}") for name, adds, error in self.largest(place, 10)],
                head,
                self.in_words(place),
            )
            for place in shown
        )


def contributions(
    model: Model, frame: Frame, places: list[int], method: str, samples: tuple[int, int], threads: int
) -> tuple[Contributions, Any]:
    """Of rows at some places of a frame; their classes are numbers of the engine's, which come beside."""
    if method == "shapley":
        added = model.shapley(frame, places, samples, threads)
    else:
        added = model.integrated_gradients(frame, places, threads)
    values, errors, predictions, expected, classes = added
    shape = (len(places), len(model.columns))
    values, errors = values.reshape(shape), errors.reshape(shape)
    return Contributions(model.columns, values, errors, predictions, expected, None), classes
