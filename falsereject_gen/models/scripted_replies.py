"""The bodies that the scripted server sends: completions, errors, and how faults spoil them."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from falsereject_gen.models import scripted_text as text
from falsereject_gen.models.scripted_ask import Ask
from falsereject_gen.models.scripted_roles import answer
from falsereject_gen.models.scripted_schema import Dice
from falsereject_gen.models.scripted_settings import ServerSettings

__all__ = ["STATUS", "Rejected", "checked", "completion", "error", "faulty", "model", "models"]

# Faults that are a status: status, message, type, code.
STATUS: Mapping[str, tuple[int, str, str, str | None]] = {
    "429": (429, "Rate limit reached for {model}.", "requests", "rate_limit_exceeded"),
    "429_bare": (429, "Rate limit reached for {model}.", "requests", "rate_limit_exceeded"),
    "500": (500, "The server had an error while processing your request.", "server_error", None),
    "503": (503, "The engine is overloaded, try again later.", "server_error", "overloaded"),
    "401": (401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    "403": (403, "This key may not use {model}.", "permission_error", "permission_denied"),
    "404": (404, "The model `{model}` does not exist.", "invalid_request_error", "model_not_found"),
    "quota": (
        429,
        "You exceeded your current quota, check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
}


class Rejected(Exception):
    """A request that is answered with an error, whatever the faults."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        super().__init__(status)


def error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
) -> bytes:
    """An error body as the OpenAI API has it."""
    fault = {"message": message, "type": kind, "param": param, "code": code, "status": status}
    return json.dumps({"error": fault}).encode()


def faulty(fault: str, model: str, retry_after: float) -> tuple[int, bytes, str]:
    """Status, body and headers of a fault that is a status; `retry_after` is in seconds."""
    status, message, kind, code = STATUS[fault]
    headers = ""
    if fault == "429":
        whole = math.ceil(retry_after)
        headers = f"Retry-After: {whole}\r\nretry-after-ms: {retry_after * 1000:.0f}\r\n"
    return status, error(status, message.format(model=model), kind, code), headers


def model(name: str) -> bytes:
    """One model of the list."""
    return json.dumps(_model(name)).encode()


def models(names: Sequence[str]) -> bytes:
    """The list of models."""
    return json.dumps({"object": "list", "data": [_model(name) for name in names]}).encode()


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "scripted"}


def checked(raw: bytes, settings: ServerSettings) -> dict[str, Any]:
    """The request, if the server takes it.

    Raises:
        Rejected: not a chat request, or it uses what the settings say is rejected.
    """
    try:
        body = json.loads(raw)
    except ValueError:
        raise _rejected("the body is not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise _rejected("you must provide a model parameter", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_message, messages)):
        raise _rejected("`messages` must be a list of messages, at least one", "messages")
    if body["model"].startswith("missing"):
        status, text_, _ = faulty("404", body["model"], 0)
        raise Rejected(status, text_)
    if body.get("stream") or body.get("n", 1) not in {1, None}:
        raise _rejected("this server plays neither `stream` nor `n` above 1", "stream")
    _check_form(body.get("response_format"), settings)
    if settings.no_temperature and body.get("temperature") is not None:
        what = "'temperature' is not supported with this model."
        raise _rejected(f"Unsupported parameter: {what}", "temperature", "unsupported_parameter")
    if settings.max_completion_tokens_only and body.get("max_tokens") is not None:
        what = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        raise _rejected(f"Unsupported parameter: {what}", "max_tokens", "unsupported_parameter")
    return body


def _message(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        return False
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    known = content is None or isinstance(content, str | list)
    return known and all(isinstance(part, dict) for part in parts)


def _check_form(form: Any, settings: ServerSettings) -> None:
    if form is None:
        return
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in {"text", "json_object", "json_schema"}:
        raise _rejected("response_format: unknown type", "response_format")
    if kind == "json_schema" and not isinstance(form.get("json_schema", {}).get("schema"), dict):
        raise _rejected("response_format: json_schema.schema is missing", "response_format")
    modes_off = settings.no_schema or settings.no_json_mode
    if (kind == "json_schema" and modes_off) or (kind == "json_object" and settings.no_json_mode):
        what = f"'response_format' of type '{kind}' is not supported with this model."
        raise _rejected(f"Invalid parameter: {what}", "response_format")


def _rejected(message: str, param: str | None = None, code: str | None = None) -> Rejected:
    return Rejected(400, error(400, message, param=param, code=code))


def completion(body: Mapping[str, Any], ask: Ask, fault: str) -> tuple[bytes, tuple[int, int]]:
    """A chat completion, spoiled by the fault if there is one, and its tokens (prompt, reply).

    The words are a function of model, messages, format and seed; a token is four characters.
    """
    name = json.dumps([body[key] for key in ("model", "messages")] + [body.get("seed")])
    form = b"s" if ask.strict else b"j" if ask.structured else b""
    digest = hashlib.blake2b(name.encode() + form, digest_size=12).digest()
    dice = Dice(digest)
    said = answer(ask, dice)
    thought = text.think(dice) if fault == "think" or "think" in ask.model else ""
    reasoning = text.think(dice) if "reason" in ask.model else None
    content, refusal, finish = _spoil(said.content, fault, dice)
    if said.refusal and content:
        content, refusal = None, content
    if content and thought:
        content = f"<think>\n{thought}\n</think>\n\n{content}"
    content, finish = _cut(content, body, finish)
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": refusal}
    if reasoning:
        message["reasoning_content"] = reasoning
    prompt = (len(ask.system) + len(ask.user)) // 4 + 4 * len(body["messages"])
    spent = len(content or "") // 4 + len(refusal or "") // 4 + 1
    hidden = len(reasoning or "") // 4
    made = {
        "id": f"chatcmpl-{digest.hex()}",
        "object": "chat.completion",
        "created": 1700000000,
        "model": ask.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": spent + hidden,
            "total_tokens": prompt + spent + hidden,
            "completion_tokens_details": {"reasoning_tokens": hidden},
        },
    }
    return json.dumps(made).encode(), (prompt, spent + hidden)


def _spoil(content: str, fault: str, dice: Dice) -> tuple[str | None, str | None, str]:
    """Content, refusal and finish_reason of an answer that a fault has met."""
    if fault == "length":
        return content[: len(content) // 2], None, "length"
    if fault == "filter":
        return "", None, "content_filter"
    if fault == "refusal":
        return None, text.decline(dice), "stop"
    spoiled: dict[str, Callable[[], str]] = {
        "empty": lambda: "",
        "bad_json": lambda: content[: max(1, len(content) * 2 // 3)] + ",,",
        "wrong_schema": lambda: json.dumps({"result": {"status": "ok", "items": [1, 2]}}),
        "prose": lambda: f"Sure, here it is:\n\n```json\n{content}\n```\n\nAnything else?",
    }
    return (spoiled[fault]() if fault in spoiled else content), None, "stop"


def _cut(content: str | None, body: Mapping[str, Any], finish: str) -> tuple[str | None, str]:
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if content is None or not isinstance(most, int) or len(content) <= 4 * most:
        return content, finish
    return content[: 4 * most], "length"
