"""`falsereject-gen annotate serve`: annotate in the browser. cli/annotate.py registers it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import say
from falsereject_gen.errors import UsageError

__all__ = ["serve"]


def serve(
    folder: Annotated[Path, typer.Argument(help="A batch, or a run that holds one.")],
    host: Annotated[str, typer.Option(help="Address; not loopback: with a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for a free one.")] = 8765,
    token: Annotated[
        str,
        typer.Option(envvar="FALSEREJECT_GEN_TOKEN", help="Goes into the links; 16 or more."),
    ] = "",
    annotators: Annotated[str, typer.Option(help="For an open batch: names, by commas.")] = "",
    names: Annotated[bool, typer.Option("--names", help="No link needed: choose a name.")] = False,
    url: Annotated[str, typer.Option(help="Where people see it, behind a proxy.")] = "",
    new_links: Annotated[bool, typer.Option("--new-links", help="Old links end.")] = False,
) -> None:
    """Annotate a batch in the browser: prints one link a person; every answer is on disk at once.

    Ctrl-C ends it; started again, the same links lead back to where people left off.
    """
    from falsereject_gen.annotate.serve import listen  # noqa: PLC0415 - starts in no time

    people = tuple(name.strip() for name in annotators.split(",") if name.strip())
    wish = listen.Wish(host, port, token, names, url, people, new_links)
    listen.check(wish)
    batch = listen.find_batch(folder, _ask if sys.stdin.isatty() else None)
    listen.serve(batch, wish, say)


def _ask(batches: Sequence[Path]) -> Path:
    for number, one in enumerate(batches, 1):
        say(f"  {number}  {one}")
    number = int(typer.prompt("Which batch", type=int, err=True))
    if not 0 < number <= len(batches):
        raise UsageError(f"{number}: there are {len(batches)} batches")
    return batches[number - 1]
