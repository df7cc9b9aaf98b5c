"""The merged graph of some seeds and nothing else: extracted, merged, measured and written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsereject_gen.entities.extraction import Extraction, write_extraction
from falsereject_gen.entities.graph import write_graph
from falsereject_gen.errors import StoreError
from falsereject_gen.models.desk import open_models
from falsereject_gen.records import Seed
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.extraction import check_spoken, extract_spoken
from falsereject_gen.run.world import prepare
from falsereject_gen.seeds.language import unserved
from falsereject_gen.settings import RunSettings

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["build_graph"]

_ALONE: dict[str, Any] = {"cast": "embedded", "roles": {}}


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
        The graph, and the summary of its extraction; `languages_left_alone` counts the seeds in
        languages that no graph is built from here.

    Raises:
        InputError: no seed can be used.
        UsageError: the extractor is not there, or its endpoint is not in the settings.
        EndpointError: no seed could be extracted.
        Stopped: a budget is spent.
    """

    def extract(seeds: Sequence[Seed]) -> Extraction:
        _folder(folder)
        store, tick = folder / "calls.sqlite", progress(len(seeds))
        return extract_spoken(settings, rooms, seeds, store=store, tick=tick)

    if settings.extractor == "spoken":
        check_spoken(settings, rooms)
        alone = settings.model_copy(update=_ALONE)
        world = prepare(alone, rooms, open_models({}, rooms), extract=extract)
    else:
        world = prepare(settings, rooms, open_models({}, rooms))
    write_graph(world.graph, folder)
    told = write_extraction(folder, settings.extractor, world.graphs, world.unextracted)
    left_alone = unserved(world.collection.seeds)
    return world.graph, {**told, "languages_left_alone": left_alone}


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(f"{folder}: it cannot be made: {fault.strerror or fault}") from None
