"""Replies of a given shape: JSON out of whatever surrounds it, validated, else asked again."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from falsereject_gen.errors import ReplyError
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.protocol import ChatModel, ChatReply, ChatRequest, Message

__all__ = ["Parsed", "RefusedError", "ask", "find_json", "strict_schema"]

T = TypeVar("T", bound=BaseModel)
_FENCE = re.compile(r"```(?:json|JSON)?\s*\n?(.*?)```", re.S)
_LOOSE = ("default", "title", "examples")  # strict mode refuses the first; none says what is wanted


class RefusedError(ReplyError):
    """The model declined by field or filter; carries the reply. Not a fault of the shape."""

    def __init__(self, reply: ChatReply) -> None:
        self.reply = reply
        why = "its content filter stopped the call" if reply.filtered else "it declined"
        super().__init__(f"{reply.model}: {why}", reply.refusal or reply.text)


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A reply in the shape asked for.

    Attributes:
        value: the validated reply.
        reply: the answer that it stood in.
        faults: what was wrong with the replies before it, in order.
    """

    value: T
    reply: ChatReply
    faults: tuple[str, ...] = ()


async def ask(
    model: ChatModel,
    request: ChatRequest,
    schema: type[T],
    retries: int = 2,
    *,
    keep_refusals: bool = False,
    parts: Parts | None = None,
    on_fault: Callable[[ChatRequest, ChatReply, str], None] = lambda *_: None,
) -> Parsed[T]:
    """Ask for a reply of a shape; if it does not parse, ask again with what was wrong.

    Args:
        model: who is asked.
        request: what is asked; its `reply_schema` is set from `schema` if it has none.
        schema: shape of the reply.
        retries: how often it may be asked again; each goes by its own `attempt` in the cache.
        keep_refusals: see `ChatModel.chat`.
        parts: sentences to ask again with; default: the packaged ones.
        on_fault: told of each reply that does not parse, at once: request, reply, what is wrong.

    Raises:
        ReplyError: no reply had the shape; carries the last raw text.
        RefusedError: the model declined; it is not asked again.
        EndpointError, Stopped: as for `chat`.
    """
    shape = request.reply_schema or strict_schema(schema)
    if request.reply_schema is None:
        request = _with(request, reply_schema=shape)
    now = request
    faults: list[str] = []
    while True:
        reply = await model.chat(now, keep_refusals=keep_refusals)
        if reply.refused:
            raise RefusedError(reply)
        value, fault = _parse(reply, schema)
        if value is not None:
            return Parsed(value, reply, tuple(faults))
        faults.append(fault)
        on_fault(now, reply, fault)
        if len(faults) > retries:
            times = "once" if len(faults) == 1 else f"{len(faults)} times"
            raise ReplyError(f"{reply.model}: asked {times}, no usable reply: {fault}", reply.text)
        again = (parts or Parts()).ask_again(fault, shape)
        now = _with(
            request,
            messages=_turns(request, reply, again),
            attempt=request.attempt + len(faults),
        )


def _turns(request: ChatRequest, reply: ChatReply, again: str) -> tuple[Message, ...]:
    """The conversation so far; many chat templates refuse two user turns in a row."""
    if reply.text.strip():
        said = Message(role="assistant", content=reply.text)
        return (*request.messages, said, Message(role="user", content=again))
    last = request.messages[-1]
    return (
        *request.messages[:-1],
        Message(role=last.role, content=f"{last.content}\n\n{again}"),
    )


def find_json(text: str) -> Iterator[Any]:
    """JSON objects in a text: the whole of it, then fenced, then any that stands in prose."""
    for piece in (text, *_FENCE.findall(text)):
        try:
            value = json.loads(piece)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = text.find("{", end)


@cache
def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a reply in the form that strict mode takes: closed, all keys required."""
    whole = schema.model_json_schema()
    _close(whole)
    whole["title"] = schema.__name__
    return whole


def _close(node: Any, *, names: bool = False) -> None:
    """Tighten a schema in place; `names` marks a mapping from property names, not keywords."""
    if isinstance(node, list):
        for item in node:
            _close(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        _close(value, names=key in {"properties", "$defs"} and not names)
    if names:
        return
    for key in _LOOSE:
        node.pop(key, None)
    if "properties" in node:
        node["additionalProperties"] = False
        node["required"] = list(node["properties"])


def _parse(reply: ChatReply, schema: type[T]) -> tuple[T | None, str]:
    """The validated value, or what is wrong; the first object that fits wins."""
    fault = ""
    for value in find_json(reply.text):
        try:
            return schema.model_validate(value), ""
        except ValidationError as error:
            fault = fault or _explain(error)
    if reply.cut:
        return None, "it was cut at max_tokens before it was complete; be briefer"
    return None, fault or "it holds no complete JSON object"


def _explain(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)
    lines = [
        f"{'.'.join(str(p) for p in one['loc']) or 'reply'}: {one['msg']}" for one in found[:5]
    ]
    rest = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return "; ".join(lines) + rest


def _with(request: ChatRequest, **changed: Any) -> ChatRequest:
    """A changed copy that has its own key (`model_copy` would take the old one along)."""
    return ChatRequest(**{**{k: getattr(request, k) for k in ChatRequest.model_fields}, **changed})
