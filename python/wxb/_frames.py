"""Data of any library as columns of the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from ._wxb import Frame

#: The code of a missing text.
MISSING = np.uint32(2**32 - 1)
#: The cells of a column: numbers, or codes and their texts.
Cells = Any


def frame_of(X: Any, names: list[str] | None = None, drop: Collection[str] = ()) -> Frame:
    """The columns of a frame, a mapping of columns or a matrix, whose columns are called `names` or x0, x1, ….

    Those of the names `drop` are missing in all rows: nobody looks at them, and they may hold anything.
    """
    if isinstance(X, Mapping):
        return _from_columns(list(X.items()), drop)
    if is_pandas(X):
        return _from_columns([(name, X.iloc[:, place]) for place, name in enumerate(X.columns)], drop)
    if hasattr(X, "__arrow_c_stream__"):
        return Frame.from_arrow(_carried(X, drop), list(drop))
    if hasattr(X, "__dataframe__") and hasattr(X, "columns"):
        return _from_columns([(name, X[name]) for name in X.columns], drop)
    matrix = np.asarray(X)
    if matrix.dtype.names:
        return _from_columns([(name, matrix[name]) for name in matrix.dtype.names], drop)
    if names is None:
        names = [f"x{place}" for place in range(matrix.shape[1])]
    return _from_columns([(name, matrix[:, place]) for place, name in enumerate(names)])


def cells_of(column: Any, what: str, name: str = "y") -> Cells:
    """The cells of one column: numbers, or codes and texts; `what` names it in messages."""
    if is_pandas(column):
        return _of_pandas(column, what, name)
    if hasattr(column, "__arrow_c_stream__") or _library(column) == "pyarrow":
        return _of_arrow(column, name)
    return _of_array(np.asarray(column), what)


def is_pandas(data: Any) -> bool:
    """Whether it is a frame or a column of pandas."""
    return _library(data) == "pandas"


def _library(data: Any) -> str:
    return type(data).__module__.partition(".")[0]


def _from_columns(columns: list[tuple[Any, Any]], drop: Collection[str] = ()) -> Frame:
    def cells(name: str, column: Any) -> Cells:
        if name in drop:
            return np.full(len(column), np.nan)
        return cells_of(column, f"column {name!r}", name)

    return Frame.from_columns([(str(name), cells(str(name), column)) for name, column in columns])


def _of_arrow(column: Any, name: str) -> Cells:
    """The cells of a column of polars or pyarrow, or of the only column of a stream."""
    if _library(column) == "polars":
        column = column.to_frame()
    elif _library(column) == "pyarrow":
        import pyarrow

        column = pyarrow.table({name: column})
    frame = Frame.from_arrow(_carried(column, ()), [])
    cells, texts = frame.column(frame.names[0])
    return cells if texts is None else (cells, texts)


def _carried(X: Any, drop: Collection[str]) -> Any:
    """The frame without what the interface of Arrow cannot carry: polars' columns of nulls and its numbers of 128 bits."""
    if _library(X) != "polars":
        return X
    import polars

    kinds = {name: str(kind) for name, kind in X.schema.items()}
    empty = [name for name, kind in kinds.items() if kind == "Null" or name in drop]
    wide = [name for name, kind in kinds.items() if kind in ("Int128", "UInt128") and name not in drop]
    return X.with_columns(
        *(polars.lit(None, dtype=polars.Float64).alias(name) for name in empty),
        *(polars.col(name).cast(polars.Float64) for name in wide),
    )


def _of_pandas(column: Any, what: str, name: str) -> Cells:
    kind = column.dtype
    if hasattr(kind, "pyarrow_dtype"):
        return _of_arrow(column.array.__arrow_array__(), name)
    letter = getattr(kind, "kind", "O")
    if kind.name == "category":
        places, levels = column.factorize()
        return _of_levels(places, levels, what)
    if letter in "iuf":
        return _numbers(column.to_numpy(dtype=np.float64, na_value=np.nan), what)
    if letter == "M":
        return _of_array(column.dt.tz_localize(None).to_numpy(), what)
    if letter == "m":
        return _of_array(column.to_numpy(), what)
    if kind.name in ("bool", "boolean"):
        return _coded(column.map({True: "true", False: "false"}).to_numpy(dtype=object), what)
    try:
        places, levels = column.factorize()
    except TypeError:  # a cell that is no value, such as a list
        return _coded(column.to_numpy(dtype=object), what)
    numbers = _as_numbers(np.asarray(levels, dtype=object))
    if numbers is not None and len(levels):
        return _numbers(np.where(places < 0, np.nan, numbers[places]), what)
    return _of_levels(places, levels, what)


def _of_levels(places: Any, levels: Any, what: str) -> Cells:
    """Texts by the places of their values, -1 where one is missing."""
    # Two values may have one text.
    codes, texts = _coded(np.asarray(levels, dtype=object), what)
    codes = np.append(codes, MISSING)
    return codes[np.where(places < 0, len(levels), places)], texts


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
        return _coded(_instants(values), what)
    if kind == "m":
        return _numbers(np.where(np.isnat(values), np.nan, values / np.timedelta64(1, "s")), what)
    values = values.astype(object)
    numbers = _as_numbers(values)
    return _coded(values, what) if numbers is None else _numbers(numbers, what)


def _instants(values: Any) -> Any:
    """Instants in ISO 8601, with the fraction of a second that they have."""
    if np.datetime_data(values.dtype)[0] in ("generic", "Y", "M", "W", "D", "h", "m"):
        values = values.astype("datetime64[s]")
    times, places = np.unique(values, return_inverse=True)
    written = np.datetime_as_string(times).tolist()
    texts = np.array([t.rstrip("0").rstrip(".") if "." in t else t for t in written], dtype=object)
    texts[np.isnat(times)] = None
    return texts[places]


def _as_numbers(values: Any) -> Any:
    """Objects as numbers, `None` if one of them is something else."""
    result = np.empty(len(values))
    for place, value in enumerate(values):
        number = np.nan if is_missing(value) else _as_number(value)
        if number is None:
            return None
        result[place] = number
    return result


def _as_number(value: Any) -> Any:
    """A number, a decimal one, times of day and spans of time in seconds; `None` for anything else."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.timedelta64):
        return value / np.timedelta64(1, "s")
    if isinstance(value, time):
        return 3600 * value.hour + 60 * value.minute + value.second + value.microsecond / 1e6
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return value
    return float(value) if hasattr(value, "as_tuple") else None  # decimal.Decimal


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
    if isinstance(value, (float, np.floating)):
        return np.format_float_positional(value, trim="-")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, (list, dict, set, tuple, np.ndarray)):
        raise TypeError(f"{what} has a cell of {type(value).__name__}; argument must be a string or a number")
    return str(value)
