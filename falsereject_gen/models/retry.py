"""Which failures another try mends, how long to wait for it, and which end the run at once.

Pure: nothing here sleeps or sends. `classify` reads an HTTP status and body, `Patience` says how
often and when to try again.
"""

import email.utils
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from falsereject_gen.errors import EndpointError

__all__ = ["PUSHBACK", "CallFailed", "Fault", "Kind", "Patience", "classify", "retry_after"]

Kind = Literal[
    "rate_limit",
    "overloaded",
    "server",
    "timeout",
    "connection",
    "truncated",
    "empty",
    "request",
    "filtered",
    "fatal",
]
PUSHBACK: frozenset[Kind] = frozenset({"rate_limit", "overloaded", "timeout"})
_OVERLOADED = (503, 529)
_RETRIED = (408, 409, 425)
_FILTERED = re.compile(r"content[_ -]?(filter|policy|management)|responsibleai|flagged", re.I)
_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|credit|funds)|billing_hard_limit|payment", re.I
)
_NO_MODEL = re.compile(
    r"model(?:(?!\",|\"}).){0,120}(not exist|not found|not available|unknown|invalid)", re.I | re.S
)
_NO_MODEL_2 = re.compile(r"(unknown|invalid|no such) model|model_not_found", re.I)
_BAD_KEY = re.compile(r"api[ _]key (not valid|invalid)|(invalid|incorrect)[ _]api[ _]key", re.I)


class CallFailed(EndpointError):
    """One call got no usable answer; calls beside it did, so the run may go on."""


class Fault(Exception):
    """One try that failed, classified; it never leaves this room."""

    def __init__(
        self, kind: Kind, says: str, *, status: int = 0, wait: float | None = None, code: str = ""
    ) -> None:
        self.kind, self.says, self.status, self.wait, self.code = kind, says, status, wait, code
        self.param, self.quota, self.model = "", False, False
        super().__init__(says)


@dataclass(frozen=True)
class Patience:
    """How often each kind is tried and how long is waited between.

    Attributes:
        tries: tries a call may spend on one kind of failure. Rate limits get many, since a free
            tier may want a minute; a hang gets few, since each costs a whole timeout.
        base_s: the first wait is about this long; each further one doubles.
        cap_s: no wait without a Retry-After is longer.
        obey_s: a Retry-After beyond this ends the run, resumable, instead of sleeping through it.
    """

    tries: dict[str, int] = field(
        default_factory=lambda: {
            "rate_limit": 20,
            "overloaded": 12,
            "server": 10,
            "timeout": 4,
            "connection": 10,
            "truncated": 6,
            "empty": 3,
        }
    )
    base_s: float = 0.1
    cap_s: float = 20.0
    obey_s: float = 600.0

    def spent(self, kind: Kind, count: int) -> bool:
        """Whether `count` failures of this kind are all that one call may have."""
        return count >= self.tries.get(kind, 1)

    def wait(self, fault: Fault, count: int, *, brisk: bool = False) -> float:
        """Seconds until the next try: Retry-After is obeyed, else a jittered doubling.

        Args:
            fault: what failed.
            count: failures of that kind so far.
            brisk: other calls are being answered, so this was chance: no long waits.
        """
        if fault.wait is not None:
            return fault.wait * (1 + 0.05 * random.random())
        cap = min(self.cap_s, 4 * self.base_s) if brisk else self.cap_s
        return min(cap, self.base_s * 2.0 ** (count - 1)) * (0.5 + random.random() / 2)


def retry_after(headers: Any) -> float | None:
    """Seconds that a Retry-After header asks for (a number, milliseconds or a date), or None."""
    try:
        if (milli := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milli) / 1000)
    except ValueError:
        pass
    value = headers.get("retry-after")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def classify(status: int, body: str, wait: float | None = None) -> Fault:
    """The fault that an HTTP answer other than 200 means.

    Args:
        status: HTTP status, or the code inside an error body that came with a 200.
        body: the answer's text, JSON or not.
        wait: seconds of its Retry-After.
    """
    says, code, param, whole = _read_error(body)
    fault = Fault(_kind(status, whole), says, status=status, wait=wait, code=code)
    fault.param = param
    fault.quota = status == 402 or bool(_QUOTA.search(whole))
    fault.model = _names_no_model(whole)
    return fault


def _kind(status: int, text: str) -> Kind:
    if status in {400, 403, 422} and _FILTERED.search(text):
        return "filtered"
    if status in {400, 401, 402, 403, 404, 429} and _QUOTA.search(text):
        return "fatal"
    if status == 429:
        return "rate_limit"
    if status in _OVERLOADED:
        return "overloaded"
    if status in _RETRIED or (status >= 500 and status != 501):
        return "server"
    if status in {400, 422}:
        return "fatal" if _names_no_model(text) or _BAD_KEY.search(text) else "request"
    return "request" if status == 413 else "fatal"


def _names_no_model(text: str) -> bool:
    return bool(_NO_MODEL.search(text) or _NO_MODEL_2.search(text))


def _read_error(body: str) -> tuple[str, str, str, str]:
    """The message, code and parameter of an error body, and all of it that can be matched."""
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return " ".join(body[:300].split()), "", "", body[:4000]
    if isinstance(error, list) and error:
        error = error[0]
    inner = error.get("error", error) if isinstance(error, dict) else error
    if not isinstance(inner, dict):
        return str(inner)[:300], "", "", str(inner)[:4000]
    says = str(inner.get("message") or inner.get("detail") or body[:300])
    code = str(inner.get("code") or inner.get("type") or "")
    return " ".join(says[:300].split()), code, str(inner.get("param") or ""), body[:4000]
