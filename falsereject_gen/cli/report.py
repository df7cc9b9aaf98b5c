"""`falsereject-gen report`: write the page of a run."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import say

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, with run.sqlite in it.")],
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Write report.html, one self-contained page, into the folder of a run."""
    from falsereject_gen.report.page import write_report  # noqa: PLC0415 - heavy

    place = write_report(folder)
    size = place.stat().st_size
    say(f"{place} ({size / 1e6:.1f} MB); it opens in a browser without a network")
    if json:
        typer.echo(json_module.dumps({"report": str(place), "bytes": size}))
