"""JSON and JSON Lines into rows: arrays, nested dicts of lists, artifacts, one object a line.

JSON Lines are cut at line feeds only: the text of a cell may hold other line separators.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from falsereject_gen.errors import InputError
from falsereject_gen.seeds.table import FileRow, Table

__all__ = ["parse_json", "parse_jsonl"]

_LEVELS = ("category", "subcategory")


def parse_json(text: str, path: Path) -> Table:
    """One JSON value: an array, nested dicts of lists, or an object that holds arrays of rows.

    Raises:
        InputError: not JSON, at its line, or a shape that holds no rows.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as fault:
        if fault.msg == "Extra data" and _is_json(text.lstrip().split("\n", 1)[0]):
            return parse_jsonl(text, path)  # JSON Lines under the name .json, as on many hubs
        what = f"not valid JSON: {fault.msg} (column {fault.colno})"
        raise InputError(what, path=path, at=f"line {fault.lineno}") from None
    except (ValueError, RecursionError) as fault:
        raise InputError(f"JSON that cannot be read: {fault}", path=path) from None
    return _table(value, path)


def parse_jsonl(text: str, path: Path) -> Table:
    """One JSON value a line; blank lines do not count.

    Raises:
        InputError: a line is not JSON.
    """
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(_row(json.loads(line), f"line {number}"))
        except json.JSONDecodeError as fault:
            what = f"not valid JSON: {fault.msg} (column {fault.colno})"
            raise InputError(what, path=path, at=f"line {number}") from None
        except (ValueError, RecursionError) as fault:
            what = f"JSON that cannot be read: {fault}"
            raise InputError(what, path=path, at=f"line {number}") from None
    return _records(rows, path)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _table(value: Any, path: Path) -> Table:
    if isinstance(value, list):
        rows = [_row(item, f"row {number}") for number, item in enumerate(value, 1)]
        if value and not any(isinstance(item, dict) for item in value):
            return Table(path, "list", ("prompt",), tuple(rows))
        return _records(rows, path)
    if isinstance(value, dict):
        held = {k: v for k, v in value.items() if _holds_objects(v)}
        if held:
            return _records(
                [_row(x, f"{k}[{n}]") for k, v in held.items() for n, x in enumerate(v)], path
            )
        if value and all(isinstance(v, dict | list) for v in value.values()):
            return _nested(value, path)
        if any(isinstance(v, str) for v in value.values()):
            return _records([_row(value, "row 1")], path)
    raise InputError(
        "no rows in this JSON: wanted is an array of texts or objects, or dicts of lists of texts",
        path=path,
    )


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _row(item: Any, place: str) -> FileRow:
    if isinstance(item, dict):
        return FileRow(place, item)
    if item is None or isinstance(item, str):
        return FileRow(place, {"prompt": item})
    return FileRow(place, {"prompt": item}, f"neither text nor an object but {type(item).__name__}")


def _records(rows: list[FileRow], path: Path) -> Table:
    if not rows:
        raise InputError("no rows in it", path=path)
    columns = dict.fromkeys(key for row in rows for key in row.values)
    return Table(path, "records", tuple(columns), tuple(rows))


def _nested(value: dict[str, Any], path: Path) -> Table:
    rows = []
    for steps, number, item in _leaves(value, ()):
        names = [_LEVELS[n] if n < 2 else f"level {n + 1}" for n in range(len(steps))]
        fault = "" if item is None or isinstance(item, str) else "not text"
        cells = dict(zip(names, steps, strict=True)) | {"prompt": item}
        rows.append(FileRow(f"{' / '.join(steps)} [{number}]", cells, fault))
    table = _records(rows, path)
    return Table(path, "nested", table.columns, table.rows, frozenset(value))


def _leaves(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*steps, key))
    else:
        items = value if isinstance(value, list) else [value]
        yield from ((steps, number, item) for number, item in enumerate(items))
