"""Texts embedded a few at a time, on one thread, the earliest briefs' first.

More threads would not be faster, and each would take its share of the interpreter from the event
loop. Without the order, a brief whose turn it is would wait behind hundreds whose turn is far off.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from falsereject_gen.dedup.encoder import Encoder, Vectors

__all__ = ["ENOUGH", "Embedding"]

TOGETHER = 16
"""Texts embedded at once, at most: more would not be faster, and the first would wait longer."""
ENOUGH = 12
"""Texts that are company enough: nobody waits for more."""
_Queued = tuple[int, int, str, "asyncio.Future[Vectors]"]


class Embedding:
    """An encoder shared by many coroutines of one event loop.

    Args:
        encoder: embeds texts.
        on_wait: told whenever a text is queued.
        gather_s: how long a text may wait for company; side by side, each takes half the time.
    """

    def __init__(
        self, encoder: Encoder, on_wait: Callable[[], None] = lambda: None, gather_s: float = 0.0
    ) -> None:
        self._encoder, self.on_wait, self._gather_s = encoder, on_wait, gather_s
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._queue: list[_Queued] = []
        self._arrivals = itertools.count()
        self._busy = False

    @property
    def waiting(self) -> int:
        """Texts that stand in the queue."""
        return len(self._queue)

    async def one(self, text: str, ordinal: int) -> Vectors:
        """The vector of a text, shape (384,).

        Args:
            text: what to embed.
            ordinal: whose text it is: the lowest goes first.
        """
        done: asyncio.Future[Vectors] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (ordinal, next(self._arrivals), text, done))
        self._soon()
        self.on_wait()
        return await done

    def _soon(self) -> None:
        """Begin now if there is company enough, else when the first has waited long enough."""
        if not self._gather_s or len(self._queue) >= ENOUGH:
            self._next()
        elif self._timer is None and self._queue:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._gather_s, self._next)

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._busy or not (batch := self._take()):
            return
        self._busy = True
        running = asyncio.get_running_loop()
        texts = [text for *_, text, _ in batch]
        found = running.run_in_executor(self._thread, lambda: self._encoder.some(texts))
        found.add_done_callback(lambda vectors: self._pass(batch, vectors))

    def _take(self) -> list[_Queued]:
        """The first in the queue, without those whose askers were cancelled."""
        batch: list[_Queued] = []
        while self._queue and len(batch) < TOGETHER:
            one = heapq.heappop(self._queue)
            if not one[-1].done():
                batch.append(one)
        return batch

    def _pass(self, batch: list[_Queued], found: "asyncio.Future[list[Vectors]]") -> None:
        self._busy = False
        fault = found.exception()
        for place, (*_, done) in enumerate(batch):
            if done.done():
                continue
            if fault is None:
                done.set_result(found.result()[place])
            else:
                done.set_exception(fault)
        self._soon()
