"""`falsereject-gen doctor`: is everything there that a configuration needs?"""

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from falsereject_gen.cli.options import rooms_of, say

if TYPE_CHECKING:
    from falsereject_gen.doctor.findings import Examination

__all__ = ["doctor"]

_STYLES = {"ok": "green", "note": "yellow", "problem": "bold red", "not checked": "dim"}


def doctor(
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the endpoints of a configuration and what is installed; exit 1 on a problem."""
    from falsereject_gen.doctor.visit import visit  # noqa: PLC0415 - heavy
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    assets = rooms_of(rooms)
    found = visit(load_settings(config, set_ or (), assets), assets)
    if json:
        values = found.model_dump(mode="json")
        typer.echo(json_module.dumps({"ok": not found.problems, **values}, ensure_ascii=False))
    else:
        _show(found)
    if found.problems:
        raise typer.Exit(1)


def _show(found: "Examination") -> None:
    """The table, then one line of advice a problem or note."""
    screen = Console()
    if not found.endpoints:
        say("no endpoint in this configuration: only the embedded side is checked")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("who", "check", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("found", overflow="fold")
    before = ""
    for one in found.findings:
        who = Text("" if one.subject == before else one.subject)
        state = Text(one.state, style=_STYLES[one.state])
        table.add_row(who, one.check, state, Text(one.found))
        before = one.subject
    screen.print(table)
    for one in found.findings:
        if one.advice:
            line = f"{one.state}: {one.subject}, {one.check}: {one.advice}"
            screen.print(line, style=_STYLES[one.state], highlight=False, markup=False)
    if not found.problems:
        screen.print("all fine", style="green")
