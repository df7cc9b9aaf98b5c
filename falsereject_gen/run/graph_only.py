"""The merged graph of some seeds and nothing else: extracted, merged, measured and written."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsereject_gen.entities.graph import merge, write_graph
from falsereject_gen.entities.lexicon import Lexicon, load_lexicon
from falsereject_gen.entities.measures import annotate
from falsereject_gen.entities.variants import find_variants
from falsereject_gen.errors import StoreError
from falsereject_gen.files import replace_file
from falsereject_gen.models.desk import open_models
from falsereject_gen.records import SeedGraph
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.extraction import check_spoken, extract_spoken, summary
from falsereject_gen.run.world import World, prepare
from falsereject_gen.settings import RunSettings

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["build_graph"]

_ALONE: dict[str, Any] = {"extractor": "embedded", "cast": "embedded", "roles": {}}


def build_graph(
    settings: RunSettings,
    rooms: Rooms,
    folder: Path,
    progress: Callable[[int], Callable[[], None]] = lambda _: lambda: None,
) -> tuple["nx.MultiDiGraph", dict[str, Any]]:
    """Extract the seeds with the extractor of the settings and write their merged graph.

    Written are `entities.graphml`, `entities.json` and `extraction.json` (what the votes agreed
    on and what was left out, in sum and by seed); a spoken extractor keeps its calls in
    `calls.sqlite`, so the same command goes on where it was stopped.

    Args:
        settings: as resolved.
        rooms: assets.
        folder: where it is written.
        progress: told how many seeds a spoken extractor is asked for; gives what is called
            after each.

    Returns:
        The graph, and the summary of its extraction.

    Raises:
        InputError: no seed can be used.
        UsageError: the extractor is not there, or its endpoint is not in the settings.
        EndpointError: no seed could be extracted.
        Stopped: a budget is spent.
    """
    if settings.extractor != "spoken":
        world = prepare(settings, rooms, open_models({}, rooms))
        graph, graphs, failed = world.graph, world.graphs, {}
    else:
        check_spoken(settings, rooms)
        world = prepare(settings.model_copy(update=_ALONE), rooms, open_models({}, rooms))
        _folder(folder)
        store, tick = folder / "calls.sqlite", progress(len(world.seeds))
        found = extract_spoken(settings, rooms, world.seeds, store=store, tick=tick)
        graphs, failed = _liked(found.graphs, load_lexicon(rooms)), found.failed
        graph = _merged(world, graphs)
    write_graph(graph, folder)
    told = {"extractor": settings.extractor, **summary(graphs, failed)}
    whole = {**told, "by_seed": {one.seed_id: _votes(one) for one in graphs}}
    text = json.dumps(whole, indent=1, ensure_ascii=False)
    replace_file(folder / "extraction.json", [text.encode("utf-8", "replace"), b"\n"])
    return graph, told


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(f"{folder}: it cannot be made: {fault.strerror or fault}") from None


def _liked(graphs: Sequence[SeedGraph], lexicon: Lexicon) -> tuple[SeedGraph, ...]:
    """The graphs with the known entity that each name is a form of: what readings hang on."""
    out = []
    for graph in graphs:
        entities = tuple(
            entity.model_copy(update={"like": note.id})
            if (note := lexicon.by_form.get(entity.id)) is not None
            else entity
            for entity in graph.entities
        )
        out.append(graph.model_copy(update={"entities": entities}))
    return tuple(out)


def _merged(world: World, graphs: tuple[SeedGraph, ...]) -> "nx.MultiDiGraph":
    """As `prepare` does it with the graphs that it extracted itself."""
    wanted = world.settings.graph
    graph = merge(graphs, find_variants(graphs, world.encoder.many, wanted.merge_min))
    annotate(graph, pivots=wanted.pivots)
    return graph


def _votes(one: SeedGraph) -> dict[str, Any]:
    """What is kept of a seed's extraction beside its graph."""
    shown = one.model_dump(include={"votes", "agreement", "chosen_by", "left_out"})
    return {"entities": len(one.entities), "relations": len(one.relations), **shown}
