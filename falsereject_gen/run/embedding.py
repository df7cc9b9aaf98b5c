"""Texts embedded one by one, on one thread, the earliest brief's first.

More threads would not be faster, and each would take its share of the interpreter from the event
loop. Without the order, a brief whose turn it is would wait behind hundreds whose turn is far off.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from falsereject_gen.dedup.encoder import Encoder, Vectors

__all__ = ["Embedding"]


class Embedding:
    """An encoder shared by many coroutines of one event loop.

    Args:
        encoder: embeds a text.
        on_wait: told whenever a text is queued.
    """

    def __init__(self, encoder: Encoder, on_wait: Callable[[], None] = lambda: None) -> None:
        self._encoder, self.on_wait = encoder, on_wait
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._queue: list[tuple[int, int, str, asyncio.Future[Vectors]]] = []
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
        self._next()
        self.on_wait()
        return await done

    def _next(self) -> None:
        if self._busy or not self._queue:
            return
        *_, text, done = heapq.heappop(self._queue)
        if done.done():  # whoever asked was cancelled
            return self._next()
        self._busy = True
        running = asyncio.get_running_loop()
        found = running.run_in_executor(self._thread, self._encoder.one, text)
        found.add_done_callback(lambda vector: self._pass(done, vector))

    def _pass(self, done: "asyncio.Future[Vectors]", found: "asyncio.Future[Vectors]") -> None:
        self._busy = False
        if not done.done():
            fault = found.exception()
            if fault is None:
                done.set_result(found.result())
            else:
                done.set_exception(fault)
        self._next()
