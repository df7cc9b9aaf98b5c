"""Extracts the graphs of all seeds with a spoken extractor, ahead of any brief.

What every seed's votes agreed on, who chose and what was left out is counted; a seed whose
extractions all failed has an empty graph and is counted too.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from falsereject_gen.errors import EndpointError, ReplyError, UsageError
from falsereject_gen.models.desk import open_models
from falsereject_gen.records import Seed, SeedGraph
from falsereject_gen.roles.spoken.agent import Agent
from falsereject_gen.roles.spoken.writers import SpokenExtractor
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import check_keys, endpoint_settings, width
from falsereject_gen.settings import Role, RunSettings

__all__ = ["Extraction", "check_spoken", "extract_spoken", "summary"]

DIVIDED = 0.5
"""Agreement below which a seed's extractions are called divided."""


@dataclass(frozen=True)
class Extraction:
    """The graphs of the seeds, in their order, and why some have none.

    Attributes:
        graphs: one a seed.
        failed: by seed id, why no extraction of it could be used.
    """

    graphs: tuple[SeedGraph, ...]
    failed: dict[str, str]


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
    return asyncio.run(_all(_speaking(settings), rooms, seeds, store, tick))


def check_spoken(settings: RunSettings, rooms: Rooms) -> None:
    """Fail before any work when an extractor's endpoint cannot be placed or has no key.

    Raises:
        UsageError: which endpoint, and what to set.
    """
    speaking = _speaking(settings)
    if not speaking.roles["extractor"]:
        raise UsageError("extractor `spoken`: roles.extractor names no endpoint")
    pair: tuple[Role, ...] = ("extractor", "ranker")
    for role in pair:
        for name in speaking.roles[role]:
            if ":" not in name and name not in settings.endpoints:
                raise UsageError(
                    f"extractor `spoken`: the {role}'s endpoint `{name}` is not in the settings; "
                    f"set endpoints.{name}.base_url and .model, or name one as preset:model"
                )
    check_keys(speaking, rooms)


def _speaking(settings: RunSettings) -> RunSettings:
    """The settings of a run in which nobody speaks but extractor and ranker."""
    given = settings.roles.get("extractor", ("default",))
    extractor = tuple(name for name in given if name != "embedded")
    rankers = settings.roles.get("ranker", extractor)
    roles: dict[Role, tuple[str, ...]] = {
        "extractor": extractor,
        "ranker": tuple(name for name in rankers if name != "embedded"),
        "generator": extractor,  # whom the two serve; it is not asked
        **{role: ("embedded",) for role in ("discriminator", "pool", "orchestrator")},
        "judge": (),
    }
    sampling = settings.sampling.model_copy(update={"graph": "seed"})
    return settings.model_copy(update={"roles": roles, "sampling": sampling})


async def _all(
    settings: RunSettings,
    rooms: Rooms,
    seeds: Sequence[Seed],
    store: Path | None,
    tick: Callable[[], None],
) -> Extraction:
    found = endpoint_settings(settings)
    failed: dict[str, str] = {}
    gate = asyncio.Semaphore(width(settings))
    async with open_models(found, rooms, store=store, **settings.budget.model_dump()) as models:
        rankers = settings.roles["ranker"]
        ranker = Agent("ranker", rankers, models, rooms) if rankers else None
        agent = Agent("extractor", settings.roles["extractor"], models, rooms)
        extractor = SpokenExtractor(agent, ranker)

        async def one(seed: Seed) -> SeedGraph:
            async with gate:
                try:
                    graph = await extractor.graph(seed)
                except ReplyError as fault:
                    failed[seed.id] = str(fault)
                    graph = _none(seed, agent.card.votes)
            tick()
            return graph

        graphs = await _together([one(seed) for seed in seeds])
    if seeds and len(failed) == len(seeds):
        first = failed[seeds[0].id]
        raise EndpointError(f"none of {len(seeds)} seeds could be extracted; the first: {first}")
    return Extraction(tuple(graphs), failed)


def _none(seed: Seed, asked: int) -> SeedGraph:
    """The graph of a seed whose extractions all failed."""
    return SeedGraph(
        seed_id=seed.id,
        category=seed.category,
        entities=(),
        votes=0,
        left_out={"failed extraction": asked},
    )


async def _together(jobs: Sequence[Coroutine[Any, Any, SeedGraph]]) -> list[SeedGraph]:
    """All at once; the first that fails for good ends the others."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def summary(graphs: Sequence[SeedGraph], failed: dict[str, str] | None = None) -> dict[str, Any]:
    """What is to be known of an extraction, whoever made it.

    Args:
        graphs: one a seed.
        failed: by seed id, why it has none.

    Returns:
        Counts; `agreement` is the mean over the seeds with several extractions, None without any.
    """
    votes = [graph.agreement for graph in graphs if graph.agreement is not None]
    left_out: Counter[str] = Counter()
    for graph in graphs:
        left_out.update(graph.left_out)
    return {
        "seeds": len(graphs),
        "empty": sum(not graph.entities for graph in graphs),
        "failed": dict(failed or {}),
        "voted": len(votes),
        "agreement": round(fmean(votes), 4) if votes else None,
        "divided": sum(vote < DIVIDED for vote in votes),
        "chosen_by": dict(sorted(Counter(graph.chosen_by for graph in graphs).items())),
        "left_out": dict(sorted(left_out.items())),
    }
