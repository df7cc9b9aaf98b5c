"""The endpoints of a run's settings: who speaks where, opened with its cache, let go in peace.

What an endpoint is, and how it is asked, is the business of models/.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from falsereject_gen.errors import UsageError
from falsereject_gen.models.budget import Spent, Usage
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.config import (
    EndpointSettings,
    Target,
    load_presets,
    parse_name,
    resolve,
)
from falsereject_gen.models.desk import Models, open_models
from falsereject_gen.roles.cast import speakers
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import RunSettings, explain

__all__ = [
    "check_keys",
    "endpoint_settings",
    "one_family",
    "open_run",
    "settle",
    "spent",
    "targets",
    "width",
]

SETTLE_S = 30.0
"""Longest wait for calls that are under way when a run ends."""


def endpoint_settings(settings: RunSettings) -> dict[str, EndpointSettings]:
    """The endpoints of the settings by name, and those that roles name as `preset:model`.

    Raises:
        UsageError: a setting that cannot be, or a role that names an endpoint that is not there.
    """
    found = {}
    for name, values in settings.endpoints.items():
        try:
            found[name] = EndpointSettings.model_validate(values)
        except ValidationError as fault:
            raise UsageError(explain(fault, EndpointSettings, f"endpoints.{name}")) from None
    for role, names in speakers(settings).items():
        for name in names:
            if name in found:
                continue
            if ":" not in name:
                raise UsageError(
                    f"the {role} is played by endpoint `{name}`, which is not in the settings; set "
                    f"endpoints.{name}.base_url and .model, or name one as preset:model"
                )
            found[name] = parse_name(name)
    return found


def targets(settings: RunSettings, rooms: Rooms) -> dict[str, Target]:
    """Where each endpoint of the settings is, by name; nothing is connected.

    Raises:
        UsageError: as for `endpoint_settings`, or no base URL can be worked out.
    """
    presets = load_presets(rooms)
    found = endpoint_settings(settings)
    return {name: resolve(name, given, presets) for name, given in found.items()}


def open_run(settings: RunSettings, rooms: Rooms, store: Path) -> Models:
    """The run's endpoints, with its call cache in the run's own store.

    Args:
        settings: of the run.
        rooms: presets.
        store: the run's SQLite file; untouched when nobody speaks.
    """
    found = endpoint_settings(settings)
    spoken = bool(speakers(settings))
    budget = settings.budget.model_dump()
    return open_models(found, rooms, store=store if spoken else None, apart=True, **budget)


def check_keys(settings: RunSettings, rooms: Rooms) -> None:
    """Fail before any work when an endpoint that is played cannot be placed or has no key.

    Raises:
        UsageError: which endpoint, and what to set.
    """
    cast = speakers(settings)
    if settings.extractor == "spoken" and "extractor" not in cast:
        raise UsageError("extractor `spoken`: roles.extractor names no endpoint")
    used = {name for names in cast.values() for name in names}
    for name, target in targets(settings, rooms).items():
        if name in used:
            target.key()


def width(settings: RunSettings) -> int:
    """Calls that may be under way at once: briefs to work at side by side, at least one."""
    used = {name for names in speakers(settings).values() for name in names}
    found = endpoint_settings(settings)
    return max(1, sum(found[name].concurrency for name in used))


async def settle(models: Models, seconds: float = SETTLE_S) -> None:
    """Send nothing more and let the calls under way come in: they are paid for."""
    await models.settle(seconds)


def spent(models: Models, store: Path) -> dict[str, Any]:
    """What all sittings have spent, from the store: calls that came in while a run ended, too.

    Args:
        models: of the last sitting, closed; replays, refusals and seconds are only known of it.
        store: the run's SQLite file.

    Returns:
        `usage`, one row a role and model, and `failures`, failed tries by role, kind and HTTP
        status (0: no answer), most first; both empty when nobody spoke.
    """
    if models.cache is None:
        return {"usage": (), "failures": ()}
    cache, whole = CallCache(store), Usage()
    try:
        whole.add(cache.totals())
        names = ("role", "kind", "status", "count")
        failed = tuple(dict(zip(names, row, strict=True)) for row in cache.failures())
    finally:
        cache.close()
    for (role, model), here in models.budget.usage.by.items():
        only = Spent(cached=here.cached, refusals=here.refusals, seconds=here.seconds)
        whole.add([(role, model, only)])
    return {"usage": tuple(whole.rows()), "failures": failed}


def one_family(settings: RunSettings, rooms: Rooms) -> list[str]:
    """One line for every model that judges what it wrote itself."""
    cast, where = speakers(settings), targets(settings, rooms)
    written = _models(cast.get("generator", ()), where)
    judges: dict[tuple[str, str], list[str]] = {}
    for role in ("discriminator", "panel", "judge", "orchestrator"):
        for model in _models(cast.get(role, ()), where) & written:
            judges.setdefault(model, []).append(role)
    return [
        f"{model} at {base_url} is generator and {' and '.join(roles)}: models go easy on what "
        f"they wrote; let another family judge, e.g. --set roles.{roles[0]}=[NAME]"
        for (base_url, model), roles in sorted(judges.items())
    ]


def _models(names: tuple[str, ...], where: Mapping[str, Target]) -> set[tuple[str, str]]:
    return {(where[name].base_url, where[name].model) for name in names}
