"""A scripted OpenAI-compatible server on loopback: every role of the loop, every fault of a day.

`falsereject-gen scripted-server`, `python -m falsereject_gen.models.scripted_server`, or in
Python `with ScriptedServer(faults="429=0.1") as server: server.url`. A test double, and said to be
one: it knows rules, not language.
"""

import argparse
import asyncio
import dataclasses
import functools
import json
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Self
from urllib.parse import urlencode

from falsereject_gen.errors import FalseRejectError, UsageError
from falsereject_gen.models.scripted_app import App
from falsereject_gen.models.scripted_http import Connection
from falsereject_gen.models.scripted_settings import FAULTS, ServerSettings

__all__ = ["FAULTS", "ScriptedServer", "ServerSettings", "main", "serve"]

_START_S = 20.0


class _Door:
    """The listening socket: opens, and on a restart closes for a while."""

    def __init__(self, settings: ServerSettings, port: int) -> None:
        self.app = App(settings, self._restart)
        self.host, self.port = settings.host, port
        self._server: asyncio.Server | None = None
        self._waiting: asyncio.TimerHandle | asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen; a port of 0 becomes a free one."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Connection(self.app), self.host, self.port, backlog=4096
            )
        except (OSError, OverflowError) as fault:
            raise UsageError(f"port {self.port} on {self.host}: cannot listen: {fault}") from None
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.app.connections):
            connection.transport.abort()

    def _restart(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.02, self.close)  # the answer to /restart leaves first
        self._waiting = loop.call_later(0.02 + seconds, self._reopen)

    def _reopen(self) -> None:
        self._waiting = asyncio.get_running_loop().create_task(self.open())


async def serve(
    settings: ServerSettings, port: int, ready: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Serve until `stop` is set.

    Args:
        settings: how to behave.
        port: where to listen; 0 for a free port.
        ready: called once with the base URL, ending in /v1.
        stop: ends the server.

    Raises:
        UsageError: the port cannot be had.
    """
    door = _Door(settings, port)
    await door.open()
    ready(_url(settings.host, door.port))
    try:
        await stop.wait()
    finally:
        door.close()
        await asyncio.sleep(0)  # aborted connections are told so


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


class ScriptedServer:
    """A scripted server for the length of a `with` block, on a free port.

    Args:
        process: run it in a process of its own, so that it does not share the interpreter with
            what is measured; else in a thread.
        port: where to listen; 0 for a free port.
        given: fields of `ServerSettings`.

    Raises:
        UsageError: a setting that cannot be, or a port that is taken.
    """

    def __init__(self, *, process: bool = False, port: int = 0, **given: Any) -> None:
        try:
            self.settings = ServerSettings(**given)
        except TypeError as fault:
            raise UsageError(f"ScriptedServer: {fault}") from None
        self.url = ""
        self._port, self._as_process = port, process
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._end: Callable[[], object] = lambda: None
        self._fault: Exception | None = None

    def __enter__(self) -> Self:
        if self._as_process:
            self._start_process()
        else:
            self._start_thread()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
        if self._thread is not None:
            self._end()
            self._thread.join()

    def stats(self) -> dict[str, Any]:
        """The counters of /stats."""
        return self._page("/stats")

    def reset(self, **settings: Any) -> None:
        """Set the counters to zero and change settings, e.g. `reset(faults="500=1")`."""
        plain = {k: int(v) if isinstance(v, bool) else v for k, v in settings.items()}
        self._page(f"/reset?{urlencode(plain)}")

    def restart(self, down: float) -> None:
        """Close all connections and refuse new ones for `down` seconds."""
        self._page(f"/restart?down={down}")

    def _page(self, path: str) -> dict[str, Any]:
        root = self.url.removesuffix("/v1")
        # No proxy, whatever the environment says: the server is on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(root + path, timeout=_START_S) as page:
            found: dict[str, Any] = json.load(page)
        return found

    def _start_thread(self) -> None:
        started = threading.Event()

        def ready(url: str) -> None:
            self.url = url
            started.set()

        async def body() -> None:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()
            self._end = functools.partial(loop.call_soon_threadsafe, stop.set)
            await serve(self.settings, self._port, ready, stop)

        def run() -> None:
            try:
                asyncio.run(body())
            except Exception as fault:
                self._fault = fault
                started.set()

        self._thread = threading.Thread(target=run, name="scripted-server", daemon=True)
        self._thread.start()
        started.wait(_START_S)
        if self._fault is not None:
            self._thread.join()
            raise self._fault

    def _start_process(self) -> None:
        words = [sys.executable, "-m", "falsereject_gen.models.scripted_server"]
        words += ["--port", str(self._port), *_as_flags(self.settings)]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:  # a pipe would fill up
            self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, text=True)
            assert self._process.stdout is not None
            self.url = self._process.stdout.readline().strip()
            if not self.url:
                self._process.communicate()
                self._process = None
                said.seek(0)
                raise UsageError(said.read().strip().rpartition("\n")[2])


def _as_flags(settings: ServerSettings) -> list[str]:
    out: list[str] = []
    for field in dataclasses.fields(settings):
        value, flag = getattr(settings, field.name), f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            out += [flag] if value else []
        else:
            out += [flag, str(value)]
    return out


def _settings_from(words: Sequence[str]) -> tuple[ServerSettings, int]:
    parser = argparse.ArgumentParser(prog="python -m falsereject_gen.models.scripted_server")
    parser.add_argument("--port", type=int, default=0, help="0 for a free port")
    for field in dataclasses.fields(ServerSettings):
        flag = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            kind: Any = type(field.default)
            parser.add_argument(flag, type=kind, default=field.default)
    given = vars(parser.parse_args(words))
    port = given.pop("port")
    return ServerSettings(**given), port


def run_until_interrupted(
    settings: ServerSettings, port: int, ready: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C; `ready` gets the base URL."""

    async def body() -> None:
        await serve(settings, port, ready, asyncio.Event())

    try:
        asyncio.run(body())
    except KeyboardInterrupt:
        return


def main(words: Sequence[str] | None = None) -> int:
    """Serve with flags named as the settings are; the base URL is the first line of output."""

    def ready(url: str) -> None:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()

    try:
        run_until_interrupted(*_settings_from(sys.argv[1:] if words is None else words), ready)
    except FalseRejectError as fault:
        sys.stderr.write(f"falsereject-gen: {fault}\n")
        return fault.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
