"""What a picture of the graph is of: a run, a graph from disk, or that of the bundled seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from falsereject_gen.entities.draw import heaviest, part
from falsereject_gen.entities.load import load_graph
from falsereject_gen.errors import FalseRejectError, InputError
from falsereject_gen.models.desk import open_models
from falsereject_gen.records import Candidate, content_id
from falsereject_gen.report.head import dig
from falsereject_gen.report.page import manifest_of, stored
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.world import prepare
from falsereject_gen.seeds.bundled import bundled_seeds
from falsereject_gen.seeds.collect import read_texts
from falsereject_gen.settings import load_settings
from falsereject_gen.taxonomy import load_taxonomy

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Subject", "bundled", "from_disk", "narrowed"]


@dataclass(frozen=True)
class Subject:
    """A graph, and what is known around it.

    Attributes:
        title: for the head of a page.
        names: name and domain by category id, in their order.
        seeds: texts of seeds by id, as far as they were found and may be shown.
        candidates: of a run; None when it is none.
        whole: entities before the graph was narrowed, and what it was narrowed to.
        category: the one that it was narrowed to.
    """

    graph: "nx.MultiDiGraph"
    title: str
    names: Mapping[str, Mapping[str, str]]
    seeds: Mapping[str, str]
    candidates: Sequence[Candidate] | None = None
    whole: tuple[int, str] | None = None
    category: str | None = None


def bundled(rooms: Rooms) -> Subject:
    """The graph of the bundled seeds (and an overlay's), made as a run makes it."""
    world = prepare(load_settings(rooms=rooms), rooms, open_models({}, rooms))
    texts = {seed.id: seed.text for seed in world.seeds}
    return Subject(world.graph, "The graph of the bundled seeds", _names(rooms), texts)


def from_disk(path: Path, rooms: Rooms) -> Subject:
    """A run folder, a folder with a graph in it, or a graph file.

    Raises:
        InputError: it is none of these, or the graph cannot be used.
    """
    graph = load_graph(path)
    name = path.resolve().name
    if not (path / "run.sqlite").is_file():
        texts = {seed.id: seed.text for seed in bundled_seeds(rooms)}
        return Subject(graph, f"The graph {name}", _names(rooms), _known(graph, texts))
    manifest, (candidates, settings) = manifest_of(path), stored(path)
    settings = dig(manifest, "settings") or settings
    hidden = settings is None or bool(dig(settings, "output", "redact_unsafe"))
    names = dig(manifest, "categories") or _names(rooms)
    texts = {} if hidden else _known(graph, _texts(settings, rooms))
    return Subject(graph, f"The graph of run {name}", names, texts, candidates)


def narrowed(subject: Subject, rooms: Rooms, category: str | None, most: int | None) -> Subject:
    """The entities of one category, or the heaviest ones, of a subject.

    Raises:
        InputError: no entity belongs to the category.
    """
    graph, says, wanted = subject.graph, [], None
    if category is not None:
        wanted = load_taxonomy(rooms)[0].find(category) or category
        graph = part(graph, wanted)
        if not graph:
            there = sorted(
                {c for _, found in subject.graph.nodes(data="categories") for c in found}
            )
            known = f"there are {', '.join(there[:6])}, …" if there else "it has no categories"
            raise InputError(f"no entity of category `{category}` in the graph; {known}")
        says.append(f"category {wanted}")
    if most is not None and most < len(graph):
        graph = heaviest(graph, most)
        says.append(f"the {most} heaviest")
    if not says:
        return subject
    return replace(
        subject, graph=graph, whole=(len(subject.graph), ", ".join(says)), category=wanted
    )


def _names(rooms: Rooms) -> dict[str, dict[str, str]]:
    return {c.id: {"name": c.name, "domain": c.domain} for c in load_taxonomy(rooms)[0]}


def _known(graph: "nx.MultiDiGraph", texts: Mapping[str, str]) -> dict[str, str]:
    wanted = {seed for _, seeds in graph.nodes(data="seeds") for seed in seeds or ()}
    return {seed: texts[seed] for seed in sorted(wanted) if seed in texts}


def _texts(settings: Any, rooms: Rooms) -> dict[str, str]:
    """Texts of a run's seeds by id; a file that is no longer there has none."""
    paths = [Path(path) for path in dig(settings, "seeds") or ()]
    if not paths:
        return {seed.id: seed.text for seed in bundled_seeds(rooms)}
    out: dict[str, str] = {}
    for path in paths:
        try:
            out |= {content_id("s", text): text for text in read_texts(path)}
        except FalseRejectError:
            continue  # the page says how many texts it lacks
    return out
