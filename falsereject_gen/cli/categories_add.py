"""`falsereject-gen categories add`: a category from a file or by questions, into an overlay."""

import json as json_module
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import say
from falsereject_gen.errors import UsageError

__all__ = ["add"]


def add(
    rooms: Annotated[Path, typer.Option(help="Overlay folder to write into; made if need be.")],
    file: Annotated[
        Path | None, typer.Argument(help="Category sheet (YAML); without it you are asked.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Put a category of your own into an overlay folder, on top of the 44."""
    from falsereject_gen.categories.overlay import add as put  # noqa: PLC0415 - heavy
    from falsereject_gen.categories.sheet import make_sheet, read_sheet  # noqa: PLC0415

    sheet = make_sheet(_typed(rooms), "your answers") if file is None else read_sheet(file)
    made = put(sheet, rooms)
    for path in made:
        say(f"written: {path}")
    place, seeds = shlex.quote(str(rooms)), shlex.quote(str(made[1]))
    check = f"falsereject-gen categories check {sheet.id} --rooms {place}"
    out = f"--out outputs/{sheet.id}"
    alone = f"falsereject-gen run --rooms {place} --seeds {seeds} --target 50 {out}"
    every = f"falsereject-gen run --rooms {place} --target 450 {out}-and-44"
    say(f"is it new, and ready?       {check}")
    say(f"50 rows of it alone:        {alone}")
    say(f"rows of it beside the rest: {every}")
    if json:
        told = {"id": sheet.id, "files": [str(p) for p in made], "next": [check, alone, every]}
        typer.echo(json_module.dumps(told, ensure_ascii=False))


def _typed(rooms: Path) -> dict[str, object]:
    from falsereject_gen.categories.ask import ask_for  # noqa: PLC0415
    from falsereject_gen.rooms import Rooms  # noqa: PLC0415
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    if not sys.stdin.isatty():
        raise UsageError(
            "name a category sheet: categories add FILE --rooms DIR (without FILE "
            "the fields are asked for, which needs a terminal)"
        )
    known, _ = load_taxonomy(Rooms(rooms if (rooms / "graphs").is_dir() else None))

    def ask(question: str, proposal: str) -> str:
        return str(typer.prompt(question, default=proposal, show_default=bool(proposal), err=True))

    return ask_for(ask, known)
