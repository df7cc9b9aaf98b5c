"""A run's models whose calls are made by a process of their own (see `worker.py`).

The same face as `desk.Models`: endpoints by name, usage, status. Two processes use two cores, and a
run that is killed leaves one behind that still stores the calls under way.
"""

import asyncio
import itertools
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from falsereject_gen.errors import StoreError
from falsereject_gen.models.asker import Asker, Status
from falsereject_gen.models.budget import Budget
from falsereject_gen.models.config import EndpointSettings, Target
from falsereject_gen.models.desk import Models
from falsereject_gen.models.frames import Frames
from falsereject_gen.models.protocol import ChatReply, ChatRequest
from falsereject_gen.models.retry import Patience
from falsereject_gen.rooms import Rooms

__all__ = ["RemoteModels"]

_Waiting = tuple[ChatRequest, "asyncio.Future[ChatReply]"]


class _Endpoint(Asker):
    """One model at one endpoint, asked by the other process."""

    def __init__(self, name: str, target: Target, models: "RemoteModels") -> None:
        super().__init__(name, target)
        target.key()  # a missing key is told before any work
        self._models = models

    async def chat(self, request: ChatRequest, *, keep_refusals: bool = False) -> ChatReply:
        """Answer a request (see `ChatModel`)."""
        return await self._models.ask(self.name, request, keep_refusals)


class _Notes:
    """Failed tries that a role finds afterwards, kept in the store by the other process."""

    def __init__(self, path: Path, send: Any) -> None:
        self.path, self._send = path, send

    def failed(self, *given: Any, **more: Any) -> None:
        """See `CallCache.failed`."""
        self._send(("note", given, more))


class RemoteModels(Models):
    """Endpoints that are asked by a process of their own, started at once.

    Args:
        settings: endpoints by name.
        rooms: where presets and sentences are read.
        store: the run's SQLite file.
        limits: of the budget: calls, tokens, money.
        patience: how often and when failures are tried again.
    """

    def __init__(
        self,
        settings: dict[str, EndpointSettings],
        rooms: Rooms,
        *,
        store: Path,
        limits: dict[str, Any],
        patience: Patience | None,
    ) -> None:
        super().__init__(settings, rooms, cache=None, budget=Budget(**limits), patience=patience)
        self.cache = _Notes(store, self._send)  # type: ignore[assignment]
        self._frames = Frames(self._take, self._ended)
        self._first = ("open", self.settings, Rooms(rooms.overlay), store, limits, patience)
        self._numbers = itertools.count()
        self._waiting: dict[int, _Waiting] = {}
        self._states: list[Status] = []
        self._fault: BaseException | None = None
        self._ours, theirs = socket.socketpair()
        self._process = _start(theirs)

    async def ask(self, name: str, request: ChatRequest, keep: bool) -> ChatReply:
        """Have a call made."""
        if self._fault is not None:
            raise self._fault
        number = next(self._numbers)
        done: asyncio.Future[ChatReply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (request, done)
        self._send(("chat", number, name, request, keep))
        return await done

    def status(self) -> list[Status]:
        """How each opened endpoint was doing when it was last told."""
        return self._states

    def hold(self) -> None:
        """Send nothing more anywhere; calls under way go on."""
        self._send(("hold",))

    async def settle(self, seconds: float) -> None:
        """Send nothing more and let the calls under way come in: they are paid for."""
        self._send(("settle", seconds))
        await self._settled.wait()

    async def close(self) -> None:
        """Let the process end.

        Raises:
            StoreError: something could not be written.
        """
        self._send(("close",))
        await self._over.wait()
        await asyncio.to_thread(self._process.wait)
        if isinstance(self._fault, StoreError):
            raise self._fault

    def abandon(self) -> None:
        """See `Models`: the process has nothing to keep yet and is ended."""
        self._ours.close()
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._ready, self._settled, self._over = (asyncio.Event() for _ in range(3))
        await loop.create_connection(lambda: self._frames, sock=self._ours)
        self._send(self._first)
        await self._ready.wait()
        if self._fault is not None:
            raise self._fault
        return self

    def _make(self, name: str, target: Target) -> Asker:
        return _Endpoint(name, target, self)

    def _send(self, frame: tuple[Any, ...]) -> None:
        self._frames.send(frame)

    def _take(self, frame: tuple[Any, ...]) -> None:
        kind, *rest = frame
        if kind == "reply":
            self._answered(*rest)
        elif kind == "fault":
            _, done = self._waiting.pop(rest[0])
            if not done.done():
                done.set_exception(rest[1])
        elif kind == "failed":
            self.budget.usage.failed(*rest)
        elif kind == "status":
            self._states = rest[0]
        elif kind == "log":
            logging.getLogger(rest[0]).log(rest[1], "%s", rest[2])
        else:
            self._turn(kind, *rest)

    def _turn(self, kind: str, *rest: Any) -> None:
        """The process began, came to rest, or ended."""
        if kind == "ready":
            self.budget.usage.add(rest[0])
            self._ready.set()
        elif kind == "settled":
            self._settled.set()
        elif kind == "broken":
            self._fault = rest[0]
            self._ready.set()
        elif kind == "closed":
            self._fault = self._fault or rest[0]
            self._over.set()

    def _answered(self, number: int, reply: ChatReply) -> None:
        request, done = self._waiting.pop(number)
        self.budget.usage.answered(request.role, request.model, reply)
        if not done.done():
            done.set_result(reply)

    def _ended(self) -> None:
        """The process is gone: as it should be after `close`, else everybody is told."""
        if not self._over.is_set():
            self._fault = self._fault or StoreError(
                f"the process that makes the calls ended (exit code {self._process.poll()}); "
                "what was answered is in the store: go on with --resume"
            )
        for _, done in self._waiting.values():
            if not done.done() and self._fault is not None:
                done.set_exception(self._fault)
        for event in (self._ready, self._settled, self._over):
            event.set()


def _start(theirs: socket.socket) -> "subprocess.Popen[bytes]":
    """Start the worker: it imports while the run loads what it needs itself."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    number = str(theirs.fileno())
    with theirs:
        return subprocess.Popen(
            [sys.executable, "-m", "falsereject_gen.models.worker", number],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=env,
        )
