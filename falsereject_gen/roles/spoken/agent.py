"""An agent: a card and the endpoints that play it, asked for a reply of its shape.

Every failure leaves here as a ReplyError (the round fails, the run goes on) or as an error that
ends the run: a wrong key, a spent budget.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from falsereject_gen.errors import ReplyError
from falsereject_gen.models.desk import Models
from falsereject_gen.models.protocol import ChatReply, ChatRequest
from falsereject_gen.models.retry import CallFailed
from falsereject_gen.models.structured import RefusedError, ask, strict_schema
from falsereject_gen.roles.spoken.card import Prompts, load_card
from falsereject_gen.roles.spoken.replies import REPLIES
from falsereject_gen.rooms import Rooms

__all__ = ["Agent", "RefusedError"]

T = TypeVar("T", bound=BaseModel)


class Agent:
    """A role played by one or more endpoints in rotation.

    Args:
        name: of the card, agents/<name>.yaml.
        endpoints: names in the settings, or `preset:model`; the seed of a call picks one.
        models: where endpoints come from.
        rooms: assets.
    """

    def __init__(self, name: str, endpoints: Sequence[str], models: Models, rooms: Rooms) -> None:
        self.card = load_card(rooms, name)
        self._prompts = Prompts(rooms)
        self._endpoints, self._models = tuple(endpoints), models

    def endpoint(self, seed: int) -> str:
        """Whose turn it is for this seed."""
        return self._endpoints[seed % len(self._endpoints)]

    async def ask(self, shape: type[T], seed: int, attempt: int = 0, **variables: Any) -> T:
        """A reply of the card's shape.

        Args:
            shape: the type that `card.reply` names, for the caller's type checker.
            seed: sampling seed; another seed is another call.
            attempt: round that asks; goes into the key of the call cache.
            variables: exactly those that the card declares.

        Raises:
            RefusedError: the model declined.
            ReplyError: no usable reply came, with the raw text.
        """
        if REPLIES.get(self.card.reply or "") is not shape:
            raise TypeError(f"{self.card.role} answers in the shape {self.card.reply}")
        endpoint = self._models.get(self.endpoint(seed))
        request = endpoint.request(
            self._prompts.messages(self.card, **variables),
            role=self.card.role,
            sampling={**self.card.sampling, "seed": seed % 2**31},
            schema=strict_schema(shape),
            attempt=attempt,
        )
        parts, note = self._models.parts, self._note
        try:
            tries = self.card.retries
            found = await ask(endpoint, request, shape, tries, parts=parts, on_fault=note)
        except CallFailed as fault:
            raise ReplyError(str(fault)) from None
        return found.value

    def _note(self, request: ChatRequest, reply: ChatReply, says: str) -> None:
        """Explain a reply that cannot be used in the store, once: not when it is replayed."""
        if reply.cached:
            return
        self._models.budget.usage.failed(request.role, request.model)
        if self._models.cache is not None:
            self._models.cache.failed(
                request, "unusable", says, status=200, seconds=reply.latency_s
            )

    async def say(self, seed: int, attempt: int = 0, **variables: Any) -> ChatReply:
        """A plain reply; a refusal is an answer like any other.

        Raises:
            ReplyError: the call failed for good.
        """
        endpoint = self._models.get(self.endpoint(seed))
        request = endpoint.request(
            self._prompts.messages(self.card, **variables),
            role=self.card.role,
            sampling={**self.card.sampling, "seed": seed % 2**31},
            attempt=attempt,
        )
        try:
            return await endpoint.chat(request, keep_refusals=True)
        except CallFailed as fault:
            raise ReplyError(str(fault)) from None
