"""`falsereject-gen graph show`: the entity graph as one HTML page to explore, offline."""

import json as json_module
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["show"]

_NAME = "entity-graph.html"


def show(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN_OR_GRAPH]", help="Run folder or graph; none: the bundled."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="HTML file; else entity-graph.html, in a run in its folder.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only the entities of this one.")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="Only the heaviest so many.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Write a page with the entity graph: search, filter, an entity's seeds and rows."""
    from falsereject_gen.report.explore import write_explorer  # noqa: PLC0415 - heavy
    from falsereject_gen.report.subject import bundled, from_disk, narrowed  # noqa: PLC0415

    assets = rooms_of(rooms)
    subject = bundled(assets) if source is None else from_disk(source, assets)
    place = out or (source / _NAME if source is not None and source.is_dir() else Path(_NAME))
    found = write_explorer(narrowed(subject, assets, category, most), place)
    say(
        f"{found['entities']:,} entities, {found['relations']:,} relations; it opens in a browser "
        "without a network:"
    )
    if json:
        typer.echo(json_module.dumps({"page": str(place), **found}))
    else:
        typer.echo(str(place))
    if open_:
        webbrowser.open(place.resolve().as_uri())
