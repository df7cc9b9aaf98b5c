"""Puts a run's cast together: who plays which role, embedded or spoken or both.

`cast: embedded` needs nothing; `cast: spoken` gives every role to `endpoints.default`.
`roles.<role>` lists players by name: `embedded`, a name of `endpoints`, or `preset:model`. Several
generators take turns, several discriminators are a sieve, each player of `panel` is one vote, and
each of `pool` is met as every target card.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from falsereject_gen.errors import UsageError
from falsereject_gen.models.desk import Models
from falsereject_gen.records import ENGLISH, Seed
from falsereject_gen.roles.embedded.cast import EmbeddedParts
from falsereject_gen.roles.protocols import Discriminator, Generator, Orchestrator, Target
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.language import NAMES
from falsereject_gen.settings import Role, RunSettings
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["AnyCast", "build_cast", "english_only", "languages", "players", "speakers"]

_LOOP_ROLES: tuple[Role, ...] = ("generator", "discriminator", "panel", "pool", "orchestrator")
_SERVES: dict[Role, Role] = {"extractor": "generator", "ranker": "generator", "judge": "pool"}


@dataclass(frozen=True)
class AnyCast:
    """Everybody a loop needs."""

    name: str
    generator: Generator
    discriminator: Discriminator
    pool: Sequence[Target]
    orchestrator: Orchestrator


def players(settings: RunSettings, role: Role) -> tuple[str, ...]:
    """Who plays a role; a panel is nobody's by default."""
    given = settings.roles.get(role)
    if given is not None:
        return given
    if role == "panel":
        return ()
    return ("embedded",) if settings.cast == "embedded" else ("default",)


def english_only(settings: RunSettings) -> tuple[Role, ...]:
    """Roles of the loop in which an embedded player stands, and so one that knows English only."""
    return tuple(role for role in _LOOP_ROLES if "embedded" in players(settings, role))


def languages(settings: RunSettings) -> frozenset[str]:
    """Codes that the cast generates for: all that are recognised, or English alone.

    One embedded player is enough for English alone: he would judge other texts by English words.
    """
    return frozenset((ENGLISH,) if english_only(settings) else NAMES)


def speakers(settings: RunSettings) -> dict[Role, tuple[str, ...]]:
    """The endpoints that play each role; roles that nobody speaks are left out.

    The refusal judge serves a spoken pool only. Extractor and ranker are asked for all seeds ahead
    where `extractor` is `spoken`, whoever else plays; else they serve a spoken generator only, and
    only where briefs are drawn from one seed each, which can be extracted anew.
    """
    found: dict[Role, tuple[str, ...]] = {}
    for role in _LOOP_ROLES:
        found[role] = tuple(name for name in players(settings, role) if name != "embedded")
    for role, served in _SERVES.items():
        default = ("default",) if settings.cast == "spoken" else ()
        given = settings.roles.get(role, default) if found[served] else ()
        found[role] = tuple(name for name in given if name != "embedded")
    if settings.extractor == "spoken":
        named = settings.roles.get("extractor", ("default",))
        for role, given in (("extractor", named), ("ranker", settings.roles.get("ranker", named))):
            found[role] = tuple(name for name in given if name != "embedded")
    elif settings.sampling.graph != "seed":
        found["extractor"] = ()
    if not found["extractor"]:
        found["ranker"] = ()
    return {role: names for role, names in found.items() if names}


def build_cast(
    settings: RunSettings,
    rooms: Rooms,
    taxonomy: Taxonomy,
    embedded: EmbeddedParts,
    models: Models,
    seeds: Mapping[str, Seed],
) -> AnyCast:
    """The cast that the settings ask for.

    Raises:
        UsageError: a role has players that cannot play it together.
    """
    everybody = {player for role in _LOOP_ROLES for player in players(settings, role)}
    if everybody == {"embedded"}:
        return AnyCast(
            "embedded",
            embedded.generator(),
            embedded.discriminator,
            embedded.pool(settings.pool),
            embedded.orchestrator(),
        )
    from falsereject_gen.roles.spoken.troupe import Troupe  # noqa: PLC0415 - loads jinja2, openai

    troupe = Troupe(settings, rooms, taxonomy, models, seeds)
    return AnyCast(
        "mixed" if "embedded" in everybody else "spoken",
        _one(settings, "generator", embedded.generator, troupe.generator),
        _sieve(settings, embedded, troupe),
        _pool(settings, embedded, troupe),
        _one(settings, "orchestrator", embedded.orchestrator, troupe.orchestrator),
    )


def _one(settings: RunSettings, role: Role, embedded: Any, spoken: Any) -> Any:
    names = players(settings, role)
    if "embedded" not in names:
        return spoken(names)
    if len(names) > 1:
        raise UsageError(f"roles.{role}: `embedded` plays alone or not at all, got {names}")
    return embedded()


def _sieve(settings: RunSettings, embedded: EmbeddedParts, troupe: Any) -> Discriminator:
    stages: list[Discriminator] = []
    for name in players(settings, "discriminator"):
        stages.append(
            embedded.discriminator if name == "embedded" else troupe.discriminator((name,))
        )
    panel = players(settings, "panel")
    if panel:
        stages.append(troupe.panel(panel))
    if not stages:
        raise UsageError("roles.discriminator: nobody plays it")
    return stages[0] if len(stages) == 1 else troupe.sieve(stages, settings.loop.harm_max)


def _pool(settings: RunSettings, embedded: EmbeddedParts, troupe: Any) -> list[Target]:
    out: list[Target] = []
    for name in players(settings, "pool"):
        if name == "embedded":
            out += embedded.pool(settings.pool)
        else:
            out += troupe.targets(name)
    names = [target.name for target in out]
    if len(set(names)) < len(names):
        raise UsageError(f"roles.pool: a target stands twice: {', '.join(names)}")
    return out
