"""The few sentences that this room itself says to a model, rendered from prompts/_parts.

Jinja is imported when the first one is needed: most runs never say any of them.
"""

import json
from typing import Any

from falsereject_gen.rooms import Rooms

__all__ = ["Parts"]


class Parts:
    """Renders the sentences.

    Args:
        rooms: where prompts/_parts is read, so that an overlay wins; default: the packaged ones.
    """

    def __init__(self, rooms: Rooms | None = None) -> None:
        self._rooms = rooms or Rooms()
        self._ready: dict[str, Any] = {}

    def reply_shape(self, schema: dict[str, Any], *, fenced: bool) -> str:
        """Asks for JSON of this schema, where the server cannot enforce it."""
        return str(self._part("reply_shape").render(schema=_pretty(schema), fenced=fenced)).strip()

    def ask_again(self, error: str, schema: dict[str, Any]) -> str:
        """Says what was wrong with a reply and asks for another."""
        return str(self._part("ask_again").render(error=error, schema=_pretty(schema))).strip()

    def _part(self, name: str) -> Any:
        if name not in self._ready:
            from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - rarely needed

            source = self._rooms.text(f"prompts/_parts/{name}.j2")
            environment = Environment(undefined=StrictUndefined, autoescape=False)
            self._ready[name] = environment.from_string(source)
        return self._ready[name]


def _pretty(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False)
