"""The line that says how far a training is."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from wxb._progress import Progress

START = ("start", {"network": "mlp", "epochs": 3})


def epoch(number: int, loss: float) -> tuple[str, dict[str, Any]]:
    record = {"epoch": number, "train_loss": loss, "valid_loss": None, "best": False}
    return "epoch", {"network": "mlp", "record": record}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


Notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})


def written(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, pause: float) -> str:
    """What is written of three epochs, which are as far apart as a state of the line from the next, and a half."""
    clock = iter([1000.0, 1000 + 1.5 * pause, 1000 + 1.6 * pause])
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("wxb._progress.time.monotonic", lambda: next(clock))
    progress = Progress(True, [])
    for what, event in (START, epoch(1, 20.125), epoch(2, 2.5), epoch(3, 1.0)):
        assert not progress.hear(what, json.dumps(event))
    progress.close()
    return stream.getvalue()


@pytest.mark.parametrize(("stream", "pause"), [(Terminal, 0.1), (Notebook, 0.5)])
def test_a_line_changes_where_somebody_looks_on(
    stream: Any, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, last = (
        f"mlp: epoch {n}/3  loss {loss}" for n, loss in ((1, "20.12"), (2, "2.5"), (3, "1"))
    )
    width = len(first)
    expected = f"{first}\r{second.ljust(width)}\r{last.ljust(len(second))}\n"
    assert written(stream(), monkeypatch, pause) == expected


def test_a_file_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(io.StringIO(), monkeypatch, 10.0).splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"mlp: epoch {n}/3" for n in (1, 2, 3)]


def test_a_notebook_shows_one_line() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    code = "import numpy, wxb\nX = numpy.ones((40, 1)).cumsum(0)\n"
    code += "model = wxb.TableRegressor(preset='linear', epochs=5, verbose=True).fit(X, X[:, 0])"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    outputs = book.cells[0].outputs
    written = "".join(output.text for output in outputs)
    assert {output.name for output in outputs} == {"stderr"} and "\x1b" not in written
    assert written.count("\n") == 1
    assert written.rstrip().split("\r")[-1].startswith("linear: epoch 5/5")
