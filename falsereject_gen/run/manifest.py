"""The manifest of a run: settings as resolved, assets with their sha256, counts, versions."""

import json
import platform
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from falsereject_gen import __version__
from falsereject_gen.entities.graph import stats
from falsereject_gen.records import Candidate
from falsereject_gen.roles.embedded.generator import GrammarGenerator
from falsereject_gen.roles.embedded.generic import PREFIX
from falsereject_gen.run.result import RunResult
from falsereject_gen.run.world import World
from falsereject_gen.seeds.language import unserved

__all__ = ["acceptance_by_round", "manifest", "write_json"]

_LIBRARIES = ("torch", "transformers", "langgraph", "faiss-cpu", "spacy", "networkx")


def manifest(world: World, result: RunResult, accepted: list[Candidate]) -> dict[str, Any]:
    """Everything one needs to know of how a run came about."""
    return {
        "run_id": result.run_id,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "target": result.target,
        "complete": result.complete,
        "why_short": result.why_short,
        "cast": world.cast.name,
        "settings": world.settings.model_dump(mode="json"),
        "counts": {**result.summary(), "by_category": by_category(accepted)},
        "generator_refusals": generator_refusals([*accepted, *result.rejected]),
        "acceptance_by_round": acceptance_by_round([*accepted, *result.rejected]),
        "usage": list(result.usage),
        "failures": list(result.failures),
        "warnings": list(result.warnings),
        "seeds": seed_summary(world),
        "graph": {**stats(world.graph), **served(world, accepted)},
        "sampling": world.planner.account(),
        "categories": {c.id: {"name": c.name, "domain": c.domain} for c in world.taxonomy},
        "rooms": dict(sorted(world.rooms.read.items())),
        "wall_s": round(result.wall_s, 2),
        "generation_s": round(result.generation_s, 2),
    }


def acceptance_by_round(candidates: list[Candidate]) -> list[dict[str, float]]:
    """Share of briefs accepted after one round, two rounds, …: the loop at work."""
    after = Counter(len(c.rounds) for c in candidates if c.status == "accepted")
    out, so_far = [], 0
    for rounds in range(1, max((len(c.rounds) for c in candidates), default=0) + 1):
        so_far += after[rounds]
        share = round(so_far / len(candidates), 4)
        out.append({"rounds": rounds, "accepted": so_far, "share": share})
    return out


def generator_refusals(candidates: list[Candidate]) -> dict[str, int]:
    """Rounds in which a generator itself declined, by who it was."""
    turns = [turn.draft for candidate in candidates for turn in candidate.rounds]
    return dict(sorted(Counter(draft.by for draft in turns if draft.refused).items()))


def by_category(accepted: list[Candidate]) -> dict[str, int]:
    """Accepted rows of each category."""
    return dict(sorted(Counter(c.brief.category for c in accepted).items()))


def seed_summary(world: World) -> dict[str, Any]:
    """What the seeds were, where they came from, and what could not be used."""
    return {
        "used": len(world.seeds),
        "sources": dict(sorted(Counter(f"{s.source} ({s.licence})" for s in world.seeds).items())),
        "by_category": dict(sorted(Counter(s.category for s in world.seeds).items())),
        "languages": dict(sorted(Counter(s.language for s in world.collection.seeds).items())),
        "not_served": unserved(world.collection.seeds),
        "read": world.collection.counts,
        "problems": list(world.collection.problems),
    }


def served(world: World, accepted: list[Candidate]) -> dict[str, Any]:
    """How the grammar's readings meet the entities of the seeds; nothing for another generator.

    `served`: entities with a reading of their own, with that of their nearest kin, with a generic
    one, with none; an entity of two categories counts in both. `seeds_unserved`: seeds of which
    nothing can be said, by category. `generic_rows`: accepted rows that a generic reading made.
    """
    generator = world.cast.generator
    if not isinstance(generator, GrammarGenerator):
        return {}
    by_category = generator.stock.counts(world.graphs)
    total: Counter[str] = Counter()
    for found in by_category.values():
        total.update(found)
    mute = Counter(g.category for g in world.graphs if not generator.stock.serves(g))
    made = [c for c in accepted if c.last.draft.notes.get("reading", "").startswith(PREFIX)]
    return {
        "served": dict(total),
        "served_by_category": by_category,
        "seeds_unserved": dict(sorted(mute.items())),
        "generic_rows": len(made),
    }


def write_json(path: Path, value: Any) -> None:
    """Write JSON in one go: the old file stands until the new one is whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
