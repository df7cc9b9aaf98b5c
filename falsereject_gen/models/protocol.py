"""What is asked of a model and what comes back, and the one method between.

No HTTP, no file, no clock. A request's key covers all that can change its reply, and no secret.
"""

import hashlib
import json
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Literal, Protocol

from pydantic import Field

from falsereject_gen.records import Record

__all__ = ["PLACE", "ChatModel", "ChatReply", "ChatRequest", "Message", "Structured"]

PLACE: ContextVar[int] = ContextVar("place", default=0)
"""Whose work a call is for: where calls wait, those with a lower place go first."""

Structured = Literal["auto", "json_schema", "json_object", "fenced"]


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(Record):
    """One question to one model, complete: the same request may always have the same reply."""

    endpoint: str = Field(description="Base URL of the endpoint.")
    model: str
    messages: tuple[Message, ...] = Field(min_length=1)
    sampling: dict[str, Any] = Field(
        default_factory=dict, description="temperature, top_p, max_tokens, seed …, as sent."
    )
    reply_schema: dict[str, Any] | None = Field(default=None, description="JSON schema wanted.")
    structured: Structured = Field(default="auto", description="How the schema is to be asked for.")
    role: str = Field(default="", description="Who asks, for the accounts; not in the key.")
    attempt: int = Field(default=0, ge=0, description="0, or how often it was asked before.")
    place: int = Field(
        default_factory=lambda: PLACE.get(), description="Place in the queue; not in the key."
    )

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the whole request as canonical JSON, without `role` and `place`."""
        whole = {
            "endpoint": self.endpoint,
            "model": self.model,
            "messages": [(m.role, m.content) for m in self.messages],
            "sampling": self.sampling,
            "schema": self.reply_schema,
            "structured": self.structured,
            "attempt": self.attempt,
        }
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class ChatReply(Record):
    """What a model answered."""

    text: str = Field(description="The reply proper, without reasoning; may be empty.")
    reasoning: str = Field(default="", description="`<think>` blocks or a reasoning field.")
    refusal: str | None = Field(default=None, description="An explicit `refusal` field.")
    finish_reason: str = Field(default="stop", description="stop, length, content_filter …")
    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = Field(default=True, description="Tokens as reported; else estimated.")
    cost: float = Field(default=0.0, description="In the currency of the prices, mostly USD.")
    model: str = Field(default="", description="The model that the endpoint says answered.")
    cached: bool = Field(default=False, description="Came from the call cache, cost nothing now.")
    latency_s: float = Field(default=0.0, description="Seconds of the attempt that succeeded.")

    @property
    def filtered(self) -> bool:
        """The endpoint's own filter stopped the prompt or the reply."""
        return self.finish_reason == "content_filter"

    @property
    def refused(self) -> bool:
        """An explicit refusal, by field or by filter; refusals in words are for a judge."""
        return self.refusal is not None or self.filtered

    @property
    def cut(self) -> bool:
        """The reply ended because `max_tokens` was reached."""
        return self.finish_reason == "length"


class ChatModel(Protocol):
    """Anything that answers chat requests."""

    async def chat(self, request: ChatRequest, *, keep_refusals: bool = False) -> ChatReply:
        """Answer one request.

        Args:
            request: the question.
            keep_refusals: whether a refusal is an answer that the call cache may keep; a node that
                asks for refusals says yes, one that wants the work done says no.

        Raises:
            CallFailed: this call got no answer; others may.
            EndpointError: no call to this endpoint can succeed as things stand.
            Stopped: a budget is spent.
        """
        ...
