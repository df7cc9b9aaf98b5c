"""Extracts the graphs of all seeds with a spoken extractor, ahead of any brief.

What every seed's votes agreed on, who chose and what was left out is counted; a seed whose
extractions all failed has an empty graph and is counted too. What a run does around it: ahead.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.entities.extraction import Extraction
from falsereject_gen.errors import EndpointError, ReplyError, Stopped
from falsereject_gen.models.desk import Models, open_models
from falsereject_gen.models.protocol import PLACE
from falsereject_gen.records import Seed, SeedGraph
from falsereject_gen.roles.cast import speakers
from falsereject_gen.roles.spoken.agent import Agent
from falsereject_gen.roles.spoken.writers import SpokenExtractor
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import check_keys, endpoint_settings, width
from falsereject_gen.settings import RunSettings

__all__ = ["check_spoken", "extract_spoken", "extract_with"]


def extract_spoken(
    settings: RunSettings,
    rooms: Rooms,
    seeds: Sequence[Seed],
    *,
    store: Path | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Extraction:
    """Ask the endpoints of `roles.extractor` (`default` if none is named) for every seed's graph.

    Args:
        settings: endpoints, roles, budget. `roles.ranker` chooses; `[]`: the largest overlap.
        rooms: cards and prompts.
        seeds: what is extracted.
        store: SQLite file that keeps the calls: asked again, an answered call is not made.
        tick: told when a seed is done.

    Raises:
        UsageError: an endpoint is not in the settings, or its key is not set.
        EndpointError: no seed at all could be extracted, or an endpoint cannot answer.
        Stopped: a budget is spent; what was answered is in the store.
    """
    speaking = _speaking(settings)

    async def whole() -> Extraction:
        found, budget = endpoint_settings(speaking), speaking.budget.model_dump()
        async with open_models(found, rooms, store=store, **budget) as models:
            return await extract_with(models, speaking, rooms, seeds, tick=tick)

    return asyncio.run(whole())


def check_spoken(settings: RunSettings, rooms: Rooms) -> None:
    """Fail before any work when an extractor's endpoint cannot be placed or has no key.

    Raises:
        UsageError: which endpoint, and what to set.
    """
    check_keys(_speaking(settings), rooms)


def _speaking(settings: RunSettings) -> RunSettings:
    """The settings of a run in which nobody speaks but extractor and ranker."""
    roles = {role: names for role, names in settings.roles.items() if role in _ASKED}
    given = {"extractor": "spoken", "cast": "embedded", "roles": roles}
    return settings.model_copy(update=given)


_ASKED = frozenset({"extractor", "ranker"})


async def extract_with(
    models: Models,
    settings: RunSettings,
    rooms: Rooms,
    seeds: Sequence[Seed],
    *,
    tick: Callable[[], None] = lambda: None,
    settle: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0),
) -> Extraction:
    """As `extract_spoken`, with models that are open; the first seeds are served first.

    Args:
        models: who is asked.
        settings: of the run.
        rooms: cards and prompts.
        seeds: what is extracted.
        tick: told when a seed is done.
        settle: lets calls that are under way, and paid for, come in when something ends it early.

    Raises:
        EndpointError: no seed at all could be extracted, or an endpoint cannot answer.
        Stopped: a budget is spent.
    """
    cast = speakers(_speaking(settings))
    agent = Agent("extractor", cast["extractor"], models, rooms)
    ranker = Agent("ranker", cast["ranker"], models, rooms) if "ranker" in cast else None
    extractor = SpokenExtractor(agent, ranker)
    gate = asyncio.Semaphore(width(_speaking(settings)))
    failed: dict[str, str] = {}
    over: list[Stopped] = []

    async def one(place: int, seed: Seed) -> SeedGraph:
        PLACE.set(place)
        async with gate:
            if over:  # no seed begins on a spent budget
                raise over[0]
            try:
                graph = await extractor.graph(seed)
            except ReplyError as fault:
                failed[seed.id] = str(fault)
                graph = _none(seed, agent.card.votes)
            except Stopped as fault:
                over.append(fault)
                raise
        tick()
        return graph

    jobs = [one(place, seed) for place, seed in enumerate(seeds)]
    return _whole(seeds, await _together(jobs, settle), failed)


def _whole(
    seeds: Sequence[Seed], graphs: Sequence[SeedGraph], failed: dict[str, str]
) -> Extraction:
    if seeds and len(failed) == len(seeds):
        first = failed[seeds[0].id]
        raise EndpointError(f"none of {len(seeds)} seeds could be extracted; the first: {first}")
    in_order = {seed.id: failed[seed.id] for seed in seeds if seed.id in failed}
    return Extraction(tuple(graphs), in_order)


def _none(seed: Seed, asked: int) -> SeedGraph:
    """The graph of a seed whose extractions all failed."""
    return SeedGraph(
        seed_id=seed.id,
        category=seed.category,
        entities=(),
        votes=0,
        left_out={"failed extraction": asked},
    )


async def _together(
    jobs: Sequence[Coroutine[Any, Any, SeedGraph]], settle: Callable[[], Awaitable[None]]
) -> list[SeedGraph]:
    """All at once; the first that fails for good ends the others.

    A spent budget does not: calls that it had room for are made, so that it is used up.
    """
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    except Stopped:
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    except BaseException:
        await settle()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
