"""One sitting of a run: an event loop in which the run's models are open.

Calls are made at two times: before there are briefs (a spoken extraction), and for the briefs.
What lies between is long and not async, so the loop rests meanwhile, with its connections.
"""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from falsereject_gen.models.desk import Models

__all__ = ["Sitting"]

T = TypeVar("T")


class Sitting:
    """Runs work among models that are entered when they are first needed, and closes them.

    Args:
        models: of the run.
    """

    def __init__(self, models: Models) -> None:
        self._models, self._entered = models, False
        self._runner = asyncio.Runner()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the work returns; it may ask the models."""
        return self._runner.run(self._among(work))

    async def _among(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if not self._entered:
            await self._models.__aenter__()
            self._entered = True
        return await work()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the models, if they were entered, and the loop.

        Raises:
            StoreError: something could not be written.
        """
        try:
            if self._entered:
                self._runner.run(self._models.close())
        finally:
            self._runner.close()
