"""A model behind an endpoint: cache, budget, turnstile, tries, in that order, round one `Client`.

What is sent is `wire`'s, how often is `retry`'s, how many at once is `limits`'s matter.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from falsereject_gen.errors import EndpointError
from falsereject_gen.models.budget import Budget
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.client import Client
from falsereject_gen.models.config import Target
from falsereject_gen.models.learned import Learned, below
from falsereject_gen.models.limits import Limiter
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.protocol import ChatReply, ChatRequest, Message, Structured
from falsereject_gen.models.retry import PUSHBACK, CallFailed, Fault, Kind, Patience
from falsereject_gen.models.wire import CHARS_A_TOKEN, body_of, reply_of

__all__ = ["Endpoint", "Status"]

log = logging.getLogger("falsereject_gen.models")

_GIVEN_UP = 3  # calls in a row that had to be given up before the endpoint counts as down


@dataclass(frozen=True)
class Status:
    """How an endpoint is doing now, for the progress display."""

    name: str
    in_flight: int
    waiting: int
    limit: int
    ceiling: int
    random_loss: float
    paused_s: float
    structured: Structured


@dataclass
class _Tries:
    """What happened to one call so far."""

    counts: Counter[Kind]
    mode: Structured | None = None
    adapted: int = 0


class Endpoint:
    """One model at one endpoint (a `ChatModel`); used from one event loop.

    Args:
        name: what the user calls it.
        target: where it is.
        cache: where finished calls are kept; None keeps nothing.
        budget: what may be spent, and the totals.
        patience: how often and when failures are tried again.
        parts: sentences for servers that cannot enforce a schema.

    Raises:
        UsageError: the key's variable is not set.
    """

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        cache: CallCache | None = None,
        budget: Budget | None = None,
        patience: Patience | None = None,
        parts: Parts | None = None,
    ) -> None:
        given = target.settings
        self.name, self.target = name, target
        self.budget = budget or Budget()
        self.learned = Learned(f"{target.base_url} {target.model}", target.structured)
        self._cache, self._patience = cache, patience or Patience()
        self._parts = parts or Parts()
        self._client = Client(target, target.key())
        self._limiter = Limiter(
            given.concurrency, given.requests_per_minute, given.tokens_per_minute
        )
        self._open: dict[str, asyncio.Future[ChatReply]] = {}
        self._dead: str | None = None
        self._answered = self._given_up = 0
        self._tokens_out = 256.0

    def request(
        self,
        messages: Iterable[Message],
        *,
        role: str,
        sampling: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        attempt: int = 0,
    ) -> ChatRequest:
        """A request to this endpoint; the endpoint's own sampling wins over the role's."""
        return ChatRequest(
            endpoint=self.target.base_url,
            model=self.target.model,
            messages=tuple(messages),
            sampling={**(sampling or {}), **self.target.settings.sampling},
            reply_schema=schema,
            structured=self.target.structured,
            role=role,
            attempt=attempt,
        )

    async def chat(self, request: ChatRequest, *, keep_refusals: bool = False) -> ChatReply:
        """Answer a request (see `ChatModel`); equal requests under way are asked once."""
        while True:
            found = self._cache.get(request.key) if self._cache else None
            if found is None and (leader := self._open.get(request.key)):
                await asyncio.wait([leader])
                if leader.cancelled():
                    continue
                found = leader.result().model_copy(update={"cached": True})
            if found is not None:
                self.budget.usage.answered(request.role, request.model, found)
                return found
            return await self._lead(request, keep_refusals)

    def status(self) -> Status:
        """How it is doing now."""
        adaptive = self._limiter.adaptive
        return Status(
            name=self.name,
            in_flight=self._limiter.in_flight,
            waiting=self._limiter.waiting,
            limit=int(adaptive.limit),
            ceiling=int(adaptive.ceiling),
            random_loss=adaptive.floor,
            paused_s=self._limiter.paused_s,
            structured=self.learned.structured,
        )

    async def models(self) -> bytes:
        """The endpoint's list of models as JSON, for `doctor`.

        Raises:
            Fault: it did not answer with one.
        """
        return await self._client.models()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _lead(self, request: ChatRequest, keep_refusals: bool) -> ChatReply:
        if self._dead:
            raise EndpointError(self._dead)
        turn: asyncio.Future[ChatReply] = asyncio.get_running_loop().create_future()
        self._open[request.key] = turn
        try:
            reply = await self._pay(request, keep_refusals)
        except asyncio.CancelledError:
            turn.cancel()
            raise
        except BaseException as fault:
            turn.set_exception(fault)
            turn.exception()  # it is raised here; nobody else may be waiting
            raise
        else:
            turn.set_result(reply)
            return reply
        finally:
            del self._open[request.key]

    async def _pay(self, request: ChatRequest, keep_refusals: bool) -> ChatReply:
        chars = sum(len(m.content) for m in request.messages)
        tokens_in = chars / CHARS_A_TOKEN
        expected = tokens_in + self._tokens_out
        price_in, price_out = self.target.prices or (0.0, 0.0)
        cost = (tokens_in * price_in + self._tokens_out * price_out) / 1e6
        reserve = self.budget.reserve(expected, cost)
        try:
            reply = await self._answer(request, expected)
            if self._cache and (keep_refusals or not reply.refused):
                await self._cache.put(request, reply)
            elif self._cache:
                self._cache.failed(request, "refusal", reply.refusal or "content filter", paid=reply)
            self.budget.usage.answered(request.role, request.model, reply)
        finally:
            self.budget.release(reserve)
        return reply

    async def _answer(self, request: ChatRequest, expected: float) -> ChatReply:
        tries = _Tries(Counter())
        while True:
            ticket = await self._limiter.enter(expected, first=bool(tries.counts))
            mode = tries.mode or self.learned.mode
            body = body_of(request, self.learned, mode, self._parts)
            fault, reply = None, None
            try:
                raw = await self._client.post(body)
                reply = reply_of(raw, request, time.monotonic() - ticket.at, self.target.prices)
            except Fault as raised:
                fault = raised
            except BaseException:
                self._limiter.leave(ticket, counts=False)
                raise
            pushed = fault is not None and fault.kind in PUSHBACK
            self._limiter.leave(
                ticket, pushed=pushed, counts=pushed or fault is None, wait=fault.wait if fault else None
            )
            if reply is not None:
                self._limiter.used(ticket, reply.tokens_in + reply.tokens_out)
                self._tokens_out += 0.05 * (reply.tokens_out - self._tokens_out)
                if self._usable(request, reply, tries):
                    if request.reply_schema is not None:
                        self.learned.settle(mode)
                    self._answered, self._given_up = self._answered + 1, 0
                    return reply
                fault = Fault("empty", "an empty reply", status=200)
            assert fault is not None
            if fault.kind == "filtered":
                return ChatReply(text="", finish_reason="content_filter", model=request.model)
            self._note(request, fault, time.monotonic() - ticket.at, reply)
            wait = self._next(fault, body, mode, tries)
            if wait:
                await asyncio.sleep(wait)
