"""Writes the pages of docs/ that can be derived from the code: settings.md and cli.md.

`python docs/generate.py` writes both. tests/unit/test_docs.py fails when a page is stale. Only
names, types, defaults and descriptions of the code stand here; explanations are on other pages.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from falsereject_gen.cli.main import app
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import RunSettings

PAGES = Path(__file__).parent
NOTE = "<!-- Made by `python docs/generate.py`; do not edit by hand. -->"
_WORDS = {"int": "whole number", "float": "number", "str": "text", "bool": "true / false"}
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}

SETTINGS_HEAD = """# Settings

{note}

Settings come, in this order, from `graphs/loop.yaml`, from `--config FILE` (YAML with any of these
keys) and from `--set key=value` (values are read as YAML: `--set loop.rounds=3`,
`--set "pool=[lexical-guard, strict-guard]"`). Flags such as `--target` win over all of them. An
unknown key is refused by name. A finished run's manifest holds the settings as resolved.

The column *default* shows `graphs/loop.yaml` where the setting stands there.
"""
CLI_HEAD = """# Command line

{note}

Results go to standard output, words for a person to standard error. With `--json` the last line
of standard output is one JSON object. Exit codes: 0 done, 1 failed, 2 wrong use, 3 stopped by a
budget or by the user and resumable.
"""


def settings_page() -> str:
    """Every setting with its type, default and description, a table a group."""
    shipped = Rooms().yaml("graphs/loop.yaml")
    return "\n".join([SETTINGS_HEAD.format(note=NOTE), *_group("", RunSettings, shipped)])


def cli_page() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    return "\n".join([CLI_HEAD.format(note=NOTE), *_commands("falsereject-gen", root)])


def _group(prefix: str, model: type[BaseModel], shipped: dict[str, Any]) -> Iterator[str]:
    plain = {n: f for n, f in model.model_fields.items() if not _nested(f)}
    says = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    yield f"## {f'`{prefix[:-1]}`' if prefix else 'Top level'}\n\n{says}\n"
    yield "| setting | type | default | what it is |\n|---|---|---|---|"
    for name, field in plain.items():
        cells = (_type(field), _default(name, field, shipped), field.description or "")
        yield f"| `{prefix}{name}` | {' | '.join(map(_cell, cells))} |"
    yield ""
    for name, field in model.model_fields.items():
        if part := _nested(field):
            yield from _group(f"{prefix}{name}.", part, shipped.get(name) or {})


def _nested(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _type(field: FieldInfo) -> str:
    bounds = [
        word.format(getattr(limit, name))
        for limit in field.metadata
        for name, word in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    return " ".join([_name(field.annotation), ", ".join(bounds)]).strip()


def _name(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " / ".join(f"`{part}`" for part in parts)
    if origin in (Union, UnionType):
        return " or ".join("none" if part is type(None) else _name(part) for part in parts)
    if origin is tuple:
        return f"list of {_name(parts[0])}"
    if origin is dict:
        return f"mapping to {_name(parts[1])}"
    name = getattr(kind, "__name__", str(kind))
    return _WORDS.get(name, {"Path": "path", "Any": "anything"}.get(name, name))


def _default(name: str, field: FieldInfo, shipped: dict[str, Any]) -> str:
    if name in shipped:
        value = shipped[name]
    elif field.is_required():
        return "–"
    else:
        value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}, []):
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(f"`{entry}`" for entry in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _commands(path: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner:
        for name, part in inner.items():
            yield from _commands(f"{path} {name}", part)
        return
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([path, *map(_argument, arguments), "[OPTIONS]"])
    yield f"## `{path}`\n\n{(command.help or '').strip()}\n\n```\n{usage}\n```\n"
    yield "| argument or option | default | what it is |\n|---|---|---|"
    for param in (*arguments, *options):
        yield _row(param)
    yield ""


def _argument(param: Any) -> str:
    """The name of an argument in a line of usage."""
    name = str(param.metavar or param.name.upper())
    return name if param.required or name.startswith("[") else f"[{name}]"


def _row(param: Any) -> str:
    """The line of a parameter in a table."""
    argument = param.param_type_name == "argument"
    name = _argument(param) if argument else ", ".join(param.opts)
    value = param.default
    empty = value is None or callable(value) or isinstance(value, bool | tuple | list)
    shown = "required" if param.required else "" if empty or value == "" else f"`{value}`"
    return f"| `{name}` | {shown} | {_cell(getattr(param, 'help', None) or '')} |"


def _cell(text: str) -> str:
    """Text for a table: no pipe ends its cell, no `<name>` turns into a tag."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(p if n % 2 else p.replace("<", "&lt;") for n, p in enumerate(parts))


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    made = {PAGES / "settings.md": settings_page(), PAGES / "cli.md": cli_page()}
    return {path: text.rstrip() + "\n" for path, text in made.items()}


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {len(text.splitlines())} lines\n")


if __name__ == "__main__":
    main()
