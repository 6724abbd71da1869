"""One column in many forms: whichever library holds it, and whatever a file makes of it, the engine sees the same cells."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

import wxb
from wxb import _frames

ROWS = 240


def cells(column: Any) -> list[Any]:
    """The cells as numbers or texts, `None` where one is missing."""
    frame = _frames.frame_of({"c": column})
    values, texts = frame.column("c")
    if texts is None:
        return [None if np.isnan(value) else value for value in values.tolist()]
    return [None if code == _frames.MISSING else texts[code] for code in values.tolist()]


def of_frame(X: Any) -> list[Any]:
    """The cells of a frame of one column."""
    frame = _frames.frame_of(X)
    values, texts = frame.column(frame.names[0])
    if texts is None:
        return [None if np.isnan(value) else value for value in values.tolist()]
    return [None if code == _frames.MISSING else texts[code] for code in values.tolist()]


class Stream:
    """An object of no known library that hands its columns over."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


def truth() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    flag = rng.random(ROWS) > 0.5
    return flag, np.where(flag ^ (rng.random(ROWS) < 0.05), "yes", "no")


@pytest.mark.parametrize("preset", ["mlp", "realmlp"])
def test_truth_is_the_same_however_it_is_written(preset: str) -> None:
    flag, y = truth()
    z = np.random.default_rng(1).normal(size=ROWS)
    ways = [
        flag,
        *(np.where(flag, *words) for words in (("True", "False"), ("true", "false"), ("TRUE", "FALSE"))),
    ]
    for trained_on in ways[:2]:
        model = wxb.TableClassifier(preset, epochs=5).fit({"flag": trained_on, "z": z}, y)
        expected = model.predict_proba({"flag": trained_on, "z": z})
        for written in ways:
            np.testing.assert_array_equal(model.predict_proba({"flag": written, "z": z}), expected)


def test_texts_are_read_as_a_files_cells() -> None:
    texts = [" a", "a ", "a", "?", "-", "NA", "None", "null", "", None, "b c "]
    expected = ["a", "a", "a", None, None, None, None, None, None, None, "b c"]
    assert cells(np.array(texts, dtype=object)) == expected
    for library, column in (("pandas", "Series"), ("polars", "Series"), ("pyarrow", "array")):
        try:
            held = getattr(__import__(library), column)(texts)
        except ImportError:
            continue
        assert cells(held) == expected, library


def test_targets_are_no_cells_of_features() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice([" a", "NA"], ROWS)
    model = wxb.TableClassifier("linear", epochs=2).fit({"x": rng.normal(size=ROWS)}, y)
    assert model.classes_.tolist() == [" a", "NA"]


INSTANTS = [datetime.datetime(2020, 1, 1, 1, 2, 3, 500_000), datetime.datetime(2021, 7, 1, 12), None]
WRITTEN = ["2020-01-01T01:02:03.5", "2021-07-01T12:00:00", None]


def same_instants(found: list[Any], expected: list[Any] = WRITTEN) -> None:
    """Whether texts stand for the same instants: a fraction may have zeros at its end."""

    def parsed(text: Any) -> Any:
        return None if text is None else np.datetime64(text, "ns")

    assert [parsed(text) for text in found] == [parsed(text) for text in expected]


def test_instants_of_every_library() -> None:
    same_instants(cells(np.array(INSTANTS, dtype="datetime64[ms]")))
    same_instants(cells(np.array(INSTANTS, dtype=object)))
    assert cells(np.array(["2020-01-01", "NaT"], dtype="datetime64[D]")) == ["2020-01-01T00:00:00", None]
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    series = pandas.Series(INSTANTS, dtype="datetime64[ns]")
    for column in (
        series,
        series.astype("timestamp[ns][pyarrow]"),
        series.astype("timestamp[us][pyarrow]"),
        polars.Series(INSTANTS),
        pyarrow.array(INSTANTS),
    ):
        same_instants(cells(column))
    days = [datetime.date(2020, 1, 1), None]
    for column in (
        pandas.Series(days),
        pandas.Series(days, dtype="date32[pyarrow]"),
        polars.Series(days),
        pyarrow.array(days),
        pyarrow.array(days, pyarrow.date64()),
    ):
        assert cells(column) == ["2020-01-01", None]


def test_the_hour_is_that_of_the_place() -> None:
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    # Around the end of summer time in New York, and across the year.
    for start, step in (("2020-11-01 03:00", "30min"), ("2020-01-15", "29D")):
        series = pandas.Series(pandas.date_range(start, periods=20, freq=step, tz="UTC"))
        series = series.dt.tz_convert("America/New_York")
        series[3] = pandas.NaT
        expected = series.dt.tz_localize(None).astype("datetime64[s]").tolist()
        expected = [None if pandas.isna(t) else t.isoformat() for t in expected]
        frame = pandas.DataFrame({"t": series})
        table = pyarrow.Table.from_pandas(frame)
        assert cells(series) == expected
        for held in (frame, polars.from_pandas(frame), table, Stream(table), table.to_batches()[0]):
            same_instants(of_frame(held), expected)
        assert cells(series.astype("timestamp[us, tz=America/New_York][pyarrow]")) == expected
    ahead = pyarrow.array([0], pyarrow.timestamp("s", "+05:30"))
    assert cells(ahead) == ["1970-01-01T05:30:00"]
    with pytest.raises(ValueError, match="time zone 'Mars/Base'.*tzdata"):
        cells(pyarrow.array([0], pyarrow.timestamp("s", "Mars/Base")))


def test_times_and_spans_are_seconds() -> None:
    times, seconds = [datetime.time(1, 2, 3, 500_000), None], [3723.5, None]
    spans, lengths = [datetime.timedelta(days=1, milliseconds=250), None], [86400.25, None]
    assert cells(np.array(times, dtype=object)) == seconds
    assert cells(np.array(spans, dtype=object)) == lengths
    assert cells(np.array(spans, dtype="timedelta64[ms]")) == lengths
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    for of in (pandas.Series, polars.Series, pyarrow.array):
        assert cells(of(times)) == seconds, of
        assert cells(of(spans)) == lengths, of
    for unit in ("s", "ms", "us", "ns"):
        assert cells(pyarrow.array([2, None], pyarrow.duration(unit))) == [
            2 / {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[unit],
            None,
        ]


def test_categories_of_numbers_are_categories() -> None:
    pandas, _, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    for values, texts in (([3, 1, None], ["3", "1", None]), ([0.5, 3.0, 1e-7], ["0.5", "3", "0.0000001"])):
        expected = texts
        assert cells(pandas.Series(values, dtype="category")) == expected
        assert cells(pyarrow.array(values).dictionary_encode()) == expected
        assert (
            cells(pandas.Series(pandas.arrays.ArrowExtensionArray(pyarrow.array(values).dictionary_encode())))
            == expected
        )


def test_streams_keep_their_names() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, ROWS))
    y = (a > 0).astype(int)
    batch, other_way = (pyarrow.RecordBatch.from_pydict(d) for d in ({"a": a, "b": b}, {"b": b, "a": a}))
    for trained_on, asked in (
        (batch, other_way),
        (Stream(batch), Stream(other_way)),
        (Stream(batch), {"b": b, "a": a}),
    ):
        model = wxb.TableClassifier("linear", epochs=5).fit(trained_on, y)
        assert model.feature_names_in_.tolist() == ["a", "b"]
        np.testing.assert_array_equal(model.predict_proba(asked), model.predict_proba(trained_on))
        with pytest.raises(ValueError, match="'?\"?a"):
            model.predict(Stream(pyarrow.table({"c": a, "b": b})))


def unreadable() -> list[Any]:
    import polars

    day = datetime.timedelta(days=1)
    return [
        polars.DataFrame({"x": [[1]] * ROWS}),
        polars.DataFrame({"x": [b"\xff"] * ROWS}),
        polars.DataFrame({"x": [{"days": day}] * ROWS}),
        polars.DataFrame({"x": [np.inf] * ROWS}),
    ]


def test_a_column_that_cannot_be_read_can_be_left_out() -> None:
    pytest.importorskip("polars")
    import polars

    a = np.random.default_rng(0).normal(size=ROWS)
    y = (a > 0).astype(int)
    for spoilt in unreadable():
        X = polars.DataFrame({"a": a}).hstack(spoilt)
        with pytest.raises(ValueError):
            wxb.TableClassifier("linear", epochs=1).fit(X, y)
        model = wxb.TableClassifier("linear", epochs=1, drop=["x"]).fit(X, y)
        assert model.predict(X).shape == (ROWS,)
    columns = {"a": a, "x": np.full(ROWS, np.inf)}
    assert wxb.TableClassifier("linear", epochs=1, drop="x").fit(columns, y).predict(columns).shape == (ROWS,)


def test_columns_that_polars_alone_has() -> None:
    polars = pytest.importorskip("polars")
    assert of_frame(polars.DataFrame({"x": [None, None]})) == [None, None]
    assert cells(polars.Series([None, None])) == [None, None]
    assert of_frame(polars.DataFrame({"x": polars.Series([1, None], dtype=polars.Int128)})) == [1, None]
