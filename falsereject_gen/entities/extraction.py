"""What the extraction of all seeds gave, whoever made it: graphs, failures, and their account."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.files import replace_file
from falsereject_gen.records import SeedGraph

__all__ = ["Extraction", "liked", "summary", "write_extraction"]

DIVIDED = 0.5
"""Agreement below which a seed's extractions are called divided."""


@dataclass(frozen=True)
class Extraction:
    """The graphs of the seeds, in their order, and why some have none.

    Attributes:
        graphs: one a seed.
        failed: by seed id, why no extraction of it could be used.
    """

    graphs: tuple[SeedGraph, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


def liked(found: Extraction, lexicon: Lexicon) -> Extraction:
    """The same with the known entity that each name is a form of: what readings hang on."""
    out = []
    for graph in found.graphs:
        entities = tuple(
            entity.model_copy(update={"like": note.id})
            if (note := lexicon.by_form.get(entity.id)) is not None
            else entity
            for entity in graph.entities
        )
        out.append(graph.model_copy(update={"entities": entities}))
    return replace(found, graphs=tuple(out))


def summary(graphs: Sequence[SeedGraph], failed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What is to be known of an extraction.

    Args:
        graphs: one a seed.
        failed: by seed id, why it has none.

    Returns:
        Counts; `agreement` is the mean over the seeds with several extractions, None without any.
    """
    votes = [graph.agreement for graph in graphs if graph.agreement is not None]
    left_out: Counter[str] = Counter()
    for graph in graphs:
        left_out.update(graph.left_out)
    return {
        "seeds": len(graphs),
        "empty": sum(not graph.entities for graph in graphs),
        "failed": dict(failed or {}),
        "voted": len(votes),
        "agreement": round(fmean(votes), 4) if votes else None,
        "divided": sum(vote < DIVIDED for vote in votes),
        "chosen_by": dict(sorted(Counter(graph.chosen_by for graph in graphs).items())),
        "left_out": dict(sorted(left_out.items())),
    }


def write_extraction(
    folder: Path, extractor: str, graphs: Sequence[SeedGraph], failed: Mapping[str, str]
) -> dict[str, Any]:
    """Write `extraction.json` beside a graph: the account in sum, and by seed.

    Returns:
        The account in sum.

    Raises:
        StoreError: it cannot be written.
    """
    told = {"extractor": extractor, **summary(graphs, failed)}
    whole = {**told, "by_seed": {one.seed_id: _votes(one) for one in graphs}}
    text = json.dumps(whole, indent=1, ensure_ascii=False)
    replace_file(folder / "extraction.json", [text.encode("utf-8", "replace"), b"\n"])
    return told


def _votes(one: SeedGraph) -> dict[str, Any]:
    """What is kept of a seed's extraction beside its graph."""
    shown = one.model_dump(include={"votes", "agreement", "chosen_by", "left_out"})
    return {"entities": len(one.entities), "relations": len(one.relations), **shown}
