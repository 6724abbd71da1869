"""scikit-learn's callbacks (since 1.9): the tasks of a fit, told one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: What makes a fitted estimator of one that is being fitted: its attributes, or what gives them.
Attributes = dict[str, Any] | Callable[[], dict[str, Any]] | None


class Tasks:
    """The fit and the tasks under way in it, each inside the one before."""

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, at_most: int | None) -> None:
        self.estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"X": X, "y": y, "metadata": metadata}
        self.open = [estimator._init_callback_context(max_subtasks=at_most)]
        self.open[0].call_on_fit_task_begin(estimator=estimator, **self.data)

    def begin(self, name: str, attributes: Attributes = None, *, at_most: int | None = 0) -> None:
        """A task begins, with `at_most` so many in it."""
        task = self.open[-1].subcontext(task_name=name, max_subtasks=at_most)
        self.open.append(task)
        self._tell(task.call_on_fit_task_begin, attributes)

    def end(self, attributes: Attributes = None) -> bool:
        """The innermost task ends; whether a callback asks for an end of those like it."""
        return bool(self._tell(self.open.pop().call_on_fit_task_end, attributes))

    def pass_on(self, name: str, attributes: Attributes, *, goes_on: bool = True) -> bool:
        """The innermost task ends and, if it goes on, the next of its kind begins; whether a callback asks for an end."""
        stop = self.end(attributes)
        if goes_on and not stop:
            self.begin(name, attributes)
        return stop

    def end_within(self, depth: int) -> None:
        """The tasks further in than `depth` end, with nothing done in them."""
        while len(self.open) > depth + 1:
            self.open.pop().call_on_fit_task_end(estimator=self.estimator)

    def finish(self) -> None:
        """The fit ends: the estimator is fitted."""
        self.end_within(0)
        self.end({})

    def _tell(self, hook: Callable[..., Any], attributes: Attributes) -> Any:
        return hook(estimator=self.estimator, **self.data, reconstruction_attributes=attributes)


def tasks_of(estimator: Any, X: Any, y: Any, sample_weight: Any, at_most: int | None) -> Tasks | None:
    """The tasks of a fit that begins, if callbacks hear of them. `at_most`: how many follow each other in it; `None`: not known."""
    if not estimator.__dict__.get("_skl_callbacks"):
        return None
    return Tasks(estimator, X, y, sample_weight, at_most)
