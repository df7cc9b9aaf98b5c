"""CSV for any spreadsheet: no cell is a formula, and what a spreadsheet saves is read again."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, sheet
from falsereject_gen.annotate.questions import ANSWERS
from falsereject_gen.errors import InputError

__all__ = ["inert", "knows", "plain", "read", "write"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKS = (",", ";", "\t")


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The file of one annotator: `batch.csv`, UTF-8 with a byte order mark, as Excel wants it."""
    out = io.StringIO(newline="")
    table = csv.writer(out, quoting=csv.QUOTE_ALL)
    table.writerow(sheet.COLUMNS)
    for cells in sheet.rows(batch, annotator):
        table.writerow([*map(inert, cells), *("" for _ in ANSWERS)])
    return {"batch.csv": out.getvalue().encode("utf-8-sig")}


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what could be one."""
    return f"'{text}" if _dangerous(text.lstrip("'")) else text


def plain(text: str) -> str:
    """The text before `inert`: exactly what was put in."""
    return text[1:] if text.startswith("'") and _dangerous(text[1:].lstrip("'")) else text


def _dangerous(text: str) -> bool:
    """Whether it begins like a formula, after blanks or not."""
    return text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)


def knows(name: str, data: bytes) -> bool:
    """By its suffix."""
    return name.lower().endswith((".csv", ".tsv"))


def read(data: bytes) -> Iterator[Entry]:
    """The rows of a sheet, separated by comma, semicolon or tab, in UTF-8 or UTF-16."""
    text = _decode(data)
    head = text.splitlines()[0] if text.strip() else ""
    mark = max(_MARKS, key=head.count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    yield from sheet.entries(_places(table))


def _places(table: Any) -> Iterator[tuple[str, list[str]]]:
    begins = 1
    while True:
        try:
            cells = next(table, None)
        except csv.Error as fault:
            raise InputError(f"not valid CSV: {fault}", at=f"line {begins}") from None
        if cells is None:
            return
        yield f"line {begins}", [plain(cell) for cell in cells]
        begins = table.line_num + 1


def _decode(data: bytes) -> str:
    code = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(code)
    except UnicodeDecodeError as fault:
        name = code.removesuffix("-sig").upper()
        what = f"not {name} text (byte {fault.start:,}); save it as CSV UTF-8"
        raise InputError(what) from None
