"""One category as a person writes it: one YAML file with everything that a run needs of it.

Reading it and saying what is wrong with it; where its parts go is overlay.py.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from falsereject_gen.entities.lexicon import EntityNote
from falsereject_gen.errors import InputError, RoomError
from falsereject_gen.roles.embedded.knowledge import Reading
from falsereject_gen.rooms import parse_yaml
from falsereject_gen.seeds.bundled import ContrastPair
from falsereject_gen.taxonomy import Category

__all__ = ["CategorySheet", "make_sheet", "read_sheet", "to_yaml"]

_LARGEST = 2_000_000


class CategorySheet(Category):
    """A category with its seeds; entities, pairs, tame texts and readings if there are any."""

    seeds: tuple[str, ...] = Field(min_length=1, description="Toxic requests, one sentence each.")
    entities: tuple[EntityNote, ...] = Field(default=(), description="Its nouns and acts.")
    pairs: tuple[ContrastPair, ...] = Field(default=(), description="Toxic and benign twins.")
    tame: tuple[str, ...] = Field(default=(), description="On the topic, refused by nobody.")
    readings: tuple[Reading, ...] = Field(default=(), description="See writing-knowledge.md.")

    @property
    def category(self) -> Category:
        """The taxonomy's part of it."""
        return Category(**{name: getattr(self, name) for name in Category.model_fields})


def read_sheet(path: Path) -> CategorySheet:
    """A category sheet from its file.

    Raises:
        InputError: the file cannot be read, is empty or too large, or does not fit; says where.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError("a category sheet has at most 2 MB", path=path)
        values = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as fault:
        why = fault.strerror or str(fault)
        raise InputError(f"the category sheet cannot be read: {why}", path=path) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text; save the category sheet as UTF-8", path=path) from None
    except RoomError as fault:
        raise InputError(str(fault)) from None
    except RecursionError:
        raise InputError("nested too deeply to be read", path=path) from None
    return make_sheet(values, path)


def make_sheet(values: Any, origin: Path | str) -> CategorySheet:
    """A category sheet from values, such as those that a person typed.

    Raises:
        InputError: a field is missing, unknown or of the wrong kind, or something stands twice.
    """
    if values is None:
        raise InputError(
            "the file is empty; `categories draft` or docs/categories.md show how "
            "a category sheet looks",
            path=origin,
        )
    if not isinstance(values, dict):
        raise InputError(
            "a category sheet is a mapping: id, name, domain, definition, seeds, …", path=origin
        )
    if "categories" in values:
        raise InputError(
            "this is a taxonomy; a category sheet holds one category, its fields "
            "(id, name, …, seeds) without `categories:`",
            path=origin,
        )
    try:
        sheet = CategorySheet.model_validate({k: _tidy(v) for k, v in values.items()})
    except (ValidationError, RecursionError) as fault:
        raise InputError(_explain(fault), path=origin) from None
    _once([_key(text) for text in sheet.seeds], "seed", origin)
    _once([note.id for note in sheet.entities], "entity", origin)
    _once([reading.id for reading in sheet.readings], "reading", origin)
    blank = [number for number, text in enumerate(sheet.seeds, 1) if not text.strip()]
    if blank:
        raise InputError("an empty seed", path=origin, at=f"seed {blank[0]}")
    return sheet


def to_yaml(values: Any) -> str:
    """YAML for people: keys in their order, quotes only where needed, lines of 100 characters."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)


def _tidy(value: Any) -> Any:
    """Texts that YAML folded over lines are one line."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return [" ".join(part.split()) for part in value]
    return value


def _explain(fault: ValidationError | RecursionError) -> str:
    if isinstance(fault, RecursionError):
        return "it contains itself (a YAML alias inside its own anchor)"
    first = fault.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    known = ", ".join(CategorySheet.model_fields)
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"unknown field `{name}`; known are {known}"
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return f"`{name}` is missing; needed are id, name, domain, definition and seeds"
    if first["type"] == "recursion_loop":
        return f"`{name}` contains itself (a YAML alias inside its own anchor)"
    hint = "; lower-case words joined by hyphens, such as drone-misuse" if name == "id" else ""
    return f"`{name}`: {first['msg']}{hint}"


def _once(found: list[str], what: str, origin: Path | str) -> None:
    twice = [value for value, count in Counter(found).items() if count > 1]
    if twice:
        raise InputError(f"{what} stands twice: {twice[0][:80]!r}", path=origin)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
