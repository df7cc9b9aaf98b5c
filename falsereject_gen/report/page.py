"""Reads a run folder and writes its report.html: one file, no network, nothing else changed.

Template, styles and scripts are files of this package and are inlined (assets.py).
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from falsereject_gen.entities.draw import read_graph
from falsereject_gen.errors import InputError, StoreError
from falsereject_gen.records import Candidate
from falsereject_gen.report.assets import inlined, render, write_page
from falsereject_gen.report.cost import cost
from falsereject_gen.report.coverage import STRATEGIES, Categories, coverage
from falsereject_gen.report.funnel import by_round, falls, funnel
from falsereject_gen.report.head import dig, headline, number
from falsereject_gen.report.near import near_pairs
from falsereject_gen.report.pack import embed, pack
from falsereject_gen.report.redact import redacted
from falsereject_gen.report.scores import histograms, pool
from falsereject_gen.run.store import Store

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


def stored(folder: Path) -> tuple[list[Candidate], Any]:
    """The candidates, and the settings that the run was started with (None if it has none).

    Raises:
        InputError: no run.sqlite in the folder.
        StoreError: the store cannot be read.
    """
    path = folder / "run.sqlite"
    if not path.is_file():
        raise InputError("no run.sqlite in it; give the folder of a run", path=folder)
    store = Store(path)
    try:
        return [candidate for candidate, _ in store.candidates()], store.get("settings")
    except ValidationError as fault:
        said = f"{fault.error_count()} fields of a {fault.title}"
        raise StoreError(f"{path}: a candidate cannot be read ({said}); was it edited?") from None
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


def _render(
    manifest: dict[str, Any] | None, stored: Any, candidates: Sequence[Candidate], graph: Any
) -> str:
    settings = dig(manifest, "settings") or stored
    asked = [bool(dig(found, "output", "redact_unsafe")) for found in (settings, stored)]
    redact = settings is None or any(asked)
    shown = [redacted(c) for c in candidates] if redact else list(candidates)
    categories = Categories(dig(manifest, "categories"), shown)
    limits = dig(settings, "loop")
    harm_max, toxic_min = (number(dig(limits, key)) for key in ("harm_max", "toxic_min"))
    data = embed(pack(shown, categories, graph, int(number(dig(settings, "seed")) or 0)))
    return render(
        "page.html.j2",
        head=headline(manifest, settings, shown, redact),
        manifest=manifest or {},
        funnel=funnel(shown),
        falls=falls(shown),
        rounds=by_round(shown, int(number(dig(limits, "rounds")) or 1)),
        coverage=coverage(shown, categories),
        strategies=[strategy.replace("-", " ") for strategy in STRATEGIES],
        histograms=histograms(shown, harm_max, toxic_min),
        pool=pool(shown),
        near=near_pairs(shown),
        cost=cost(manifest),
        entities=None if graph is None else len(graph),
        relations=None if graph is None else graph.number_of_edges(),
        **inlined(("page.css",), SCRIPTS, data),
    )
