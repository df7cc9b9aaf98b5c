"""The candidates and the entity graph as compact JSON for the page's script.

Every string is written once, in `strings`, and referred to by its number: readings, guards and
entities come back thousands of times. What a key means stands beside it in the scripts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from falsereject_gen.entities.draw import label, main_category, positions
from falsereject_gen.records import Candidate, Round
from falsereject_gen.report.coverage import STRATEGIES, Categories
from falsereject_gen.report.redact import judged_unsafe, toxic_neighbour

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["embed", "pack", "pack_graph"]


class _Strings:
    """Numbers strings in the order in which they are first met."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}

    def __call__(self, text: Any) -> int:
        return self.found.setdefault(str(text), len(self.found))

    def all(self, texts: Any) -> list[int]:
        return [self(text) for text in texts]


def pack(
    candidates: Iterable[Candidate],
    categories: Categories,
    graph: "nx.MultiDiGraph | None",
    rng: int,
) -> dict[str, Any]:
    """Everything that the page's script draws.

    Args:
        candidates: of the run, as many as the page is to hold, redacted if need be.
        categories: their order is the order of the selects.
        graph: the entity graph, if the run has one.
        rng: seed of the positions in the picture.
    """
    strings = _Strings()
    out = {
        "categories": [[i, categories.name(i), categories.domain(i)] for i in categories.ids],
        "strategies": list(STRATEGIES),
        "candidates": [_candidate(c, strings) for c in candidates],
        "graph": _graph(graph, rng, strings) if graph is not None else None,
        "run": 1,
    }
    return {**out, "strings": list(strings.found)}


def pack_graph(
    graph: "nx.MultiDiGraph",
    categories: Categories,
    rng: int,
    seeds: Mapping[str, str],
    candidates: Sequence[Candidate] | None,
) -> dict[str, Any]:
    """The same for a page with the picture alone.

    Args:
        graph: the entity graph.
        categories: as in `pack`.
        rng: as in `pack`.
        seeds: texts by id, as far as they are known and may be shown.
        candidates: of the run; of a rejected one nothing but its entities is taken. None: no run.
    """
    strings = _Strings()
    out = {
        "categories": [[i, categories.name(i), categories.domain(i)] for i in categories.ids],
        "candidates": [_brief(c, strings) for c in candidates or ()],
        "graph": _graph(graph, rng, strings),
        "seeds": dict(seeds),
        "run": int(candidates is not None),
    }
    return {**out, "strings": list(strings.found)}


def embed(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _brief(candidate: Candidate, strings: _Strings) -> dict[str, Any]:
    """Its entities, and the row that was made of it if there is one."""
    brief, accepted = candidate.brief, candidate.status == "accepted"
    return {
        "o": brief.ordinal,
        "c": strings(brief.category),
        "ok": int(accepted),
        "e": [[strings(e.id)] for e in brief.entities],
        "r": [{"t": strings(candidate.last.draft.text)}] if accepted else [],
    }


def _candidate(candidate: Candidate, strings: _Strings) -> dict[str, Any]:
    brief = candidate.brief
    return {
        "o": brief.ordinal,
        "i": strings(brief.id),
        "c": strings(brief.category),
        "s": strings(brief.strategy),
        "ok": int(candidate.status == "accepted"),
        "g": strings(candidate.stage),
        "w": strings(candidate.reason),
        "e": [[strings(e.id), strings(e.surface), strings(e.kind)] for e in brief.entities],
        "l": [strings.all((r.source, r.label, r.target)) for r in brief.relations],
        "q": strings.all(brief.seed_ids),
        "z": strings(brief.rng),
        "r": [_round(turn, strings) for turn in candidate.rounds],
    }


def _round(turn: Round, strings: _Strings) -> dict[str, Any]:
    draft, verdict, nearest, ruling = turn.draft, turn.verdict, turn.nearest, turn.ruling
    out: dict[str, Any] = {"t": strings(draft.text), "b": strings(draft.by)}
    if judged_unsafe(turn):
        out["u"] = 1
    if draft.refused or draft.exhausted:
        out["x"] = strings("declined" if draft.refused else "exhausted")
    if draft.notes:
        out["n"] = [strings.all(pair) for pair in draft.notes.items()]
    if draft.entities:
        out["e"] = strings.all(draft.entities)
    if verdict:
        said = strings.all((verdict.label, verdict.feedback, verdict.by))
        out["v"] = [verdict.harm, verdict.looks_toxic, *said, strings.all(verdict.reasons)]
    if turn.probes:
        out["p"] = [strings.all((p.target, p.outcome, p.decided_by, p.text)) for p in turn.probes]
    if nearest:
        found = strings.all((nearest.id, nearest.among, nearest.text))
        out["d"] = [nearest.score, *found, int(toxic_neighbour(nearest))]
    out["j"] = strings.all((ruling.decision, ruling.stage, ruling.fault, ruling.reason, ruling.by))
    return out


def _graph(graph: "nx.MultiDiGraph", rng: int, strings: _Strings) -> dict[str, Any]:
    places = positions(graph, rng)
    number = {str(name): place for place, name in enumerate(graph)}
    nodes = [
        [
            *strings.all((name, label(str(name), data), data.get("kind") or "concept")),
            strings(data.get("like") or ""),
            data.get("weight") or 0,
            strings(main_category(data)),
            strings.all(data.get("categories") or ()),
            strings.all(data.get("seeds") or ()),
            *places[str(name)],
        ]
        for name, data in graph.nodes(data=True)
    ]
    edges = [
        [
            *(number[str(source)], number[str(target)]),
            strings(data.get("label") or ""),
            data.get("weight") or 0,
            strings.all(data.get("seeds") or ()),
        ]
        for source, target, data in graph.edges(data=True)
    ]
    aliases = [
        [strings(str(label).rpartition(" (")[0]), number[str(name)]]
        for name, data in graph.nodes(data=True)
        for label in data.get("variants") or ()
    ]
    return {"nodes": nodes, "edges": edges, "aliases": aliases}
