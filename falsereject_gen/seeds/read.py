"""Any file of seeds (see SUFFIXES) into rows, all columns kept, each with its place.

What the columns mean is formats.py. CSV goes through the csv module as one stream, never cut at
line ends, so that cells may hold lines; cells may have any size.
"""

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from falsereject_gen.errors import InputError
from falsereject_gen.seeds.jsonfile import parse_json, parse_jsonl
from falsereject_gen.seeds.table import FileRow, Table, decode
from falsereject_gen.seeds.yamlfile import parse_seed_yaml

__all__ = ["SUFFIXES", "read_table"]

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".yaml")


def read_table(path: Path) -> Table:
    """The rows of a file, by its suffix.

    Raises:
        InputError: the file is missing, a directory, empty, binary, in another encoding, broken
            (with the line), or of a kind that is not read.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise InputError("this is a directory; name the files in it", path=path)
    if not path.exists():
        raise InputError("no such file", path=path)
    if suffix not in SUFFIXES:
        raise InputError(
            f"files of this kind are not read; wanted: {' '.join(SUFFIXES)}", path=path
        )
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", path=path) from None
    if not data:
        raise InputError("the file is empty", path=path)
    if suffix == ".parquet":
        return _parquet(data, path)
    text = decode(data, path)
    if suffix in _PARSERS:
        return _PARSERS[suffix](text, path)
    return _csv(text, path, "\t" if suffix == ".tsv" else _delimiter(text))


def _lines(text: str, path: Path) -> Table:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    rows = (FileRow(f"line {n}", {"prompt": x.rstrip("\r")}) for n, x in enumerate(lines, 1))
    return Table(path, "lines", ("prompt",), tuple(rows))


def _delimiter(text: str) -> str:
    """A comma, unless the header has none and holds what spreadsheets write in its place."""
    header = text.split("\n", 1)[0]
    if "," in header:
        return ","
    return next((mark for mark in (";", "\t") if mark in header), ",")


def _csv(text: str, path: Path, delimiter: str) -> Table:
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, strict=True, delimiter=delimiter)
    rows: list[FileRow] = []
    columns: list[str] = []
    start = 1
    try:
        with _any_size():
            for cells in reader:
                if cells and not columns:
                    columns = _header(cells, path)
                elif cells:
                    rows.append(_cells(columns, cells, f"row {len(rows) + 1}"))
                start = reader.line_num + 1
    except csv.Error as fault:
        raise InputError(_csv_fault(str(fault)), path=path, at=f"line {start}") from None
    if not rows:
        raise InputError(f"no rows in it, only a header: {', '.join(columns)}", path=path)
    return Table(path, "records", tuple(columns), tuple(rows))


@contextmanager
def _any_size() -> Iterator[None]:
    """Lift the csv module's limit on a cell (a global of it) while one file is read."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv_fault(what: str) -> str:
    if "unexpected end" in what:
        return "a quote that opens in the row that starts here is never closed"
    if "expected after" in what:
        return 'text after a closing quote; a quote inside a quoted cell is written twice ("")'
    return f"not valid CSV: {what}"


def _header(cells: list[str], path: Path) -> list[str]:
    """Column names; an empty one (an unnamed index) becomes `column 1`."""
    names = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(
            f"the column `{twice[0]}` stands twice; rename one", path=path, at="header"
        )
    return names


def _cells(columns: list[str], cells: list[str], place: str) -> FileRow:
    """A row; missing cells are None, and cells beyond the header make it a broken one."""
    if len(cells) > len(columns):
        fault = f"{len(cells)} cells where the header names {len(columns)} (an unquoted comma?)"
        return FileRow(place, dict(zip(columns, cells, strict=False)), fault)
    padded = [*cells, *[None] * (len(columns) - len(cells))]
    return FileRow(place, dict(zip(columns, padded, strict=True)))


def _parquet(data: bytes, path: Path) -> Table:
    import pyarrow as pa  # noqa: PLC0415 - half a second of import, only for this kind of file
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        found = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as fault:
        first = str(fault).splitlines()[0][:120]
        raise InputError(f"not a Parquet file that can be read: {first}", path=path) from None
    if not found.num_rows:
        raise InputError("no rows in it", path=path)
    rows = (FileRow(f"row {number}", values) for number, values in enumerate(found.to_pylist(), 1))
    return Table(path, "records", tuple(found.column_names), tuple(rows))


_PARSERS = {
    ".json": parse_json,
    ".jsonl": parse_jsonl,
    ".ndjson": parse_jsonl,
    ".txt": _lines,
    ".yaml": parse_seed_yaml,
}
