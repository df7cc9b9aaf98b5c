"""Who the scripted server is asked to be, and in which form it has to answer.

The role is the name of the JSON schema, else a line `role: <name>` in a system message, else the
title of a JSON schema that is written into the prompt, else a target of the refusal pool, which
answers in plain text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from falsereject_gen.models.scripted_schema import Schema

__all__ = ["ROLES", "Ask", "read_ask"]

ROLES = (
    "draft_category",
    "extractor",
    "ranker",
    "generator",
    "discriminator",
    "judge",
    "orchestrator",
    "panel",
)
# What stands in the name of a schema, in this order: `PanelVerdict` is the panel's.
_STEMS = {
    **{role.replace("_", ""): role for role in ROLES},
    **{"extract": "extractor", "rank": "ranker", "draft": "generator", "verdict": "discriminator"},
    **{"ruling": "orchestrator", "outcome": "judge", "moderat": "panel"},
}
_ROLE_LINE = re.compile(r"^\s*role:\s*([a-z_]+)\s*$", re.IGNORECASE | re.MULTILINE)
_LIST = {"type": "array", "items": {"type": "string"}}
_UNIT = {"type": "number", "minimum": 0, "maximum": 1}
_WORDS = {"type": "string"}


def _shape(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties}


# What a role answers when JSON is wanted and the request holds no schema.
_DEFAULTS: Mapping[str, Schema] = {
    "extractor": _shape(
        entities={"type": "array", "items": _shape(surface=_WORDS, kind=_WORDS)},
        relations={"type": "array", "items": _shape(source=_WORDS, label=_WORDS, target=_WORDS)},
    ),
    "ranker": _shape(best={"type": "integer"}, reason=_WORDS),
    "generator": _shape(prompt=_WORDS, notes=_WORDS),
    "discriminator": _shape(
        harm=_UNIT, looks_toxic=_UNIT, label=_WORDS, reasons=_LIST, feedback=_WORDS
    ),
    "judge": _shape(outcome=_WORDS, reason=_WORDS),
    "orchestrator": _shape(decision=_WORDS, fault=_WORDS, reason=_WORDS),
    "panel": _shape(harm=_UNIT, looks_toxic=_UNIT, label=_WORDS, reason=_WORDS),
    "draft_category": _shape(
        id=_WORDS, name=_WORDS, domain=_WORDS, definition=_WORDS, neighbours=_LIST, triggers=_LIST
    ),
}


class Ask(NamedTuple):
    """What is asked: by which role, in which form, of which text."""

    role: str
    schema: Schema | None
    strict: bool
    model: str
    system: str
    user: str

    @property
    def fenced(self) -> bool:
        """Whether the JSON is wanted in a code fence."""
        return not self.strict and "```json fence" in self.user

    @property
    def structured(self) -> bool:
        """Whether JSON is wanted."""
        return self.schema is not None


def read_ask(body: Mapping[str, Any]) -> Ask:
    """Recognise role and form of a chat-completions request."""
    system = "\n".join(_texts(body["messages"], ("system", "developer")))
    user = "\n".join(_texts(body["messages"], ("user",)))
    form = body.get("response_format") or {}
    named = form.get("json_schema") or {}
    shape = named.get("schema") if form.get("type") == "json_schema" else None
    written = None if shape else _schema_within(user) or _schema_within(system)
    title = (shape or written or {}).get("title", "")
    role = _role(str(named.get("name", "")), system, str(title))
    if shape is None and (role != "target" or form.get("type") == "json_object"):
        shape = written or _DEFAULTS.get(role, _shape())
    strict = form.get("type") == "json_schema"
    return Ask(role, shape, strict, str(body["model"]), system, user)


def _texts(messages: Sequence[Mapping[str, Any]], roles: tuple[str, ...]) -> list[str]:
    out = []
    for message in messages:
        if message.get("role") in roles:
            content = message.get("content") or ""
            if isinstance(content, list):
                content = "\n".join(str(part.get("text", "")) for part in content)
            out.append(str(content))
    return out


def _role(schema_name: str, system: str, title: str) -> str:
    line = _ROLE_LINE.search(system)
    for name in (schema_name, line[1] if line else "", title):
        plain = name.lower().replace("_", "").replace("-", "")
        for stem, role in _STEMS.items():
            if stem in plain:
                return role
    return "target"


def _schema_within(words: str) -> Schema | None:
    """The last JSON schema written into a prompt, as clients do where a server takes none."""
    last = None
    start = words.find("{") if '"properties"' in words else -1
    while start >= 0:
        try:
            found, end = json.JSONDecoder().raw_decode(words, start)
        except ValueError:
            end = start + 1
        else:
            if isinstance(found, dict) and isinstance(found.get("properties"), dict):
                last = found
        start = words.find("{", end)
    return last
