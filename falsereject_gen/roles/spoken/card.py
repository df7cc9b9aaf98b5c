"""Agent cards (agents/*.yaml) and their prompts, rendered with StrictUndefined.

Text of seeds and candidates is a variable, never template source; the `quoted` filter makes it a
JSON string in which no tag can be closed.
"""

import json
import re
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, TemplateError, Undefined, meta
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from falsereject_gen.errors import RoomError
from falsereject_gen.models.protocol import Message
from falsereject_gen.roles.spoken.replies import REPLIES
from falsereject_gen.rooms import Rooms

__all__ = ["AgentCard", "Prompts", "load_card"]

# Tags, what some readers take for the end of a line, and what turns the direction of writing.
_UNSAFE = re.compile("[<>\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class AgentCard(BaseModel):
    """Who speaks, how hot, with which prompt, and in which shape the reply comes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    role: str
    sampling: dict[str, Any] = Field(default_factory=dict)
    system: str
    user: str
    variables: tuple[str, ...]
    reply: str | None = Field(default=None, description="Shape of replies.py; None: plain text.")
    retries: int = Field(default=2, ge=0, le=2, description="How often a bad reply is asked again.")
    votes: int = Field(default=1, ge=1, le=9)


class _Closed(Environment):
    """Templates see the variables of their card, and none of the functions that jinja2 brings."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A plain dict: half the time of a render went into the chain of two."""
        return dict(d or {})


class Prompts:
    """Renders a card's two prompts.

    Args:
        rooms: where templates are read; an overlay wins file by file.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._source: Callable[[str], str] = lambda name: rooms.text(_full(name))
        self._environment = _Closed(
            loader=FunctionLoader(self._source),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,  # of a part: what stands behind it begins a new line
        )
        self._environment.filters["quoted"] = quoted
        self._template = lru_cache(self._environment.get_template)
        self._constant = lru_cache(self._always)

    def messages(self, card: AgentCard, **variables: Any) -> tuple[Message, ...]:
        """The conversation that a card opens with.

        Raises:
            RoomError: a template is broken or uses a variable that the card does not declare.
        """
        if set(variables) != set(card.variables):
            raise RoomError(f"agents: {card.role}: declares {card.variables}, given {variables}")
        try:
            system, user = (self._text(name, variables) for name in (card.system, card.user))
        except TemplateError as fault:
            raise RoomError(f"{card.system}, {card.user}: {fault}") from None
        opening = (Message(role="system", content=system),) if system else ()
        return (*opening, Message(role="user", content=user))

    def _text(self, name: str, variables: Mapping[str, Any]) -> str:
        always = self._constant(name)
        return self._template(name).render(variables).strip() if always is None else always

    def _always(self, name: str) -> str | None:
        """What a template says in which no variable stands, as in most system prompts."""
        return None if self._varies(name) else self._template(name).render().strip()

    def _varies(self, name: str) -> bool:
        tree = self._environment.parse(self._source(name))
        parts = meta.find_referenced_templates(tree)
        return bool(meta.find_undeclared_variables(tree)) or any(
            part is None or self._varies(part) for part in parts
        )


def quoted(value: Any) -> str:
    """A value as JSON in which no tag can be opened or closed and no line ends."""
    if isinstance(value, Undefined):
        str(value)  # raises, by StrictUndefined, with the variable's name
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    text = json.dumps(value, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def load_card(rooms: Rooms, name: str) -> AgentCard:
    """Read agents/<name>.yaml.

    Raises:
        RoomError: it is missing or malformed, or names a reply shape that does not exist.
    """
    try:
        card = AgentCard.model_validate(rooms.yaml(f"agents/{name}.yaml"))
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RoomError(f"agents/{name}.yaml: `{where}`: {first['msg']}") from None
    if card.reply is not None and card.reply not in REPLIES:
        raise RoomError(f"agents/{name}.yaml: no reply shape `{card.reply}`")
    return card


def _full(name: str) -> str:
    return name if name.startswith("prompts/") else f"prompts/{name}"
