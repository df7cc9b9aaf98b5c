"""How many calls may be under way at once, learned from push-back (429, 503, timeouts).

Push-back means overload only if it grows with load. When more of it is seen than random loss
explains, the limit is halved as an experiment: if the share falls, it was overload, and the limit
settles where the endpoint's capacity was measured; if it stays, it was random, the limit is
restored and that share counts as random loss from then on. After that the limit climbs: fast below
the last known capacity, slowly above it. No clock and no I/O here; time is an argument.
"""

import logging
import math

__all__ = ["Adaptive"]

log = logging.getLogger("falsereject_gen.models")

_EXPERIMENT = 0.5  # the cut that tells overload from random loss
_IMPROVED = 0.75  # share after the cut, over the share before, from which it was overload
_HOPELESS = 0.8  # no random loss is this large: the endpoint is shut


class Adaptive:
    """The concurrency limit of one endpoint.

    Args:
        ceiling: the limit never exceeds this; it starts there.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = float(ceiling)
        self.limit = float(ceiling)
        self.floor = 0.0
        self.latency = 0.0
        self.capacity = math.inf
        self.epoch = 0
        self._push_latency = 0.0
        self._before: tuple[float, float, int] | None = None
        self._gain = 0.0
        self._clear()

    def sent(self) -> int:
        """A call goes out; returns the epoch to give back with its result."""
        self._sent += 1
        return self.epoch

    def done(self, epoch: int, *, pushed: bool, seconds: float) -> bool:
        """A call came back; returns True when the endpoint looks shut and all should pause.

        Args:
            epoch: what `sent` returned; results of calls sent before the last change do not count.
            pushed: it was push-back rather than an answer.
            seconds: time from sending to the result.
        """
        self._learn_latency(pushed, seconds)
        if epoch != self.epoch:
            return False
        self._ok += not pushed
        self._pushed += pushed
        if self._before is not None:
            return self._experiment()
        return self._watch()

    def _learn_latency(self, pushed: bool, seconds: float) -> None:
        if pushed:
            self._push_latency += 0.2 * (seconds - self._push_latency)
        else:
            self.latency += (0.1 if self.latency else 1.0) * (seconds - self.latency)

    def _clear(self) -> None:
        self._sent = self._ok = self._pushed = 0

    def _share(self) -> tuple[float, int]:
        """Share of calls pushed back, and out of how many.

        Push-back mostly comes faster than answers: then every call not pushed yet will be answered,
        and counting only what has come back would overstate the share.
        """
        known = self._ok + self._pushed
        if self._push_latency < 0.5 * self.latency:
            known = max(known, self._sent)
        return self._pushed / max(1, known), known

    def _too_many(self, share: float, known: int) -> bool:
        noise = 3 * math.sqrt(self.floor * (1 - self.floor) * known)
        return share * known >= max(4.0, self.floor * known + noise + 0.02 * known)

    def _watch(self) -> bool:
        share, known = self._share()
        if self._too_many(share, known):
            if share > _HOPELESS and known >= 8:
                return self._shut()
            if self.limit >= 0.8 * self.capacity:
                self._settle(self.limit, share)
            else:
                self._begin(share, known)
        elif self._ok + self._pushed >= max(80.0, 2 * self.limit):
            self._climb(share)
        return False

    def _begin(self, share: float, known: int) -> None:
        self._before = (self.limit, share, known)
        self._move(max(1.0, self.limit * _EXPERIMENT))

    def _experiment(self) -> bool:
        assert self._before is not None
        limit, share, known = self._before
        wanted = min(200.0, max(32.0, 10 / share))
        if self._pushed < 10 and self._ok + self._pushed < wanted:
            return False
        now, seen = self._share()
        self._before = None
        if now > _HOPELESS:
            return self._shut()
        if now < _IMPROVED * share or self.limit >= limit:
            self._confirm(limit, share, now, seen)
        else:
            self.floor = min(0.6, (share * known + now * seen) / (known + seen))
            log.info(
                "push-back of %.0f %% does not depend on load: taken as random", 100 * self.floor
            )
            self._move(limit)
        return False

    def _confirm(self, limit: float, share: float, now: float, seen: int) -> None:
        """It was overload: settle by the share after the cut, or, if that is none, before it."""
        if self._too_many(now, seen):
            self._settle(self.limit, now)
        else:
            self._settle(limit, share)

    def _settle(self, limit: float, share: float) -> None:
        excess = max(0.0, (share - self.floor) / (1 - self.floor))
        self.capacity = max(1.0, limit * (1 - excess))
        self._move(max(1.0, 0.92 * self.capacity))
        log.info("endpoint is at its limit: %.0f calls at once", self.limit)

    def _shut(self) -> bool:
        self.capacity = max(1.0, self.limit * _EXPERIMENT)
        self._move(self.capacity)
        return True

    def _move(self, limit: float) -> None:
        self.limit = min(self.ceiling, limit)
        self.epoch += 1
        self._gain = 0.0
        self._clear()

    def _climb(self, share: float) -> None:
        self.floor = min(self.floor, 0.7 * self.floor + 0.3 * share)
        self._clear()
        if self.limit >= self.ceiling:
            return
        if self.limit < self.capacity:
            step = max(0.01 * self.limit, 0.25 * min(self.capacity - self.limit, self.limit))
        else:
            self._gain = min(0.5, self._gain * 1.5 or 0.01)
            step = self._gain * self.limit
        self.limit = min(self.ceiling, self.limit + step)
