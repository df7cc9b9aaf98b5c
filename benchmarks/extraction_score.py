"""Precision and recall of one extraction against what a person wrote down; no files, no models.

An entity is found when its name or its surface is that of the gold entity up to inflection,
article, hyphen and case. A relation is right when both ends are, in this direction, and the label
is the same; a pair is right when the two ends are linked at all, in any direction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from falsereject_gen.entities.variants import lemma_key
from falsereject_gen.records import Entity, SeedGraph

Triple = tuple[str, str, str]


@dataclass(frozen=True)
class Sentence:
    """A sentence and its entities (name to kind) and relations (`source | label | target`)."""

    text: str
    category: str
    part: str
    entities: dict[str, str]
    relations: list[str] = field(default_factory=list)

    def triples(self) -> set[Triple]:
        return {tuple(line.split(" | ")) for line in self.relations}  # type: ignore[misc]


def overall(
    pairs: Sequence[tuple[Sentence, SeedGraph]], *, faults: bool = False
) -> dict[str, dict[str, Any]]:
    """Counts summed over sentences (micro average), and the shares that follow from them.

    Args:
        pairs: what should be found, and what was.
        faults: say what was missed, invented and taken for another kind.
    """
    sums: dict[str, Counter[str]] = {}
    said: dict[str, list[Any]] = {"missed": [], "invented": [], "kind": [], "relations": []}
    for sentence, graph in pairs:
        match = matched(sentence, graph.entities)
        for what, right, got, wanted in _parts(sentence, graph, match):
            now = sums.setdefault(what, Counter())
            now.update({"right": len(right), "found": len(got), "wanted": len(wanted)})
        said["missed"] += sorted(set(sentence.entities) - set(match.values()))
        said["invented"] += [e.id for e in graph.entities if e.id not in match]
        said["kind"] += _wrong_kinds(sentence, graph, match)
        _, right, got, wanted = list(_parts(sentence, graph, match))[2]
        said["relations"] += [["-", *t] for t in sorted(wanted - right)]
        said["relations"] += [["+", *map(str, t)] for t in sorted(got - right)]
    out: dict[str, dict[str, Any]] = {what: _shares(now) for what, now in sums.items()}
    both = sums["entities"]["right"]
    out["kinds"]["right"] = round(sums["kinds"]["right"] / both, 3) if both else 0.0
    return {**out, "faults": said} if faults else out


def matched(sentence: Sentence, found: Iterable[Entity]) -> dict[str, str]:
    """Gold name by the id of the entity that is it; each is used once."""
    left = dict(sentence.entities)
    out: dict[str, str] = {}
    for entity in found:
        for name, kind in left.items():
            if _same(name, kind == "act", entity):
                out[entity.id] = name
                del left[name]
                break
    return out


def _same(name: str, act: bool, entity: Entity) -> bool:
    wanted = {name.lower(), lemma_key(name, act)}
    names = {entity.id, entity.surface.lower()}
    keys = {lemma_key(one, is_act) for one in names for is_act in {act, entity.kind == "act"}}
    return bool(wanted & (names | keys))


def _parts(
    sentence: Sentence, graph: SeedGraph, match: dict[str, str]
) -> Iterable[tuple[str, set[Any], set[Any], set[Any]]]:
    """(what, right, found, wanted) for entities, kinds, relations, pairs."""

    def gold(name: str) -> str:
        return match.get(name, f"?{name}")

    names = {gold(e.id) for e in graph.entities}
    wanted: set[Any] = set(sentence.entities)
    yield "entities", names & wanted, names, wanted
    kinds = {(gold(e.id), e.kind) for e in graph.entities}
    yield "kinds", kinds & set(sentence.entities.items()), kinds, set(sentence.entities.items())
    triples = {(gold(r.source), r.label, gold(r.target)) for r in graph.relations}
    yield "relations", triples & sentence.triples(), triples, sentence.triples()
    linked = {frozenset((a, b)) for a, _, b in triples}
    links = {frozenset((a, b)) for a, _, b in sentence.triples()}
    yield "pairs", linked & links, linked, links


def _wrong_kinds(sentence: Sentence, graph: SeedGraph, match: dict[str, str]) -> list[str]:
    return [
        f"{e.id}: {e.kind} for {sentence.entities[match[e.id]]}"
        for e in graph.entities
        if e.id in match and e.kind != sentence.entities[match[e.id]]
    ]


def _shares(now: Counter[str]) -> dict[str, Any]:
    precision = now["right"] / now["found"] if now["found"] else 0.0
    recall = now["right"] / now["wanted"] if now["wanted"] else 0.0
    both = precision + recall
    return {
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / both, 3) if both else 0.0,
        "found": now["found"],
        "wanted": now["wanted"],
    }
