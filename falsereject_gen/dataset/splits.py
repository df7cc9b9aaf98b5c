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

from falsereject_gen.dataset.columns import Column
from falsereject_gen.dataset.table import Rows, to_table
from falsereject_gen.records import Row

__all__ = ["SPLITS", "Split", "encode", "file_name", "pack", "side"]

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "test")

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
    rows: Rows
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
    held = Rows.of(rows)
    named = [side(row_id, test_share) for row_id in held.column("id")]
    places = {name: [k for k, found in enumerate(named) if found == name] for name in SPLITS}
    if not all(places.values()):
        return (_split("train", held),)
    return tuple(_split(name, held.at(some)) for name, some in places.items())


def file_name(split: SplitName) -> str:
    """Where the Parquet file of a split stands in the dataset's folder."""
    return f"data/{split}-00000-of-00001.parquet"


def encode(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> tuple[bytes, int]:
    """A Parquet file of rows, each with a value for every column, and its size in memory."""
    return _encoded(to_table(columns, rows))


def _encoded(table: pa.Table) -> tuple[bytes, int]:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=10_000, **_OPTIONS)
    return out.getvalue(), table.nbytes


def _split(name: SplitName, rows: Rows) -> Split:
    return Split(name, rows, *_encoded(rows.table))
