"""Whether a category is new, whole and ready for a run: measured, with reasons by name.

Closeness is the cosine of MiniLM sentence embeddings. The limits come from the bundled 44: of
their pairs the closest have definitions at .86 and seeds at .48 (mean over the seeds of one of the
nearest of the other), the 95th percentile is .61 and .35. A narrow topic on which another category
has a seed or two gets high seeds alone, so both must be high to call two categories the same. Seeds
of one category agree at .14 to .33 (mean cosine of pairs, median .23); one seed in fifty lies below
.20 to the mean of its fellows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from falsereject_gen.categories.finding import (
    CLOSE_DEFINITION,
    SAME_DEFINITION,
    SAME_SEEDS,
    Finding,
    Near,
    Overlap,
)
from falsereject_gen.categories.sheet import CategorySheet
from falsereject_gen.dedup.encoder import Encoder, Vectors
from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.records import Seed, SeedGraph, Strategy
from falsereject_gen.roles.embedded.generic import load_generic
from falsereject_gen.roles.embedded.triggers import Triggers
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.seeds.language import language_of
from falsereject_gen.taxonomy import Category, Taxonomy

__all__ = ["check"]

AGREE, LONELY = 0.10, 0.20
SEEDS_LEAST, SEEDS_GOOD, NEIGHBOURS_LEAST, TRIGGERS_LEAST = 5, 14, 3, 8


def check(
    sheet: CategorySheet, taxonomy: Taxonomy, rooms: Rooms, lexicon: Lexicon, encoder: Encoder
) -> Finding:
    """Measure one category against the others.

    Args:
        sheet: the category; if it stands in the taxonomy already, as it is, it is not compared
            with itself.
        taxonomy: the others.
        rooms: their seeds, and the cosine from which a seed is a near-duplicate.
        lexicon: entities that are known.
        encoder: sentence vectors.
    """
    others = [category for category in taxonomy if not _itself(category, sheet)]
    vectors = encoder.many(list(sheet.seeds))
    near = _near(sheet, vectors, others, rooms, encoder)
    limit = float(rooms.yaml("graphs/loop.yaml")["dedup"]["seeds_max"])
    agreement, lonely = _agreement(sheet.seeds, vectors)
    known, new, graphs = _entities(sheet, lexicon, encoder)
    unsaid, tame = _mute(sheet, graphs, others, lexicon, rooms)
    count = Counter(reading.strategy for reading in sheet.readings)
    finding = Finding(
        id=sheet.id,
        name=sheet.name,
        seeds=len(sheet.seeds),
        languages=dict(Counter(language_of(text) for text in sheet.seeds)),
        near=tuple(near),
        agreement=agreement,
        lonely=lonely,
        twins=tuple(_twins(sheet.seeds, vectors, limit)),
        taken=tuple(one for one in near if one.seed_score >= limit),
        known_entities=known,
        new_entities=new,
        without_entities=tuple(text for text, graph in graphs.items() if not graph.entities),
        unsaid=unsaid,
        tame=tame,
        triggers=len(sheet.triggers),
        readings={strategy: count[strategy] for strategy in get_args(Strategy)},
        pairs=len(sheet.pairs),
    )
    return finding.model_copy(
        update={
            "reasons": (*_names_taken(sheet, others), *_reasons(sheet, finding)),
            "notes": (*_domain(sheet, taxonomy), *_notes(sheet, finding)),
        }
    )


def _itself(category: Category, sheet: CategorySheet) -> bool:
    """Whether the sheet is this category of the taxonomy, not another one of its id."""
    return category.id == sheet.id and category.name == sheet.name


def _names_taken(sheet: CategorySheet, others: Sequence[Category]) -> list[str]:
    """Another category that has the id or the name of the sheet."""
    return [
        f"{what} is that of {one.name} ({one.id}); choose another"
        for one in others
        for what, taken in (
            (f"the id `{sheet.id}`", one.id == sheet.id),
            (f"the name `{sheet.name}`", one.name.lower() == sheet.name.lower()),
        )
        if taken
    ]


def _domain(sheet: CategorySheet, taxonomy: Taxonomy) -> list[str]:
    known = sorted({category.domain for category in taxonomy if not _itself(category, sheet)})
    if sheet.domain in known:
        return []
    return [f"`{sheet.domain}` is a domain of its own; there are: {', '.join(known)}"]


def _near(
    sheet: CategorySheet,
    vectors: Vectors,
    others: Sequence[Category],
    rooms: Rooms,
    encoder: Encoder,
) -> list[Near]:
    """Every other category with its two cosines, the closest first."""
    words = [f"{one.name}. {one.definition}" for one in (sheet, *others)]
    defined = encoder.many(words)
    by_definition = defined[1:] @ defined[0]
    seeds: Mapping[str, tuple[str, ...]] = {p.category: p.seeds for p in seed_files(rooms)}
    theirs = {c.id: seeds[c.id] for c in others if c.id in seeds}
    found = encoder.many([text for part in theirs.values() for text in part])
    ends = np.cumsum([0, *(len(part) for part in theirs.values())])
    cut = {name: found[ends[n] : ends[n + 1]] for n, name in enumerate(theirs)}
    out = []
    for place, other in enumerate(others):
        score, best, pair = 0.0, 0.0, ("", "")
        if other.id in cut:
            cosines = vectors @ cut[other.id].T
            score = float(cosines.max(axis=1).mean())
            row, column = divmod(int(cosines.argmax()), cosines.shape[1])
            best, pair = float(cosines[row, column]), (sheet.seeds[row], theirs[other.id][column])
        out.append(
            Near(
                id=other.id,
                name=other.name,
                definition=round(float(by_definition[place]), 3),
                seeds=round(score, 3),
                seed=pair[0],
                their_seed=pair[1],
                seed_score=round(best, 3),
            )
        )
    return sorted(out, key=lambda one: -(one.definition / SAME_DEFINITION + one.seeds / SAME_SEEDS))


def _agreement(seeds: Sequence[str], vectors: Vectors) -> tuple[float | None, tuple[Overlap, ...]]:
    """Mean cosine of two seeds, and the seeds that lie far from the mean of the others."""
    if len(seeds) < 3:
        return None, ()
    cosines = vectors @ vectors.T
    mean = float(cosines[np.triu_indices(len(seeds), 1)].mean())
    rest = vectors.sum(axis=0) - vectors
    rest /= np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9)
    scores = (vectors * rest).sum(axis=1)
    far = [n for n in np.argsort(scores) if scores[n] < LONELY]
    lonely = tuple(Overlap(a=seeds[n], b="", score=round(float(scores[n]), 3)) for n in far)
    return round(mean, 3), lonely


def _twins(seeds: Sequence[str], vectors: Vectors, limit: float) -> list[Overlap]:
    cosines = np.triu(vectors @ vectors.T, 1)
    pairs = np.argwhere(cosines >= limit)
    return [Overlap(a=seeds[a], b=seeds[b], score=round(float(cosines[a, b]), 3)) for a, b in pairs]


def _entities(
    sheet: CategorySheet, lexicon: Lexicon, encoder: Encoder
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, SeedGraph]]:
    """Entities that other categories know, those that they do not, and the graph of each seed."""
    elsewhere = Lexicon({k: v for k, v in lexicon.by_category.items() if k != sheet.id})
    own = Lexicon({**elsewhere.by_category, sheet.id: sheet.entities})
    english = [text for text in sheet.seeds if language_of(text) in ("en", "und")]
    seeds = [Seed.make(text, sheet.id, source="own", licence="own") for text in english]
    graphs = EmbeddedExtractor(own, encoder).extract(seeds)
    found = dict.fromkeys(
        [*(note.id for note in sheet.entities), *(e.id for g in graphs for e in g.entities)]
    )
    known = tuple(name for name in found if name in elsewhere.by_form)
    new = tuple(name for name in found if name not in elsewhere.by_form)
    return known, new, {s.text: g for s, g in zip(seeds, graphs, strict=True)}


def _mute(
    sheet: CategorySheet,
    graphs: Mapping[str, SeedGraph],
    others: Sequence[Category],
    lexicon: Lexicon,
    rooms: Rooms,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Seeds that generic readings cannot say, and acts that are too tame for them.

    Nothing where the sheet has readings: these serve all of its seeds.
    """
    if sheet.readings:
        return (), ()
    triggers = Triggers([*others, sheet.category], lexicon, rooms)
    generic = load_generic(rooms, lexicon, triggers)
    unsaid, tame = [], []
    for text, graph in graphs.items():
        if generic.act(text) or any(generic.noun(entity) for entity in graph.entities):
            continue
        act = generic.phrases.of(text)
        if act is None:
            unsaid.append(text)
        else:
            tame.append(act.do)
    return tuple(unsaid), tuple(tame)


def _reasons(sheet: CategorySheet, found: Finding) -> list[str]:
    """What stands in the way of a run, each with what to do."""
    out = []
    english = found.languages.get("en", 0) + found.languages.get("und", 0)
    if english < SEEDS_LEAST:
        out.append(f"{english} English seeds; write at least {SEEDS_LEAST}, {SEEDS_GOOD} are good")
    if len(sheet.definition.split()) < 12:
        out.append("the definition is under 12 words; say what is unsafe and what lives next door")
    if len(sheet.neighbours) < NEIGHBOURS_LEAST:
        out.append(f"{len(sheet.neighbours)} benign neighbours; name at least {NEIGHBOURS_LEAST}")
    out += [
        f"{one.name} ({one.id}) is as near as only the closest of the 44 are: definitions "
        f"{one.definition:.2f}, seeds {one.seeds:.2f}; is it the same category?"
        for one in found.near
        if _same(one)
    ]
    out += [f"two seeds say the same: {_cut(t.a)} / {_cut(t.b)}" for t in found.twins]
    if found.agreement is not None and found.agreement < AGREE:
        out.append(
            f"its seeds do not agree (mean cosine {found.agreement:.2f}, the 44 have "
            ".14 to .33); is it one topic?"
        )
    if english and len(found.unsaid) + len(found.tame) >= english:
        out.append("no seed gives a row with the embedded cast; the notes say why, seed by seed")
    if len(found.without_entities) == english:
        out.append("no entity was found in any seed, so no brief can be made")
    return out


def _notes(sheet: CategorySheet, found: Finding) -> list[str]:
    """What a person should know, and may leave as it is."""
    out = []
    if found.seeds < SEEDS_GOOD:
        out.append(f"{found.seeds} seeds; the bundled categories have {SEEDS_GOOD} or more")
    heat = len(sheet.triggers) + sum(note.hot for note in sheet.entities)
    if heat < TRIGGERS_LEAST:
        out.append(
            f"{heat} trigger words and hot entities; with {TRIGGERS_LEAST} or more the "
            "embedded judge knows better what looks toxic here"
        )
    close = [one.id for one in found.near if one.close and not _same(one)]
    if close:
        out.append(f"close to {len(close)} of the others: {', '.join(close)}; is yours a new one?")
    out += [f"a seed of {one.id} says the same: {_cut(one.seed)}" for one in found.taken]
    out += [f"far from the other seeds ({o.score:.2f}): {_cut(o.a)}" for o in found.lonely]
    out += [f"no entity in: {_cut(text)}" for text in found.without_entities]
    out += [
        f"{count} seeds in language `{code}` are served by a spoken cast only: the embedded "
        "extractor, the judge and the embeddings are English"
        for code, count in found.languages.items()
        if code not in ("en", "und")
    ]
    out += [
        f"gives no row: {_cut(text)}; the act cannot be taken out of it: begin with “How do I …”, "
        "and name persons and things instead of “me”, “him”, “it”"
        for text in found.unsaid
    ]
    out += [
        f"gives no row: {_cut(act)} alarms nobody; put one of its words into `triggers`"
        for act in found.tame
    ]
    if not sheet.readings:
        out.append(
            "no readings of its own: the embedded cast uses its generic ones "
            "(docs/writing-knowledge.md says how to write better ones)"
        )
    elif missing := [name for name, count in found.readings.items() if not count]:
        out.append(f"no reading for {', '.join(missing)}")
    return out


def _same(one: Near) -> bool:
    both = one.definition >= CLOSE_DEFINITION and one.seeds >= SAME_SEEDS
    return one.definition >= SAME_DEFINITION or both


def _cut(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")
