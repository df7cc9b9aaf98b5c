"""`falsereject-gen graph export` and `graph picture`: the graph for other tools and for a paper."""

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["export", "picture"]

_Rooms = Annotated[Path | None, typer.Option(help="Folder that overlays assets.")]
_Json = Annotated[bool, typer.Option("--json", help="End with one JSON object.")]


class _Theme(StrEnum):
    light = "light"
    dark = "dark"


def export(
    source: Annotated[Path, typer.Argument(metavar="RUN_OR_GRAPH", help="Run folder or graph.")],
    format: Annotated[str, typer.Option(help="graphml, node-link or csv.")],
    out: Annotated[Path, typer.Option(help="File to write; csv makes a second one beside it.")],
    json: _Json = False,
) -> None:
    """Write an entity graph as GraphML, node-link JSON, or CSV (edge list and entities)."""
    from falsereject_gen.entities.export import export_graph  # noqa: PLC0415 - heavy
    from falsereject_gen.entities.load import load_graph  # noqa: PLC0415

    graph = load_graph(source)
    made = [str(path) for path in export_graph(graph, format, out)]
    size = f"{len(graph):,} entities, {graph.number_of_edges():,} relations"
    say(f"{size} in {' and '.join(made)}")
    if json:
        counts = {"entities": len(graph), "relations": graph.number_of_edges()}
        typer.echo(json_module.dumps({"files": made, **counts}, ensure_ascii=False))


def picture(
    out: Annotated[Path, typer.Option(help="File to write: .svg, or .png with extra [png].")],
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN_OR_GRAPH]", help="Run folder or graph; none: the bundled."),
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only this category's entities.")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="Only the heaviest so many.")] = None,
    width: Annotated[int, typer.Option(min=300, max=10_000, help="In px.")] = 1200,
    dpi: Annotated[
        int | None, typer.Option(min=72, max=1200, help="Dots an inch of a .png; 96 px an inch.")
    ] = None,
    theme: Annotated[_Theme, typer.Option(help="light or dark.")] = _Theme.light,
    rooms: _Rooms = None,
    json: _Json = False,
) -> None:
    """Draw an entity graph, or one category of it, as an SVG or PNG file for a paper."""
    from falsereject_gen.report.picture import write_picture  # noqa: PLC0415 - heavy
    from falsereject_gen.report.subject import bundled, from_disk, narrowed  # noqa: PLC0415

    assets = rooms_of(rooms)
    whole = bundled(assets) if source is None else from_disk(source, assets)
    subject = narrowed(whole, assets, category, most)
    names = {i: str(entry.get("name") or i) for i, entry in subject.names.items()}
    title = whole.title if subject.category is None else names.get(subject.category, category or "")
    how = {"title": title, "names": names, "clusters": subject.category is None}
    found = write_picture(subject.graph, out, width=width, theme=theme.value, dpi=dpi, **how)  # type: ignore[arg-type]
    say(f"{out}: {found['labelled']:,} of {found['entities']:,} entities have room for their name")
    if json:
        typer.echo(json_module.dumps({"picture": str(out), **found}))
