"""`falsereject-gen graph stats`: what an entity graph is like."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from falsereject_gen.cli.options import rooms_of

__all__ = ["stats"]


def stats(
    source: Annotated[
        Path, typer.Argument(metavar="RUN_OR_GRAPH", help="Run folder, graph folder or file.")
    ],
    top: Annotated[int, typer.Option(min=1, help="Entities and communities named.")] = 8,
    pivots: Annotated[
        int | None, typer.Option(min=1, help="Sources of betweenness; else `graph.pivots`.")
    ] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count and measure a graph: kinds, pieces, communities, central and merged entities."""
    from falsereject_gen.entities.load import load_graph  # noqa: PLC0415 - heavy
    from falsereject_gen.entities.measures import annotate, describe  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    graph = load_graph(source)
    annotate(graph, pivots=pivots or load_settings(rooms=rooms_of(rooms)).graph.pivots)
    found = describe(graph, top)
    if json:
        typer.echo(json_module.dumps(found, ensure_ascii=False))
        return
    for line in _lines(found):
        typer.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    kinds = sorted(found["kinds"].items(), key=lambda kind: -kind[1])
    pieces = f"{found['components']:,} pieces, the largest of {found['largest_component']:,}"
    out = [
        f"{found['entities']:,} entities, {found['relations']:,} relations, "
        f"from {found['seeds']:,} seeds; {found['mean_degree']} links an entity",
        "kinds: " + ", ".join(f"{kind} {count:,}" for kind, count in kinds),
        f"{pieces}; {found['isolated']:,} entities without a relation",
        f"{len(found['by_category']):,} categories; {found['in_several_categories']:,} entities "
        f"in several; {found['without_reading']:,} like nothing that has a reading",
        f"{found['variants']:,} names merged into {found['merged_entities']:,} entities; "
        f"{found['loops_left_out']:,} relations left out that would lead from one to itself",
    ]
    out += [f"  {name} ← {', '.join(names)}" for name, names in found["merged"].items()]
    out += ["", "central entities"]
    for measure, named in found["top"].items():
        how = f" ({found['betweenness_pivots']} pivots)" if measure == "betweenness" else ""
        values = ", ".join(f"{name} {value:.4g}" for name, value in named.items())
        out.append(f"  {measure}{how}: {values}")
    count, modularity = found["community_count"], found["modularity"]
    out += ["", f"{count:,} communities (Louvain), modularity {modularity:.3f}; the largest:"]
    for one in found["communities"]:
        mostly = f", mostly {one['category']}" if one["category"] else ""
        out.append(f"  {one['size']:,} entities{mostly}: {', '.join(one['central'])}")
    return out
