"""Our own entities (graphs/entities/): kinds, forms and the words that stand for the same thing."""

from functools import cached_property
from typing import Any, Literal

from pydantic import Field, ValidationError

from falsereject_gen.entities.english import forms
from falsereject_gen.entities.spans import English, load_english
from falsereject_gen.errors import RoomError
from falsereject_gen.records import Kind, Record
from falsereject_gen.rooms import Rooms

__all__ = ["EntityNote", "Lexicon", "load_lexicon"]


class EntityNote(Record):
    """A noun or act of a category."""

    id: str = Field(description="Canonical name: the lower-case base form.")
    kind: Kind
    hot: bool = Field(description="Alarming on its own.")
    also: tuple[str, ...] = Field(default=(), description="Other words for the same thing.")
    number: Literal["count", "mass", "plural", "proper"] = "count"

    @cached_property
    def surfaces(self) -> frozenset[str]:
        """All lower-case forms in which it can stand in a text."""
        return frozenset(form for word in (self.id, *self.also) for form in forms(word))


class Lexicon:
    """Entity notes by category, and one note for every surface form.

    Where categories differ about an entity, the first file (by name) gives its kind; it is hot if
    any of them says so. `english` is what is known beyond them; None: the packaged words.
    """

    def __init__(
        self, by_category: dict[str, tuple[EntityNote, ...]], english: English | None = None
    ) -> None:
        self.by_category = by_category
        self._english = english
        self.notes: dict[str, EntityNote] = {}
        for notes in by_category.values():
            for note in notes:
                kept = self.notes.get(note.id)
                if kept is None or (note.hot and not kept.hot):
                    self.notes[note.id] = note
        self.by_form: dict[str, EntityNote] = {}
        for note in self.notes.values():
            for form in sorted(note.surfaces):
                self.by_form.setdefault(form, note)
        for note in self.notes.values():  # a word's own entry beats another's `also`
            self.by_form[note.id.lower()] = note

    @cached_property
    def english(self) -> English:
        """Light verbs, filler, prepositions and everyday nouns."""
        return self._english or load_english(Rooms())

    def hot_forms(self, category: str) -> frozenset[str]:
        """Forms of the alarming entities of a category; empty for an unknown one."""
        notes = self.by_category.get(category, ())
        return frozenset(form for note in notes if note.hot for form in note.surfaces)


def load_lexicon(rooms: Rooms) -> Lexicon:
    """Read the `entities` of graphs/entities/*.yaml, and graphs/extraction.yaml.

    Raises:
        RoomError: an entity does not fit, or stands twice in its file.
    """
    found: dict[str, tuple[EntityNote, ...]] = {}
    for name in rooms.names("graphs/entities"):
        part: dict[str, Any] = rooms.yaml(name)
        if not isinstance(part, dict):
            raise RoomError(f"{name}: a mapping with `category:` and `entities:` is wanted")
        notes = []
        for number, entry in enumerate(part.get("entities", []), 1):
            try:
                notes.append(EntityNote.model_validate(entry))
            except ValidationError as fault:
                first = fault.errors()[0]
                raise RoomError(
                    f"{name}: entity {number}: {first['loc']}: {first['msg']}"
                ) from None
        ids = [note.id for note in notes]
        twice = {i for i in ids if ids.count(i) > 1}
        if twice:
            raise RoomError(f"{name}: entities stand twice: {', '.join(sorted(twice))}")
        found[str(part.get("category"))] = tuple(notes)
    return Lexicon(found, load_english(rooms))
