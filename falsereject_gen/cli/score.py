"""`falsereject-gen score`: run the embedded judges over any file."""

import json as json_module
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["app"]

app = typer.Typer(help="Judge the rows of any file.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="CSV, JSON, JSONL, parquet or text.")]
Out = Annotated[Path, typer.Option(help="Where to write; the suffix decides the format.")]
Overlay = Annotated[Path | None, typer.Option(help="Folder that overlays assets.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object.")]


@app.callback()
def _score() -> None:
    """Judge the rows of any file."""


@app.command()
def prompts(
    file: File,
    out: Out,
    prompt_column: Annotated[str | None, typer.Option(help="Column with the prompt.")] = None,
    rooms: Overlay = None,
    json: Json = False,
) -> None:
    """Add `harm` and `looks_toxic` to every row; all columns are kept."""
    from falsereject_gen.scoring import score_prompts  # noqa: PLC0415 - heavy

    with _bar() as done:
        counts = score_prompts(file, out, rooms_of(rooms), prompt_column, done=done)
    _report(out, counts, "prompts have null scores", json)


@app.command()
def replies(
    file: File,
    out: Out,
    column: Annotated[str, typer.Option(help="Column with the reply.")] = "completion",
    rooms: Overlay = None,
    json: Json = False,
) -> None:
    """Add `outcome`, `decided_by` and `confidence` to every row, by rules; all columns are kept."""
    from falsereject_gen.scoring import score_replies  # noqa: PLC0415 - heavy

    with _bar() as done:
        counts = score_replies(file, out, rooms_of(rooms), column, done=done)
    _report(out, counts, "replies have no outcome", json)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scoring", total=None)
        yield lambda rows, of: bar.update(task, completed=rows, total=of)


def _report(out: Path, counts: dict[str, int], what: str, json: bool) -> None:
    empty = f"; {counts['empty']} empty {what}" if counts["empty"] else ""
    say(f"{counts['rows']} rows scored in {out}{empty}")
    if json:
        typer.echo(json_module.dumps({"out": str(out), **counts}))
