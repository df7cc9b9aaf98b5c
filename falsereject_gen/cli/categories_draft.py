"""`falsereject-gen categories draft`: a model proposes a category for a person to edit."""

import asyncio
import json as json_module
import shlex
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say
from falsereject_gen.errors import UsageError

__all__ = ["draft"]


def draft(
    topic: Annotated[str, typer.Argument(help='What it is about, e.g. "drone hobbyists".')],
    out: Annotated[Path, typer.Option(help="Category sheet (YAML) to write.")],
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Have a model propose definition, neighbours, triggers, seeds and entities."""
    from falsereject_gen.categories.propose import as_sheet, propose  # noqa: PLC0415 - heavy
    from falsereject_gen.categories.sheet import make_sheet  # noqa: PLC0415
    from falsereject_gen.files import replace_file  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    if out.suffix.lower() not in (".yaml", ".yml"):
        raise UsageError(f"--out {out}: a category sheet is YAML; end its name in .yaml")
    if out.exists():
        raise UsageError(f"--out {out}: exists already; a draft never replaces what was edited")
    assets = rooms_of(rooms)
    settings = load_settings(config, set_ or (), assets)
    known, _ = load_taxonomy(assets, settings.taxonomy)
    said, by = asyncio.run(propose(topic, settings, assets, known))
    values, text = as_sheet(said, by)
    sheet = make_sheet(values, f"the draft of {by}")
    replace_file(out, [text.encode("utf-8")])
    say(f"{out}: {sheet.name}, {len(sheet.seeds)} seeds, {len(sheet.entities)} entities")
    taken = known.find(sheet.id) or known.find(sheet.name)
    if taken:
        say(f"there is a category `{taken}` already; give this one another id and name")
    place = shlex.quote(str(out))
    say(f"edit it, then: falsereject-gen categories check {place}")
    say(f"               falsereject-gen categories add {place} --rooms DIR")
    if json:
        body = {"file": str(out), "by": by, "id": sheet.id, "taken": bool(taken)}
        typer.echo(json_module.dumps(body, ensure_ascii=False))
