"""Puts a category into an overlay folder (`--rooms DIR`), never into the installed package.

The taxonomy entry goes to graphs/taxonomy.yaml (`extends: bundled`, so the 44 stay), seeds to
graphs/seeds/, entities and readings to graphs/entities/. All of it is checked before any of it is
written.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

from falsereject_gen.categories.sheet import CategorySheet, to_yaml
from falsereject_gen.errors import RoomError, TaxonomyError, UsageError
from falsereject_gen.files import replace_file
from falsereject_gen.rooms import ROOMS, Rooms, parse_yaml
from falsereject_gen.taxonomy import Taxonomy, load_taxonomy

__all__ = ["add", "sheet_of"]

_HEAD = "# Categories of our own, on top of the 44 (leave `extends` out to replace them).\n"
_TAXONOMY = "graphs/taxonomy.yaml"


def add(sheet: CategorySheet, folder: Path) -> list[Path]:
    """Write a category into an overlay folder, made if need be.

    Returns:
        The files written.

    Raises:
        UsageError: the folder is the package's own.
        TaxonomyError: the id or the name is taken, or the folder's taxonomy cannot be added to.
        StoreError: a file cannot be written.
    """
    _outside(folder)
    rooms = Rooms(folder) if any((folder / room).is_dir() for room in ROOMS) else Rooms()
    known, _ = load_taxonomy(rooms)
    taken = known.find(sheet.id) or known.find(sheet.name)
    if taken:
        own = (folder / "graphs" / "seeds" / f"{taken}.yaml").is_file()
        hint = f"edit its files in {folder / 'graphs'}" if own else "choose another id and name"
        raise TaxonomyError(f"category `{taken}` ({known[taken].name}) is there already; {hint}")
    Taxonomy([*known, sheet.category])
    wanted = {_TAXONOMY: _extended(folder / _TAXONOMY, sheet), **_parts(sheet)}
    for name in wanted:
        if name != _TAXONOMY and (folder / name).exists():
            raise UsageError(f"{folder / name} exists already, without its category; move it away")
    for name, text in wanted.items():
        replace_file(folder / name, [text.encode("utf-8")])
    return [folder / name for name in wanted]


def sheet_of(category_id: str, rooms: Rooms, taxonomy: Taxonomy) -> dict[str, Any]:
    """The values of a category that stands in the rooms, as a sheet would hold them.

    `seeds` is empty when there is no seed file for it.
    """
    values = taxonomy[category_id].model_dump(mode="json")
    for folder in ("seeds", "entities"):
        name = f"graphs/{folder}/{category_id}.yaml"
        found = rooms.yaml(name) if name in rooms.names(f"graphs/{folder}") else None
        values |= {k: v for k, v in (found or {}).items() if k != "category"}
    return values


def _parts(sheet: CategorySheet) -> dict[str, str]:
    given = sheet.model_dump(mode="json", exclude_defaults=True)
    head: dict[str, Any] = {"category": sheet.id}
    seeds = {key: given[key] for key in ("seeds", "pairs", "tame") if key in given}
    entities = {key: given[key] for key in ("entities", "readings") if key in given}
    out = {f"graphs/seeds/{sheet.id}.yaml": to_yaml(head | seeds)}
    if entities:
        whole = {"entities": [], **entities}
        out[f"graphs/entities/{sheet.id}.yaml"] = to_yaml(head | whole)
    return out


def _extended(path: Path, sheet: CategorySheet) -> str:
    """The folder's taxonomy with the category at its end; what a person wrote there stays as it is.

    Raises:
        TaxonomyError: its layout is not one that an entry can be put behind.
    """
    entry = [sheet.category.model_dump(mode="json", exclude_defaults=True)]
    if not path.is_file():
        return _HEAD + "extends: bundled\n" + to_yaml({"categories": entry})
    before = path.read_text(encoding="utf-8-sig")
    values = parse_yaml(before, str(path))
    wanted = {**values, "categories": [*values["categories"], *entry]}
    for indent in ("", "  "):
        lines = [indent + line for line in to_yaml(entry).splitlines()]
        text = "\n".join([before.rstrip("\n"), *lines, ""])
        try:
            if parse_yaml(text, str(path)) == wanted:
                return text
        except RoomError:  # the other indentation may fit
            continue
    raise TaxonomyError(
        "`categories:` is not the last block of the file; move it to the end", path=path
    )


def _outside(folder: Path) -> None:
    package = Path(str(files("falsereject_gen"))).resolve()
    target = folder.resolve()
    if target.is_relative_to(package) or target == package.parent:
        raise UsageError(
            f"{folder}: this is the installed package, which an update replaces; name a folder of "
            "your own"
        )
    if target.exists() and not target.is_dir():
        raise UsageError(f"{folder}: a file of that name stands in the way; name a folder")
