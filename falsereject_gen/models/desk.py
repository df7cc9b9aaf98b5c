"""Where the rest of the program gets its models: endpoints by name, one cache, one budget."""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from falsereject_gen.errors import UsageError
from falsereject_gen.models.asker import Asker, Status
from falsereject_gen.models.budget import Budget
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.config import (
    EndpointSettings,
    Target,
    load_presets,
    parse_name,
    resolve,
)
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.retry import Patience
from falsereject_gen.rooms import Rooms

if TYPE_CHECKING:
    from falsereject_gen.models.endpoint import Endpoint

__all__ = ["Models", "open_models"]


class Models:
    """Endpoints, each opened when it is first asked for.

    Used as an async context manager, within one event loop; leaving it closes everything.
    """

    def __init__(
        self,
        settings: Mapping[str, EndpointSettings],
        rooms: Rooms,
        *,
        cache: CallCache | None,
        budget: Budget,
        patience: Patience | None,
    ) -> None:
        self.settings, self.cache, self.budget = dict(settings), cache, budget
        self.parts = Parts(rooms)
        self._presets, self._patience = load_presets(rooms), patience
        self._open: dict[str, Asker] = {}

    def get(self, name: str = "default") -> Asker:
        """An endpoint by its name in the settings, or as `preset:model`.

        Raises:
            UsageError: there is none, its settings do not say where it is, or its key is missing.
        """
        if name not in self._open:
            given = self.settings.get(name)
            if given is None and ":" not in name:
                known = ", ".join(self.settings) or "none"
                raise UsageError(f"no endpoint `{name}` in the settings; there are: {known}")
            target = resolve(name, given or parse_name(name), self._presets)
            self._open[name] = self._make(name, target)
        return self._open[name]

    def _make(self, name: str, target: Target) -> Asker:
        from falsereject_gen.models.endpoint import Endpoint  # noqa: PLC0415 - loads openai

        return Endpoint(
            name,
            target,
            cache=self.cache,
            budget=self.budget,
            patience=self._patience,
            parts=self.parts,
        )

    def status(self) -> list[Status]:
        """How each opened endpoint is doing, for the progress display."""
        return [endpoint.status() for endpoint in self._local()]

    def hold(self) -> None:
        """Send nothing more anywhere; calls under way go on."""
        for endpoint in self._local():
            endpoint.hold()

    async def settle(self, seconds: float) -> None:
        """Send nothing more and let the calls under way come in: they are paid for."""
        self.hold()
        until = time.monotonic() + seconds
        while any(one.in_flight for one in self.status()) and time.monotonic() < until:
            await asyncio.sleep(0.01)

    def _local(self) -> "list[Endpoint]":
        """The opened endpoints, which this process asks itself."""
        return list(self._open.values())  # type: ignore[arg-type]

    async def close(self) -> None:
        """Close connections and write what is queued."""
        for endpoint in self._local():
            await endpoint.close()
        if self.cache is not None:
            self.cache.close()

    def abandon(self) -> None:
        """Let go of models that were opened and, since something failed, never entered."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()


def open_models(
    settings: Mapping[str, EndpointSettings],
    rooms: Rooms | None = None,
    *,
    store: Path | None = None,
    calls: int | None = None,
    tokens: int | None = None,
    money: float | None = None,
    patience: Patience | None = None,
    apart: bool = False,
) -> Models:
    """Models for a run.

    Args:
        settings: endpoints by name.
        rooms: where presets and sentences are read.
        store: the run's SQLite file; what it says was spent counts towards the budget.
        calls: limit on answered calls, over all sessions of the run; None for no limit.
        tokens: limit on tokens, in and out.
        money: limit on cost.
        patience: how often and when failures are tried again.
        apart: calls are made by a process of their own, where a store is given and the system
            can hand a socket to a child.

    Raises:
        StoreError: the file cannot be used.
        RoomError: a preset is malformed.
    """
    if apart and store is not None and sys.platform != "win32":
        from falsereject_gen.models.remote import RemoteModels  # noqa: PLC0415 - subclass of Models

        limits = {"calls": calls, "tokens": tokens, "money": money}
        return RemoteModels(
            dict(settings), rooms or Rooms(), store=store, limits=limits, patience=patience
        )
    cache = CallCache(store) if store is not None else None
    budget = Budget(calls=calls, tokens=tokens, money=money)
    if cache is not None:
        budget.usage.add(cache.totals())
    return Models(settings, rooms or Rooms(), cache=cache, budget=budget, patience=patience)
