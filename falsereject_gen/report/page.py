"""Reads a run folder and writes its report.html: one file, no network, nothing else changed.

Template, styles and scripts are files of this package and are inlined (assets.py).
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from falsereject_gen.entities.draw import read_graph
from falsereject_gen.errors import InputError, StoreError
from falsereject_gen.records import Candidate
from falsereject_gen.report.assets import inlined, render, write_page
from falsereject_gen.report.cost import cost
from falsereject_gen.report.coverage import Categories, Coverage
from falsereject_gen.report.funnel import Falls, Funnel, Rounds
from falsereject_gen.report.head import Head, dig, number
from falsereject_gen.report.near import Near
from falsereject_gen.report.pack import embed, pack
from falsereject_gen.report.redact import redacted
from falsereject_gen.report.scores import Histograms, Pool
from falsereject_gen.report.shown import choose
from falsereject_gen.run.store import Store
from falsereject_gen.run.stored import StoredCandidates

__all__ = ["manifest_of", "stored", "write_report"]

SCRIPTS = ("base.js", "page.js", "graph.js")


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder, from its store, manifest and entity graph.

    The same folder gives the same bytes. A run that has not ended has no manifest: the settings in
    its store count. Texts judged unsafe are left out if either asks for it, or if there is neither.

    Returns:
        Where the page is.

    Raises:
        InputError: no run.sqlite in the folder, or a manifest or graph that cannot be read.
        StoreError: the store cannot be read or the page cannot be written.
    """
    candidates, settings = stored(folder)
    manifest = manifest_of(folder)
    place = folder / "graph" / "entities.json"
    graph = read_graph(place) if place.is_file() else None
    target = folder / "report.html"
    write_page(target, _render(manifest, settings, candidates, graph))
    return target


def stored(folder: Path) -> tuple[StoredCandidates, Any]:
    """The candidates, and the settings that the run was started with (None if it has none).

    Raises:
        InputError: no run.sqlite in the folder.
        StoreError: the store cannot be read.
    """
    path = folder / "run.sqlite"
    if not path.is_file():
        raise InputError("no run.sqlite in it; give the folder of a run", path=folder)
    candidates, store = StoredCandidates(path), Store(path)
    try:
        return candidates, store.get("settings")
    except sqlite3.DatabaseError as fault:
        raise StoreError(f"{path}: cannot be read: {fault}") from None
    finally:
        store.close()


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """The manifest of a run folder; None if it has none.

    Raises:
        InputError: it is no JSON object.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(f"not a JSON file: {fault}", path=path) from None
    if not isinstance(found, dict):
        raise InputError("a manifest is a JSON object", path=path)
    return found


@dataclass(frozen=True)
class _Counted:
    """Everything that is counted of the candidates, in one go through them."""

    head: Head = field(default_factory=Head)
    funnel: Funnel = field(default_factory=Funnel)
    falls: Falls = field(default_factory=Falls)
    rounds: Rounds = field(default_factory=Rounds)
    coverage: Coverage = field(default_factory=Coverage)
    histograms: Histograms = field(default_factory=Histograms)
    pool: Pool = field(default_factory=Pool)
    near: Near = field(default_factory=Near)

    def take(self, candidates: Iterable[Candidate]) -> None:
        every = [getattr(self, one.name) for one in fields(self)]
        for candidate in candidates:
            for one in every:
                one.add(candidate)


def _render(
    manifest: dict[str, Any] | None, stored: Any, candidates: StoredCandidates, graph: Any
) -> str:
    settings = dig(manifest, "settings") or stored
    asked = [bool(dig(found, "output", "redact_unsafe")) for found in (settings, stored)]
    redact = settings is None or any(asked)
    counted = _Counted()
    counted.take(map(redacted, candidates) if redact else candidates)
    categories = Categories(dig(manifest, "categories"), counted.coverage.named())
    limits = dig(settings, "loop")
    harm_max, toxic_min = (number(dig(limits, key)) for key in ("harm_max", "toxic_min"))
    falls, near = counted.falls.table(), counted.near.table()
    shown = choose(candidates, [o["ordinal"] for o in (*falls, *near["kept"], *near["dropped"])])
    some = candidates.some(shown.ordinals)
    told = map(redacted, some) if redact else some
    data = embed(pack(told, categories, graph, int(number(dig(settings, "seed")) or 0)))
    return render(
        "page.html.j2",
        head=counted.head.facts(manifest, settings, redact),
        manifest=manifest or {},
        funnel=counted.funnel.steps(),
        falls=falls,
        rounds=counted.rounds.table(int(number(dig(limits, "rounds")) or 1)),
        coverage=counted.coverage.table(categories),
        histograms=counted.histograms.figures(harm_max, toxic_min),
        pool=counted.pool.table(),
        near=near,
        shown=shown,
        cost=cost(manifest),
        entities=None if graph is None else len(graph),
        relations=None if graph is None else graph.number_of_edges(),
        **inlined(("page.css",), SCRIPTS, data),
    )
