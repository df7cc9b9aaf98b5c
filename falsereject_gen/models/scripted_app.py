"""What the scripted server does with a request: counts it, meets it with a fault, or answers.

Routes: POST /v1/chat/completions, GET /v1/models, and for whoever runs the server GET /stats,
/reset?setting=value and /restart?down=seconds.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from falsereject_gen.errors import UsageError
from falsereject_gen.models import scripted_replies as replies
from falsereject_gen.models.scripted_ask import Ask, read_ask
from falsereject_gen.models.scripted_http import BadRequest, Connection, Request
from falsereject_gen.models.scripted_settings import ServerSettings, draw_fault, parse_faults
from falsereject_gen.models.scripted_stats import Stats

__all__ = ["MODELS", "App"]

MODELS = ("scripted", "scripted-strict", "scripted-mild", "scripted-open", "scripted-closed")
_WRONG_KEY = b"bearer wrong"
_ON_MODELS = frozenset({"401", "403", "500", "503"})
_WHOLE = frozenset({"", "slow", "think", "prose"})
_REFUSED = frozenset({"refusal", "filter"})  # from a pool target these are answers
_LIMITED_S = 0.01  # a bucket that is empty says so without the latency of a model


class App:
    """Answers requests; the settings may change while it runs.

    Args:
        settings: how to behave.
        restart: closes the door for some seconds.
    """

    def __init__(self, settings: ServerSettings, restart: Callable[[float], None]) -> None:
        self.connections: set[Connection] = set()
        self._restart = restart
        self._get = {"/stats": self._stats, "/reset": self._reset, "/restart": self._down}
        self._take(settings)

    def _take(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.faults = parse_faults(settings.faults)
        self.stats = Stats()
        self._size = settings.burst or max(1.0, settings.rps)
        self._tokens, self._filled = self._size, time.monotonic()

    def handle(self, connection: Connection, request: Request) -> None:
        """Route one request."""
        path, _, query = request.target.partition("?")
        path = path.rstrip("/")
        if path.endswith("/chat/completions"):
            if request.method != "POST":
                return connection.reply(405, replies.error(405, "POST is needed here"))
            return self._chat(connection, request)
        if path.endswith("/models") and request.method == "GET":
            return self._models(connection, request)
        if "/models/" in path and request.method == "GET":
            return self._model(connection, path.rpartition("/models/")[2])
        if path in self._get and request.method in {"GET", "POST"}:
            return self._get[path](connection, dict(parse_qsl(query, keep_blank_values=True)))
        return connection.reply(404, replies.error(404, f"no such page: {request.method} {path}"))

    def refuse(self, connection: Connection, fault: BadRequest) -> None:
        """Answer bytes that are no request."""
        self.stats.status[fault.status] += 1
        connection.reply(fault.status, replies.error(fault.status, str(fault)))

    def lost(self, connection: Connection) -> None:
        """A client left before its answer."""
        self.stats.abandon(connection)

    def _stats(self, connection: Connection, query: Mapping[str, str]) -> None:
        shown = self.stats.shown(len(self.connections))
        connection.reply(200, json.dumps(shown).encode())

    def _reset(self, connection: Connection, query: Mapping[str, str]) -> None:
        try:
            self._take(self.settings.changed(query))
        except UsageError as fault:
            return connection.reply(400, replies.error(400, str(fault)))
        connection.reply(200, json.dumps({"reset": dict(query)}).encode())

    def _down(self, connection: Connection, query: Mapping[str, str]) -> None:
        try:
            seconds = float(query.get("down", "1"))
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < 1e6:
            return connection.reply(400, replies.error(400, "down: give seconds, from 0 up"))
        connection.reply(200, json.dumps({"down": seconds}).encode())
        self._restart(seconds)

    def _models(self, connection: Connection, request: Request) -> None:
        self.stats.models += 1
        fault = "401" if _wrong_key(request) else ""
        drawn = self.stats.models
        fault = fault or draw_fault(self.faults, self.settings.seed, b"m", drawn, structured=False)
        if fault in _ON_MODELS:
            return connection.reply(*replies.faulty(fault, "", self.settings.retry_after))
        connection.reply(200, replies.models(MODELS))

    def _model(self, connection: Connection, name: str) -> None:
        if name.startswith("missing"):
            status, body, _ = replies.faulty("404", name, 0)
            return connection.reply(status, body)
        connection.reply(200, replies.model(name))

    def _chat(self, connection: Connection, request: Request) -> None:
        digest = hashlib.blake2b(request.body, digest_size=8).digest()
        arrival = self.stats.arrive(connection, digest)
        try:
            body = replies.checked(request.body, self.settings)
        except replies.Rejected as no:
            return self._end(connection, no.status, no.body)
        if _wrong_key(request):
            return self._end(connection, *replies.faulty("401", body["model"], 0))
        if self.settings.rps and (wait := self._limited()):
            status, text, headers = replies.faulty("429", body["model"], wait)
            return connection.later(
                _LIMITED_S, lambda: self._end(connection, status, text, headers)
            )
        ask = read_ask(body)
        seed = self.settings.seed
        fault = draw_fault(self.faults, seed, digest, arrival, structured=ask.structured)
        self.stats.met(ask.role, fault)
        if fault == "hang":
            return None
        delay = self.settings.latency
        delay = max(5 * delay, delay + 0.2) if fault == "slow" else delay
        connection.later(delay, lambda: self._answer(connection, body, ask, fault))

    def _limited(self) -> float:
        """Seconds until the bucket has a token; 0 if it had one, which is taken."""
        now = time.monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._filled) * self.settings.rps)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / self.settings.rps
        self._tokens -= 1
        return 0.0

    def _answer(
        self, connection: Connection, body: Mapping[str, Any], ask: Ask, fault: str
    ) -> None:
        if fault in replies.STATUS:
            again = self.settings.retry_after
            return self._end(connection, *replies.faulty(fault, ask.model, again))
        try:
            made, usage = replies.completion(body, ask, fault)
        except Exception as what:  # a schema is the client's; it must not hang for it
            said = f"this schema cannot be played: {type(what).__name__}: {what}"
            return self._end(connection, 400, replies.error(400, said, param="response_format"))
        if fault in {"drop", "truncated"}:
            self.stats.end(connection, 200, clean=False)
            return connection.cut(200, made, framed=fault == "drop")
        clean = fault in _WHOLE or (ask.role == "target" and fault in _REFUSED)
        self.stats.end(connection, 200, clean=clean, usage=usage)
        connection.reply(200, made)

    def _end(self, connection: Connection, status: int, body: bytes, headers: str = "") -> None:
        self.stats.end(connection, status, clean=False)
        connection.reply(status, body, headers)


def _wrong_key(request: Request) -> bool:
    return _WRONG_KEY in request.head.lower()
