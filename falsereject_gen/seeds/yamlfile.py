"""A seed file of the rooms (graphs/seeds/<category>.yaml) or a category sheet, read as seeds.

So `--seeds mine/graphs/seeds/drones.yaml` makes a run of that one category.
"""

from pathlib import Path
from typing import Any

from falsereject_gen.errors import InputError, RoomError
from falsereject_gen.rooms import parse_yaml
from falsereject_gen.seeds.table import FileRow, Table

__all__ = ["parse_seed_yaml"]

_COLUMNS = ("text", "category", "source", "licence", "language", "confidence")


def parse_seed_yaml(text: str, path: Path) -> Table:
    """The `seeds:` of a file as rows in our own format; its pairs and tame texts are no seeds.

    Raises:
        InputError: not YAML, or no `category:` (a sheet: `id:`) with a list of `seeds:`.
    """
    try:
        values = parse_yaml(text, str(path))
    except RoomError as fault:
        raise InputError(str(fault)) from None
    except RecursionError:
        raise InputError("nested too deeply to be read", path=path) from None
    found = values if isinstance(values, dict) else {}
    category, seeds = found.get("category") or found.get("id"), found.get("seeds")
    if not isinstance(category, str) or not isinstance(seeds, list) or not seeds:
        raise InputError("a YAML file of seeds has `category:` and a list `seeds:`", path=path)
    rows = (_row(number, seed, category) for number, seed in enumerate(seeds, 1))
    return Table(path, "records", _COLUMNS, tuple(rows))


def _row(number: int, seed: Any, category: str) -> FileRow:
    place = f"seed {number}"
    if not isinstance(seed, str):
        return FileRow(place, dict.fromkeys(_COLUMNS), "a seed is a text")
    cells = (seed, category, "own", "own", None, 1.0)  # the language is looked at as in any file
    return FileRow(place, dict(zip(_COLUMNS, cells, strict=True)))
