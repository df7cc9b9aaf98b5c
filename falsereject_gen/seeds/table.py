"""Rows of a file as they stand there, each with its place, and the bytes-to-text step before them.

What the columns mean is formats.py; nothing is dropped or judged here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from falsereject_gen.errors import InputError

__all__ = ["FileRow", "Shape", "Table", "decode"]

Shape = Literal["records", "list", "nested", "lines"]
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


@dataclass(frozen=True)
class FileRow:
    """One row: its place (`row 12`, `line 812`), its cells by column, and why it is broken."""

    place: str
    values: dict[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class Table:
    """All rows of a file.

    `shape` says how they stood there: `records` have named columns; `list` (a bare JSON array),
    `lines` (plain text) and `nested` (dicts of lists) have the column `prompt`, nested ones also
    `category`, `subcategory`, `level 3` … from their keys, and `keys` are the outermost ones.
    """

    path: Path
    shape: Shape
    columns: tuple[str, ...]
    rows: tuple[FileRow, ...]
    keys: frozenset[str] = frozenset()


def decode(data: bytes, path: Path) -> str:
    """UTF-8 text, with or without a byte-order mark.

    Raises:
        InputError: nothing in it, a binary file, or another encoding, with the line.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError("this is UTF-16 text; save the file as UTF-8", path=path)
    if b"\0" in data:
        raise InputError("this is a binary file, not text", path=path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        head = data[:2048]
        if sum(byte in _CONTROL for byte in head) > len(head) // 50:
            raise InputError("this is a binary file, not text", path=path) from None
        line = data.count(b"\n", 0, fault.start) + 1
        byte = f"0x{data[fault.start]:02x}"
        what = f"byte {byte} is not UTF-8 (Latin-1 or Windows-1252?); save the file as UTF-8"
        raise InputError(what, path=path, at=f"line {line}") from None
    if not text.strip():
        raise InputError("the file is empty", path=path)
    return text
