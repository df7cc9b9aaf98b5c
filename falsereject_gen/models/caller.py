"""One call, try after try, until it is answered or must be given up.

Owns the client, the turnstile and what was learned of the endpoint; knows no cache and no budget.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from falsereject_gen.errors import EndpointError
from falsereject_gen.models.client import Client
from falsereject_gen.models.config import Target
from falsereject_gen.models.learned import Learned, below
from falsereject_gen.models.limits import Limiter, Ticket
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.protocol import ChatReply, ChatRequest, Structured
from falsereject_gen.models.retry import PUSHBACK, CallFailed, Fault, Kind, Patience
from falsereject_gen.models.wire import body_of, reply_of

__all__ = ["Caller", "Note"]

log = logging.getLogger("falsereject_gen.models")

Note = Callable[[ChatRequest, Fault, float, ChatReply | None], None]
_DOWN = 3  # calls given up in a row, none answered between, from which the endpoint is down
_SCOUTS = 4  # calls that go out before the first is answered: a wrong key is told no more often
_ADAPTIONS = 12  # findings that one call may make


@dataclass
class _Try:
    """One try: what was sent, and what came of it."""

    mode: Structured
    body: dict[str, Any]
    seconds: float = 0.0
    reply: ChatReply | None = None
    fault: Fault | None = None


@dataclass
class _Call:
    """What happened to one call so far."""

    request: ChatRequest
    tokens: float
    counts: Counter[Kind] = field(default_factory=Counter)
    adapted: int = 0
    mode: Structured | None = None


class Caller:
    """Answers requests of one endpoint and model.

    Args:
        target: where it is.
        patience: how often and when failures are tried again.
        parts: sentences for servers that cannot enforce a schema.
        note: called with every failed try: request, fault, seconds, and the reply if one came.
    """

    def __init__(self, target: Target, patience: Patience, parts: Parts, note: Note) -> None:
        given = target.settings
        self.target = target
        self.client = Client(target, target.key())
        self.learned = Learned(f"{target.base_url} {target.model}", target.structured)
        self.limiter = Limiter(
            given.concurrency, given.requests_per_minute, given.tokens_per_minute
        )
        self._patience, self._parts, self._note = patience, parts, note
        self._dead: str | None = None
        self._ever_answered = False
        self._answered_at = -math.inf
        self._given_up = 0
        self._known, self._scouts = asyncio.Event(), 0

    async def answer(self, request: ChatRequest, tokens: float) -> ChatReply:
        """Ask until there is an answer.

        Args:
            request: what to ask.
            tokens: what it is expected to use, for the limit on tokens a minute.

        Raises:
            CallFailed: this call was given up.
            EndpointError: no call to this endpoint can succeed as things stand.
        """
        if not self._known.is_set():
            if self._scouts >= _SCOUTS:
                await self._known.wait()
            self._scouts += 1
        try:
            return await self._answer(_Call(request, tokens))
        finally:
            self._known.set()  # it answers, or never will

    async def _answer(self, call: _Call) -> ChatReply:
        while True:
            if self._dead:
                raise EndpointError(self._dead)
            one = await self._try(call)
            if one.fault is None and one.reply is not None:
                return self._well(call, one)
            wait = self._next(call, one)
            if wait is None:  # there is a reply of a kind, and no better one will come
                return one.reply or _filtered(call.request)
            await asyncio.sleep(wait)

    async def _try(self, call: _Call) -> _Try:
        again = call.counts or call.adapted
        place = call.request.place
        ticket = await self.limiter.enter(call.tokens, first=bool(again), place=place)
        mode = call.mode or self.learned.mode
        one = _Try(mode, body_of(call.request, self.learned, mode, self._parts))
        try:
            raw = await self.client.post(one.body)
            one.seconds = time.monotonic() - ticket.at
            one.reply = reply_of(raw, call.request, one.seconds, self.target.prices)
        except Fault as fault:
            one.fault = fault
        except BaseException:
            self.limiter.leave(ticket, counts=False)
            raise
        self._leave(ticket, one)
        if one.reply is not None and _empty(one.reply):
            one.fault = Fault("empty", "an empty reply", status=200)
        return one

    def _leave(self, ticket: Ticket, one: _Try) -> None:
        one.seconds = time.monotonic() - ticket.at
        if one.fault is None:
            self.limiter.leave(ticket)
        else:
            pushed = one.fault.kind in PUSHBACK
            self.limiter.leave(ticket, pushed=pushed, counts=pushed, wait=one.fault.wait)
        used = one.reply.tokens_in + one.reply.tokens_out if one.reply else 0
        self.limiter.used(ticket, used)

    def _well(self, call: _Call, one: _Try) -> ChatReply:
        assert one.reply is not None
        self._ever_answered, self._given_up = True, 0
        self._answered_at = time.monotonic()
        if call.request.reply_schema is not None:
            self.learned.settle(one.mode)
        if self.learned.counts_tokens and not one.reply.counted:
            self.learned.counts_tokens = False
            log.warning("%s: reports no usage; tokens are estimated", self.learned.name)
        return one.reply

    def _next(self, call: _Call, one: _Try) -> float | None:
        """Seconds until the next try, or None to take what came."""
        fault = one.fault
        assert fault is not None
        if fault.kind == "filtered":
            self._ever_answered, self._given_up = True, 0
            return None
        self._note(call.request, fault, one.seconds, one.reply)
        if call.adapted < _ADAPTIONS and self.learned.adapt(fault, one.body, one.mode):
            call.adapted += 1
            return 0.0
        if fault.kind in {"fatal", "request"}:
            raise self._refused(fault)
        call.counts[fault.kind] += 1
        count = call.counts[fault.kind]
        if fault.wait is not None and fault.wait > self._patience.obey_s:
            raise self._end(f"asks to wait {fault.wait:.0f} s; go on later with --resume", fault)
        if self._patience.spent(fault.kind, count):
            if fault.kind == "empty":
                return None
            raise self._give_up(fault, sum(call.counts.values()))
        self._doubt_mode(call, one, count)
        return self._patience.wait(fault, count, brisk=self._by_chance(fault))

    def _by_chance(self, fault: Fault) -> bool:
        """Calls beside it are being answered, and the endpoint is not at a limit."""
        lately = time.monotonic() - self._answered_at < max(1.0, 3 * self.limiter.adaptive.latency)
        return lately and (fault.kind not in PUSHBACK or not self.limiter.adaptive.overloaded)

    def _doubt_mode(self, call: _Call, one: _Try, count: int) -> None:
        """Some servers answer a schema with a bare 500: try the next mode for this call."""
        fault, asked = one.fault, "response_format" in one.body
        if fault and fault.kind == "server" and asked and count >= 2 and not self.learned.proven:
            call.mode = below(one.mode)

    def _refused(self, fault: Fault) -> EndpointError:
        if fault.kind == "request" and self._ever_answered:
            return CallFailed(self._line("refuses this request", fault))
        return self._end(_advice(fault, self.target), fault)

    def _give_up(self, fault: Fault, tries: int) -> EndpointError:
        self._given_up += 1
        if not self._ever_answered:
            up = "it is up, so is the model right? see its log"
            ask = up if fault.status else "is it up, and base_url right?"
            return self._end(f"has not answered one call; {ask}", fault)
        if self._given_up >= _DOWN:
            return self._end("has stopped answering; go on with --resume when it is back", fault)
        return CallFailed(self._line(f"call given up after {tries} tries", fault))

    def _end(self, what: str, fault: Fault) -> EndpointError:
        self._dead = self._line(what, fault)
        return EndpointError(self._dead)

    def _line(self, what: str, fault: Fault) -> str:
        status = f"{fault.status} " if fault.status else ""
        where = f"{self.target.base_url} ({self.target.model})"
        return f"{where} {what} [{status}{fault.kind}: {fault.says}]"


def _empty(reply: ChatReply) -> bool:
    return not reply.text.strip() and not reply.refused and not reply.cut


def _filtered(request: ChatRequest) -> ChatReply:
    return ChatReply(text="", finish_reason="content_filter", model=request.model)


def _advice(fault: Fault, target: Target) -> str:
    variable = target.key_env or "key_env (none is set, so no key was sent)"
    if fault.quota:
        return "has no quota or credit left for this key; top it up and go on with --resume"
    if fault.status in {401, 403}:
        return f"refuses the key; check {variable}"
    if fault.model or fault.status == 404:
        return "does not know this model (or base_url does not end in /v1); check both"
    if 300 <= fault.status < 400:
        return "redirects elsewhere; set base_url to the place itself"
    return "refuses the request"
