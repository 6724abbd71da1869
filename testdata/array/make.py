"""Writes cases.json: calls of NumPy with their results, for crates/wxb/tests/array_numpy.rs.

Run: python make.py   (needs NumPy; the committed file was made with the version it names)
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(20)
cases = []


def plain(a):
    a = np.asarray(a, dtype=np.float64)
    return {"shape": list(a.shape), "data": [repr(float(v)) for v in a.ravel()]}


def case(call, function, *arrays, **options):
    """One case: the name of our function, its arrays, its axis or shape, NumPy's result (null: it raises)."""
    arrays = [np.asarray(a, dtype=np.float64) for a in arrays]
    with np.errstate(all="ignore"):
        try:
            result = plain(function(*arrays))
        except ValueError:  # AxisError is one, too
            result = None
    cases.append({"call": call, "arrays": [plain(a) for a in arrays], "result": result} | options)


def array(*shape):
    return rng.standard_normal(shape).round(4)


SHAPES = [(3,), (1,), (2, 3), (3, 1), (1, 4), (5, 7), (2, 3, 4), (1, 2, 1, 3)]

for shape in SHAPES:
    x = array(*shape)
    for axis in range(-len(shape) - 1, len(shape) + 1):
        for keep, suffix in ((False, ""), (True, "_keepdims")):
            case("sum" + suffix, lambda x: np.sum(x, axis=axis, keepdims=keep), x, axis=axis)
            case("mean" + suffix, lambda x: np.mean(x, axis=axis, keepdims=keep), x, axis=axis)
            case("norm" + suffix, lambda x: np.linalg.norm(x, axis=axis, keepdims=keep), x, axis=axis)
        case("squeeze_axis", lambda x: np.squeeze(x, axis=axis), x, axis=axis)
    case("squeeze", np.squeeze, x)

case("mean", lambda x: np.mean(x, axis=0), array(0, 3), axis=0)
case("sum", lambda x: np.sum(x, axis=0), array(0, 3), axis=0)
case("squeeze", np.squeeze, array(1, 1, 1))

for a, b in [((3,), (3,)), ((3,), (4,)), ((2, 3), (3, 5)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2,), (2, 3)), ((3,), (2, 3)),
             ((1, 1), (1, 9)), ((7, 6), (6, 7)), ((0, 2), (2, 3)), ((2, 0), (0, 3))]:
    case("dot", np.dot, array(*a), array(*b))

for a, b in [((3,), (4,)), ((2, 3), (4,)), ((2, 2), (1, 3)), ((1,), (2, 1, 2)), ((0,), (3,))]:
    case("outer", np.outer, array(*a), array(*b))

for a, b in [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 1), (1, 4)), ((3,), (2, 1)), ((2, 3), (2,)), ((3,), (4,)),
             ((), (2, 3)), ((2, 3), ()), ((2, 1, 4), (3, 1)), ((2, 3), (1, 3)), ((0, 3), (3,)), ((2, 3, 4), (2, 4)), ((1,), (0,))]:
    case("multiply", np.multiply, array(*a), array(*b))
    case("power", np.power, abs(array(*a)), array(*b))

case("power", np.power, [0, 0, 0, 2, -2, -2, -8, 1], [0, 1, -1, 0.5, 2, 3, 1 / 3, np.inf])

for shape, new in [((2, 3), (3, 2)), ((6,), (2, 3)), ((2, 3), (6,)), ((2, 3), (6, 1)), ((2, 3), (4, 2)), ((2, 3, 2), (12, 1)),
                   ((0, 3), (3, 0)), ((2, 3), (0, 6))]:
    case("reshape", lambda x: x.reshape(new), array(*shape), shape=list(new))
    case("reshape_transposed", lambda x: x.T.reshape(new), array(*shape), shape=list(new))


def softmax(x, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


for rows in [array(4, 3), array(1, 6) * 300, [[1000, 0], [-1000, -1001]], [[np.inf, 0], [-np.inf, 0]], [[np.nan, 0], [0, 0]]]:
    for axis in (0, 1):
        case("softmax", lambda x: softmax(x, axis), rows, axis=axis)

for rows in [array(4, 3), array(6, 2) * 1e100, [[0, 3, 4], [1, 6, 4]], [[np.inf, 1], [np.nan, 1]]]:
    case("normalize_rows", lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), rows)

lines = ",\n".join(json.dumps(c) for c in cases)
head = f'"numpy": "{np.__version__}", "note": "made by make.py; numbers as text, since JSON has no nan and inf"'
pathlib.Path(__file__).with_name("cases.json").write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n')
print(len(cases), "cases")
