"""Rows of any file written as csv, tsv, jsonl, json or parquet, by the suffix, all or nothing.

Reading is seeds/read.py; what the cells mean is the caller's.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.files import replace_file

__all__ = ["OUT_SUFFIXES", "check_out", "write_rows"]

Rows = Sequence[Mapping[str, Any]]
_CHUNK = 500
_LONE = re.compile("[\ud800-\udfff]")


def check_out(out: Path) -> None:
    """Refuse a suffix that is not written, before any work is done.

    Raises:
        UsageError: the suffix is none of OUT_SUFFIXES.
    """
    if out.suffix.lower() not in OUT_SUFFIXES:
        raise UsageError(
            f"--out {out}: the suffix decides the format; it must be one of"
            f" {' '.join(OUT_SUFFIXES)}"
        )
    if out.is_dir():
        raise UsageError(f"--out {out}: this is a directory; name a file")


def write_rows(out: Path, columns: Sequence[str], rows: Rows) -> None:
    """Write rows in their order; a cell that a row lacks is null (empty in csv and tsv).

    Lists and dicts in a csv cell are written as JSON.

    Raises:
        UsageError: the suffix is none of OUT_SUFFIXES.
        InputError: the cells do not fit the format; another one is named.
        StoreError: the file cannot be written; what was there is untouched.
    """
    check_out(out)
    try:
        replace_file(out, OUT_SUFFIXES[out.suffix.lower()](columns, rows))
    except UnicodeEncodeError as fault:
        what = f"half a character (lone surrogate U+{ord(fault.object[fault.start]):04X}) in a cell"
        raise InputError(f"{what}; --out with .jsonl keeps it", path=out) from None


def _delimited(mark: str) -> Callable[[Sequence[str], Rows], Iterator[bytes]]:
    def chunks(columns: Sequence[str], rows: Rows) -> Iterator[bytes]:
        for start in range(0, max(1, len(rows)), _CHUNK):
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter=mark, lineterminator="\n")
            if not start:
                writer.writerow(columns)
            for row in rows[start : start + _CHUNK]:
                writer.writerow([_cell(row.get(column)) for column in columns])
            yield text.getvalue().encode()

    return chunks


def _cell(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list | bool) else value


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return json.dumps(value, default=str) if _LONE.search(text) else text


def _jsonl(_: Sequence[str], rows: Rows) -> Iterator[bytes]:
    for row in rows:
        yield f"{_json(row)}\n".encode()


def _array(_: Sequence[str], rows: Rows) -> Iterator[bytes]:
    for number, row in enumerate(rows):
        yield (",\n " if number else "[\n ").encode() + _json(row).encode()
    yield b"\n]\n" if rows else b"[]\n"


def _parquet(columns: Sequence[str], rows: Rows) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - half a second of import, only for this kind of file
    import pyarrow.parquet as pq  # noqa: PLC0415

    arrays = []
    for column in columns:
        try:
            arrays.append(pa.array([row.get(column) for row in rows]))
        except (pa.ArrowException, OverflowError) as fault:
            what = f"column `{column}` does not fit Parquet: {str(fault).splitlines()[0][:100]}"
            raise InputError(f"{what}; --out with .jsonl keeps it as it is") from None
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays, names=list(columns)), sink)
    yield sink.getvalue()


OUT_SUFFIXES: Mapping[str, Callable[[Sequence[str], Rows], Iterator[bytes]]] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": _jsonl,
    ".json": _array,
    ".parquet": _parquet,
}
"""What is written, by suffix."""
