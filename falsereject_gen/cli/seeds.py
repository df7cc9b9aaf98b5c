"""`falsereject-gen seeds`: import seed files of any public format, and say what is in them."""

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say
from falsereject_gen.errors import UsageError

if TYPE_CHECKING:
    from falsereject_gen.seeds.collect import Collection

__all__ = ["app"]

app = typer.Typer(help="Seed prompts: import, stats.", no_args_is_help=True)
_Taxonomy = Annotated[Path | None, typer.Option(help="A taxonomy in place of ours or on top.")]
_Rooms = Annotated[Path | None, typer.Option(help="Folder that overlays assets.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Seed files.")],
    out: Annotated[Path, typer.Option(help="JSONL file to write.")],
    format: Annotated[
        str | None, typer.Option(help="Name of the format; else by its looks.")
    ] = None,
    prompt_column: Annotated[str | None, typer.Option(help="Column with the prompt.")] = None,
    category_column: Annotated[str | None, typer.Option(help="Column with the category.")] = None,
    taxonomy: _Taxonomy = None,
    rooms: _Rooms = None,
    json: _Json = False,
) -> None:
    """Read seed files, leave out what is benign or double, place the rest in categories."""
    from falsereject_gen.seeds.write import write_seeds  # noqa: PLC0415

    if out.suffix.lower() != ".jsonl":
        raise UsageError(f"--out {out}: seeds are written as JSON Lines; end its name in .jsonl")
    columns = {"prompt_column": prompt_column, "category_column": category_column}
    found = _collect(paths, rooms, taxonomy, format=format, **columns)
    write_seeds(found.seeds, out)
    say(f"{len(found.seeds):,} seeds written to {out}")
    _show(found, json, {"out": str(out)})


@app.command()
def stats(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH...]")] = None,
    taxonomy: _Taxonomy = None,
    rooms: _Rooms = None,
    json: _Json = False,
) -> None:
    """What is in seed files, or in the bundled seeds when none is named."""
    _show(_collect(paths or [], rooms, taxonomy), json, {})


def _collect(
    paths: list[Path], rooms: Path | None, taxonomy: Path | None, **how: str | None
) -> "Collection":
    from falsereject_gen.dedup.encoder import MiniLM  # noqa: PLC0415 - heavy
    from falsereject_gen.seeds.collect import collect_seeds  # noqa: PLC0415
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    assets = rooms_of(rooms)
    found, walks = load_taxonomy(assets, taxonomy)
    return collect_seeds(paths, assets, found, walks, MiniLM(), **how)


def _show(found: "Collection", as_json: bool, extra: dict[str, str]) -> None:
    from falsereject_gen.seeds.summary import show, summary  # noqa: PLC0415

    for problem in found.problems:
        say(problem)
    if as_json:
        typer.echo(json_module.dumps({**summary(found), **extra}, ensure_ascii=False))
        return
    show(found)
