"""The scripts under testdata still make the files that lie beside them."""

import json
import math
import shutil
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT

SCRIPTS = sorted(path.relative_to(ROOT) for path in ROOT.glob("testdata/**/make*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_script_makes_what_is_kept(script, tmp_path):
    for folder in ["testdata", "examples"]:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    made_by = subprocess.run([sys.executable, tmp_path / script], cwd=tmp_path, capture_output=True, text=True)
    assert made_by.returncode == 0, made_by.stderr
    for made in (tmp_path / script.parent).rglob("*"):
        if made.is_file():
            compare(made, ROOT / made.relative_to(tmp_path))


def compare(made, kept):
    assert kept.exists(), f"{kept} is not in the repository"
    if made.read_bytes() == kept.read_bytes():
        return
    if made.suffix == ".json":
        compare_values(json.loads(made.read_text()), json.loads(kept.read_text()), kept.name)
    elif made.suffix == ".npz":
        with np.load(made) as a, np.load(kept) as b:
            assert sorted(a) == sorted(b), kept
            for name in a:
                np.testing.assert_allclose(a[name], b[name], rtol=1e-12, atol=1e-300, err_msg=f"{kept}: {name}")
    else:
        raise AssertionError(f"{kept} is not what its script makes")


# What a library writes about itself.
VERSIONS = {"numpy", "python", "scikit_learn", "sklearn", "scipy", "versions"}


def compare_values(made, kept, place):
    if isinstance(kept, dict):
        assert made.keys() == kept.keys(), place
        for key in kept.keys() - VERSIONS:
            compare_values(made[key], kept[key], f"{place}.{key}")
    elif isinstance(kept, list):
        assert len(made) == len(kept), place
        for i, pair in enumerate(zip(made, kept)):
            compare_values(*pair, f"{place}[{i}]")
    elif (a := number(made)) is not None and (b := number(kept)) is not None:
        # An optimum found by another version of a solver agrees to what its tolerance promises.
        same = (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
        assert same, f"{place}: {made} made, {kept} kept"
    else:
        assert made == kept, place


def number(value):
    """A number, or a text that is one (JSON has neither nan nor inf)."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
