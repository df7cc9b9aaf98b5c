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
        self._floor_max = 0.0
        self._before: tuple[float, float, int] | None = None
        self._gain = 0.0
        self._calm = False
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
        if pushed and self._pushed == 1:
            self._streak = (self._sent, self._ok + 1)
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
        self._streak = (0, 0)

    def _share(self) -> tuple[float, int]:
        """Share of calls pushed back in this window, and out of how many.

        Push-back mostly comes faster than answers: then every call not pushed yet will be answered,
        and counting only what has come back would overstate the share.
        """
        known = self._ok + self._pushed
        if self._push_latency < 0.5 * self.latency:
            known = max(known, self._sent)
        return self._pushed / max(1, known), known

    def _share_lately(self) -> tuple[float, int]:
        """The same since the window's first push-back (not counted, since it chose the moment).

        A window that began before a server's bucket ran dry would understate the share.
        """
        sent, came = self._streak
        known = self._ok + self._pushed - came
        if self._push_latency < 0.5 * self.latency:
            known = max(known, self._sent - sent)
        return (self._pushed - 1) / max(1, known, self._pushed - 1), known

    def _too_many(self, share: float, known: int) -> bool:
        noise = 3 * math.sqrt(self.floor * (1 - self.floor) * known)
        return share * known >= max(4.0, self.floor * known + noise + 0.02 * known)

    def _watch(self) -> bool:
        if self._too_many(*self._share()):
            share, known = self._share_lately()
            if known < 16:  # too few to measure by
                return False
            if share > _HOPELESS:
                return self._shut()
            if self._calm and self.limit >= 0.8 * self.capacity:
                self._settle(self.limit, min(share, 0.25))
            else:
                self._before = (self.limit, share, known)
                self._move(max(1.0, self.limit * _EXPERIMENT))
        elif self._ok + self._pushed >= max(20.0, min(80.0, 8 * self.limit), 2 * self.limit):
            self._climb()
        return False

    def _experiment(self) -> bool:
        assert self._before is not None
        limit, share, known = self._before
        wanted = min(200.0, max(32.0, 10 / max(0.01, share)))
        if self._pushed < 10 and self._ok + self._pushed < wanted:
            return False
        now, seen = self._share()
        worse = self._too_many(now, seen) and now > 1.4 * share
        if worse and self.limit > 1:  # at half the load: things are changing, measure once more
            self._before = (limit, now, seen)
            self._move(max(1.0, self.limit * _EXPERIMENT))
            return False
        self._before = None
        if now > _HOPELESS:
            return self._shut()
        if share - now > 2.5 * _spread(share, known, now, seen):
            self._confirm(limit, share, now, seen)
        else:
            self._acquit(limit, (share * known + now * seen) / (known + seen))
        return False

    def _acquit(self, limit: float, share: float) -> None:
        """The cut changed nothing: the loss is random, and the limit is restored."""
        self.floor = self._floor_max = min(0.6, share)
        log.info("push-back of %.0f %% does not depend on load: taken as random", 100 * share)
        self._move(limit)

    def _confirm(self, limit: float, share: float, now: float, seen: int) -> None:
        """It was overload: settle by the share after the cut, or, if that is none, before it."""
        self.floor = min(self.floor, now)
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
        self._move(max(1.0, self.limit * _EXPERIMENT))
        return True

    def _move(self, limit: float) -> None:
        self.limit = min(self.ceiling, limit)
        self.epoch += 1
        self._gain = 0.0
        self._calm = False
        self._clear()

    def _climb(self) -> None:
        """A window passed without too much push-back: more, or a little less where it is some."""
        share, _ = self._share()
        self._calm = True
        self.floor = min(self._floor_max, 0.9 * self.floor + 0.1 * share)
        self._clear()
        if share > self.floor + 0.02 and self.capacity < self.ceiling:
            self.limit = max(min(self.limit, 0.8 * self.capacity), 0.97 * self.limit)
        elif self.limit < self.capacity:
            gap = min(self.capacity, self.ceiling) - self.limit
            self.limit += max(0.01 * self.limit, 0.4 * min(gap, self.limit))
        else:
            self._gain = min(0.5, self._gain * 1.25 or 0.01)
            self.limit += self._gain * self.limit
        self.limit = min(self.ceiling, self.limit)


def _spread(one: float, n: int, other: float, m: int) -> float:
    """Standard error of the difference of two shares, were they samples of the same."""
    pooled = (one * n + other * m) / (n + m)
    return math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
