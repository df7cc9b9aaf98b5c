"""What the arms of an ablation came to: measured with metrics.py, as a table and as an object.

Everything is read from the arms' run folders, so a table can be made again at any time.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from rich.console import Console
from rich.table import Table

from falsereject_gen.dedup.encoder import Encoder
from falsereject_gen.evaluate.ablate import Arm
from falsereject_gen.evaluate.jsonfile import read_object
from falsereject_gen.evaluate.metrics import Metrics, Value, measure
from falsereject_gen.evaluate.surface import KnownEntities, give_away
from falsereject_gen.evaluate.texts import read_texts
from falsereject_gen.files import replace_file
from falsereject_gen.records import Candidate, Record, canonical
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.store import Store
from falsereject_gen.settings import RunSettings

__all__ = ["Result", "as_markdown", "as_object", "measure_arms", "show", "write"]

_MEASURES = (
    ("self_bleu_4", "Self-BLEU-4 ↓", ".3f"),
    ("dist_2", "Dist-2 ↑", ".3f"),
    ("vendi", "Vendi ↑", ".0f"),
    ("mean_cosine", "mean cosine ↓", ".3f"),
    ("entity_coverage", "our entities that occur ↑", ".1%"),
)
_SHORT = (
    *("graph", "loop", "rows", "acc.", "pass", "SB-4↓", "D-2↑", "Vendi↑", "", "ent.↑"),
    *("read.", "drafts", "calls"),
)
"""Heads for a terminal of 80 columns; the one without a name is left out there."""


class Result(Record):
    """One arm: what it gave, at what price, and how diverse it is."""

    graph: str
    rounds: int = Field(description="Drafts a brief may have; 0: no loop.")
    rows: int
    briefs: int
    acceptance: float = Field(description="Rows / briefs.")
    passing: float = Field(description="Share of rows that pass the gates of the whole loop.")
    drafts_a_row: float = Field(description="Drafts written / rows.")
    calls_a_row: float = Field(description="Answered calls of endpoints / rows.")
    readings: int = Field(description="Different situations, where the generator names them.")
    assets: dict[str, str] = Field(description="Files that the arm was made with: name to sha256.")
    metrics: Metrics


def measure_arms(
    arms: Sequence[Arm],
    folders: Sequence[Path],
    settings: RunSettings,
    rooms: Rooms,
    encoder: Encoder,
    known: KnownEntities,
    *,
    n: int,
    repeats: int = 5,
) -> list[Result]:
    """Measure every arm on samples of n rows, with the same random seed for each.

    Args:
        arms: the arms.
        folders: their run folders.
        settings: their gates are those that `passing` asks.
        rooms: patterns of disclaimers.
        encoder: sentence vectors.
        known: entities whose coverage is measured.
        n: rows in a sample.
        repeats: samples.

    Raises:
        InputError: a folder holds no finished run, or none of its briefs was accepted.
    """
    pattern = give_away(rooms)
    out = []
    for arm, folder in zip(arms, folders, strict=True):
        texts = read_texts(folder)
        found = measure(
            texts.texts,
            texts.categories,
            n=n,
            repeats=repeats,
            rng=random.Random(settings.seed),
            encoder=encoder,
            known=known,
            give_away=pattern,
        )
        out.append(_result(arm, folder, settings, found))
    return out


def _result(arm: Arm, folder: Path, settings: RunSettings, found: Metrics) -> Result:
    store = Store(folder / "run.sqlite")
    try:
        candidates = [candidate for candidate, _ in store.candidates()]
    finally:
        store.close()
    manifest = read_object(folder / "manifest.json")
    rows = [c for c in candidates if c.status == "accepted"]
    calls = sum(int(row.get("calls", 0)) for row in manifest.get("usage") or ())
    readings = {(c.brief.category, c.last.draft.notes.get("reading", "")) for c in rows}
    return Result(
        graph=arm.graph,
        rounds=arm.rounds,
        rows=len(rows),
        briefs=len(candidates),
        acceptance=round(len(rows) / max(1, len(candidates)), 4),
        passing=round(sum(_passes(c, settings) for c in rows) / max(1, len(rows)), 4),
        drafts_a_row=round(sum(len(c.rounds) for c in candidates) / max(1, len(rows)), 3),
        calls_a_row=round(calls / max(1, len(rows)), 3),
        readings=sum(1 for _, reading in readings if reading),
        assets={name: one["sha256"] for name, one in manifest.get("rooms", {}).items()},
        metrics=found,
    )


def _passes(candidate: Candidate, settings: RunSettings) -> bool:
    """Whether a row would have passed every gate of the whole loop, as it was judged."""
    last, limits, near = candidate.last, settings.loop, settings.dedup
    if last.verdict is None:
        return False
    outcomes = [probe.outcome for probe in last.probes]
    answered = outcomes.count("full_compliance") + outcomes.count("safe_partial")
    most = {"rows": near.rows_max, "seeds": near.seeds_max, "reference": near.reference_max}
    return (
        last.verdict.label == "benign"
        and last.verdict.harm < limits.harm_max
        and last.verdict.looks_toxic > limits.toxic_min
        and outcomes.count("direct_refusal") >= limits.min_refusals
        and answered >= limits.min_compliances
        and (last.nearest is None or last.nearest.score < most[last.nearest.among])
    )


def as_object(results: Sequence[Result], settings: RunSettings) -> dict[str, Any]:
    """What `ablation.json` holds."""
    first = results[0].metrics
    return {
        "rows_wanted": settings.target,
        "seed": settings.seed,
        "n": first.n,
        "samples": max(result.metrics.repeats for result in results),
        "full_rounds": settings.loop.rounds,
        "cast": settings.cast,
        "edited_between": _edited(results),
        "arms": [result.model_dump(mode="json", exclude={"assets"}) for result in results],
    }


def as_markdown(results: Sequence[Result]) -> str:
    """The table, and below it why cells are empty."""
    rows = [_heads(), ["---"] * len(_heads()), *(_cells(result) for result in results)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, *(f"\n{note}" for note in _notes(results))]) + "\n"


def show(results: Sequence[Result], console: Console | None = None) -> None:
    """Print the table."""
    first = results[0].metrics
    title = f"n = {first.n:,}, mean of {first.repeats} samples; drafts and calls are a row's"
    table = Table(title=title, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for head in filter(None, _SHORT):
        table.add_column(head, justify="left" if head == "graph" else "right", no_wrap=True)
    for result in results:
        cells = zip(_SHORT, _cells(result), strict=True)
        table.add_row(*(cell for head, cell in cells if head))
    out = console or Console()
    out.print(table)
    for note in _notes(results):
        out.print(f"– {note}", highlight=False, markup=False)


def write(results: Sequence[Result], settings: RunSettings, out: Path) -> None:
    """Write `ablation.md` and `ablation.json`.

    Raises:
        StoreError: they cannot be written.
    """
    replace_file(out / "ablation.md", [as_markdown(results).encode()])
    text = canonical(as_object(results, settings))
    replace_file(out / "ablation.json", [text.encode(), b"\n"])


def _heads() -> list[str]:
    named = [label for _, label, _ in _MEASURES]
    counts = ["rows", "accepted", "pass the gates", *named, "readings"]
    return ["graph", "loop", *counts, "drafts a row", "calls a row"]


def _cells(result: Result) -> list[str]:
    measured = [_cell(getattr(result.metrics, name), form) for name, _, form in _MEASURES]
    return [
        result.graph,
        str(result.rounds),
        f"{result.rows:,}",
        f"{result.acceptance:.1%}",
        f"{result.passing:.1%}",
        *measured,
        f"{result.readings:,}" if result.readings else "–",
        f"{result.drafts_a_row:.2f}",
        f"{result.calls_a_row:.1f}" if result.calls_a_row else "0",
    ]


def _cell(value: Value, form: str) -> str:
    return "–" if value.mean is None else format(value.mean, form)


def _notes(results: Sequence[Result]) -> list[str]:
    """Why a cell is empty, and what makes arms hard to compare."""
    out = []
    for result in results:
        why = {getattr(result.metrics, name).undefined for name, _, _ in _MEASURES} - {""}
        out += [f"{result.graph}, loop {result.rounds}: {reason}" for reason in sorted(why)]
    edited = _edited(results)
    if edited:
        out.append(f"hard to compare, files were edited between the arms: {', '.join(edited)}")
    return out


def _edited(results: Sequence[Result]) -> list[str]:
    """Assets that some arms had in another version; one that an arm did not need is none."""
    seen: dict[str, set[str]] = {}
    for result in results:
        for name, version in result.assets.items():
            seen.setdefault(name, set()).add(version)
    return sorted(name for name, versions in seen.items() if len(versions) > 1)
