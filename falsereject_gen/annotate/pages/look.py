"""Templates, styles and scripts of our own page, and what both of its forms say of the questions.

Texts of a batch are data: autoescaped in templates, `embedded` in a script element, textContent in
scripts. Nothing here knows who answered what.
"""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.guideline import guideline_body
from falsereject_gen.annotate.questions import Question

__all__ = [
    "NOTE_LENGTH",
    "WARNING",
    "asked",
    "asset",
    "embedded",
    "environment",
    "fingerprint",
    "warning",
]

NOTE_LENGTH = 4000
"""Characters that a note may have."""
WARNING = (
    "The requests name violence, crime, abuse and self-harm. Take breaks, skip what you would "
    "rather not read, and stop when you have had enough: what you answered is kept."
)
_TEMPLATES = ("done", "door", "file", "item", "layout", "message", "mine", "parts", "row", "start")


def asked(questions: tuple[Question, ...]) -> list[dict[str, Any]]:
    """Questions as a page shows them: `name`, `head`, `hint` (may be empty), `answers`."""
    return [
        {"name": q.name, "head": f"{head}?", "hint": hint.strip(), "answers": list(q.answers)}
        for q in questions
        for head, _, hint in [q.asks.partition("?")]
    ]


@cache
def environment() -> Environment:
    """The templates; an unknown variable is an error, and every text is escaped."""
    made = Environment(
        loader=DictLoader({f"{name}.html.j2": asset(f"{name}.html.j2") for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"guideline": Markup(guideline_body()), "note_length": NOTE_LENGTH}
    return made


def warning(batch: Batch) -> str:
    """What people are told before the first item."""
    return batch.warning or WARNING


@cache
def asset(name: str) -> str:
    """A file of this room, as text."""
    return files("falsereject_gen.annotate.pages").joinpath(name).read_text(encoding="utf-8")


def embedded(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def fingerprint(text: str) -> str:
    """Source of a content security policy that allows exactly this script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
