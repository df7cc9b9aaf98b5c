"""Train and test, and their Parquet bytes.

A row's side follows from its id alone, so that it never changes sides when a run grows. Each
category therefore gives the same *expected* share to `test`; exact shares in each would depend on
the other rows. Only pyarrow is known here, and no file is written.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from falsereject_gen.dataset.columns import COLUMNS, Column
from falsereject_gen.records import Row

__all__ = ["SPLITS", "Split", "encode", "file_name", "pack", "side"]

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "test")

_TYPES = {
    "string": pa.string(),
    "list": pa.list_(pa.string()),
    "float64": pa.float64(),
    "int64": pa.int64(),
}
_OPTIONS = {  # all that shapes the bytes is fixed: the same rows give the same file
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "snappy",
    "use_dictionary": True,
    "write_statistics": True,
}


class Split(NamedTuple):
    """One side of the dataset.

    Attributes:
        name: `train` or `test`.
        rows: in the order of the run.
        data: the Parquet file.
        num_bytes: size in memory, as Arrow counts it.
    """

    name: SplitName
    rows: tuple[Row, ...]
    data: bytes
    num_bytes: int


def side(row_id: str, test_share: float) -> SplitName:
    """The side of a row: its id's hash, read as a number in [0, 1), against the share."""
    digest = hashlib.sha256(f"split:{row_id}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < test_share * 2**64 else "train"


def pack(rows: Sequence[Row], test_share: float) -> tuple[Split, ...]:
    """The splits that have rows, `train` first.

    Args:
        rows: accepted rows.
        test_share: expected share of `test`, 0 to 1.

    Returns:
        `train` and `test`; `train` alone with all rows when either would be empty (a dataset
        without a `train` split loads nowhere); an empty `train` when there are no rows (pyarrow
        reads it; `datasets` loads no split without rows, whatever it comes from).
    """
    sides = {name: [r for r in rows if side(r.id, test_share) == name] for name in SPLITS}
    if not all(sides.values()):
        sides = {"train": list(rows)}
    return tuple(_encode(name, part) for name, part in sides.items())


def file_name(split: SplitName) -> str:
    """Where the Parquet file of a split stands in the dataset's folder."""
    return f"data/{split}-00000-of-00001.parquet"


def encode(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> tuple[bytes, int]:
    """A Parquet file of rows, each with a value for every column, and its size in memory."""
    schema = pa.schema([(column.name, _TYPES[column.dtype]) for column in columns])
    values = {c.name: [_plain(row[c.name]) for row in rows] for c in columns}
    table = pa.table(values, schema=schema)
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=10_000, **_OPTIONS)
    return out.getvalue(), table.nbytes


def _encode(name: SplitName, rows: Sequence[Row]) -> Split:
    names = [column.name for column in COLUMNS]
    data, size = encode(COLUMNS, [{n: getattr(row, n) for n in names} for row in rows])
    return Split(name, tuple(rows), data, size)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
