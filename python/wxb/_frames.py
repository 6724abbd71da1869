"""Data of any library as columns of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._wxb import Frame

#: The code of a missing text.
MISSING = np.uint32(2**32 - 1)
#: The cells of a column: numbers, or codes and their texts.
Cells = Any


def frame_of(X: Any, names: list[str] | None = None) -> Frame:
    """The columns of a frame, a mapping of columns or a matrix, whose columns are called `names` or x0, x1, …."""
    if isinstance(X, Mapping):
        return _from_columns(list(X.items()))
    if _is_pandas(X):
        return _from_columns([(name, X.iloc[:, place]) for place, name in enumerate(X.columns)])
    if hasattr(X, "__arrow_c_stream__"):
        return Frame.from_arrow(X)
    if hasattr(X, "__dataframe__") and hasattr(X, "columns"):
        return _from_columns([(name, X[name]) for name in X.columns])
    matrix = np.asarray(X)
    if matrix.dtype.names:
        return _from_columns([(name, matrix[name]) for name in matrix.dtype.names])
    if names is None:
        names = [f"x{place}" for place in range(matrix.shape[1])]
    return _from_columns([(name, matrix[:, place]) for place, name in enumerate(names)])


def cells_of(column: Any, what: str) -> Cells:
    """The cells of one column: numbers, or codes and texts; `what` names it in messages."""
    if _is_pandas(column):
        return _of_pandas(column, what)
    if not isinstance(column, np.ndarray) and hasattr(column, "__arrow_c_stream__"):
        frame = Frame.from_arrow(_Named(column))
        cells, texts = frame.column(frame.names[0])
        return cells if texts is None else (cells, texts)
    return _of_array(np.asarray(column), what)


class _Named:
    """A stream of one column as the stream of a table of one column."""

    def __init__(self, column: Any) -> None:
        self.column = column

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        column = self.column
        if hasattr(column, "to_frame"):
            column = column.to_frame()
        elif type(column).__module__.partition(".")[0] == "pyarrow":
            import pyarrow

            column = pyarrow.table({"y": column})
        return column.__arrow_c_stream__(requested_schema)


def _from_columns(columns: list[tuple[Any, Any]]) -> Frame:
    return Frame.from_columns(
        [(str(name), cells_of(cells, f"column {str(name)!r}")) for name, cells in columns]
    )


def _is_pandas(data: Any) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas"


def _of_pandas(column: Any, what: str) -> Cells:
    kind = column.dtype
    if getattr(kind, "kind", "O") in "iuf" and kind.name != "category":
        return _numbers(column.to_numpy(dtype=np.float64, na_value=np.nan), what)
    if kind.name in ("bool", "boolean"):
        return _coded(column.map({True: "true", False: "false"}).to_numpy(dtype=object), what)
    if getattr(kind, "kind", "O") == "M":
        texts = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str.removesuffix(".000000")
        return _coded(texts.to_numpy(dtype=object, na_value=None), what)
    if getattr(kind, "kind", "O") == "m":
        return _numbers(column.dt.total_seconds().to_numpy(dtype=np.float64), what)
    try:
        places, levels = column.factorize()
    except TypeError:  # a cell that is no value, such as a list
        return _coded(column.to_numpy(dtype=object), what)
    levels = np.asarray(levels, dtype=object)
    missing = places < 0
    numbers = None if kind.name == "category" else _as_numbers(levels)
    if numbers is not None and len(levels):
        return _numbers(np.where(missing, np.nan, numbers[places]), what)
    # Two values may have one text.
    codes, texts = _coded(levels, what)
    codes = np.append(codes, MISSING)
    return codes[np.where(missing, len(levels), places)], texts


def _of_array(values: Any, what: str) -> Cells:
    """Numbers if all that is there are numbers, else texts."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"{what} has {values.ndim} dimensions; a column has one")
    kind = values.dtype.kind
    if kind == "c":
        raise ValueError(f"Complex data not supported: {what} is {values.dtype}")
    if kind in "iuf":
        return _numbers(values, what)
    if kind == "b":
        return _coded(np.where(values, "true", "false").astype(object), what)
    if kind == "M":
        texts = np.datetime_as_string(values.astype("datetime64[s]")).astype(object)
        texts[np.isnat(values)] = None
        return _coded(texts, what)
    if kind == "m":
        return _numbers(np.where(np.isnat(values), np.nan, values / np.timedelta64(1, "s")), what)
    values = values.astype(object)
    numbers = _as_numbers(values)
    return _coded(values, what) if numbers is None else _numbers(numbers, what)


def _as_numbers(values: Any) -> Any:
    """Objects as numbers, `None` if one of them is something else."""
    result = np.empty(len(values))
    for place, value in enumerate(values):
        if is_missing(value):
            result[place] = np.nan
        elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
            result[place] = value
        elif hasattr(value, "as_tuple"):  # decimal.Decimal
            result[place] = float(value)
        else:
            return None
    return result


def is_missing(value: Any) -> bool:
    """None, NaN, NaT, pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - only NaN differs from itself
    except TypeError:  # pandas' NA is neither true nor false.
        return True
    except ValueError:  # An array, which is no cell.
        return False


def _numbers(values: Any, what: str) -> Cells:
    values = np.asarray(values, dtype=np.float64)  # with strides, too: the engine copies it once
    if np.isinf(values).any():
        place = int(np.flatnonzero(np.isinf(values))[0])
        raise ValueError(
            f"{what} has an infinite value in row {place}. Replace infinity: a missing value is NaN or None."
        )
    return values


def _coded(values: Any, what: str) -> Cells:
    """Texts by their places in the order in which they appear."""
    places: dict[str, int] = {}
    codes = np.empty(len(values), dtype=np.uint32)
    for row, value in enumerate(values):
        if is_missing(value):
            codes[row] = MISSING
            continue
        codes[row] = places.setdefault(text_of(value, what), len(places))
    return codes, list(places)


def text_of(value: Any, what: str) -> str:
    """A cell as text, as a file would have it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, (list, dict, set, tuple, np.ndarray)):
        raise TypeError(f"{what} has a cell of {type(value).__name__}; argument must be a string or a number")
    return str(value)
