"""Writes math.json: the polynomials of erf in crates/wxb/src/math.rs, and values that its functions are measured on.

Run: python make_math.py   (needs mpmath)
"""
import json
import math
import pathlib
import random

from mpmath import cos, erf, erfc, exp, expm1, log, log1p, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt, tanh

mp.dps = 60
draw = random.Random(20)

# Where the two polynomials of erf meet, and where erf is 1 in f64.
MEET, END = mpf(1), mpf("5.95")


def fit(f, weight, low, high, degree):
    """Coefficients, constant first, that minimise Σ (weight (p − f))² over Chebyshev's nodes: within a factor of two
    of the least maximum; and that maximum."""
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (6 * degree)) for i in range(3 * degree)]
    a, b = matrix(len(nodes), degree + 1), matrix(len(nodes), 1)
    for i, x in enumerate(nodes):
        b[i] = weight(x) * f(x)
        for j in range(degree + 1):
            a[i, j] = weight(x) * x**j
    c = list(lu_solve(a.T * a, a.T * b))
    return c, max(abs(polyval(c[::-1], x) - f(x)) * weight(x) for x in nodes)


def polynomial(f, weight, low, high, degree):
    """The weighted error is in units of 2⁻⁵³ of erf."""
    c, error = fit(f, weight, low, high, degree)
    return {"coefficients": [repr(float(c)) for c in c], "error": nstr(error, 2)}


def near(s):
    return erf(sqrt(s)) / sqrt(s) - 1


def far(t):
    return -log(erfc(t))


polynomials = {
    "erf_near": polynomial(near, lambda s: 2**53 / (1 + near(s)), mpf(0), MEET**2, 11),
    "erf_far": polynomial(far, lambda t: 2**53 * erfc(t) / erf(t), MEET, END, 17),
}


def uniform(low, high, n):
    return [draw.uniform(low, high) for _ in range(n)]


def powers(low, high, n):
    """Both signs, the exponent to the base 2 uniform in low..=high."""
    return [math.ldexp(draw.choice([-1, 1]) * draw.uniform(1, 2), draw.randint(low, high)) for _ in range(n)]


def rows(f, arguments):
    """[x, f(x) rounded, the rest in units of the last place of that], for errors in fractions of such a unit."""
    found = []
    for x in sorted(arguments):
        exact = f(mpf(x))
        rounded = float(exact)
        rest = (exact - mpf(rounded)) / mpf(math.ulp(rounded))
        found.append([repr(x), repr(rounded), f"{float(rest):.3f}"])
    return found


tiny = powers(-1000, -20, 10)
values = {
    "exp": rows(exp, uniform(-745, 709.7, 60) + uniform(-745, -708, 10) + uniform(-2, 2, 30) + tiny),
    "exp_m1": rows(expm1, uniform(-40, 709.7, 30) + uniform(-2, 2, 60) + powers(-20, 0, 20) + tiny),
    "ln": rows(log, [abs(x) for x in powers(-1070, 1023, 60) + powers(-1, 0, 50)]),
    "ln_1p_unit": rows(log1p, uniform(0, 1, 80) + uniform(0.41, 0.42, 20) + [abs(x) for x in powers(-60, -1, 40) + tiny]),
    "tanh": rows(tanh, uniform(-20, 20, 40) + uniform(-1, 1, 50) + powers(-20, 0, 20) + tiny),
    "erf": rows(erf, uniform(-6, 6, 40) + uniform(-1.5, 1.5, 50) + powers(-20, 0, 20) + tiny),
}

lines = [f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, rows)) + "]" for name, rows in values.items()]
text = f'{{"polynomials": {json.dumps(polynomials, indent=1)},\n"values": {{\n' + ",\n".join(lines) + "}}\n"
pathlib.Path(__file__).with_name("math.json").write_text(text, encoding="utf-8")
