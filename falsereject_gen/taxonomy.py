"""Categories, strategies and the crosswalks between public taxonomies.

A category is joined by its id or name, never by a number across versions of a taxonomy.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from falsereject_gen.errors import InputError, RoomError, TaxonomyError
from falsereject_gen.records import Record
from falsereject_gen.rooms import Rooms, parse_yaml

__all__ = ["UNCATEGORISED", "Category", "Crosswalks", "Taxonomy", "load_taxonomy"]

UNCATEGORISED = "uncategorised"
_NAME = "graphs/taxonomy.yaml"


class Category(Record):
    """One harm category: what is unsafe, and which benign requests live next to it."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Slug.")
    name: str = Field(min_length=1)
    domain: str = Field(min_length=1)
    definition: str = Field(min_length=1)
    neighbours: tuple[str, ...] = Field(default=(), description="Benign topics next door.")
    triggers: tuple[str, ...] = Field(default=(), description="Words a filter would stop at.")


class Taxonomy:
    """An ordered set of categories, found by id or by name.

    Raises:
        TaxonomyError: an id or a name stands twice.
    """

    def __init__(self, categories: Iterable[Category], origin: str = "taxonomy") -> None:
        self.categories: dict[str, Category] = {}
        self._by_name: dict[str, str] = {}
        for category in categories:
            if category.id in self.categories:
                raise TaxonomyError(f"category id `{category.id}` stands twice", path=origin)
            if _key(category.name) in self._by_name:
                raise TaxonomyError(f"category name `{category.name}` stands twice", path=origin)
            self.categories[category.id] = category
            self._by_name[_key(category.name)] = category.id
        if not self.categories:
            raise TaxonomyError("no category in it", path=origin)

    def __iter__(self) -> "Any":
        return iter(self.categories.values())

    def __len__(self) -> int:
        return len(self.categories)

    def __contains__(self, category_id: str) -> bool:
        return category_id in self.categories

    def __getitem__(self, category_id: str) -> Category:
        try:
            return self.categories[category_id]
        except KeyError:
            near = [c for c in self.categories if category_id[:5] in c][:5]
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise TaxonomyError(f"unknown category `{category_id}`{hint}") from None

    def find(self, label: str) -> str | None:
        """The id of the category with this id or name, or None."""
        if label in self.categories:
            return label
        return self._by_name.get(_key(label))


class Crosswalks:
    """Which of our categories other taxonomies' labels mean; many-to-one where they are coarser."""

    def __init__(self, tables: dict[str, dict[str, list[str]]]) -> None:
        self.tables = tables

    def ours(self, table: str, label: str) -> tuple[str, ...]:
        """Our category ids for a foreign label: one (a mapping), several (a choice), or none."""
        found = self.tables.get(table, {})
        return tuple(found.get(label) or found.get(_key(label)) or ())

    def theirs(self, table: str, category_id: str) -> tuple[str, ...]:
        """The foreign labels whose meaning includes our category."""
        found = self.tables.get(table, {})
        return tuple(label for label, ids in found.items() if category_id in ids)


def load_taxonomy(rooms: Rooms, extra: Path | None = None) -> tuple[Taxonomy, Crosswalks]:
    """The bundled taxonomy, a user's own in its place, or a user's own on top of it.

    An overlay's `graphs/taxonomy.yaml` and `extra` are read by the same rule: with
    `extends: bundled` their categories are added to those below, else they stand alone.

    Args:
        rooms: where taxonomy.yaml and crosswalks.yaml are read.
        extra: a file with `categories: [...]`, on top of what the rooms say.

    Raises:
        TaxonomyError: a duplicate id or name, or a category without a needed field.
    """
    own, origin = _of_rooms(rooms), _NAME
    tables = rooms.yaml("graphs/crosswalks.yaml")
    if extra is not None:
        origin = str(extra)
        values = _read(extra)
        own = [*(own if _extends(values, origin) else ()), *_categories(values, origin)]
    taxonomy = Taxonomy(own, origin)
    walks = {
        name: {str(label): [i for i in ids if i in taxonomy] for label, ids in table.items()}
        for name, table in tables.items()
    }
    return taxonomy, Crosswalks(walks)


def _of_rooms(rooms: Rooms) -> list[Category]:
    """The categories of graphs/taxonomy.yaml; an overlay's on top of ours, if it says so."""
    values = rooms.yaml(_NAME)
    seen = rooms.read[_NAME]
    own = _categories(values, _NAME if seen["from"] == "package" else _place(rooms))
    if not _extends(values, _place(rooms)):
        return own
    if seen["from"] == "package":
        raise TaxonomyError("the bundled taxonomy cannot extend itself", path=_NAME)
    below = Rooms()
    out = [*_categories(below.yaml(_NAME), _NAME), *own]
    rooms.read[f"{_NAME} (extended)"] = below.read[_NAME]
    return out


def _place(rooms: Rooms) -> str:
    return str(rooms.overlay / _NAME) if rooms.overlay else _NAME


def _extends(values: Any, origin: str) -> bool:
    """Whether a taxonomy stands on top of the one below it."""
    wanted = values.get("extends") if isinstance(values, dict) else None
    if wanted not in (None, "bundled"):
        raise TaxonomyError("`extends` can only be `bundled`", path=origin)
    return wanted is not None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"the taxonomy cannot be read: {fault}", path=path) from None
    except RoomError as fault:
        raise TaxonomyError(str(fault)) from None
    if not isinstance(values, dict):
        raise TaxonomyError("a taxonomy is a mapping with `categories:`", path=path)
    return values


def _categories(values: Any, origin: str) -> list[Category]:
    entries = values.get("categories") if isinstance(values, dict) else None
    if not isinstance(entries, list):
        raise TaxonomyError("`categories:` with a list of categories is missing", path=origin)
    out = []
    for number, entry in enumerate(entries, 1):
        try:
            out.append(Category.model_validate(entry))
        except ValidationError as fault:
            first = fault.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise TaxonomyError(
                f"`{name}`: {first['msg']}", path=origin, at=f"category {number}"
            ) from None
    return out


def _key(name: str) -> str:
    return " ".join(name.lower().replace("&", "and").split())
