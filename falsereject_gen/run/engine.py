"""The engine: plans briefs, plays their loops side by side, commits them in order.

It knows nothing of files but the store. `drive` can be cancelled or killed at any moment: what is
committed stays, and a new `drive` over the same store goes on behind it.
"""

import asyncio
import contextlib
import gc
import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from falsereject_gen.loop.play import build_loop
from falsereject_gen.models.protocol import PLACE
from falsereject_gen.records import Brief, Candidate
from falsereject_gen.run.commit import Turnstile
from falsereject_gen.run.embedding import Embedding
from falsereject_gen.run.ending import end, interruptible
from falsereject_gen.run.store import Store
from falsereject_gen.run.world import World, lookahead

__all__ = ["Engine"]

EXPECTED_YIELD = 0.8
"""Share of briefs expected to be accepted before anything is known; only steers how far the engine
runs ahead, never what comes out."""
GATHER_S = 0.5
"""How long a text waits for others to be embedded with, where briefs run side by side."""
PAST_LOOP = 0.97
"""Share of briefs expected to be accepted that passed every gate and wait to be compared."""


@dataclass
class Engine:
    """Drives one run to its target, or until nothing more can be written.

    Args:
        world: everything that stands still.
        store: where candidates go.
        on_commit: told of each committed candidate (progress).
        on_stop: told of the first Ctrl-C.
        settle: lets calls that are under way, and paid for, come in before the rest is cancelled.
        width: briefs that may be worked at side by side; others wait for nothing but their turn.
    """

    world: World
    store: Store
    on_commit: Callable[[Candidate], None] = lambda _: None
    on_stop: Callable[[], None] = lambda: None
    settle: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
    width: int = 1
    accepted: int = 0
    stopping: bool = False
    _next: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _fault: BaseException | None = None

    def __post_init__(self) -> None:
        world = self.world
        self._news = asyncio.Event()
        beside = lookahead(world.settings, world.cast) > 1
        self._embedding = Embedding(world.encoder, self._news.set, GATHER_S if beside else 0.0)
        self._turns = Turnstile(
            self._embedding,
            world.indexes,
            world.settings.dedup,
            on_wait=self._news.set,
            equal=world.equal,
        )
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

        The planner counts the stored briefs, so that it stands where it stood.
        """
        for candidate, vector in self.store.candidates():
            self.world.planner.restore(candidate.brief)
            self._count(candidate)
            self._turns.take(candidate, vector)
            self._next += 1
        return self._next

    async def drive(self) -> None:
        """Play briefs until the target is reached, briefs run out, or `stopping` is set.

        Raises:
            Stopped: a budget is spent.
            EndpointError: an endpoint cannot answer.
        """
        before = asyncio.all_tasks()
        with interruptible(self._stop), _frozen():
            try:
                while not self.full and not self.stopping:
                    self._news.clear()
                    self._launch()
                    if not self._tasks:
                        return
                    await self._news.wait()
                    if self._fault is not None:
                        raise self._fault
            finally:
                await self.settle()
                await end({*self._tasks, *(asyncio.all_tasks() - before)})  # no brief awaits some
                self._tasks.clear()

    def _launch(self) -> None:
        """Begin briefs while there is room for them and they may be needed.

        As many as are expected to reach the target, and one standard deviation more: a run that
        falls short at its end would wait for a brief's whole way once again.
        """
        ahead = lookahead(self.world.settings, self.world.cast)
        committed = self._turns.turn
        yields = (self.accepted + 8 * EXPECTED_YIELD) / (committed + 8)
        while self._next - committed < ahead:
            active = len(self._tasks) - self._turns.waiting - self._embedding.waiting
            hopeful = self._turns.hopeful + self._embedding.waiting
            expected = self.accepted + PAST_LOOP * hopeful + yields * active
            spare = math.sqrt(active * yields * (1 - yields))
            if self._tasks and (active >= self.width or expected - spare >= self.target):
                return
            brief = self.world.planner.brief(self._next)
            if brief is None:
                return
            self._next += 1
            PLACE.set(brief.ordinal)
            task = asyncio.ensure_future(self._play(brief))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            fault = task.exception()  # heard in any case, else asyncio complains
            self._fault = self._fault or fault
        self._news.set()

    async def _play(self, brief: Brief) -> None:
        candidate = await self._loop(brief)
        await self._turns.wait(brief.ordinal)
        if self.full or self.stopping:
            return  # surplus: drawn again when the target is raised
        accepted = candidate.status == "accepted"
        vector = self._turns.vector(brief.ordinal) if accepted else None
        self.store.commit(candidate, vector)
        self._count(candidate)
        self._turns.take(candidate, vector)
        self.on_commit(candidate)

    def _count(self, candidate: Candidate) -> None:
        self.accepted += candidate.status == "accepted"
        self.world.planner.record(candidate)

    def _stop(self) -> None:
        """Ctrl-C: calls under way come in, nothing new begins."""
        self.stopping = True
        self._news.set()
        self.on_stop()


@contextlib.contextmanager
def _frozen() -> Iterator[None]:
    """Keep what stands still (lexica, models, seeds) out of garbage collection.

    A full collection over it stops the event loop for half a second and more, and replies that
    arrive meanwhile are not in the store yet if the process is killed.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
