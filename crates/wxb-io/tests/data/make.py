"""Writes the binary test files beside this script: `pip install numpy pyarrow`, `python make.py`."""

import gzip
import io
import struct
import zipfile
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent


def npz(name, compressed=False, **arrays):
    (np.savez_compressed if compressed else np.savez)(HERE / name, **arrays)


def npy(name, array):
    np.save(HERE / name, array, allow_pickle=True)


# Every element type: the values 0, 1, 2 (bool: False, True, True) in two rows and three columns.
for kind in "bool u1 i1 <u2 >u2 <i2 >i2 <u4 >i4 <u8 <i8 >i8 <f2 >f2 <f4 >f4 <f8 >f8".split():
    npy(f"type_{kind.replace('<', 'le_').replace('>', 'be_')}.npy", np.array([[0, 1, 2], [2, 1, 0]]).astype(kind))

cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
npy("cube_c.npy", cube)
npy("cube_fortran.npy", np.asfortranarray(cube))
npy("rank1.npy", np.array([1.5, 2.5, 3.5]))
npy("scalar.npy", np.array(5.0))
npy("empty.npy", np.zeros((0, 3)))
npy("text.npy", np.array(["no", "yes", "", "größer"]))
npy("text_be.npy", np.array(["no", "yes"]).astype(">U3"))
npy("bytes.npy", np.array([b"no", b"yes", b"no"]))
npy("objects.npy", np.array([{"a": 1}, None], dtype=object))
npy("complex.npy", np.array([1 + 2j]))
npy("dates.npy", np.array(["2024-01-02"], dtype="M8[D]"))
npy("structured.npy", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]))
npy("infinite.npy", np.array([[1.0, 2.0], [np.nan, -np.inf]]))

x, y = np.arange(6, dtype="u1").reshape(3, 2), np.array([0, 1, 1], dtype="<i8")
npz("digits.npz", x=x, y=y)
npz("compressed.npz", True, X=x.astype("f4"), Y=y.reshape(3, 1))
npz("keras.npz", x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
npz("other.npz", first=x, second=y)
npz("alone.npz", pixels=x)
npz("unequal.npz", x=x, y=y[:2])
npz("labels.npz", x=x, y=np.array(["cat", "dog", "cat"]))
npz("weights.npz", True, W1=np.array([[0.5, -0.5], [0.3, 0.8]]), b1=np.array([[0.1], [-0.2]], dtype="f4"))
with zipfile.ZipFile(HERE / "no_arrays.npz", "w") as archive:
    archive.writestr("readme.txt", "no array here")


def idx(code, kind, array):
    head = struct.pack(">BBBB", 0, 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(kind).tobytes()


for code, kind in [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]:
    (HERE / f"type_{code}.idx").write_bytes(idx(code, kind, np.arange(12).reshape(3, 2, 2)))
(HERE / "images.idx.gz").write_bytes(gzip.compress(idx(8, "u1", np.arange(12).reshape(3, 2, 2)), mtime=0))
(HERE / "labels.idx.gz").write_bytes(gzip.compress(idx(8, "u1", np.array([7, 0, 9])), mtime=0))
(HERE / "labels.csv").write_text("digit\n7\n0\n9\n")
npy("labels.npy", np.array([7, 0, 9]))

columns = {
    "int": pa.array([1, None, -3], pa.int64()),
    "small": pa.array([1, 2, 255], pa.uint8()),
    "float": pa.array([1.5, None, float("nan")], pa.float64()),
    "half": pa.array(np.array([0.5, 1, 2], dtype="f2")),
    "bool": pa.array([True, False, None]),
    "text": pa.array(["NA", "b", None]),
    "large": pa.array(["x", "y", "x"], pa.large_string()),
    "category": pa.array(["u", "v", "u"]).dictionary_encode(),
    "day": pa.array([date(2013, 1, 2), None, date(1969, 12, 31)]),
    "instant": pa.array([datetime(2013, 1, 2, 3, 4, 5), datetime(2013, 1, 2, 3, 4, 5, 250000), None], pa.timestamp("us")),
    "zoned": pa.array([datetime(2013, 1, 2, tzinfo=timezone.utc)] * 3, pa.timestamp("ms", "Europe/Berlin")),
    "clock": pa.array([time(0, 1, 0, 500000), time(1), None], pa.time64("us")),
    "decimal": pa.array([Decimal("1.25"), Decimal("-0.10"), None], pa.decimal128(10, 2)),
    "void": pa.array([None, None, None], pa.null()),
    "bytes": pa.array([b"p", b"q", None], pa.binary()),
}
for name, codec in [("plain", "none"), ("snappy", "snappy"), ("zstd", "zstd"), ("gzip", "gzip")]:
    pq.write_table(pa.table(columns), HERE / f"{name}.parquet", compression=codec)
pq.write_table(pa.table({"a": [1], "list": [[1, 2]]}), HERE / "nested.parquet")
pq.write_table(pa.table({"a": pa.array([], pa.int64())}), HERE / "no_rows.parquet")
pq.write_table(pa.table({"a": [1.0, float("inf")]}), HERE / "infinite.parquet")
pq.write_table(pa.table({"a": [b"\xff\xfe"]}), HERE / "bytes.parquet")
pq.write_table(pa.table({"a": [1]}), HERE / "brotli.parquet", compression="brotli")
rows = 20_000  # several batches and row groups
many = {"i": range(rows), "t": [f"level {i % 7}" for i in range(rows)]}
pq.write_table(pa.table(many), HERE / "many.parquet", row_group_size=6_000, compression="zstd")
