"""Settings by name or as objects, and the JSON that the engine reads: ``{"leaky_relu": {"slope": 0.01}}``."""

from __future__ import annotations

import dataclasses
import difflib
import json
from typing import Any, ClassVar, TypeVar

import numpy as np

from ._wxb import check_setting


@dataclasses.dataclass(frozen=True)
class Setting:
    """A choice of the engine with its constants; compares and pickles by value."""

    #: What it is a choice of, as the engine calls it.
    kind: ClassVar[str] = ""
    #: Its name in the engine's JSON.
    name: ClassVar[str] = ""
    #: Other names that it is known by.
    aliases: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse constants out of their ranges."""
        check_setting(self.kind, self.to_json())

    def form(self) -> Any:
        """The value whose JSON the engine reads."""
        constants = dataclasses.asdict(self)
        return {self.name: constants} if constants else self.name

    def to_json(self) -> str:
        """The JSON that the engine reads."""
        return in_json(self.form())


def in_json(value: Any) -> str:
    """JSON; NumPy's numbers are numbers."""
    return json.dumps(value, default=_number)


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no setting")


S = TypeVar("S", bound=Setting)


def choices(family: type[S]) -> list[type[S]]:
    """Every choice of a family, in the order of their definition."""
    found = []
    for choice in family.__subclasses__():
        found += [choice] if choice.name else []
        found += choices(choice)
    return found


def resolve(family: type[S], value: S | str | type[S] | None) -> S:
    """The object that a name, a class or an object stands for.

    Raises
    ------
    ValueError
        For a name that is none, with the nearest one.
    TypeError
        For anything else.
    """
    if isinstance(value, family):
        return value
    if isinstance(value, type) and issubclass(value, family):
        return value()
    what = family.__name__.lower()
    if value is None or not isinstance(value, str):
        raise TypeError(f"{value!r} is no {what}: give a name or an object of {family.__module__}")
    by_name = {name: choice for choice in choices(family) for name in (choice.name, *choice.aliases)}
    if value not in by_name:
        near = difflib.get_close_matches(value, by_name, n=1)
        names = ", ".join(choice.name for choice in choices(family))
        hint = f"did you mean {near[0]!r}?" if near else f"there are {names}"
        raise ValueError(f"no {what} {value!r}: {hint}")
    return by_name[value]()


def parse(family: type[S], form: Any) -> S:
    """The object of a value that the engine's JSON holds."""
    name, constants = next(iter(form.items())) if isinstance(form, dict) else (form, {})
    choice = next(choice for choice in choices(family) if choice.name == name)
    return choice(**constants)
