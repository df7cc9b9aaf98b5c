"""The loop for LangGraph's own tools (langgraph.json names it): the graph of a run, to be opened.

An input is `{"brief": {...}}`, or `{"brief": null}`: then the next brief of a run with the default
settings is drawn. The embedded cast plays; texts are compared with seeds, not with each other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

__all__ = ["loop"]


def loop() -> Any:
    """The compiled loop of one brief; everything heavy is loaded when its first brief comes."""
    from falsereject_gen.loop.graph import compile_loop  # noqa: PLC0415 - no work at import
    from falsereject_gen.rooms import Rooms  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    settings = load_settings(rooms=Rooms())
    stage = _Stage(len(settings.pool))
    return compile_loop(stage, stage, settings.loop, opening=stage.open)


class _Stage:
    """A cast that is put together when it is first asked, and the duplicates beside it."""

    name = "embedded"

    def __init__(self, pool: int) -> None:
        self._drawn = 0
        self.generator: Any = _Late(lambda world: world.cast.generator)
        self.discriminator: Any = _Late(lambda world: world.cast.discriminator)
        self.orchestrator: Any = _Late(lambda world: world.cast.orchestrator)
        self.pool: Any = [_late_target(place) for place in range(pool)]

    async def open(self, state: Any) -> dict[str, Any]:
        """Reads brief, if there is one; writes the state in which a brief enters its loop."""
        from falsereject_gen.loop.state import start  # noqa: PLC0415
        from falsereject_gen.records import Brief  # noqa: PLC0415

        given = state.get("brief")
        if given is not None:
            return dict(start(Brief.model_validate(given)))
        world = await asyncio.to_thread(_world)
        brief = world.planner.brief(self._drawn)
        self._drawn += 1
        return dict(start(brief))

    async def nearest(self, ordinal: int, text: str, language: str = "en") -> tuple[Any, bool]:
        """The nearest seed; nobody waits for a turn here, whatever the ordinal."""
        world = await asyncio.to_thread(_world)
        found = world.indexes[0].nearest(world.encoder.one(text))
        return found, found is not None and found.score >= world.settings.dedup.seeds_max


class _Late:
    """A player that is looked up when it is first asked something."""

    def __init__(self, pick: Callable[[Any], Any]) -> None:
        self._pick = pick

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: Any) -> Any:
            world = await asyncio.to_thread(_world)
            return await getattr(self._pick(world), method)(*args)

        return ask


def _late_target(place: int) -> _Late:
    return _Late(lambda world: world.cast.pool[place])


@cache
def _world() -> Any:
    """The world of a run with the default settings, made once a process."""
    from falsereject_gen.models.desk import open_models  # noqa: PLC0415
    from falsereject_gen.rooms import Rooms  # noqa: PLC0415
    from falsereject_gen.run.world import prepare  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    rooms = Rooms()
    return prepare(load_settings(rooms=rooms), rooms, open_models({}, rooms))
