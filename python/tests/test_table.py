"""TableClassifier and TableRegressor: frames of every library, missing values, categories, the same file as the command's."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import wxb

ROWS = 400


def people() -> tuple[dict[str, Any], Any, Any]:
    """Columns of several kinds, with cells missing; a class and a number that depend on them."""
    rng = np.random.default_rng(3)
    age = rng.uniform(18, 80, ROWS)
    city = rng.choice(["Oslo", "Bergen", "Trondheim"], ROWS)
    member = rng.random(ROWS) < 0.5
    income = 1000 * age + 20_000 * (city == "Oslo") + 10_000 * member
    rich = np.where(income > np.median(income), "yes", "no")
    return {"age": age, "city": city, "member": member}, rich, income


def with_gaps(columns: dict[str, Any]) -> dict[str, Any]:
    age, city = columns["age"].copy(), columns["city"].astype(object)
    age[::17], city[::19] = np.nan, None
    return {**columns, "age": age, "city": city}


def frames() -> list[Any]:
    """The same table as each library has it."""
    columns = with_gaps(people()[0])
    made: list[Any] = [pytest.param(lambda: columns, id="mapping")]

    def pandas(kind: str) -> Any:
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(columns)
        if kind == "category":
            frame["city"] = frame["city"].astype("category")
        if kind == "nullable":
            frame = frame.convert_dtypes()
        return frame

    def polars(kind: str) -> Any:
        pl = pytest.importorskip("polars")
        frame = pl.DataFrame(
            {**columns, "age": pl.Series(columns["age"]).fill_nan(None), "city": columns["city"].tolist()}
        )
        return frame.with_columns(pl.col("city").cast(pl.Categorical)) if kind == "category" else frame

    def arrow() -> Any:
        pa = pytest.importorskip("pyarrow")
        return pa.table({name: pa.array(cells, from_pandas=True) for name, cells in columns.items()})

    for kind in ("plain", "category", "nullable"):
        made.append(pytest.param(lambda kind=kind: pandas(kind), id=f"pandas-{kind}"))
    for kind in ("plain", "category"):
        made.append(pytest.param(lambda kind=kind: polars(kind), id=f"polars-{kind}"))
    return [*made, pytest.param(arrow, id="pyarrow")]


@pytest.fixture(scope="module")
def fitted() -> Any:
    columns, rich, _ = people()
    return wxb.TableClassifier(preset="mlp", epochs=30).fit(with_gaps(columns), rich)


@pytest.mark.parametrize("frame", frames())
def test_every_frame_is_the_same_table(frame: Any, fitted: Any) -> None:
    _, rich, _ = people()
    frame = frame()
    model = wxb.TableClassifier(preset="mlp", epochs=30).fit(frame, rich)
    np.testing.assert_array_equal(model.predict_proba(frame), fitted.predict_proba(with_gaps(people()[0])))
    assert list(model.classes_) == ["no", "yes"]
    assert model.score(frame, rich) > 0.9


def test_auto_mixes_networks_and_says_so() -> None:
    columns, rich, _ = people()
    model = wxb.TableClassifier().fit(columns, rich)
    names = {network["name"] for network in model.record_["networks"]}
    assert {"linear", "mlp"} <= names
    assert sum(network["share"] for network in model.networks_) == pytest.approx(1)
    assert model.score(columns, rich) > 0.93
    proba = model.predict_proba(columns)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(columns), model.classes_[proba.argmax(axis=1)])
    np.testing.assert_array_equal(model.decision_function(columns) > 0, proba[:, 1] > 0.5)


def test_numbers_with_intervals() -> None:
    columns, _, income = people()
    model = wxb.TableRegressor(preset="mlp").fit(columns, income)
    assert model.score(columns, income) > 0.95
    lower, upper = model.predict_interval(columns, coverage=0.9).T
    assert np.mean((lower <= income) & (income <= upper)) > 0.8
    importances = dict(zip(model.feature_names_in_, model.feature_importances_, strict=True))
    assert importances["age"] > importances["member"] > 0


@pytest.mark.parametrize("method", ["shapley", "integrated_gradients"])
@pytest.mark.parametrize("classes", [["no", "yes"], ["b", "a"], ["x", "y", "z"]])
def test_contributions_add_up_to_the_prediction(method: str, classes: list[str]) -> None:
    columns, _, income = people()
    columns = {**columns, "noise": np.random.default_rng(0).normal(size=ROWS)}
    y = np.array(classes)[np.digitize(income, np.quantile(income, np.arange(1, len(classes)) / len(classes)))]
    model = wxb.TableClassifier(preset="mlp").fit(columns, y)
    rows = [0, 5, 17]
    found = model.contributions(columns, rows, method=method, samples=50)
    assert found.columns == ["age", "city", "member", "noise"]
    assert found.values.shape == found.errors.shape == (3, 4)
    np.testing.assert_allclose(found.expected + found.values.sum(axis=1), found.predictions, atol=2e-3)
    proba = model.predict_proba({name: cells[rows] for name, cells in columns.items()})
    of_class = proba[np.arange(3), np.searchsorted(model.classes_, found.classes)]
    np.testing.assert_allclose(found.predictions, of_class, atol=1e-6)
    expected = model.classes_[[1, 1, 1] if len(classes) == 2 else proba.argmax(axis=1)]
    assert found.classes.tolist() == expected.tolist()
    assert found.columns[np.abs(found.values).mean(axis=0).argmin()] == "noise"
    assert found._repr_html_().count("<table>") == 3


def test_contributions_of_a_number_are_those_of_its_line() -> None:
    columns = {"a": np.linspace(0, 1, ROWS), "b": np.linspace(1, 0, ROWS) ** 2}
    model = wxb.TableRegressor("linear", scale="none", optimizer="lbfgs").fit(columns, 3 * columns["a"])
    found = model.contributions(columns, rows=slice(-2, None), samples=400)
    assert found.classes is None
    means = np.mean(columns["a"])
    assert np.all(
        np.abs(found.values[:, 0] - 3 * (columns["a"][-2:] - means)) < 4 * found.errors[:, 0] + 1e-3
    )
    again = model.contributions(columns, rows=slice(-2, None), samples=400)
    np.testing.assert_array_equal(found.values, again.values)
    other = model.contributions(columns, rows=slice(-2, None), samples=400, random_state=1)
    assert (found.values != other.values).any()


def test_contributions_refuse_what_makes_no_sense() -> None:
    columns, rich, _ = people()
    model = wxb.TableClassifier(preset="linear").fit(columns, rich)
    with pytest.raises(ValueError, match="none of shapley, integrated_gradients"):
        model.contributions(columns, method="lime")
    with pytest.raises(ValueError, match="one at least"):
        model.contributions(columns, samples=0)
    with pytest.raises(IndexError):
        model.contributions(columns, rows=ROWS)
    with pytest.raises(ValueError, match="one row"):
        one = {name: cells[:1] for name, cells in columns.items()}
        model.contributions(one, method="integrated_gradients")


@pytest.mark.parametrize("seed", [-1, 0.5, 2**64])
def test_a_seed_is_a_whole_number_from_0_on(seed: Any) -> None:
    columns, rich, _ = people()
    model = wxb.TableClassifier(preset="linear").fit(columns, rich)
    for work in (
        lambda: wxb.TableClassifier(preset="linear", random_state=seed).fit(columns, rich),
        lambda: model.importance(columns, rich, metric="auc", random_state=seed),
        lambda: model.contributions(columns, random_state=seed),
        lambda: model.partial_dependence(columns, "age", random_state=seed),
    ):
        with pytest.raises(ValueError, match="a whole number from 0 on"):
            work()


def at_each_value(predict: Any, columns: dict[str, Any], found: wxb.PartialDependence) -> Any:
    """The predictions of all rows (rows, values) with the column set to each value."""
    rows = len(columns[found.column])
    cells = [np.full(rows, value) for value in found.values]
    return np.column_stack([predict({**columns, found.column: cell}) for cell in cells])


def same_rows(curves: Any, expected: Any) -> None:
    """The same rows, in whatever order they were drawn."""
    assert curves.shape == expected.shape
    np.testing.assert_allclose(np.sort(curves, axis=0), np.sort(expected, axis=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("column", ["age", "city", "member"])
@pytest.mark.parametrize("classes", [["no", "yes"], ["b", "a"], ["x", "y", "z"], [1, 0]])
def test_partial_dependence_is_the_mean_of_predictions(classes: list[Any], column: str) -> None:
    columns, _, income = people()
    columns = with_gaps(columns)
    y = np.array(classes)[np.digitize(income, np.quantile(income, np.arange(1, len(classes)) / len(classes)))]
    model = wxb.TableClassifier(preset="mlp").fit(columns, y)
    for class_ in (None, classes[0]):
        found = model.partial_dependence(columns, column, class_=class_, points=6, rows=ROWS)
        if class_ is not None or len(classes) == 2:
            assert found.class_ == (model.classes_[1] if class_ is None else class_)
        place = list(model.classes_).index(found.class_)
        expected = at_each_value(lambda X, k=place: model.predict_proba(X)[:, k], columns, found)
        np.testing.assert_allclose(found.mean, expected.mean(axis=0), atol=1e-6)
        same_rows(found.curves, expected)
        assert found._repr_html_().count("<tr>") == len(found.values) + 1


def test_partial_dependence_says_where_the_rows_are() -> None:
    columns = with_gaps(people()[0])
    model = wxb.TableRegressor("linear").fit(columns, people()[2])
    city = model.partial_dependence(columns, "city")
    assert set(city.values) == {"Oslo", "Bergen", "Trondheim", None} and city.values[-1] is None
    counts = [sum(cell == value for cell in columns["city"]) for value in city.values]
    np.testing.assert_allclose(city.distribution, np.array(counts) / ROWS)
    assert counts[:-1] == sorted(counts[:-1], reverse=True) and city.class_ is None
    assert city.labels()[-1] == "(missing)"
    age = model.partial_dependence(columns, "age")
    assert 10 < len(age.values) <= 20 and (np.diff(age.values) > 0).all() and age.curves.shape[0] == 300
    low, high = age.values[[0, -1]]
    edges = low + (high - low) * (np.arange(26) - 0.5) / 24
    cells = columns["age"][(columns["age"] >= low) & (columns["age"] <= high)]
    np.testing.assert_allclose(age.distribution, np.histogram(cells, edges)[0] / ROWS)


def test_partial_dependence_draws_rows() -> None:
    columns, _, income = people()
    model = wxb.TableRegressor("mlp", epochs=5).fit(columns, income)
    found = [
        model.partial_dependence(columns, "age", rows=50, random_state=random_state).curves
        for random_state in (0, 0, 1)
    ]
    assert found[0].shape[0] == 50
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_partial_dependence_of_more_rows_than_go_at_a_time() -> None:
    rng = np.random.default_rng(0)
    X = {"a": rng.normal(size=5000), "b": rng.normal(size=5000)}
    model = wxb.TableRegressor("linear").fit(X, X["a"] * 2 - X["b"])
    found = model.partial_dependence(X, "b", points=30, rows=5000)
    expected = at_each_value(model.predict, X, found)
    assert expected.size > 65_536
    np.testing.assert_allclose(found.mean, expected.mean(axis=0), atol=1e-5)
    same_rows(found.curves, expected)


def test_partial_dependence_on_whether_there_is_a_text() -> None:
    rng = np.random.default_rng(0)
    note = np.array([f"note {i}" if i % 2 else None for i in range(ROWS)], dtype=object)
    X = {"note": note, "size": rng.normal(size=ROWS)}
    with pytest.warns(UserWarning, match="only whether it is missing is used"):
        model = wxb.TableRegressor("linear").fit(X, X["size"] + 2.0 * (np.arange(ROWS) % 2))
    found = model.partial_dependence(X, "note", rows=ROWS)
    assert found.values.tolist() == ["(there)", None]
    np.testing.assert_allclose(found.mean, at_each_value(model.predict, X, found).mean(axis=0), atol=1e-5)
    assert found.mean[0] - found.mean[1] > 1


def test_partial_dependence_refuses_what_makes_no_sense() -> None:
    columns, rich, income = people()
    model = wxb.TableClassifier(preset="linear", drop="member").fit(columns, rich)
    with pytest.raises(ValueError, match=r'(?s)no column "agee" in the data.*columns: age, city, member'):
        model.partial_dependence(columns, "agee")
    with pytest.raises(
        ValueError, match=r"(?s)does not look at the column .*columns that it looks at: age, city"
    ):
        model.partial_dependence(columns, "member")
    with pytest.raises(ValueError, match=r"(?s)class maybe: the model has no such class.*classes: no, yes"):
        model.partial_dependence(columns, "age", class_="maybe")
    for name in ("points", "rows"):
        with pytest.raises(ValueError, match=f"{name}=0: .*one at least"):
            model.partial_dependence(columns, "age", **{name: 0})
    with pytest.raises(ValueError, match="rows=.*one at least"):
        model.partial_dependence(columns, "age", rows=[1, 2])  # type: ignore[arg-type]
    regressor = wxb.TableRegressor("linear").fit(columns, income)
    with pytest.raises(ValueError, match="the model predicts a number"):
        regressor.partial_dependence(columns, "age", class_="yes")


def test_quantiles_do_not_cross() -> None:
    columns, _, income = people()
    model = wxb.TableRegressor(preset="mlp", quantiles=[0.1, 0.5, 0.9], epochs=40).fit(columns, income)
    predicted = model.predict(columns)
    assert predicted.shape == (ROWS, 3)
    assert (np.diff(predicted, axis=1) >= 0).all()


@pytest.mark.parametrize("classes", [[3, 7], [False, True], ["b", "a"], [3.0, -2.0, 0.0], [10, 2, 1]])
def test_classes_of_every_type_come_back(classes: list[Any]) -> None:
    rng = np.random.default_rng(0)
    places = rng.integers(len(classes), size=200)
    y = np.array(classes)[places]
    X = places[:, None] + rng.normal(scale=0.05, size=(200, 1))
    model = wxb.TableClassifier(preset="linear").fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.9


def test_the_file_is_a_model(tmp_path: Any, fitted: Any) -> None:
    columns = with_gaps(people()[0])
    path = tmp_path / "people.wxb"
    fitted.save(path)
    loaded = wxb.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(columns), fitted.predict_proba(columns))
    np.testing.assert_array_equal(loaded.predict(columns), fitted.predict(columns))
    with pytest.raises(OSError, match="people.wxb"):
        fitted.save(path)
    fitted.save(path, overwrite=True)
    # More columns than the model needs do no harm.
    np.testing.assert_array_equal(
        loaded.predict({**columns, "more": columns["age"]}), fitted.predict(columns)
    )
    with pytest.raises(ValueError, match="city"):
        loaded.predict({"age": columns["age"], "member": columns["member"]})
    with pytest.raises(OSError, match="no such file"):
        wxb.load(tmp_path / "other.wxb")


def test_pickles_and_is_small(fitted: Any) -> None:
    columns = with_gaps(people()[0])
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(columns), fitted.predict_proba(columns))


def test_weights_count() -> None:
    x = np.linspace(-1, 1, 200)
    y = np.where(np.arange(200) % 4 == 0, 1, 0)
    light = wxb.TableClassifier(preset="linear").fit(x[:, None], y)
    heavy = wxb.TableClassifier(preset="linear").fit(x[:, None], y, sample_weight=np.where(y == 1, 9.0, 1.0))
    assert light.predict_proba([[0.0]])[0, 1] == pytest.approx(0.25, abs=0.06)
    assert heavy.predict_proba([[0.0]])[0, 1] == pytest.approx(0.75, abs=0.06)


def test_a_callback_hears_and_stops() -> None:
    columns, rich, _ = people()
    heard: list[str] = []

    def stop_after_three(what: str, event: Any) -> bool:
        heard.append(what)
        return what == "epoch" and event["record"]["epoch"] == 3

    model = wxb.TableClassifier(preset="mlp", callbacks=stop_after_three).fit(columns, rich)
    assert len(model.history_) == 3
    assert heard.count("epoch") == 3

    def fail(what: str, event: Any) -> bool:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        wxb.TableClassifier(preset="mlp", callbacks=[fail]).fit(columns, rich)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"preset": "depe"}, "deep"),
        ({"hidden": (-3,)}, "hidden"),
        ({"metric": "rmse"}, "metric"),
        ({"bag": 5, "members": 4}, "members"),
        ({"lr": -1.0}, "lr"),
    ],
)
def test_bad_settings_are_told_by_their_names(settings: dict[str, Any], told: str) -> None:
    columns, rich, _ = people()
    with pytest.raises(ValueError, match=told) as error:
        wxb.TableClassifier(**settings).fit(columns, rich)
    assert "--" not in str(error.value)


def test_bad_data_is_told() -> None:
    columns, rich, _ = people()
    fit = wxb.TableClassifier(preset="linear").fit
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(columns, rich[:-1])
    with pytest.raises(ValueError, match="one class"):
        fit(columns, np.full(ROWS, "yes"))
    with pytest.raises(ValueError, match="'age' has an infinite value in row 5"):
        fit({**columns, "age": np.where(np.arange(ROWS) == 5, np.inf, columns["age"])}, rich)
    with pytest.raises(ValueError, match="NaN"):
        fit(columns, np.where(np.arange(ROWS) == 3, None, rich))


def test_names_may_hold_any_sign() -> None:
    columns, rich, _ = people()
    columns = {**columns, "a,b": columns["age"], "a": columns["age"], "b": columns["age"]}
    classes = np.where(rich == "yes", "x=1,y", "b")
    settings = {"drop": ["a,b"], "class_weight": {"x=1,y": 1000.0, "b": 0.001}}
    model = wxb.TableClassifier(preset="linear", **settings).fit(columns, classes)
    inputs = [column["column"] for column in model.record_["importance"]["columns"]]
    assert {"a", "b"} <= set(inputs) and "a,b" not in inputs
    assert np.mean(model.predict(columns) == "x=1,y") > 0.9


def test_what_a_message_says_can_be_done_here() -> None:
    columns, rich, _ = people()
    model = wxb.TableClassifier(preset="linear", epochs=2).fit(columns, rich)
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        model.predict({name: cells[:0] for name, cells in columns.items()})
    with pytest.raises(ValueError, match="negative"):
        wxb.TableClassifier().fit(columns, rich, sample_weight=-np.ones(ROWS))
    with pytest.raises(ValueError, match="`wxb train DATA --target COLUMN`"):
        wxb.load(__file__)
    cells = np.empty(ROWS, dtype=object)
    cells[:] = [[1]] * ROWS
    with pytest.raises(TypeError, match="column 'z' has a cell of list"):
        wxb.TableClassifier().fit({**columns, "z": cells}, rich)


def test_a_second_fit_forgets_the_columns_of_the_first() -> None:
    columns, rich, _ = people()
    model = wxb.TableClassifier(preset="linear", epochs=2).fit(columns, rich)
    X = np.stack([columns["age"], columns["member"]], axis=1)
    assert model.fit(X, rich).predict(X).shape == (ROWS,)
    assert not hasattr(model, "feature_names_in_")


def test_rows_of_no_weight_are_as_if_they_were_not_there() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=ROWS)
    X = y[:, None] + rng.normal(scale=0.1, size=(ROWS, 1))
    model = wxb.TableClassifier("linear").fit(X, y, sample_weight=(y != 2) * 1.0)
    assert model.classes_.tolist() == [0, 1]
    assert model.predict_proba(X).shape == (ROWS, 2)
    assert model.score(X[y < 2], y[y < 2]) > 0.9
    with pytest.raises(ValueError, match="one class"):
        wxb.TableClassifier("linear").fit(X, y, sample_weight=(y == 2) * 1.0)
    with pytest.raises(ValueError, match="zero"):
        wxb.TableClassifier("linear").fit(X, y, sample_weight=np.zeros(ROWS))


def test_large_integers_stay_apart(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    classes = np.array([5, 2**60, 2**60 + 1])
    places = rng.integers(3, size=ROWS)
    X = np.eye(3)[places] + rng.normal(scale=0.05, size=(ROWS, 3))
    model = wxb.TableClassifier("linear").fit(X, classes[places])
    assert model.classes_.tolist() == classes.tolist()
    assert model.score(X, classes[places]) > 0.9
    model.save(tmp_path / "model.wxb")
    np.testing.assert_array_equal(wxb.load(tmp_path / "model.wxb").predict(X), model.predict(X))


@pytest.mark.parametrize(
    "classes",
    [
        np.array([False, True]),
        np.array([1, 3, 2], dtype=np.int8),
        np.array([0.0, 1.0]),
        np.array(["2020-01-01", "2021-06-01"], dtype="datetime64[D]"),
        np.array(["true", "false"]),
        np.array(["1", "2"]),
        np.array(["a", "b"], dtype=object),
    ],
)
def test_a_file_keeps_the_type_of_the_classes(classes: Any, tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    places = rng.integers(len(classes), size=ROWS)
    X, y = np.eye(3)[places] + rng.normal(scale=0.05, size=(ROWS, 3)), classes[places]
    model = wxb.TableClassifier("linear").fit(X, y)
    model.save(tmp_path / "model.wxb")
    loaded = wxb.load(tmp_path / "model.wxb")
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    assert loaded.classes_.dtype.kind == classes.dtype.kind
    assert loaded.predict(X).dtype == model.predict(X).dtype or classes.dtype.kind == "U"
    assert loaded.score(X, y) == model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="X has 2 features, but TableClassifier is expecting 3"):
        loaded.predict(X[:, :2])


def test_targets_of_arrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    columns, rich, income = people()
    classifier = wxb.TableClassifier("linear", epochs=2).fit(columns, pyarrow.array(rich.tolist()))
    assert classifier.classes_.tolist() == ["no", "yes"]
    regressor = wxb.TableRegressor("linear", epochs=2).fit(columns, pyarrow.array(income))
    assert regressor.predict(columns).shape == (ROWS,)


def test_parameters_and_settings_of_numpy() -> None:
    columns, rich, income = people()
    model = wxb.TableClassifier("mlp", batch_norm=np.True_, hidden=(4,), epochs=1).fit(columns, rich)
    assert (
        model.networks_[0]["parameters"]
        > wxb.TableClassifier("mlp", hidden=(4,), epochs=1).fit(columns, rich).networks_[0]["parameters"]
    )
    regressor = wxb.TableRegressor("linear", epochs=2).fit(columns, income)
    for coverage in (-1, 0, 1, 1.5):
        with pytest.raises(ValueError, match="coverage"):
            regressor.predict_interval(columns, coverage=coverage)
    with pytest.raises(ValueError, match="datetime64"):
        wxb.TableRegressor("linear").fit(columns, np.arange(ROWS).astype("datetime64[D]"))
    with pytest.raises(ValueError, match=r"validation_data is \(X, y\), not 1 parts"):
        wxb.TableClassifier("linear").fit(columns, rich, validation_data=(columns,))
