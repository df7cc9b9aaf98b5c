"""Several extractions of one seed: which represents them best, how far they agree, what is usable.

Overlap of two extractions is that of their entity names (Jaccard), compared without case, article
and inflection; a tie goes to the one whose relations overlap more, then to the first.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Literal, get_args

from falsereject_gen.entities.variants import lemma_key
from falsereject_gen.records import Entity, Kind, Relation, Seed, SeedGraph
from falsereject_gen.roles.spoken.replies import ExtractedEntity, ExtractorReply

__all__ = ["agreement", "most_shared", "to_graph"]

LONGEST_NAME = 8
"""Words of an entity or a label; what is longer is a piece of the seed, which nobody may see."""
_KINDS = frozenset(get_args(Kind))


def most_shared(found: Sequence[ExtractorReply]) -> ExtractorReply:
    """The extraction that overlaps most with the others, on average.

    Args:
        found: at least one.
    """
    names, links = [_names(one) for one in found], [_links(one) for one in found]

    def shared(place: int) -> tuple[float, float]:
        others = [other for other in range(len(found)) if other != place]
        by_name = sum(_overlap(names[place], names[other]) for other in others)
        return by_name, sum(_overlap(links[place], links[other]) for other in others)

    return found[max(range(len(found)), key=shared)]


def agreement(found: Sequence[ExtractorReply]) -> float | None:
    """Mean overlap of every two extractions, 0..1; None for a single one."""
    pairs = list(combinations([_names(one) for one in found], 2))
    return round(sum(_overlap(a, b) for a, b in pairs) / len(pairs), 4) if pairs else None


def to_graph(
    seed: Seed,
    reply: ExtractorReply,
    *,
    found: Sequence[ExtractorReply],
    asked: int,
    by: Literal["alone", "ranker", "overlap"],
) -> SeedGraph:
    """The graph of the chosen extraction; what of it is unusable is left out and counted.

    Args:
        seed: whose graph it is.
        reply: the chosen one.
        found: all that could be used.
        asked: how many were asked for.
        by: who chose.
    """
    left_out: Counter[str] = Counter({"failed extraction": asked - len(found)})
    entities: dict[str, Entity] = {}
    for one in reply.entities:
        fault = _fault(one, seed)
        left_out[fault] += 1
        name = " ".join(one.name.split())
        if not fault:
            kind: Kind = one.kind  # type: ignore[assignment]
            entities.setdefault(name.lower(), Entity(id=name.lower(), surface=name, kind=kind))
    relations: dict[Relation, None] = {}
    for link in reply.relations:
        ends = [" ".join(end.lower().split()) for end in (link.source, link.target)]
        fault = _link_fault(ends, link.label, entities, seed)
        left_out[fault] += 1
        if not fault:
            label = " ".join(link.label.split())
            made = Relation(source=ends[0], label=label, target=ends[1], seed_id=seed.id)
            relations[made] = None
    return SeedGraph(
        seed_id=seed.id,
        category=seed.category,
        entities=tuple(entities.values()),
        relations=tuple(relations),
        votes=len(found),
        agreement=agreement(found),
        chosen_by=by,
        left_out={what: count for what, count in sorted(left_out.items()) if what and count},
    )


def _fault(one: ExtractedEntity, seed: Seed) -> str:
    """Why an entity cannot be used; empty when it can."""
    if not one.name.strip():
        return "empty name"
    if one.kind not in _KINDS:
        return "unknown kind"
    return "" if _is_name(one.name, seed) else "a sentence for a name"


def _link_fault(ends: list[str], label: str, entities: dict[str, Entity], seed: Seed) -> str:
    if any(end not in entities for end in ends):
        return "relation of no entity"
    if ends[0] == ends[1]:
        return "relation to itself"
    if not label.strip():
        return "relation without a label"
    return "" if _is_name(label, seed) else "a sentence for a label"


def _is_name(name: str, seed: Seed) -> bool:
    words = name.split()
    return len(words) <= LONGEST_NAME and words != seed.text.split()


def _names(one: ExtractorReply) -> set[str]:
    return {lemma_key(e.name, e.kind == "act") for e in one.entities if e.name.strip()}


def _links(one: ExtractorReply) -> set[tuple[str, str]]:
    return {(r.source.strip().lower(), r.target.strip().lower()) for r in one.relations}


def _overlap(a: set[str] | set[tuple[str, str]], b: set[str] | set[tuple[str, str]]) -> float:
    return len(a & b) / len(a | b) if a | b else 1.0
