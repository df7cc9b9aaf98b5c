"""A run's spoken extraction: the graphs of all its seeds, before the first brief is drawn.

Calls go through the run's own models, so they are in its store and count towards its budget: a run
that was stopped here, or got more seeds, asks for nothing that was answered.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from falsereject_gen.entities.extraction import Extraction
from falsereject_gen.errors import EndpointError, Stopped
from falsereject_gen.models.desk import Models
from falsereject_gen.records import Seed
from falsereject_gen.roles.cast import speakers
from falsereject_gen.roles.spoken.card import load_card
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.ending import end, interruptible
from falsereject_gen.run.endpoints import settle
from falsereject_gen.run.extraction import extract_with
from falsereject_gen.run.resume import remember
from falsereject_gen.run.sitting import Sitting
from falsereject_gen.run.store import Store
from falsereject_gen.settings import RunSettings

__all__ = ["Ahead", "Onlooker"]


class Onlooker(Protocol):
    """Who is told of it (the run's watcher)."""

    def say(self, what: str) -> None:
        """A stage begins."""

    def extracted(self, done: int, total: int) -> None:
        """So many seeds have their graph."""

    def stopping(self) -> None:
        """The user wants to stop."""


@dataclass
class Ahead:
    """Extracts the seeds of a run; called once, with the usable ones.

    Args:
        settings: of the run.
        rooms: cards and prompts.
        store: of the run; it learns the settings, so that `--resume` knows the run from here on.
        models: of the run.
        sitting: in which they are asked.
        watcher: told of progress.
    """

    settings: RunSettings
    rooms: Rooms
    store: Store
    models: Models
    sitting: Sitting
    watcher: Onlooker
    _done: int = 0
    _stopped: bool = False

    def __call__(self, seeds: Sequence[Seed]) -> Extraction:
        """The graphs of the seeds.

        Raises:
            EndpointError: no seed could be extracted, or an endpoint cannot answer; resumable.
            Stopped: interrupted, or a budget is spent; resumable.
        """
        self.watcher.say(self._plan(len(seeds)))
        if self.store.get("settings") is None:
            remember(self.store, self.settings, self.rooms)
        try:
            return self.sitting.run(lambda: self._extract(seeds))
        except (Stopped, EndpointError) as fault:
            self.store.event(f"ended early: {fault}")
            folder, so_far = self.store.path.parent, f"{self._done} of {len(seeds)} seeds"
            raise type(fault)(
                f"{fault}; {so_far} are extracted, nothing is lost: "
                f"falsereject-gen run --resume {folder}"
            ) from None

    def _plan(self, seeds: int) -> str:
        """What is going to be asked."""
        votes, ranked = (
            load_card(self.rooms, "extractor").votes,
            "ranker" in speakers(self.settings),
        )
        choice = ", one choice" if ranked and votes > 1 else ""
        calls = seeds * (votes + bool(choice))
        return (
            f"asking for the graphs of {seeds:,} seeds ({votes} extractions each{choice}: "
            f"{calls:,} calls, but for those that the store answers)"
        )

    async def _extract(self, seeds: Sequence[Seed]) -> Extraction:
        before, total = asyncio.all_tasks(), len(seeds)

        def tick() -> None:
            self._done += 1
            self.watcher.extracted(self._done, total)

        def stop() -> None:
            self._stopped = True
            self.watcher.stopping()
            work.cancel()

        work = asyncio.ensure_future(
            extract_with(
                self.models,
                self.settings,
                self.rooms,
                seeds,
                tick=tick,
                settle=lambda: settle(self.models),
            )
        )
        with interruptible(stop):
            try:
                return await work
            except BaseException:
                await end(asyncio.all_tasks() - before)  # calls that no seed waits for any more
                if self._stopped:
                    raise Stopped("stopped by the user") from None
                raise
