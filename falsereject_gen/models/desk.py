"""Where the rest of the program gets its models: endpoints by name, one cache, one budget."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from falsereject_gen.errors import UsageError
from falsereject_gen.models.budget import Budget
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.config import EndpointSettings, load_presets, parse_name, resolve
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.retry import Patience
from falsereject_gen.rooms import Rooms

if TYPE_CHECKING:
    from falsereject_gen.models.endpoint import Endpoint, Status

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
        self._open: dict[str, Endpoint] = {}

    def get(self, name: str = "default") -> "Endpoint":
        """An endpoint by its name in the settings, or as `preset:model`.

        Raises:
            UsageError: there is none, its settings do not say where it is, or its key is missing.
        """
        if name not in self._open:
            from falsereject_gen.models.endpoint import Endpoint  # noqa: PLC0415 - loads openai

            given = self.settings.get(name)
            if given is None and ":" not in name:
                known = ", ".join(self.settings) or "none"
                raise UsageError(f"no endpoint `{name}` in the settings; there are: {known}")
            target = resolve(name, given or parse_name(name), self._presets)
            self._open[name] = Endpoint(
                name,
                target,
                cache=self.cache,
                budget=self.budget,
                patience=self._patience,
                parts=self.parts,
            )
        return self._open[name]

    def status(self) -> "list[Status]":
        """How each opened endpoint is doing, for the progress display."""
        return [endpoint.status() for endpoint in self._open.values()]

    def hold(self) -> None:
        """Send nothing more anywhere; calls under way go on."""
        for endpoint in self._open.values():
            endpoint.hold()

    async def close(self) -> None:
        """Close connections and write what is queued."""
        for endpoint in self._open.values():
            await endpoint.close()
        if self.cache is not None:
            self.cache.close()

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

    Raises:
        StoreError: the file cannot be used.
        RoomError: a preset is malformed.
    """
    cache = CallCache(store) if store is not None else None
    budget = Budget(calls=calls, tokens=tokens, money=money)
    if cache is not None:
        budget.usage.add(cache.totals())
    return Models(settings, rooms or Rooms(), cache=cache, budget=budget, patience=patience)
