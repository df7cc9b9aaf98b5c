"""Reads a run folder and writes its report.html: one file, no network, nothing else changed.

Template, styles and scripts are files of this package and are inlined. The content security policy
of the page names the scripts by their hash: a text of the run can never become one.
"""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from pydantic import ValidationError

from falsereject_gen.entities.draw import read_graph
from falsereject_gen.errors import InputError, StoreError
from falsereject_gen.records import Candidate
from falsereject_gen.report.coverage import STRATEGIES, Categories, coverage
from falsereject_gen.report.funnel import by_round, falls, funnel, last_text
from falsereject_gen.report.near import near_pairs
from falsereject_gen.report.pack import embed, pack
from falsereject_gen.report.redact import judged_unsafe, redacted
from falsereject_gen.report.scores import histograms, pool
from falsereject_gen.run.store import Store

__all__ = ["write_report"]

SCRIPTS = ("page.js", "graph.js")


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder, from its store, manifest and entity graph.

    The same folder gives the same bytes. Without a manifest, texts judged unsafe are left out: it
    is not known what the run's settings said of them.

    Returns:
        Where the page is.

    Raises:
        InputError: no run.sqlite in the folder, or a manifest or graph that cannot be read.
        StoreError: the store cannot be read or the page cannot be written.
    """
    candidates = _candidates(folder)
    manifest = _manifest(folder)
    place = folder / "graph" / "entities.json"
    graph = read_graph(place) if place.is_file() else None
    target = folder / "report.html"
    _write(target, _render(manifest, candidates, graph))
    return target


def _candidates(folder: Path) -> list[Candidate]:
    path = folder / "run.sqlite"
    if not path.is_file():
        raise InputError("no run.sqlite in it; give the folder of a run", path=folder)
    store = Store(path)
    try:
        return [candidate for candidate, _ in store.candidates()]
    except ValidationError as fault:
        said = f"{fault.error_count()} fields of a {fault.title}"
        raise StoreError(f"{path}: a candidate cannot be read ({said}); was it edited?") from None
    finally:
        store.close()


def _manifest(folder: Path) -> dict[str, Any] | None:
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


def _dig(value: Any, *keys: str) -> Any:
    """What stands under nested keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _number(value: Any) -> Any:
    """The value if it is a number (a flag is none), else None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _render(manifest: dict[str, Any] | None, candidates: Sequence[Candidate], graph: Any) -> str:
    redact = manifest is None or bool(_dig(manifest, "settings", "output", "redact_unsafe"))
    shown = [redacted(c) for c in candidates] if redact else list(candidates)
    categories = Categories(_dig(manifest, "categories"), shown)
    limits = _dig(manifest, "settings", "loop")
    harm_max, toxic_min = (_number(_dig(limits, key)) for key in ("harm_max", "toxic_min"))
    data = embed(pack(shown, categories, graph, _number(_dig(manifest, "settings", "seed")) or 0))
    text = {name: _asset(name) for name in ("page.css", *SCRIPTS)}
    return _template().render(
        head=_headline(manifest, shown, redact),
        manifest=manifest or {},
        funnel=funnel(shown),
        falls=falls(shown),
        rounds=by_round(shown, int(_number(_dig(limits, "rounds")) or 1)),
        coverage=coverage(shown, categories),
        strategies=[strategy.replace("-", " ") for strategy in STRATEGIES],
        histograms=histograms(shown, harm_max, toxic_min),
        pool=pool(shown),
        near=near_pairs(shown),
        entities=None if graph is None else len(graph),
        relations=None if graph is None else graph.number_of_edges(),
        css=Markup(text["page.css"]),
        scripts=[Markup(text[name]) for name in SCRIPTS],
        policy=Markup(" ".join(_hash(text[name]) for name in SCRIPTS)),
        data=Markup(data),
    )


def _headline(
    manifest: dict[str, Any] | None, candidates: Sequence[Candidate], redact: bool
) -> dict[str, Any]:
    accepted = sum(c.status == "accepted" for c in candidates)
    target = _number(_dig(manifest, "target"))
    complete = _dig(manifest, "complete")
    if not isinstance(complete, bool):
        complete = target is not None and accepted >= target
    seconds = _number(_dig(manifest, "generation_s"))
    facts = {key: str(_dig(manifest, key) or "") for key in ("run_id", "created", "version")}
    return {
        **facts,
        "cast": str(_dig(manifest, "settings", "cast") or "not recorded"),
        "target": target,
        "accepted": accepted,
        "rejected": len(candidates) - accepted,
        "complete": complete,
        "why_short": str(_dig(manifest, "why_short") or ""),
        "wall_s": _number(_dig(manifest, "wall_s")),
        "generation_s": seconds,
        "unsafe": sum(any(judged_unsafe(t) for t in c.rounds) for c in candidates),
        "unsafe_last": sum(last_text(c)[1] for c in candidates),
        "redact": redact,
        "manifest": manifest is not None,
    }


def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["n"] = lambda value: f"{value:,}".replace(",", "\u202f")
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=1, ensure_ascii=False)
    return environment.from_string(_asset("page.html.j2"))


def _asset(name: str) -> str:
    return files("falsereject_gen.report").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _write(target: Path, text: str) -> None:
    """The page is there as a whole or not at all."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        partial.replace(target)
    except OSError as fault:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StoreError(f"{target}: cannot be written: {fault}") from None
