"""The process that makes the calls of a run: HTTP, limits, budget and the call cache.

Replies are stored by a process that has nothing else to do, and it outlives the run's own: when
that is killed, calls under way are waited for and kept before this one ends, so that a run that
goes on never asks for them again. Started by `remote.py`, with one end of a socket pair.
"""

import asyncio
import contextlib
import fcntl
import importlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from falsereject_gen.errors import FalseRejectError, StoreError
from falsereject_gen.models.budget import Usage
from falsereject_gen.models.desk import Models, open_models
from falsereject_gen.models.frames import Frames
from falsereject_gen.models.protocol import ChatReply, ChatRequest

__all__ = ["PATIENT_S", "STATUS_S", "main"]

STATUS_S = 0.2
"""How often the state of the endpoints is told."""
PATIENT_S = 90.0
"""How long to wait for the calls of an earlier sitting, and for our own when the run is gone."""


class _Told(Usage):
    """Totals whose failed tries are told to the run's process, too."""

    def __init__(self, send: Any) -> None:
        super().__init__()
        self._send = send

    def failed(self, role: str, model: str, paid: ChatReply | None = None) -> None:
        super().failed(role, model, paid)
        self._send(("failed", role, model, paid))


class _Forward(logging.Handler):
    """Log records go to the run's process."""

    def __init__(self, send: Any) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send(("log", record.name, record.levelno, record.getMessage()))


@dataclass
class _Worker:
    """Serves one run until it says close, or is gone."""

    frames: Frames = field(init=False)
    models: Models | None = None
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.frames = Frames(self._take, self._gone)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _take(self, frame: tuple[Any, ...]) -> None:
        kind, *rest = frame
        if kind == "chat":
            self._begin(self._chat(*rest))
        elif kind == "open":
            self._begin(self._open(*rest))
        elif kind == "settle":
            self._begin(self._settle(*rest))
        elif kind == "close":
            self._end()
        elif self.models is not None and kind == "hold":
            self.models.hold()
        elif self.models is not None and self.models.cache is not None and kind == "note":
            self.models.cache.failed(*rest[0], **rest[1])

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _gone(self) -> None:
        """The run's process ended: keep what is under way, then end."""
        self._begin(self._bequeath())

    async def _bequeath(self) -> None:
        if self.models is not None:
            await self.models.settle(PATIENT_S)
        self._end()

    async def _open(
        self, settings: Any, rooms: Any, store: Path, limits: Any, patience: Any
    ) -> None:
        try:
            await asyncio.to_thread(_lock, store.parent)
            models = open_models(settings, rooms, store=store, patience=patience, **limits)
        except FalseRejectError as fault:
            self.frames.send(("broken", fault))
            return
        found = list(models.cache.totals()) if models.cache is not None else []
        told = _Told(self.frames.send)
        told.add(found)
        models.budget.usage = told
        self.models = models
        self.frames.send(("ready", found))
        self._begin(self._tell())

    async def _tell(self) -> None:
        last = None
        while self.models is not None:
            now = self.models.status()
            if now != last:
                self.frames.send(("status", now))
            last = now
            await asyncio.sleep(STATUS_S)

    async def _chat(self, number: int, name: str, request: ChatRequest, keep: bool) -> None:
        assert self.models is not None
        try:
            reply = await self.models.get(name).chat(request, keep_refusals=keep)
        except FalseRejectError as fault:
            self.frames.send(("fault", number, fault))
        else:
            self.frames.send(("reply", number, reply))

    async def _settle(self, seconds: float) -> None:
        assert self.models is not None
        await self.models.settle(seconds)
        self.frames.send(("settled",))

    async def serve(self, sock: socket.socket) -> None:
        """Until the run says close, or is gone and its calls are in."""
        logging.getLogger("falsereject_gen").addHandler(_Forward(self.frames.send))
        await asyncio.get_running_loop().create_connection(lambda: self.frames, sock=sock)
        await self.over
        models, self.models = self.models, None
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        try:
            if models is not None:
                await models.close()
            self.frames.send(("closed", None))
        except StoreError as fault:
            self.frames.send(("closed", fault))
        self.frames.close()


def _lock(folder: Path) -> None:
    """One worker a run folder; the lock goes when the process goes.

    Raises:
        StoreError: another one has not ended in time.
    """
    held = os.open(folder, os.O_RDONLY)
    until = time.monotonic() + PATIENT_S
    while not _locked(held):
        if time.monotonic() > until:
            raise StoreError(f"{folder}: another process is at work on this run; end it first")
        time.sleep(0.05)


def _locked(held: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C is for the run's own process, which says what is to be done."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def _serve(sock: socket.socket) -> None:
    await _Worker().serve(sock)


def main() -> None:
    """Serve the socket whose number is the first argument."""
    with _deaf():
        importlib.import_module("falsereject_gen.models.endpoint")  # openai: now, not at a call
        asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
