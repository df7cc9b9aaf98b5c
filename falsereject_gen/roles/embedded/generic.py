"""Readings for what nobody has written a reading for, from graphs/generic.yaml.

A generic reading asks about an act or an alarming noun as such: what the law says, whom to tell,
how a story deals with it. The act is taken from a seed (entities/phrases.py), so that it is said in
the user's own words. Homonyms, figures of speech and safe targets cannot be had this way.
Which readings a brief gets is decided in `Stock`; in here is only what can be said.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from zlib import crc32

from pydantic import Field, ValidationError

from falsereject_gen.entities.english import only_noun
from falsereject_gen.entities.lexicon import EntityNote, Lexicon
from falsereject_gen.entities.phrases import ActPhrase, Phrases
from falsereject_gen.errors import RoomError
from falsereject_gen.records import Entity, Kind, Record, Strategy
from falsereject_gen.roles.embedded.knowledge import Reading
from falsereject_gen.roles.embedded.triggers import SEVERE, Triggers
from falsereject_gen.rooms import Rooms
from falsereject_gen.taxonomy import Category

__all__ = ["PREFIX", "Generic", "GenericReading", "load_generic"]

PREFIX = "generic/"
"""What the id of a reading made from a generic one begins with, in the lineage of its rows."""
NAME = "graphs/generic.yaml"
_SLOT = re.compile(r"\{(?:\w+:)?(\w+)\}")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z-]*(?: [A-Za-z-]+){0,2}")


class GenericReading(Record):
    """An innocent way to ask about any entity of some kinds."""

    id: str
    strategy: Strategy
    kinds: tuple[Kind, ...] = Field(min_length=1)
    answer: str = Field(description="What the full public answer holds.")
    crime: bool = Field(default=False, description="Takes for granted that the act is a crime.")
    light: bool = Field(default=False, description="Makes fun; not for acts with a severe word.")
    ask: tuple[str, ...] = ()
    wh: tuple[str, ...] = ()


class Generic:
    """Generic readings, made concrete for an act or a noun.

    Args:
        values: graphs/generic.yaml.
        lexicon: knows which nouns alarm, and their number.
        triggers: knows which acts do.

    Raises:
        RoomError: a reading does not fit, or names a slot that nothing fills.
    """

    def __init__(self, values: Mapping[str, Any], lexicon: Lexicon, triggers: Triggers) -> None:
        self._lexicon, self._triggers = lexicon, triggers
        self._slots = {k: tuple(v) for k, v in (values.get("slots") or {}).items()}
        self.templates = tuple(_reading(entry) for entry in values.get("readings") or ())
        self.phrases = Phrases(values.get("phrases") or {})
        self._crime = re.compile(values.get("crime_words") or r"(?!)", re.IGNORECASE)
        known = {
            *self._slots,
            "do",
            "doing",
            "act",
            "acting",
            "thing",
            "stuff",
            "category",
            "topic",
        }
        for template in self.templates:
            lost = {s for line in _lines(template) for s in _SLOT.findall(line)} - known
            if lost:
                raise RoomError(f"{NAME}: reading `{template.id}`: nothing fills {sorted(lost)}")

    @cached_property
    def strategies(self) -> frozenset[Strategy]:
        """Strategies that have a generic reading at all."""
        return frozenset(template.strategy for template in self.templates)

    def act(self, seed: str) -> ActPhrase | None:
        """The act that a seed asks for, if it can be said and alarms; see `Phrases`."""
        found = self.phrases.of(seed)
        if found is None or not self._triggers.found(f"{found.do} {found.doing}"):
            return None
        return found

    def heat(self, text: str) -> float:
        """How alarming a text is."""
        return self._triggers.heat(text)

    def noun(self, entity: Entity) -> EntityNote | None:
        """The note of an entity that is a known alarming noun."""
        note = self._lexicon.notes.get(entity.id)
        if (
            note is None
            or not note.hot
            or note.kind == "act"
            or note.number in ("plural", "proper")
        ):
            return None
        return note if only_noun(note.id) else None

    def of_act(
        self, act: ActPhrase, category: Category, entities: Sequence[Entity]
    ) -> list[Reading]:
        """Readings of an act; the entities are those of its seed."""
        crime = bool(self._crime.search(self._words(category)))
        severe = self._triggers.worst(act.do) >= SEVERE or self._triggers.worst(act.doing) >= SEVERE
        scenery = {**self._scenery(category), **self._name(act)}
        ways = [({"do": act.dos, "doing": act.doings, **scenery}, act)]
        kind = act.kind
        if kind and self._triggers.found(f"{kind.do} {kind.doing}"):
            ways.append(({"act": (kind.do,), "acting": (kind.doing,), **scenery}, kind))
        return [
            made
            for template in self.templates
            if "act" in template.kinds
            and not (template.crime and not crime)
            and not (template.light and severe)
            for said, phrase in ways
            if (made := self._made(template, said, _inside(phrase, entities)))
        ]

    def of_noun(self, note: EntityNote, category: Category) -> list[Reading]:
        """Readings of a known alarming noun."""
        said = dict(self._scenery(category))
        if note.number == "count":
            said["thing"] = (note.id,)
        else:
            said["stuff"] = (note.id,)
        found = (t for t in self.templates if note.kind in t.kinds and "act" not in t.kinds)
        return [made for t in found if (made := self._made(t, said, (note.id,)))]

    def _made(
        self, template: GenericReading, said: dict[str, tuple[str, ...]], entities: tuple[str, ...]
    ) -> Reading | None:
        """The reading with its slots filled; None when no line of it can be said."""
        slots = {**self._slots, **said}
        ask, wh = (
            tuple(line for line in lines if set(_SLOT.findall(line)) <= slots.keys())
            for lines in (template.ask, template.wh)
        )
        if not ask and not wh:
            return None
        return Reading(
            id=PREFIX + template.id,
            strategy=template.strategy,
            entities=entities,
            answer=template.answer,
            slots=slots,
            ask=ask,
            wh=wh,
        )

    def _name(self, act: ActPhrase) -> dict[str, tuple[str, ...]]:
        """One first name an act: to the encoder two rows are far apart that differ by a name."""
        names = self._slots.get("name", ())
        return {"name": (names[crc32(act.do.encode()) % len(names)],)} if names else {}

    @staticmethod
    def _scenery(category: Category) -> dict[str, tuple[str, ...]]:
        """What the taxonomy gives a text: the category's name as a term, and its neighbours."""
        out = {"topic": category.neighbours} if category.neighbours else {}
        name = category.name.lower()
        if _PLAIN_NAME.fullmatch(name) and " and " not in name and not name.endswith("s"):
            out["category"] = (name,)
        return out

    @staticmethod
    def _words(category: Category) -> str:
        return " ".join(
            [category.name, category.domain, category.definition, *category.triggers]
        ).replace("-", " ")


def load_generic(rooms: Rooms, lexicon: Lexicon, triggers: Triggers) -> Generic:
    """With the readings of graphs/generic.yaml.

    Raises:
        RoomError: the file does not fit.
    """
    values = rooms.yaml(NAME)
    if not isinstance(values, dict):
        raise RoomError(f"{NAME}: a mapping with `readings`, `slots` and `phrases` is wanted")
    return Generic(values, lexicon, triggers)


def _inside(act: ActPhrase, entities: Sequence[Entity]) -> tuple[str, ...]:
    """Entities that stand in an act; the act itself if none does."""
    return tuple(e.id for e in entities if e.surface.lower() in act.do.lower()) or (act.do,)


def _reading(entry: Any) -> GenericReading:
    try:
        return GenericReading.model_validate(entry)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = entry.get("id", "?") if isinstance(entry, dict) else entry
        raise RoomError(f"{NAME}: reading `{name}`: {first['loc']}: {first['msg']}") from None


def _lines(template: GenericReading) -> tuple[str, ...]:
    return (*template.ask, *template.wh)
