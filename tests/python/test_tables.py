"""What other programs write wxb reads, and what wxb writes they read."""

import csv
import gzip
import io
import json

import numpy as np
import pytest


def blobs(rows=120):
    """Three round clouds in three dimensions, with non-negative whole coordinates."""
    rng = np.random.default_rng(7)
    y = np.arange(rows) % 3
    return (rng.normal(scale=4, size=(rows, 3)) + 30 * np.eye(3)[y] + 20).round().clip(0, 100), y


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i4", "<i8", "<u4", "<f2", "<f4", ">f4", "<f8", ">f8"])
def test_npz_of_numpy_trains(wxb, tmp_path, dtype, save, order):
    x, y = blobs()
    save(tmp_path / "blobs.npz", X=np.asarray(x, dtype, order=order), y=y.astype("i4"))
    wxb("train", "blobs.npz", "--x", "X", "--y", "y", "--epochs", "30", "-o", "blobs.wxb")
    result = json.loads(wxb("evaluate", "blobs.wxb", "blobs.npz", "--x", "X", "--y", "y", "--json"))
    assert result["metrics"]["accuracy"] > 0.95


@pytest.mark.parametrize("labels", [["no", "yes"], ["1", "2"], ["true", "false"], ['a "b", c', "d\ne"], ["é", "中"]])
def test_predictions_are_csv_with_the_labels_of_the_table(wxb, tmp_path, labels):
    x, _ = blobs()
    y = [labels[int(row[0] > row[1])] for row in x]
    with open(tmp_path / "t.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "c", "y"], *([*row, label] for row, label in zip(x, y))])
    wxb("train", "t.csv", "--target", "y", "--epochs", "60", "-o", "t.wxb")
    rows = list(csv.DictReader(io.StringIO(wxb("predict", "t.wxb", "t.csv"), newline="")))
    assert len(rows) == len(y)
    assert {row["prediction"] for row in rows} <= set(labels)
    assert np.mean([row["prediction"] == label for row, label in zip(rows, y)]) > 0.9
    for row in rows:
        probabilities = [float(row[label]) for label in labels]
        assert abs(sum(probabilities) - 1) < 1e-5
        assert row["prediction"] == labels[int(np.argmax(probabilities))]


def test_kept_columns_come_back_unchanged(wxb, tmp_path):
    x, _ = blobs()
    with open(tmp_path / "t.csv", "w", newline="") as file:
        csv.writer(file).writerows([["id", "a", "b", "y"], *([f"r,{i}", a, b, a + b] for i, (a, b, _) in enumerate(x))])
    wxb("train", "t.csv", "--target", "y", "--task", "regression", "--epochs", "5", "-o", "t.wxb")
    wxb("predict", "t.wxb", "t.csv", "--keep", "id", "-o", "p.csv")
    with open(tmp_path / "p.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [f"r,{i}" for i in range(len(x))]
    assert all(np.isfinite(float(row["prediction"])) for row in rows)


def test_compressed_tables_read_alike(wxb, tmp_path):
    x, y = blobs()
    text = "a,b,c,y\n" + "".join(f"{a},{b},{c},{label}\n" for (a, b, c), label in zip(x, y))
    (tmp_path / "t.csv").write_text(text)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    wxb("train", "t.csv", "--target", "y", "--epochs", "3", "-o", "t.wxb")
    assert wxb("predict", "t.wxb", "t.csv") == wxb("predict", "t.wxb", "t.csv.gz")
