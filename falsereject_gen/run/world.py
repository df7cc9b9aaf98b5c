"""Sets the stage of a run: seeds, entity graphs, indexes, cast and planner, from its settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from falsereject_gen.dedup.encoder import Encoder, MiniLM
from falsereject_gen.dedup.equal import EqualTexts
from falsereject_gen.dedup.index import TextIndex
from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.entities.extraction import Extraction, liked
from falsereject_gen.entities.graph import merge
from falsereject_gen.entities.lexicon import Lexicon, load_lexicon
from falsereject_gen.entities.measures import annotate
from falsereject_gen.entities.sample import Planner, check_quotas
from falsereject_gen.entities.variants import find_variants
from falsereject_gen.errors import InputError
from falsereject_gen.models.desk import Models
from falsereject_gen.records import ENGLISH, Seed, SeedGraph, Strategy, content_id
from falsereject_gen.roles.cast import build_cast, languages, players
from falsereject_gen.roles.embedded.cast import EmbeddedParts
from falsereject_gen.roles.protocols import Cast
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.collect import Collection, collect_seeds, read_texts
from falsereject_gen.seeds.language import unserved
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import UNCATEGORISED, Taxonomy, load_taxonomy

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Extract", "World", "lookahead", "prepare"]

Say = Callable[[str], None]
Extract = Callable[[Sequence[Seed]], Extraction]
"""A spoken extractor: asks for the graphs of seeds."""


@dataclass(frozen=True)
class World:
    """Everything that stands still while a run goes on, and the planner.

    `served` are the languages that the cast generates for; `equal` the seeds and references that a
    text in another one than English must not equal.
    """

    settings: RunSettings
    rooms: Rooms
    taxonomy: Taxonomy
    collection: Collection
    seeds: tuple[Seed, ...]
    graphs: tuple[SeedGraph, ...]
    unextracted: Mapping[str, str]
    graph: "nx.MultiDiGraph"
    encoder: Encoder
    indexes: list[TextIndex]
    equal: tuple[EqualTexts, ...]
    served: frozenset[str]
    cast: Cast
    planner: Planner
    run_id: str


def prepare(
    settings: RunSettings,
    rooms: Rooms,
    models: Models,
    say: Say = lambda _: None,
    extract: Extract | None = None,
) -> World:
    """Read, embed and extract everything a run needs.

    Args:
        settings: as resolved.
        rooms: assets.
        models: endpoints, connected when they are first asked.
        say: told what is being done, for a person who waits.
        extract: takes the usable seeds apart; None: the offline extractor of the settings.

    Raises:
        InputError: no seed can be used.
        UsageError: the extractor is not there.
    """
    say("loading the sentence encoder")
    encoder = MiniLM()
    say("reading and placing seeds")
    taxonomy, collection = _read(settings, rooms, encoder)
    seeds = _usable(collection, settings, languages(settings))
    index = _indexed(seeds, encoder)
    say("extracting the entity graph")
    lexicon = load_lexicon(rooms)
    found = _extracted(settings, seeds, lexicon, encoder, extract)
    embedded = EmbeddedParts(settings, rooms, taxonomy, lexicon, encoder, index)
    cast = build_cast(settings, rooms, taxonomy, embedded, models, {s.id: s for s in seeds})
    indexes = [index, *_references(settings, encoder)]
    graph = _merged(settings, seeds, found.graphs, encoder)
    return World(
        settings=settings,
        rooms=rooms,
        taxonomy=taxonomy,
        collection=collection,
        seeds=seeds,
        graphs=found.graphs,
        unextracted=found.failed,
        graph=graph,
        encoder=encoder,
        indexes=indexes,
        equal=_equal(seeds, indexes[1:]),
        served=languages(settings),
        cast=cast,
        planner=_planner(settings, seeds, found.graphs, graph, cast, embedded),
        run_id=_run_id(settings, rooms, seeds),
    )


def _read(settings: RunSettings, rooms: Rooms, encoder: Encoder) -> tuple[Taxonomy, Collection]:
    taxonomy, crosswalks = load_taxonomy(rooms, settings.taxonomy)
    return taxonomy, collect_seeds(settings.seeds, rooms, taxonomy, crosswalks, encoder)


def _extracted(
    settings: RunSettings,
    seeds: tuple[Seed, ...],
    lexicon: Lexicon,
    encoder: Encoder,
    extract: Extract | None,
) -> Extraction:
    if extract is not None:
        return liked(extract(seeds), lexicon)
    offline = EmbeddedExtractor(lexicon, encoder, settings.extractor)
    return Extraction(tuple(offline.extract(seeds)))


def _merged(
    settings: RunSettings,
    seeds: tuple[Seed, ...],
    graphs: tuple[SeedGraph, ...],
    encoder: Encoder,
) -> "nx.MultiDiGraph":
    """All small graphs as one, measured; variants are looked for in English, which MiniLM knows."""
    english = [g for g, seed in zip(graphs, seeds, strict=True) if seed.language == ENGLISH]
    graph = merge(graphs, find_variants(english, encoder.many, settings.graph.merge_min))
    annotate(graph, pivots=settings.graph.pivots)
    return graph


def _planner(
    settings: RunSettings,
    seeds: tuple[Seed, ...],
    graphs: tuple[SeedGraph, ...],
    graph: "nx.MultiDiGraph",
    cast: Cast,
    embedded: EmbeddedParts,
) -> Planner:
    """Who draws the briefs; told what the embedded generator can write, if it is the one."""
    alone = players(settings, "generator") == ("embedded",)
    planner = Planner(
        seeds,
        graphs,
        get_args(Strategy),
        settings.sampling,
        patience=settings.loop.patience,
        lookahead=lookahead(settings, cast),
        rng=settings.seed,
        graph=graph,
        serves=embedded.serves if alone else None,
        says=embedded.stock.serves if alone else None,
    )
    check_quotas(settings.sampling, planner.categories)
    return planner


def _usable(
    collection: Collection, settings: RunSettings, served: frozenset[str]
) -> tuple[Seed, ...]:
    """Seeds with a category, in a language that the cast serves."""
    spoken = [seed for seed in collection.seeds if seed.language in served]
    seeds = tuple(seed for seed in spoken if seed.category != UNCATEGORISED)
    if not seeds:
        others = unserved(collection.seeds, served).items()
        why = ", ".join(
            [f"{len(spoken)} without a category", *(f"{n} in `{code}`" for code, n in others)]
        )
        alone = "English ones" if served == {ENGLISH} else "ones in a language that is recognised"
        raise InputError(
            f"none of {len(collection.seeds)} seeds can be used ({why}); {alone} with a "
            "category are needed",
            path=", ".join(map(str, settings.seeds)),
        )
    return seeds


def _indexed(seeds: tuple[Seed, ...], encoder: Encoder) -> TextIndex:
    """The toxic seeds in English, to be compared with."""
    english = [seed for seed in seeds if seed.language == ENGLISH]
    index = TextIndex("seeds")
    if texts := [seed.text for seed in english]:
        index.add([seed.id for seed in english], texts, encoder.many(texts))
    return index


def _equal(seeds: tuple[Seed, ...], references: list[TextIndex]) -> tuple[EqualTexts, ...]:
    """What a text must not equal where no cosine says how near it is."""
    given = [pair for index in references for pair in index.texts.items()]
    own = ((seed.id, seed.text) for seed in seeds)
    return EqualTexts("seeds", own), EqualTexts("reference", given)


def lookahead(settings: RunSettings, cast: Cast) -> int:
    """Briefs under way at once, for this cast."""
    limits = settings.loop
    return limits.lookahead if cast.name == "embedded" else limits.spoken_lookahead


def _references(settings: RunSettings, encoder: Encoder) -> list[TextIndex]:
    texts = [text for path in settings.reference for text in read_texts(path)]
    if not texts:
        return []
    index = TextIndex("reference")
    index.add([content_id("x", text) for text in texts], texts, encoder.many(texts))
    return [index]


def _run_id(settings: RunSettings, rooms: Rooms, seeds: tuple[Seed, ...]) -> str:
    """The same settings, rooms and seeds have the same id; paths and target do not count."""
    values: dict[str, Any] = settings.model_dump(
        mode="json",
        exclude={"target", "seeds", "reference", "taxonomy", "output", "budget", "annotation"},
    )
    assets = {name: entry["sha256"] for name, entry in sorted(rooms.read.items())}
    return content_id("run", [values, assets, [s.id for s in seeds]])
