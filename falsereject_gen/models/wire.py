"""Chat requests to JSON bodies, and answers to replies. Pure: nothing is sent here."""

import json
import re
from typing import Any

from falsereject_gen.models.learned import Learned
from falsereject_gen.models.parts import Parts
from falsereject_gen.models.protocol import ChatReply, ChatRequest, Structured
from falsereject_gen.models.retry import Fault, classify

__all__ = ["CHARS_A_TOKEN", "body_of", "reply_of"]

CHARS_A_TOKEN = 4  # a rough mean for English, used where an endpoint does not count
_THINK = re.compile(r"\s*<think(?:ing)?>(.*?)(?:</think(?:ing)?>|\Z)", re.S)
_THOUGHT = re.compile(r"((?:(?!<think(?:ing)?>).)*?)</think(?:ing)?>", re.S)
_FILTERS = ("content_filter", "safety", "prohibited_content", "blocklist", "spii")


def body_of(
    request: ChatRequest, learned: Learned, mode: Structured, parts: Parts
) -> dict[str, Any]:
    """The JSON body of a request, in the terms that the endpoint accepts."""
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    for name, value in request.sampling.items():
        if value is None or name in learned.dropped:
            continue
        is_tokens = name in {"max_tokens", "max_completion_tokens"}
        body[learned.token_name or name if is_tokens else name] = value
    if request.reply_schema is not None:
        _ask_for_shape(body, request.reply_schema, mode, parts)
    return body


def _ask_for_shape(
    body: dict[str, Any], schema: dict[str, Any], mode: Structured, parts: Parts
) -> None:
    if mode == "json_schema":
        name = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title", "reply")))[:60]
        shape = {"name": name, "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
        return
    if mode == "json_object":
        body["response_format"] = {"type": "json_object"}
    last = body["messages"][-1]
    shape_text = parts.reply_shape(schema, fenced=mode == "fenced")
    last["content"] = f"{last['content']}\n\n{shape_text}"


def reply_of(
    raw: bytes, request: ChatRequest, seconds: float, prices: tuple[float, float] | None
) -> ChatReply:
    """The reply in an answer's body.

    Args:
        raw: the body of an answer with status 200.
        request: what was asked.
        seconds: how long it took.
        prices: of a million tokens in and out; without, the cost that the endpoint states, or 0.

    Raises:
        Fault: the body is cut, is no chat answer, or holds an error.
    """
    try:
        data = json.loads(raw)
        choices = data.get("choices")
    except (ValueError, AttributeError, RecursionError):
        raise _unreadable(raw) from None
    try:
        if choices and not choices[0].get("error"):
            return _read(data, choices[0], request, seconds, prices)
        holder = choices[0] if choices else data
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as fault:
        raise Fault("truncated", f"an answer of another shape: {fault}", status=200) from None
    if holder.get("error"):
        raise _inner(holder["error"])
    raise Fault("truncated", "an answer without choices", status=200)


def _unreadable(raw: bytes) -> Fault:
    if raw.lstrip()[:1] == b"<":
        return Fault("fatal", "answers with a web page; does base_url end in /v1?", status=200)
    return Fault("truncated", f"broken JSON of {len(raw)} bytes", status=200)


def _inner(error: Any) -> Fault:
    """An error inside an answer with status 200, as some routers send."""
    code = str(error.get("code")) if isinstance(error, dict) else ""
    status = int(code) if code.isdigit() and 400 <= int(code) < 600 else 500
    return classify(status, json.dumps({"error": error}))


def _read(
    data: dict[str, Any],
    choice: dict[str, Any],
    request: ChatRequest,
    seconds: float,
    prices: tuple[float, float] | None,
) -> ChatReply:
    message = choice.get("message") or {}
    text, thought = _content(message.get("content"))
    given = message.get("reasoning_content") or message.get("reasoning") or ""
    finish = _finish(str(choice.get("finish_reason") or "stop"))
    refusal = message.get("refusal") or None
    if finish == "refusal":
        refusal = refusal or text or "the model declined"
    tokens_in, tokens_out, cost = _usage(data.get("usage"), request, text, prices)
    return ChatReply(
        text=text,
        reasoning="\n".join(part for part in (given, thought) if part),
        refusal=refusal,
        finish_reason=finish,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        counted=bool(data.get("usage")),
        cost=cost,
        model=str(data.get("model") or request.model),
        latency_s=round(seconds, 4),
    )


def _usage(
    usage: dict[str, Any] | None,
    request: ChatRequest,
    text: str,
    prices: tuple[float, float] | None,
) -> tuple[int, int, float]:
    if usage:
        tokens_in = usage.get("prompt_tokens") or 0
        tokens_out = usage.get("completion_tokens") or 0
    else:
        tokens_in = sum(len(m.content) for m in request.messages) // CHARS_A_TOKEN
        tokens_out = len(text) // CHARS_A_TOKEN
    if prices:
        return tokens_in, tokens_out, (tokens_in * prices[0] + tokens_out * prices[1]) / 1e6
    return tokens_in, tokens_out, float((usage or {}).get("cost") or 0.0)


def _finish(reason: str) -> str:
    low = reason.lower()
    return "content_filter" if low.startswith(_FILTERS) else low


def _content(content: Any) -> tuple[str, str]:
    """Reply and reasoning of a content: a string, maybe with `<think>`, or typed parts."""
    if isinstance(content, list):
        said = [p.get("text") or "" for p in content if p.get("type", "text") == "text"]
        thought = [_flat(p.get("thinking")) for p in content if p.get("type") == "thinking"]
        return "".join(said), "\n".join(thought)
    text = str(content or "")
    found = (_THINK.match(text) or _THOUGHT.match(text)) if "think" in text else None
    if not found:
        return text, ""
    return text[found.end() :].lstrip(), found[1].strip()


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else "".join(p.get("text") or "" for p in value or [])
