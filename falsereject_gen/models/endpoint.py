"""A model behind an endpoint: call cache and budget round a `Caller`.

The order for each call is cache, equal call under way, budget, tries, store, use.
"""

import asyncio

from falsereject_gen.models.asker import Asker, Status
from falsereject_gen.models.budget import Budget
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.caller import Caller
from falsereject_gen.models.config import Target
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.protocol import ChatReply, ChatRequest
from falsereject_gen.models.retry import Fault, Patience
from falsereject_gen.models.wire import CHARS_A_TOKEN

__all__ = ["Endpoint"]


class Endpoint(Asker):
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
        super().__init__(name, target)
        self.budget = budget or Budget()
        self.parts = parts or Parts()
        self._cache = cache
        self._caller = Caller(target, patience or Patience(), self.parts, self._failed)
        self._open: dict[str, asyncio.Future[ChatReply]] = {}
        self._tokens_out = 256.0  # running mean, the guess for the next call

    async def chat(self, request: ChatRequest, *, keep_refusals: bool = False) -> ChatReply:
        """Answer a request (see `ChatModel`); equal requests under way are asked once."""
        key = request.key
        while True:
            found = self._known(key)
            leader = self._open.get(key) if found is None else None
            if leader is not None:
                await asyncio.wait([leader])
                if leader.cancelled():
                    continue
                found = leader.result().model_copy(update={"cached": True})
            if found is None:
                return await self._lead(request, keep_refusals)
            self.budget.usage.answered(request.role, request.model, found)
            return found

    def status(self) -> Status:
        """How it is doing now."""
        limiter = self._caller.limiter
        return Status(
            name=self.name,
            in_flight=limiter.in_flight,
            waiting=limiter.waiting,
            limit=int(limiter.adaptive.limit),
            ceiling=int(limiter.adaptive.ceiling),
            random_loss=limiter.adaptive.floor,
            paused_s=limiter.paused_s,
            structured=self._caller.learned.structured,
        )

    def hold(self) -> None:
        """Send nothing more; calls under way go on."""
        self._caller.limiter.pause(float("inf"))

    async def models(self) -> bytes:
        """The endpoint's list of models as JSON, for `doctor`.

        Raises:
            Fault: it did not answer with one.
        """
        return await self._caller.client.models()

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.client.close()

    async def _lead(self, request: ChatRequest, keep_refusals: bool) -> ChatReply:
        """Make the call on behalf of all who ask the same meanwhile."""
        turn: asyncio.Future[ChatReply] = asyncio.get_running_loop().create_future()
        self._open[request.key] = turn
        try:
            reply = await self._pay(request, keep_refusals)
        except asyncio.CancelledError:
            turn.cancel()
            raise
        except BaseException as fault:
            turn.set_exception(fault)
            turn.exception()  # raised here; that nobody else waits for it is no mistake
            raise
        finally:
            del self._open[request.key]
        turn.set_result(reply)
        return reply

    async def _pay(self, request: ChatRequest, keep_refusals: bool) -> ChatReply:
        tokens_in = sum(len(m.content) for m in request.messages) / CHARS_A_TOKEN
        price_in, price_out = self.target.prices or (0.0, 0.0)
        cost = (tokens_in * price_in + self._tokens_out * price_out) / 1e6
        reserve = self.budget.reserve(tokens_in + self._tokens_out, cost)
        try:
            reply = await self._caller.answer(request, reserve.tokens)
            self._tokens_out += 0.05 * (reply.tokens_out - self._tokens_out)
            await self._keep(request, reply, keep_refusals)
            self.budget.usage.answered(request.role, request.model, reply)
        finally:
            self.budget.release(reserve)
        return reply

    def _known(self, key: str) -> ChatReply | None:
        """What the store answers, or the refusal that an earlier sitting met here."""
        if self._cache is None:
            return None
        return self._cache.get(key) or self._cache.declined(key)

    async def _keep(self, request: ChatRequest, reply: ChatReply, keep_refusals: bool) -> None:
        if self._cache is None:
            return
        if keep_refusals or not reply.refused:
            await self._cache.put(request, reply)
        else:
            await self._cache.refused(request, reply)

    def _failed(
        self, request: ChatRequest, fault: Fault, seconds: float, paid: ChatReply | None
    ) -> None:
        self.budget.usage.failed(request.role, request.model, paid)
        if self._cache is not None:
            self._cache.failed(
                request, fault.kind, fault.says, status=fault.status, seconds=seconds, paid=paid
            )
