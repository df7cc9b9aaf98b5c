"""`falsereject-gen eject`: copy the assets out, to be edited and given back as --rooms."""

from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen import rooms

__all__ = ["eject"]


def eject(
    folder: Annotated[Path, typer.Argument(help="Where to put agents/ graphs/ prompts/.")],
) -> None:
    """Copy agents, graphs and prompts out of the package, ready for --rooms."""
    made = rooms.eject(folder)
    typer.echo(f"{len(made)} files in {folder}; edit them and run with --rooms {folder}", err=True)
