"""What notebooks show of models and trainings."""

from __future__ import annotations

import math
import textwrap
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from test_alone import BLOCK, run

import wxb
from wxb import _html
from wxb._history import History

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 2))
LABELS = np.where(X[:, 0] > 0, "<b>up</b>", "down")


def parsed(html: str) -> ElementTree.Element:
    """The HTML as a tree: what is not closed or not escaped is an error."""
    return ElementTree.fromstring(f"<div>{html.replace('&nbsp;', ' ')}</div>")


def cells(html: str) -> list[list[str]]:
    rows = parsed(html).iter("tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


def points(html: str) -> list[list[tuple[float, float]]]:
    lines = [line.attrib["points"].split() for line in parsed(html).iter("polyline")]
    return [[(float(x), float(y)) for x, y in (pair.split(",") for pair in line)] for line in lines]


def test_a_table_is_escaped() -> None:
    table = _html.table([("<i>", 'a & "b"')], ("one", "<two>"), "<caption>")
    assert cells(table) == [["one", "<two>"], ["<i>", 'a & "b"']]
    assert "".join(parsed(table).find("table/caption").itertext()) == "<caption>"  # type: ignore[union-attr]
    assert _html.table([]) == ""


def test_losses_lie_where_they_belong() -> None:
    picture = _html.losses([4.0, 2.0, 1.0], [3.0, None, 5.0])
    train, valid = points(picture)
    assert [x for x, _ in train] == [60.0, 265.0, 470.0] and [x for x, _ in valid] == [60.0, 470.0]
    # From 1 at the bottom (150) to 5 at the top (10).
    assert [y for _, y in train] == [45.0, 115.0, 150.0] and [y for _, y in valid] == [80.0, 10.0]
    (best,) = parsed(picture).iter("circle")
    assert (best.attrib["cx"], best.attrib["cy"]) == ("60.0", "80.0")
    assert [text.text for text in parsed(picture).iter("text")] == ["1", "5"]


def test_what_has_no_value_is_left_out() -> None:
    assert _html.losses([]) == _html.losses([math.nan, math.inf], [None, None]) == ""
    (line,) = points(_html.losses([2.0, math.nan, 1.0]))
    assert len(line) == 2
    assert points(_html.losses([2.0, 2.0])) == [[(60.0, 150.0), (470.0, 150.0)]]


def test_it_is_seen_on_white_and_on_black() -> None:
    picture = _html.losses([2.0, 1.0], [2.0, 1.0])
    tree = parsed(picture)
    drawn = [*tree.iter("polyline"), *tree.iter("circle"), *tree.iter("line")]
    colours = {part.attrib["stroke"] for part in drawn} | {part.attrib["fill"] for part in tree.iter("text")}
    for colour in colours - {"currentColor"}:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = np.dot([0.2126, 0.7152, 0.0722], linear)
        # WCAG: 3 is enough for graphics.
        assert 1.05 / (luminance + 0.05) > 3 and (luminance + 0.05) / 0.05 > 3
    assert "background" not in picture


def estimators() -> list[Any]:
    return [
        wxb.TableClassifier(preset="mlp", epochs=4),
        wxb.MLPClassifier((5,), max_iter=4, random_state=0),
        wxb.MLPClassifier((5,), max_iter=4, random_state=0, solver="lbfgs"),
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", estimators(), ids=lambda model: type(model).__name__)
def test_a_fitted_estimator_says_what_came_of_it(model: Any) -> None:
    before = model._repr_html_()
    assert model._came_of_it() == "" and model._repr_mimebundle_()["text/html"]
    model.fit(X, LABELS)
    section = model._came_of_it()
    shown = model._repr_html_()
    assert shown.endswith(section) and section not in before
    bundle = model._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/html"].endswith(section) and bundle["text/plain"] == repr(model)
    facts = {row[0]: row[1] for row in cells(section) if len(row) == 2}
    if isinstance(model, wxb.MLPClassifier):
        assert facts["layers"] == "2 → 5 → 1" and facts["loss"] == f"{model.loss_:.4g}"
        assert len(points(section)) == (model.solver != "lbfgs")
    else:
        metrics = model.record_["metrics"]
        assert facts["auc"] == f"{metrics['auc']:.4g}" and "240" in facts["trained on"]
        (network,) = [row for row in cells(section) if row[0] == "mlp"]
        assert network[1] == "1.00" and network[2].endswith("→ 1")
        assert len(points(section)) == 2


def test_a_model_from_a_file_has_no_epochs(tmp_path: Any) -> None:
    model = wxb.TableClassifier(preset="linear", epochs=3).fit(X, LABELS)
    model.save(tmp_path / "model.wxb")
    section = wxb.load(tmp_path / "model.wxb")._came_of_it()
    assert cells(section) == cells(model._came_of_it()) and not points(section)


def test_a_network_shows_its_last_training() -> None:
    net = wxb.Network([2, 3, 1], loss="squared_error", seed=1)
    assert not points(net._repr_html_())
    history = net.fit(X, X[:, 0], epochs=5, validation=(X[:50], X[:50, 0]))
    assert len(points(history._repr_html_())) == 2
    assert net._repr_html_().endswith(history._repr_html_()) and "stop: epochs" in history._repr_html_()
    assert not points(net.copy()._repr_html_())


def test_a_history_of_nothing() -> None:
    assert History()._repr_html_() == "[]"
    assert "no validation" not in History([{"train_loss": 1.0}])._repr_html_()


def test_scikit_learn_may_be_set_to_text() -> None:
    sklearn = pytest.importorskip("sklearn")
    with sklearn.config_context(display="text"):
        model = wxb.MLPClassifier()
        assert not hasattr(model, "_repr_html_") and set(model._repr_mimebundle_()) == {"text/plain"}


@pytest.mark.parametrize(
    "model", ["MLPRegressor(solver='lbfgs')", "TableRegressor(preset='linear', epochs=3)"]
)
def test_without_scikit_learn(model: str) -> None:
    code = f"""
    import numpy as np, wxb
    X = np.random.RandomState(0).standard_normal((100, 3))
    model = wxb.{model}
    before = model._repr_html_()
    assert before.startswith("<pre>") and "=&#x27;l" in before, before
    assert model.fit(X, X[:, 0])._repr_html_().startswith(before + "<table>")
    print(sorted(model._repr_mimebundle_()))
    """
    assert run(BLOCK + textwrap.dedent(code)) == "['text/html', 'text/plain']\n"
