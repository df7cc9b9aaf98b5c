"""The dataset card: everything that it says is counted from rows, candidates, seeds and settings.

No date, path or time is in it: the same run has the same card. The words are in card.md.j2.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from falsereject_gen import __version__
from falsereject_gen.dataset.columns import COLUMNS
from falsereject_gen.dataset.counts import categories, counts, pool, rounds
from falsereject_gen.dataset.markdown import fenced, render
from falsereject_gen.dataset.splits import Split, file_name, pack
from falsereject_gen.dataset.table import Rows
from falsereject_gen.records import ENGLISH, Candidate, Row, Seed, SeedGraph
from falsereject_gen.run.stored import ends
from falsereject_gen.seeds.language import name_of
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["dataset_card"]

OURS = "Apache-2.0"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))


def dataset_card(
    rows: Sequence[Row],
    rejected: Sequence[Candidate],
    *,
    seeds: Sequence[Seed],
    graphs: Sequence[SeedGraph],
    taxonomy: Taxonomy,
    settings: RunSettings,
    run_id: str,
    why_short: str = "",
) -> str:
    """The card (README.md) of a dataset: YAML header for the Hub, then Markdown.

    Args:
        rows: accepted rows, as `write_dataset` gets them (with `settings.output.test_share`).
        rejected: the other candidates of the run.
        seeds: what the run started from.
        graphs: the entity graphs of the seeds.
        taxonomy: in whose order categories are listed, those without a row too.
        settings: as resolved; files named in it are counted, not named.
        run_id: the run.
        why_short: why there are fewer rows than asked for, if so.
    """
    held, fell = Rows.of(rows), ends(rejected)
    splits = pack(held, settings.output.test_share)
    values = {
        **_terms(splits, seeds, settings),
        **_numbers(splits, held, fell, taxonomy),
        "version": __version__,
        "run_id": run_id,
        "why_short": why_short,
        "settings": settings,
        "columns": COLUMNS,
        "sources": sorted(Counter((_name(s), s.licence) for s in seeds).items()),
        "seeds": len(seeds),
        "entities": len({entity.id for graph in graphs for entity in graph.entities}),
        "relations": sum(len(graph.relations) for graph in graphs),
        "pool": [(target, *pool(held, target)) for target in settings.pool],
    }
    return render("card.md.j2", values)


def _terms(splits: Sequence[Split], seeds: Sequence[Seed], settings: RunSettings) -> dict[str, Any]:
    """The header, the licence, and the settings to make it again."""
    files = {
        "seeds": len(settings.seeds),
        "reference": len(settings.reference),
        "taxonomy": int(settings.taxonomy is not None),
    }
    plain = settings.model_dump(mode="json", exclude=set(files))
    return {
        "header": Markup(_yaml(_header(splits, seeds, settings))),
        "ours": _ours(seeds),
        "settings_yaml": fenced(_yaml(plain), "yaml"),
        "own_files": {key: number for key, number in files.items() if number},
    }


def _numbers(
    splits: Sequence[Split],
    rows: Rows,
    fell: Sequence[tuple[str, int, int]],
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    """Every table, and the first row as an example."""
    stages: Counter[str] = Counter()
    for stage, _, count in fell:
        stages[stage] += count
    return {
        "splits": splits,
        "split_names": [split.name for split in splits],
        "split_rule": Markup("---:|" * len(splits)),
        "total": len(rows),
        "rejected": stages.total(),
        "categories": categories(splits, taxonomy),
        "domains": counts(splits, "domain"),
        "strategies": counts(splits, "strategy"),
        "languages": [
            (f"{name_of(code)} ({code})", found) for code, found in counts(splits, "language")
        ],
        "names": [name_of(code) for code in _languages(splits)],
        "foreign": _languages(splits) != [ENGLISH],
        "rounds": rounds(rows, fell),
        "stages": sorted(stages.items()),
        "example": fenced(_example(rows), "json") if rows else "",
    }


def _ours(seeds: Sequence[Seed]) -> bool:
    return all(seed.licence == OURS for seed in seeds)


def _header(
    splits: Sequence[Split], seeds: Sequence[Seed], settings: RunSettings
) -> dict[str, Any]:
    total = sum(len(split.rows) for split in splits)
    other = {"license": "other", "license_name": "see-card"}
    terms = {"license": OURS.lower()} if _ours(seeds) else other
    foreign = sorted({_name(seed) for seed in seeds if seed.source != "falsereject-gen"})
    return {
        **terms,
        "language": _languages(splits),
        "pretty_name": f"falsereject-gen: {total} prompts that look toxic and are meant benign",
        "size_categories": [next((name for top, name in _SIZES if total < top), "n>1M")],
        "task_categories": ["text-generation", "text-classification"],
        "tags": ["over-refusal", "false-refusal", "llm-safety", "synthetic", settings.cast],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "multilinguality": ["multilingual" if len(_languages(splits)) > 1 else "monolingual"],
        "source_datasets": [f"extended|other-{name}" for name in foreign] or ["original"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": s.name, "path": file_name(s.name)} for s in splits],
            }
        ],
        "dataset_info": _info(splits),
    }


def _languages(splits: Sequence[Split]) -> list[str]:
    """Codes of the rows' languages; English where there is no row to ask."""
    return sorted({code for s in splits for code in s.rows.column("language")}) or [ENGLISH]


def _info(splits: Sequence[Split]) -> dict[str, Any]:
    return {
        "features": [column.feature for column in COLUMNS],
        "splits": [
            {"name": s.name, "num_bytes": s.num_bytes, "num_examples": len(s.rows)} for s in splits
        ],
        "download_size": sum(len(split.data) for split in splits),
        "dataset_size": sum(split.num_bytes for split in splits),
    }


def _yaml(values: dict[str, Any]) -> str:
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=10_000)).rstrip()


def _name(seed: Seed) -> str:
    """The set's name; of a path only the last step, so that no machine shows in a card."""
    return Path(seed.source).name if Path(seed.source).is_absolute() else seed.source


def _example(rows: Sequence[Row]) -> str:
    return json.dumps(rows[0].model_dump(mode="json"), indent=2, ensure_ascii=False)
