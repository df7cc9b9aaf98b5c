"""The innocent readings of alarming words, from graphs/entities/.

A *reading* is one harmless way in which an alarming word is met: who meets it, doing what, where
and why. Its phrases are benign on their own, whatever frame they are put in; that is what makes a
row benign by construction (rows.md).
"""

from typing import Any

from pydantic import Field, ValidationError

from falsereject_gen.errors import RoomError
from falsereject_gen.records import Record, Strategy
from falsereject_gen.rooms import Rooms

__all__ = ["Knowledge", "Reading", "load_knowledge"]


class Reading(Record):
    """One innocent situation, with the phrases that a frame can be filled with."""

    id: str
    strategy: Strategy
    entities: tuple[str, ...] = Field(min_length=1)
    answer: str = Field(description="What the full public answer holds.")
    slots: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    who: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    scene: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    wh: tuple[str, ...] = ()


class Knowledge:
    """Readings by category, in the order of their files."""

    def __init__(self, by_category: dict[str, tuple[Reading, ...]]) -> None:
        self.by_category = by_category

    def readings(self, category: str) -> tuple[Reading, ...]:
        """Readings of a category; none for an unknown one."""
        return self.by_category.get(category, ())


def load_knowledge(rooms: Rooms) -> Knowledge:
    """Read the `readings` of graphs/entities/*.yaml.

    Raises:
        RoomError: a reading does not fit, or names an entity that its file does not list.
    """
    found: dict[str, tuple[Reading, ...]] = {}
    for name in rooms.names("graphs/entities"):
        part: dict[str, Any] = rooms.yaml(name)
        if not isinstance(part, dict):
            raise RoomError(f"{name}: a mapping with `category:` and `entities:` is wanted")
        known = {entry["id"] for entry in part.get("entities", [])}
        readings = []
        for number, entry in enumerate(part.get("readings", []), 1):
            try:
                reading = Reading.model_validate(entry)
            except ValidationError as fault:
                first = fault.errors()[0]
                raise RoomError(
                    f"{name}: reading {number}: {first['loc']}: {first['msg']}"
                ) from None
            missing = set(reading.entities) - known
            if missing:
                raise RoomError(f"{name}: reading `{reading.id}`: no entity {sorted(missing)}")
            readings.append(reading)
        found[str(part.get("category"))] = tuple(readings)
    return Knowledge(found)
