"""A line that says how far a training is, and the callbacks that hear of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from ._callbacks import Tasks


class Progress:
    """Hears what the engine tells and hands it on.

    A callback gets the name of what happened (`"remark"`, `"plan"`, `"start"`, `"epoch"`, `"end"`, `"beside"`) and a dict; one that
    returns true ends the training.
    """

    def __init__(
        self, verbose: bool, callbacks: list[Callable[..., Any]], tasks: Tasks | None = None
    ) -> None:
        self.verbose = verbose
        self.callbacks = callbacks
        self.tasks = tasks
        #: Of the network that is trained, at the most.
        self.epochs = 0
        self.shown = 0.0
        self.width = 0
        self.last = ""
        #: Seconds between two states of the line, and how one ends.
        self.pause, self.end = _manner(sys.stderr)

    def hear(self, what: str, news: str) -> bool:
        """Whether the training is to end."""
        if not self.verbose and not self.callbacks and self.tasks is None:
            return False
        event = json.loads(news)
        if what == "start":
            self.epochs = event["epochs"]
        if self.verbose:
            self._show(what, event)
        stop = any(bool(callback(what, event)) for callback in self.callbacks)
        return (self.tasks is not None and self._pass_on(self.tasks, what, event)) or stop

    def _pass_on(self, tasks: Tasks, what: str, event: Any) -> bool:
        """Makes a task of each network and of each of its epochs; whether a callback asks for an end."""
        if what == "start":
            tasks.begin(event["network"], at_most=self.epochs)
            tasks.begin("epoch")
        elif what == "epoch":
            return tasks.pass_on("epoch", None, goes_on=event["record"]["epoch"] < self.epochs)
        elif what == "end":
            tasks.end_within(1)
            return tasks.end()
        return False

    def close(self) -> None:
        """Ends the line."""
        if self.last:
            self._write(self.last, "\n")

    def _show(self, what: str, event: Any) -> None:
        if what == "beside":
            scores = "  ".join(f"{name} {value:.4g}" for name, value in event["metrics"].items())
            self._write(f"{event['network']}: {scores}  ({event['seconds']:.1f} s)", "\n")
        elif what == "epoch":
            self.last = self._epoch(event)
            now = time.monotonic()
            if now - self.shown >= self.pause:
                self.shown = now
                self._write(self.last, self.end)

    def _epoch(self, event: Any) -> str:
        record = event["record"]
        valid = record["valid_loss"]
        shown = "" if valid is None else f"  validation {valid:.4g}{' *' if record['best'] else ''}"
        return f"{event['network']}: epoch {record['epoch']}/{self.epochs}  loss {record['train_loss']:.4g}{shown}"

    def _write(self, text: str, end: str) -> None:
        sys.stderr.write(text.ljust(self.width) + end)
        sys.stderr.flush()
        self.width = len(text) if end == "\r" else 0
        self.last = "" if end == "\n" else self.last


def _manner(stream: Any) -> tuple[float, str]:
    """A line that changes where somebody looks on; in a file a line now and then."""
    if stream.isatty():
        return 0.1, "\r"
    # Of a kernel, which keeps every state of the line in the notebook.
    if type(stream).__module__.startswith("ipykernel"):
        return 0.5, "\r"
    return 10.0, "\n"
