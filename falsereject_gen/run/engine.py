"""The engine: plans briefs, plays their loops side by side, commits them in order.

It knows nothing of files but the store. `drive` can be cancelled or killed at any moment: what is
committed stays, and a new `drive` over the same store goes on behind it.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from falsereject_gen.loop.graph import build_loop
from falsereject_gen.records import Brief, Candidate
from falsereject_gen.run.commit import Turnstile
from falsereject_gen.run.store import Store
from falsereject_gen.run.world import World, lookahead

__all__ = ["Engine"]

EXPECTED_YIELD = 0.8
"""Share of briefs expected to be accepted before anything is known; only steers how far the engine
runs ahead, never what comes out."""


@dataclass
class Engine:
    """Drives one run to its target, or until nothing more can be written.

    Args:
        world: everything that stands still.
        store: where candidates go.
        on_commit: told of each committed candidate (progress).
    """

    world: World
    store: Store
    on_commit: Callable[[Candidate], None] = lambda _: None
    accepted: int = 0
    stopping: bool = False
    _next: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        world = self.world
        self._turns = Turnstile(world.encoder, world.indexes, world.settings.dedup)
        self._loop = build_loop(world.cast, self._turns, world.settings.loop)

    @property
    def target(self) -> int:
        """Accepted rows wanted."""
        return self.world.settings.target

    @property
    def full(self) -> bool:
        """Whether the target is reached."""
        return self.accepted >= self.target

    def replay(self) -> int:
        """Take in what the store holds; returns how many candidates that were.

        The planner draws the stored briefs again, so that it stands where it stood.
        """
        for candidate, vector in self.store.candidates():
            self.world.planner.brief(self._next)
            self._count(candidate)
            self._turns.take(candidate, vector)
            self._next += 1
        return self._next

    async def drive(self) -> None:
        """Play briefs until the target is reached, briefs run out, or `stopping` is set."""
        with self._interruptible():
            try:
                while not self.full and not self.stopping:
                    self._launch()
                    if not self._tasks:
                        return
                    done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                    self._tasks -= done
                    faults = [t.exception() for t in done if not t.cancelled()]
                    for fault in filter(None, faults):
                        raise fault
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                self._tasks.clear()

    def _launch(self) -> None:
        ahead = lookahead(self.world.settings, self.world.cast)
        committed = self._turns.turn
        yields = (self.accepted + 8 * EXPECTED_YIELD) / (committed + 8)
        while self._next - committed < ahead:
            if self.accepted + yields * (self._next - committed) >= self.target and self._tasks:
                return
            brief = self.world.planner.brief(self._next)
            if brief is None:
                return
            self._next += 1
            self._tasks.add(asyncio.ensure_future(self._play(brief)))

    async def _play(self, brief: Brief) -> None:
        candidate = await self._loop(brief)
        await self._turns.wait(brief.ordinal)
        if self.full or self.stopping:
            return  # surplus: drawn again when the target is raised
        accepted = candidate.status == "accepted"
        text = candidate.last.draft.text
        vector = await asyncio.to_thread(self.world.encoder.one, text) if accepted else None
        self.store.commit(candidate, vector)
        self._count(candidate)
        self._turns.take(candidate, vector)
        self.on_commit(candidate)

    def _count(self, candidate: Candidate) -> None:
        self.accepted += candidate.status == "accepted"
        self.world.planner.record(candidate)

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C drains: what is committed stays; a second one ends at once."""

        def stop() -> None:
            self.stopping = True
            for task in self._tasks:
                task.cancel()
            loop.remove_signal_handler(signal.SIGINT)

        loop = asyncio.get_running_loop()
        try:
            loop.add_signal_handler(signal.SIGINT, stop)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
