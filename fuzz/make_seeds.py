"""Writes the seeds of the fuzz targets: one small file per feature of a format.

    cargo build --release && .venv/bin/python fuzz/make_seeds.py

NumPy writes the arrays, wxb the models. The seeds are kept in the repository, since a corpus that starts from valid files gets
deeper within minutes than one that has to find a zip directory by itself.
"""

import gzip
import io
import json
import os
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SEEDS = Path(__file__).parent / "seeds"
WXB = Path(os.environ.get("WXB", Path(__file__).parents[1] / "target/release/wxb")).resolve()

CSV = {
    "plain": b"a,b,y\n1,2.5,no\n3,-4e-2,yes\n5,,no\n",
    "semicolons": b"a;b;y\r\n1,5;x;0\r\n2,5;z;1\r\n",
    "tabs": b"a\tb\n1\t2\n",
    "bars": b"a|b\n1|2\n",
    "quotes": b'name,note\n"O""Neil, A","two\nlines"\n\'x\',""\n',
    "bom": b"\xef\xbb\xbfa,b\n1,2\n",
    "utf16": "a,b\n1,2\n".encode("utf-16"),
    "latin1": b"ville,y\nNe\xeechatel,1\n",
    "missing": b"a,b,c\nNA,n/a,?\nnan,NULL,-\n1,2,3\n",
    "special": b"a,b\ninf,-inf\n1e400,1e-400\n0x1F,1_000\n",
    "thousands": b'a,y\n"1,204",1\n1 204,2\n',
    "dates": b"when,y\n2026-11-22,1\n2026-11-22T06:15:44Z,2\n22.11.2026,3\n",
    "bools": b"a,y\ntrue,False\nyes,no\n",
    "ragged": b"a,b,c\n1,2\n1,2,3,4\n",
    "duplicate": b"a,a\n1,2\n",
    "header_only": b"a,b,c\n",
    "empty": b"",
    "identifiers": b"id,y\n" + b"".join(b"u%02d,%d\n" % (i, i % 2) for i in range(40)),
    "gzip": gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0),
}


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(save, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def idx(kind, array):
    shape = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


def arrays():
    x = np.arange(12).reshape(4, 3)
    y = np.array([0, 1, 0, 1])
    for dtype in ["u1", "i1", "<i2", ">i4", "<i8", "<u8", "<f2", "<f4", ">f8", "?"]:
        yield f"npy_{dtype.strip('<>?') or 'bool'}", npy(x.astype(dtype))
    yield "npy_fortran", npy(np.asfortranarray(x.astype("f8")))
    yield "npy_image", npy(np.zeros((2, 3, 3, 1), "u1"))
    yield "npy_text", npy(np.array(["no", "yes"]))
    yield "npy_zero_rows", npy(np.zeros((0, 3)))
    yield "npz_stored", npz(np.savez, X=x.astype("f4"), y=y)
    yield "npz_deflated", npz(np.savez_compressed, X=x.astype("u1"), y=np.array(["a", "b", "a", "b"]))
    yield "npz_weights", npz(np.savez, W1=np.ones((2, 3)), b1=np.zeros((2, 1)))
    yield "idx_images", idx(0x08, x.reshape(2, 2, 3).astype("u1"))
    yield "idx_labels", idx(0x08, y.astype("u1"))
    for kind, dtype in [(0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")]:
        yield f"idx_{dtype}", idx(kind, x.astype(dtype))
    yield "idx_gzip", gzip.compress(idx(0x08, x.astype("u1")), mtime=0)


TABLE = "when,colour,size,y\n" + "".join(
    f"2026-{1 + i % 12:02d}-{1 + i % 28:02d},{['red', 'green', '', 'blue'][i % 4]},{i % 7 if i % 5 else ''},{i % 3}\n"
    for i in range(60)
)
# Settings that leave another record: scales, losses, precisions, layers, and a matrix instead of a table.
MODELS = {
    "table": "t.csv --target y",
    "f64": "t.csv --target y --precision f64 --optimizer lbfgs --hidden none",
    "robust": "t.csv --target y --scale robust --task regression --loss huber",
    "quantile": "t.csv --target y --scale quantile --task regression --loss quantile --quantiles 0.1,0.9",
    "minmax": "t.csv --target y --scale minmax --dropout 0.5 --activation elu",
    "matrix": "x.npz --x X --y y",
    "divided": "x.npz --x X --y y --divide-by 255",
}


def models(folder):
    """(name, model file, checkpoint, record of the preprocessing) for each row of MODELS."""
    (folder / "t.csv").write_text(TABLE)
    x = np.arange(120, dtype="u1").reshape(40, 3)
    np.savez(folder / "x.npz", X=x, y=np.array(["no", "yes"])[x[:, 0] % 2])
    for name, arguments in MODELS.items():
        hidden = [] if "--hidden" in arguments else ["--hidden", "2"]
        wxb(folder, "train", *arguments.split(), *hidden, "--epochs", "2",
            "--checkpoint-every", "1", "-o", name)
        inspected = json.loads(wxb(folder, "inspect", name, "--json"))
        model, checkpoint = (folder / file for file in [name, f"{name}.checkpoint"])
        yield name, model.read_bytes(), checkpoint.read_bytes(), json.dumps(inspected["preprocess"]).encode()


def wxb(folder, *arguments):
    command = [WXB, *arguments, "--quiet"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = list(models(Path(folder)))
    model_files = [(name, model) for name, model, _, _ in made]
    model_files += [(f"{name}_checkpoint", checkpoint) for name, _, checkpoint, _ in made]
    records = [(name, record) for name, _, _, record in made]
    targets = {"csv": CSV.items(), "arrays": arrays(), "model": model_files, "record": records}
    for target, seeds in targets.items():
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in seeds:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
