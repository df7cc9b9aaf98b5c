"""Templates, styles and scripts of our pages: read from the package, inlined, named by their hash.

The content security policy of a page names its scripts by their hash: a text of a run can never
become one.
"""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from falsereject_gen.errors import StoreError

__all__ = ["asset", "inlined", "render", "write_page"]


def asset(name: str) -> str:
    """A file of this room, as text."""
    return files("falsereject_gen.report").joinpath(name).read_text(encoding="utf-8")


def inlined(styles: Sequence[str], scripts: Sequence[str], data: str) -> dict[str, Any]:
    """What every page's template wants: `css`, `scripts`, `policy` and `data`, not escaped again.

    Args:
        styles: names of style sheets, in their order.
        scripts: names of scripts, in their order.
        data: JSON that is safe inside a script element (`pack.embed`).
    """
    texts = [asset(name) for name in scripts]
    return {
        "css": Markup("".join(asset(name) for name in styles)),
        "scripts": [Markup(text) for text in texts],
        "policy": Markup(" ".join(_hash(text) for text in texts)),
        "data": Markup(data),
    }


def render(name: str, **values: Any) -> str:
    """A page from its template; undefined names are errors, everything is escaped."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(asset),
    )
    environment.filters["n"] = lambda value: f"{value:,}".replace(",", "\u202f")
    environment.filters["money"] = lambda value: f"{value:,.2f}" if value >= 1 else f"{value:.4f}"
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=1, ensure_ascii=False)
    return environment.get_template(name).render(**values)


def write_page(target: Path, text: str) -> None:
    """Write a page: it is there as a whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        partial.replace(target)
    except OSError as fault:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StoreError(f"{target}: cannot be written: {fault}") from None


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
