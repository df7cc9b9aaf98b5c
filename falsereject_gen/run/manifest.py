"""The manifest of a run: settings as resolved, assets with their sha256, counts, versions."""

import json
import platform
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from falsereject_gen import __version__
from falsereject_gen.entities.extraction import summary
from falsereject_gen.entities.graph import stats
from falsereject_gen.roles.embedded.generator import GrammarGenerator
from falsereject_gen.run.account import Account
from falsereject_gen.run.result import RunResult
from falsereject_gen.run.world import World
from falsereject_gen.seeds.language import unserved

__all__ = ["manifest", "write_json"]

_LIBRARIES = ("torch", "transformers", "langgraph", "faiss-cpu", "spacy", "networkx")


def manifest(world: World, result: RunResult, account: Account) -> dict[str, Any]:
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
        "counts": {
            **result.summary(),
            "by_category": account.by_category(),
            "by_language": account.by_language(),
        },
        "generator_refusals": account.generator_refusals(),
        "other_language": account.other_language(),
        "acceptance_by_round": account.acceptance_by_round(),
        "usage": list(result.usage),
        "failures": list(result.failures),
        "warnings": list(result.warnings),
        "seeds": seed_summary(world),
        "extraction": extraction(world),
        "graph": {**stats(world.graph), **served(world, account)},
        "sampling": {**world.planner.account(), "without_entities": account.without_entities()},
        "categories": {c.id: {"name": c.name, "domain": c.domain} for c in world.taxonomy},
        "rooms": dict(sorted(world.rooms.read.items())),
        "wall_s": round(result.wall_s, 2),
        "generation_s": round(result.generation_s, 2),
    }


def seed_summary(world: World) -> dict[str, Any]:
    """What the seeds were, where they came from, and what could not be used."""
    return {
        "used": len(world.seeds),
        "sources": dict(sorted(Counter(f"{s.source} ({s.licence})" for s in world.seeds).items())),
        "by_category": dict(sorted(Counter(s.category for s in world.seeds).items())),
        "languages": dict(sorted(Counter(s.language for s in world.collection.seeds).items())),
        "not_served": unserved(world.collection.seeds, world.served),
        "read": world.collection.counts,
        "problems": list(world.collection.problems),
    }


def extraction(world: World) -> dict[str, Any]:
    """Who took the seeds apart, what their votes agreed on, and which seeds have no graph."""
    told = summary(world.graphs, world.unextracted)
    return {"extractor": world.settings.extractor, **told}


def served(world: World, account: Account) -> dict[str, Any]:
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
    return {
        "served": dict(total),
        "served_by_category": by_category,
        "seeds_unserved": {c: len(ids) for c, ids in generator.stock.mute(world.graphs).items()},
        "generic_rows": account.generic_rows,
    }


def write_json(path: Path, value: Any) -> None:
    """Write JSON in one go: the old file stands until the new one is whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
