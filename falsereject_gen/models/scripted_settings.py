"""What the scripted server can be told: latency, faults, limits, and what it rejects.

Faults are drawn from the seed, the request and how often that request has come: the same
requests meet the same faults in whatever order they arrive. Nothing here knows HTTP.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any, get_type_hints

from falsereject_gen.errors import UsageError

__all__ = ["FAULTS", "STRUCTURED_ONLY", "ServerSettings", "draw_fault", "parse_faults"]

FAULTS = {
    "429": "rate limit, with Retry-After",
    "429_bare": "rate limit, without Retry-After",
    "500": "internal error",
    "503": "overloaded",
    "401": "wrong key",
    "403": "key without permission",
    "404": "unknown model",
    "quota": "429 with code insufficient_quota",
    "slow": "five times the latency, at least 0.2 s more",
    "hang": "never answers, keeps the connection open",
    "drop": "connection closed in the middle of the body",
    "truncated": "half of the response JSON, the connection closed cleanly",
    "bad_json": "content that is no JSON where JSON was asked for",
    "wrong_schema": "content that is JSON of another shape",
    "prose": "the right JSON in a code fence with prose round it",
    "length": "half of the content, finish_reason=length",
    "empty": "empty content",
    "refusal": "message.refusal set, no content",
    "filter": "finish_reason=content_filter, no content",
    "think": "a <think> block before the answer",
}
STRUCTURED_ONLY = frozenset({"bad_json", "wrong_schema", "prose"})

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def parse_faults(text: str) -> dict[str, float]:
    """Read `429=0.1,500=0.05`; an empty text is no fault.

    Raises:
        UsageError: an unknown name (all names are listed), a name given twice, a probability
            outside 0..1, or a sum above 1.
    """
    out: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        name = name.strip()
        if name not in FAULTS:
            raise UsageError(f"faults: unknown fault `{name}`; known here: {', '.join(FAULTS)}")
        if name in out:
            raise UsageError(f"faults: `{name}` is given twice")
        out[name] = _probability(name, value)
    if sum(out.values()) > 1 + 1e-9:
        raise UsageError(f"faults: the probabilities add up to {sum(out.values()):g}, more than 1")
    return out


def _probability(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UsageError(f"faults: write {name}=P with P from 0 to 1 (got `{value}`)")
    return number


def draw_fault(
    faults: Mapping[str, float], seed: int, request: bytes, arrival: int, *, structured: bool
) -> str:
    """The fault that meets a request, or "".

    Args:
        faults: probability by name.
        seed: the server's seed.
        request: digest of the request.
        arrival: 1 for the first time that this request comes, 2 for the second …
        structured: whether JSON was asked for; without it, faults of JSON do not happen.
    """
    if not faults:
        return ""
    name = b"%d:%d:" % (seed, arrival) + request
    left = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big") / 2**64
    for fault, share in faults.items():
        if left < share:
            return fault if structured or fault not in STRUCTURED_ONLY else ""
        left -= share
    return ""


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """Everything that decides how the server behaves.

    Args:
        latency: seconds from request to reply.
        faults: as `parse_faults` reads them.
        seed: decides which requests meet which fault.
        rps: requests a second that a token bucket lets through; 0 is no limit.
        burst: size of that bucket; 0 is one second's worth.
        retry_after: seconds that a 429 names.
        host: a loopback address.
        no_schema: response_format json_schema is a 400.
        no_json_mode: response_format json_object is a 400 as well.
        no_temperature: a request with a temperature is a 400.
        max_completion_tokens_only: a request with max_tokens is a 400.

    Raises:
        UsageError: a negative number, or a host that is not loopback.
    """

    latency: float = 0.0
    faults: str = ""
    seed: int = 0
    rps: float = 0.0
    burst: float = 0.0
    retry_after: float = 1.0
    host: str = "127.0.0.1"
    no_schema: bool = False
    no_json_mode: bool = False
    no_temperature: bool = False
    max_completion_tokens_only: bool = False

    def __post_init__(self) -> None:
        parse_faults(self.faults)
        for name in ("latency", "rps", "burst", "retry_after"):
            value = getattr(self, name)
            if not 0 <= value < 1e9:
                raise UsageError(f"{name}: give a number from 0 up (got {value})")
        if self.host not in _LOOPBACK:
            raise UsageError(f"host {self.host}: loopback only, one of {', '.join(_LOOPBACK)}")

    def changed(self, values: Mapping[str, str]) -> "ServerSettings":
        """These settings with some read from text, as `/reset?latency=0.2&no_schema=1` gives them.

        Raises:
            UsageError: an unknown name or a value that cannot be read.
        """
        types = get_type_hints(ServerSettings)
        known = [name for name in types if name != "host"]
        out: dict[str, Any] = {}
        for name, text in values.items():
            if name not in known:
                raise UsageError(f"unknown setting `{name}`; known here: {', '.join(known)}")
            out[name] = _read(name, text, types[name])
        return dataclasses.replace(self, **out)


def _read(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in {"0", "1", "true", "false"}:
            raise UsageError(f"{name}: write 1 or 0 (got `{text}`)")
        return text.lower() in {"1", "true"}
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{name}: `{text}` is not a number") from None
