"""What the scripted server counts, and shows at /stats."""

import time
from collections import Counter
from collections.abc import Hashable
from typing import Any

__all__ = ["Stats"]


class Stats:
    """Counters since the start or the last reset.

    A request is known by the digest of its body. It is *finished* when a whole answer without
    a fault that spoils it was sent; one that comes again after that is `repeated`.
    """

    def __init__(self) -> None:
        self.status: Counter[int] = Counter()
        self.models = 0
        self._faults: Counter[str] = Counter()
        self._roles: Counter[str] = Counter()
        self._under_way: dict[Hashable, bytes] = {}
        # Per digest: twice the number of arrivals, plus 1 once it is finished. Small integers in
        # one dict: a million requests fit in 100 MB.
        self._seen: dict[bytes, int] = {}
        self._requests = self._ok = self._peak = 0
        self._repeated = self._retried = self._abandoned = 0
        self._tokens = {"prompt": 0, "completion": 0}
        self._first = self._last = 0.0

    def arrive(self, who: Hashable, digest: bytes) -> int:
        """A chat request came; returns how often it has come by now, 1 for the first time."""
        now = time.time()
        self._first = self._first or now
        self._last = now
        self._requests += 1
        self._under_way[who] = digest
        self._peak = max(self._peak, len(self._under_way))
        before = self._seen.get(digest, 0)
        self._seen[digest] = before + 2
        if before % 2:
            self._repeated += 1
        elif before:
            self._retried += 1
        return before // 2 + 1

    def met(self, role: str, fault: str) -> None:
        """The role that was asked for, and the fault that the request meets."""
        self._roles[role] += 1
        if fault:
            self._faults[fault] += 1

    def end(
        self, who: Hashable, status: int, *, clean: bool, usage: tuple[int, int] = (0, 0)
    ) -> None:
        """A chat request was answered, with `usage` = tokens of prompt and completion."""
        digest = self._under_way.pop(who, None)
        if digest is None:  # it came before the last reset
            return
        self._last = time.time()
        self.status[status] += 1
        self._tokens["prompt"] += usage[0]
        self._tokens["completion"] += usage[1]
        if clean:
            self._ok += 1
            self._seen[digest] |= 1

    def abandon(self, who: Hashable) -> None:
        """A client left before its answer."""
        if self._under_way.pop(who, None) is not None:
            self._abandoned += 1

    def shown(self, connections: int) -> dict[str, Any]:
        """The counters as JSON values."""
        return {
            "requests": self._requests,
            "ok": self._ok,
            "status": {str(code): n for code, n in sorted(self.status.items())},
            "faults": dict(sorted(self._faults.items())),
            "roles": dict(sorted(self._roles.items())),
            "in_flight": len(self._under_way),
            "peak_in_flight": self._peak,
            "unique": len(self._seen),
            "repeated": self._repeated,
            "retried": self._retried,
            "abandoned": self._abandoned,
            "connections": connections,
            "models_calls": self.models,
            "tokens": dict(self._tokens),
            "span_s": round(max(0.0, self._last - self._first), 4),
        }
