"""An endpoint as roles and the progress display see it, whoever makes the calls; no client."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from falsereject_gen.models.config import Target
from falsereject_gen.models.protocol import ChatReply, ChatRequest, Message, Structured

__all__ = ["Asker", "Status"]


@dataclass(frozen=True)
class Status:
    """How an endpoint is doing now, for the progress display.

    Attributes:
        limit: calls that may be under way, as adapted; never above `ceiling`.
        random_loss: share of push-back that does not depend on load.
        paused_s: seconds for which the endpoint is left alone.
    """

    name: str
    in_flight: int
    waiting: int
    limit: int
    ceiling: int
    random_loss: float
    paused_s: float
    structured: Structured


class Asker:
    """One model at one endpoint, as roles see it: makes the requests that `chat` answers.

    Args:
        name: what the user calls it.
        target: where it is.
    """

    def __init__(self, name: str, target: Target) -> None:
        self.name, self.target = name, target

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
        """Answer a request (see `ChatModel`)."""
        raise NotImplementedError
