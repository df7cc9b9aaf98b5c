"""Text as data in Markdown: whatever a seed or a prompt holds, it formats and links nothing."""

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

__all__ = ["escape", "fenced", "render"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#!|~$])")
_BARE_LINK = re.compile(r"(?i)(?<=http)(s?):(?=//)|(?<=www)()\.|()@")


def escape(text: str) -> str:
    """Text that reads the same when it is rendered, on one line, in a sentence or a table cell."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", text)
    text = _BARE_LINK.sub(lambda m: f"{m[1] or ''}&#{ord(m[0][-1])};", text)
    return re.sub(r"^(\d*)([-+.])(?=\s)", lambda m: f"{m[1]}&#{ord(m[2])};", text)


def fenced(text: str, language: str) -> Markup:
    """A code block that its content cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def render(name: str, values: dict[str, Any]) -> str:
    """Render a template of this room; every value is escaped but `Markup`.

    Args:
        name: file beside this one.
        values: its variables; one too few is an error, not a gap.
    """
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,  # Markdown: `finalize` escapes
        finalize=lambda value: value if isinstance(value, Markup) else escape(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cells": _cells, "code": _code}
    source = files("falsereject_gen.dataset").joinpath(name).read_text(encoding="utf-8")
    return environment.from_string(source).render(values)


def _cells(values: Iterable[object]) -> Markup:
    """The rest of a table's line: ` a | b |`."""
    return Markup("".join(f" {escape(str(value))} |" for value in values))


def _code(value: object) -> Markup:
    """A value between backticks, which it cannot close."""
    return Markup(" ".join(str(value).replace("`", "'").split()))
