"""The epochs of a training, which notebooks draw."""

from __future__ import annotations

from html import escape
from typing import Any

from . import _html


class History(list[dict[str, Any]]):
    """A list of epochs; in a notebook a picture of their losses."""

    def _repr_html_(self) -> str:
        return self._drawn() or escape(repr(list(self)))

    def _drawn(self) -> str:
        train, valid = ([epoch.get(name) for epoch in self] for name in ("train_loss", "valid_loss"))
        return _html.losses(train, valid, epochs_in_words(train, valid))


def epochs_in_words(train: _html.Values, valid: _html.Values) -> str:
    """How many epochs there were, and what the losses came to."""
    said = [f"{len(train)} epoch{'s' if len(train) != 1 else ''}"]
    if train and train[-1] is not None:
        said.append(f"training loss {train[-1]:.4g}")
    kept = [value for value in valid if value is not None]
    if kept:
        said.append(f"best validation loss {min(kept):.4g}")
    return ", ".join(said)
