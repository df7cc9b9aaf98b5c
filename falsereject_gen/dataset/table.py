"""Rows as columns: the form in which a run's rows are kept, counted and written.

As columns a hundred thousand rows take some 60 MiB, as records half a gigabyte.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import pyarrow as pa

from falsereject_gen.dataset.columns import COLUMNS, Column
from falsereject_gen.records import Row

__all__ = ["Gathered", "Rows", "to_table"]

BATCH = 10_000
"""Rows that are records at one time."""
_TYPES = {
    "string": pa.string(),
    "list": pa.list_(pa.string()),
    "float64": pa.float64(),
    "int64": pa.int64(),
}


def to_table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of rows, each with a value for every column."""
    schema = pa.schema([(column.name, _TYPES[column.dtype]) for column in columns])
    values = {c.name: [_plain(row[c.name]) for row in rows] for c in columns}
    return pa.table(values, schema=schema)


class Rows(Sequence[Row]):
    """Rows of a run, in its order; each is made when it is looked at.

    Args:
        table: a column for every field of `Row`.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Rows":
        """These rows as columns; taken in `BATCH` at a time."""
        if isinstance(rows, Rows):
            return rows
        parts = Gathered()
        for row in rows:
            parts.add(row)
        return parts.rows()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[Row]:
        for batch in self.table.to_batches(max_chunksize=BATCH):
            yield from map(_row, batch.to_pylist())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> "Rows": ...
    def __getitem__(self, place: "int | slice") -> "Row | Rows":
        if isinstance(place, slice):
            return self.at(range(len(self))[place])
        place = range(len(self))[place]  # negative places, and IndexError beyond the end
        return _row(self.table.slice(place, 1).to_pylist()[0])

    def at(self, places: Sequence[int]) -> "Rows":
        """The rows of these places, in this order."""
        parts = Gathered()  # pyarrow's own `take` adds masks of nulls: other sizes in a card
        for start in range(0, len(places), BATCH):
            some = self.table.take(pa.array(places[start : start + BATCH], pa.int64()))
            parts.take(some.to_pylist())
        return parts.rows()

    def column(self, name: str) -> list[Any]:
        """One field of every row."""
        found: list[Any] = self.table[name].to_pylist()
        return found

    def __repr__(self) -> str:
        return f"<{len(self):,} rows>"


class Gathered:
    """Rows that come one by one, on their way to be columns."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = []
        self._batch: list[Mapping[str, Any]] = []

    def add(self, row: Row) -> None:
        """Take a row in, behind those that came before it."""
        self._batch.append(dict(row))
        if len(self._batch) == BATCH:
            self._flush()

    def take(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in rows that are mappings, as a batch of their own."""
        self._flush()
        self._batch.extend(rows)
        self._flush()

    def rows(self) -> Rows:
        """All that came."""
        self._flush()
        return Rows(pa.concat_tables(self._parts).combine_chunks())

    def _flush(self) -> None:
        self._parts.append(to_table(COLUMNS, self._batch))
        self._batch.clear()


def _row(values: Mapping[str, Any]) -> Row:
    return Row.model_validate(values)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
