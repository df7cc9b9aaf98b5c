"""`falsereject-gen score`: run the embedded judges over any file."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["app"]

app = typer.Typer(help="Judge the rows of any file.", no_args_is_help=True)


@app.callback()
def _score() -> None:
    """Judge the rows of any file."""


@app.command()
def prompts(
    file: Annotated[Path, typer.Argument(help="CSV, JSON, JSONL, parquet or text.")],
    out: Annotated[Path, typer.Option(help="Where to write; the suffix decides the format.")],
    prompt_column: Annotated[str | None, typer.Option(help="Column with the prompt.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Add `harm` and `looks_toxic` to every row; all columns are kept."""
    from falsereject_gen.scoring import score_prompts  # noqa: PLC0415 - heavy

    counts = score_prompts(file, out, rooms_of(rooms), prompt_column)
    say(
        f"{counts['rows']} rows scored in {out}"
        + (f"; {counts['empty']} empty prompts have null scores" if counts["empty"] else "")
    )
    if json:
        typer.echo(json_module.dumps({"out": str(out), **counts}))
