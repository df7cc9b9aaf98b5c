"""Examines a whole configuration: each endpoint that it has or plays, and the embedded side."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from falsereject_gen.doctor.embedded import examine_embedded
from falsereject_gen.doctor.findings import Examination, Finding
from falsereject_gen.roles.cast import speakers
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import one_family, targets
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.settings import RunSettings

if TYPE_CHECKING:
    from falsereject_gen.doctor.endpoint import Questions

__all__ = ["PROBE_FROM", "visit"]

PROBE_FROM = "violent-crimes"
"""Category whose first bundled seed is the harmful probe (another's, if an overlay has none)."""


def visit(settings: RunSettings, rooms: Rooms) -> Examination:
    """Check everything that a run of these settings would need; writes nothing.

    Raises:
        UsageError: a role names an endpoint that the settings do not have, or one is nowhere.
    """
    where = targets(settings, rooms)
    cast = speakers(settings)
    plays = {name: tuple(role for role, names in cast.items() if name in names) for name in where}
    findings = asyncio.run(_endpoints(settings, rooms, plays)) if where else []
    for line in one_family(settings, rooms):
        findings.append(
            Finding(subject="cast", check="families", state="note", found="shared", advice=line)
        )
    return Examination(
        endpoints=tuple(
            {"name": n, "base_url": t.base_url, "model": t.model, "plays": list(plays[n])}
            for n, t in where.items()
        ),
        findings=(*findings, *examine_embedded(rooms)),
    )


async def _endpoints(
    settings: RunSettings, rooms: Rooms, plays: Mapping[str, tuple[str, ...]]
) -> list[Finding]:
    from falsereject_gen.doctor.endpoint import examine  # noqa: PLC0415 - loads openai

    questions, where = _questions(rooms), targets(settings, rooms)
    found = await asyncio.gather(
        *(examine(name, target, questions, plays[name]) for name, target in where.items())
    )
    return [one for findings in found for one in findings]


def _questions(rooms: Rooms) -> "Questions":
    from falsereject_gen.doctor.endpoint import Questions  # noqa: PLC0415 - loads openai
    from falsereject_gen.roles.refusal import RefusalRules  # noqa: PLC0415
    from falsereject_gen.roles.spoken.card import Prompts, load_card  # noqa: PLC0415

    files = sorted(seed_files(rooms), key=lambda part: part.category != PROBE_FROM)
    card = load_card(rooms, "judge")
    text, reply = "Which colour is the sky on a clear day?", "It is blue."
    return Questions(
        judge=Prompts(rooms).messages(card, text=text, reply=reply),
        sampling=dict(card.sampling),
        harmful=files[0].seeds[0],
        rules=RefusalRules(rooms),
    )
