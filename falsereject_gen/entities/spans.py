"""What stands where in a text: the spans that become entities, for every offline extractor."""

from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from falsereject_gen.errors import RoomError
from falsereject_gen.records import Kind, Record
from falsereject_gen.rooms import Rooms

__all__ = ["English", "Link", "Span", "load_english"]


class Link(NamedTuple):
    """A relation between the entities of two spans, by their ids."""

    source: str
    label: str
    target: str


class Span(NamedTuple):
    """Tokens `start` to `end` (exclusive) name an entity.

    `kind` is empty where it has to be found by likeness; `known` is the id of its entity in the
    lexicon, or empty; `verb` says that the text uses it as one.
    """

    start: int
    end: int
    id: str
    kind: Kind | None
    known: str
    verb: bool


class English(Record):
    """Words that the offline extractors are told of: graphs/extraction.yaml."""

    light: frozenset[str] = Field(description="Verbs that only carry a request.")
    filler: frozenset[str] = Field(description="Nouns that say nothing of it.")
    prepositions: tuple[str, ...] = Field(description="Those of several words.")
    nearer: frozenset[str] = Field(description="Prepositions that hang on the thing before them.")
    kinds: dict[Kind, tuple[str, ...]] = Field(description="Everyday nouns.")

    def preposition(self, words: list[str]) -> str:
        """The preposition that a list of words ends with: `in front of`, else its last word."""
        text = " ".join(words)
        several = [one for one in self.prepositions if f" {text}".endswith(f" {one}")]
        return max(several, key=len, default=words[-1] if words else "")


def load_english(rooms: Rooms) -> English:
    """Read graphs/extraction.yaml.

    Raises:
        RoomError: it does not fit.
    """
    name = "graphs/extraction.yaml"
    found: Any = rooms.yaml(name)
    try:
        return English.model_validate(found)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RoomError(f"{name}: {where or 'the file'}: {first['msg']}") from None
