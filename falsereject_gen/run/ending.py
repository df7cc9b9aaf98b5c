"""How work in an event loop comes to its end: by Ctrl-C, or with tasks left that nobody awaits."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["end", "interruptible"]


@contextlib.contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls `stop`; a second one ends at once."""

    def once() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        stop()

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, once)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and hear them out."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
