"""What commands share: the rooms option, and lines for a person (on standard error)."""

from pathlib import Path

import typer

from falsereject_gen.rooms import Rooms

__all__ = ["rooms_of", "say"]


def rooms_of(overlay: Path | None) -> Rooms:
    """Assets, with the user's overlay if there is one."""
    return Rooms(overlay)


def say(text: str) -> None:
    """A line for a person; standard output stays for data."""
    typer.echo(text, err=True)
