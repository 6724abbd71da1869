"""Pictures of trainings and models, by matplotlib.

Each function draws into `ax`, or into a new figure, and gives the axes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

#: One colour for what is learned from, one for what is held out, one for what is neither.
_TRAIN, _HELD, _QUIET = "#4269d0", "#ff725c", "#9498a0"


def loss_curve(model: Any, ax: Any = None) -> Any:
    """The loss of each epoch, on the training rows and on those held out.

    Parameters
    ----------
    model : estimator, list of float, list of dict or History
        A fitted estimator of wxb, its `loss_curve_` or its `history_`; what `Network.fit` gave.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    train, held = _losses(model)
    ax = _axes(ax)
    ax.plot(np.arange(1, len(train) + 1), train, color=_TRAIN, label="training")
    if held and any(value is not None for value in held):
        values = np.array([np.nan if value is None else value for value in held])
        ax.plot(np.arange(1, len(held) + 1), values, color=_HELD, label="validation")
        best = int(np.nanargmin(values))
        ax.plot(best + 1, values[best], "o", color=_HELD)
        ax.legend()
    ax.set(xlabel="epoch", ylabel="loss")
    return ax


def _losses(model: Any) -> tuple[list[float], list[Any]]:
    if hasattr(model, "valid_loss"):  # what Network.fit gives
        return list(model.loss), list(model.valid_loss)
    history = getattr(model, "history_", None)
    if history is None:
        history = getattr(model, "loss_curve_", model)
    if not isinstance(history, Sequence) and not isinstance(history, np.ndarray):
        raise TypeError(
            f"a {type(model).__name__} has no losses of epochs: it is not fitted, or was by L-BFGS"
        )
    history = list(history)
    if not history:
        raise ValueError("there is no epoch to draw: a model from a file has no history")
    if isinstance(history[0], dict):
        return [epoch["train_loss"] for epoch in history], [epoch.get("valid_loss") for epoch in history]
    return history, []


def confusion(y_true: Any, y_pred: Any, ax: Any = None) -> Any:
    """How often each class was taken for each: rows are true classes, columns predicted ones.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Classes.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    classes = np.unique(np.concatenate([y_true, y_pred]))
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (np.searchsorted(classes, y_true), np.searchsorted(classes, y_pred)), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = _axes(ax)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.5 else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=colour)
    ax.set(xlabel="predicted", ylabel="true", xticks=range(len(classes)), yticks=range(len(classes)))
    ax.set_xticklabels(classes)
    ax.set_yticklabels(classes)
    return ax


def reliability(y_true: Any, proba: Any, *, bins: int = 10, ax: Any = None) -> Any:
    """How often what was given a probability came: on the diagonal, probabilities are what they say.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Whether it came: 0 or 1, or false or true.
    proba : array-like of shape (n_samples,)
        The probability that it was given.
    bins : int, default=10
        Groups of as many rows each, in the order of their probability.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    came, proba = np.asarray(y_true, dtype=float), np.asarray(proba, dtype=float)
    if came.shape != proba.shape or came.ndim != 1:
        raise ValueError(f"y_true has shape {came.shape} and proba {proba.shape}: one number for each row")
    if not np.isin(came, (0.0, 1.0)).all():
        raise ValueError("y_true is 0 or 1 for each row: y == the class that proba is of")
    groups = [group for group in np.array_split(np.argsort(proba, kind="stable"), bins) if len(group)]
    said = [proba[group].mean() for group in groups]
    was = [came[group].mean() for group in groups]
    error = [np.sqrt(p * (1 - p) / len(group)) for p, group in zip(was, groups, strict=True)]
    ax = _axes(ax)
    ax.plot([0, 1], [0, 1], color=_QUIET, linestyle="--", linewidth=1)
    ax.errorbar(said, was, yerr=error, color=_TRAIN, marker="o")
    ax.set(xlabel="probability", ylabel="frequency", xlim=(0, 1), ylim=(0, 1))
    return ax


def decision_boundary(model: Any, X: Any, y: Any = None, *, grid: int = 200, ax: Any = None) -> Any:
    """What a model says over a plane of two features, and the rows in it.

    Parameters
    ----------
    model : estimator
        Fitted on two features; classes are drawn by their probabilities if there are two, else by the class.
    X : array-like of shape (n_samples, 2)
        Rows that say which part of the plane is drawn.
    y : array-like of shape (n_samples,), default=None
        Their classes or numbers.
    grid : int, default=200
        Points in each direction.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    given, X = X, np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"X has shape {X.shape}: a plane has two features")
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.05 * (high - low)
    axes = [np.linspace(a - m, b + m, grid) for a, b, m in zip(low, high, margin, strict=True)]
    points = _as_frame(np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2), given)
    classes = getattr(model, "classes_", None)
    if classes is not None and len(classes) == 2:
        values = model.predict_proba(points)[:, 1]
    elif classes is not None:
        values = np.searchsorted(classes, model.predict(points)).astype(float)
    else:
        values = model.predict(points)
    ax = _axes(ax)
    drawn = ax.contourf(*axes, values.reshape(grid, grid), levels=20, cmap="RdBu_r", alpha=0.6)
    ax.figure.colorbar(drawn, ax=ax)
    if classes is not None and len(classes) == 2:
        ax.contour(*axes, values.reshape(grid, grid), levels=[0.5], colors="black", linewidths=1)
    colours = None if y is None else (np.asarray(y) if classes is None else np.searchsorted(classes, y))
    colouring = {} if colours is None else {"c": colours, "cmap": "RdBu_r"}
    ax.scatter(X[:, 0], X[:, 1], **colouring, edgecolor="black", s=15)
    return ax


def _as_frame(points: Any, given: Any) -> Any:
    """The points under the names of the columns of a frame of pandas or polars."""
    names = {"pandas": "columns", "polars": "schema"}.get(type(given).__module__.partition(".")[0])
    return points if names is None else type(given)(points, **{names: list(given.columns)})


def importance(model: Any, *, top: int = 20, ax: Any = None) -> Any:
    """What a table model loses in its metric when the cells of a column change places, with the standard error.

    Parameters
    ----------
    model : TableClassifier, TableRegressor or dict
        A fitted model, or what its `importance` gave for other rows.
    top : int, default=20
        Columns at the most.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    if isinstance(model, dict):
        columns = list(model.values())
    else:
        columns = model.record_.get("importance", {}).get("columns", [])
    if not columns:
        raise ValueError("the model has no importance: it was trained without validation rows, or broken off")
    columns = sorted(columns, key=lambda column: column["mean"])[-top:]
    ax = _axes(ax)
    spread = [column.get("std", 0.0) for column in columns]
    ax.barh([column["column"] for column in columns], [c["mean"] for c in columns], xerr=spread, color=_TRAIN)
    ax.set(xlabel="loss when its cells change places")
    return ax


def contributions(found: Any, place: int = 0, *, top: int = 20, ax: Any = None) -> Any:
    """What each column adds to the prediction of a row, with the standard error.

    Parameters
    ----------
    found : Contributions
        What `contributions` of a table model gave.
    place : int, default=0
        The row, of those that it was asked for.
    top : int, default=20
        Columns at the most: those that add or take away most.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    columns = found.largest(place, top)[::-1]
    names, values, errors = zip(*columns, strict=True) if columns else ((), (), ())
    ax = _axes(ax)
    colours = [_HELD if value < 0 else _TRAIN for value in values]
    ax.barh(names, values, xerr=errors if any(errors) else None, color=colours)
    ax.axvline(0, color="gray", linewidth=0.8)
    ax.set(xlabel="adds to the prediction", title=found.in_words(place))
    return ax


def partial_dependence(found: Any, *, curves: int = 60, ax: Any = None) -> Any:
    """How the prediction depends on a column: thick the mean, thin some rows by themselves, grey where the rows of the data are.

    Parameters
    ----------
    found : PartialDependence
        What `partial_dependence` of a table model gave.
    curves : int, default=60
        Rows at the most whose own curves are drawn.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    ax = _axes(ax)
    places = found.values if found.has_numbers else np.arange(len(found.values))
    # Between texts there is nothing, and one value has no line: points.
    mean, single = ("-", "-") if found.has_numbers and len(places) > 1 else ("D", "_")
    shown = found.curves[:curves]
    if len(shown):
        ax.plot(places, shown.T, single, color=_TRAIN, linewidth=0.8, alpha=0.25)
    ax.plot(places, found.mean, mean, color=_HELD, linewidth=2.5)
    _strip(ax, places, found.distribution, has_numbers=found.has_numbers)
    if not found.has_numbers:
        labels = found.labels()
        ax.set_xticks(places)
        # More letters do not go side by side.
        slanted = {"rotation": 30, "ha": "right"} if sum(map(len, labels)) > 60 else {}
        ax.set_xticklabels(labels, **slanted)
    what = "prediction" if found.class_ is None else f"probability of {found.class_}"
    ax.set(xlabel=found.column, ylabel=what)
    return ax


def _strip(ax: Any, places: Any, shares: Any, *, has_numbers: bool) -> None:
    """Bars at the bottom, the largest a tenth as high as the axes."""
    middles = np.linspace(places[0], places[-1], len(shares)) if has_numbers else places
    width = (middles[1] - middles[0] if len(middles) > 1 else 0.0) or 0.8
    heights = 0.1 * shares / max(shares.max(), np.finfo(float).tiny)
    ax.bar(
        middles,
        heights,
        width=0.9 * width,
        color=_QUIET,
        alpha=0.5,
        zorder=0,
        transform=ax.get_xaxis_transform(),
    )


def layer_health(model: Any, ax: Any = None) -> Any:
    """Of each layer of a table model's main network, the share of units that are dead or saturated.

    Parameters
    ----------
    model : TableClassifier or TableRegressor
        Fitted.
    ax : matplotlib Axes, default=None
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    layers = model.health_
    if not layers:
        raise ValueError("the health of layers is known after fit: a model from a file does not have it")
    places = np.arange(len(layers))
    ax = _axes(ax)
    shares = {
        "dead": [(layer["dead"] or 0) / layer["shape"][1] for layer in layers],
        "saturated": [layer["saturated"] or 0.0 for layer in layers],
    }
    for (kind, share), colour, shift in zip(shares.items(), (_HELD, _TRAIN), (-0.2, 0.2), strict=True):
        ax.bar(places + shift, share, width=0.4, color=colour, label=kind)
    ax.set(xlabel="layer", ylabel="share of its units", ylim=(0, 1), xticks=places)
    ax.set_xticklabels([str(layer["layer"]) for layer in layers])
    ax.legend()
    return ax


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
        from matplotlib.figure import Figure  # noqa: F401 - is it there?
    except ImportError as error:
        raise ImportError("wxb.plot draws by matplotlib: pip install matplotlib") from error
    return pyplot.subplots(layout="constrained")[1]
