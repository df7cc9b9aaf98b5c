"""How many calls may be under way at once, learned from push-back (429, 503, timeouts).

Push-back means overload only if it grows with load. When more of it is seen than random loss
explains, the limit is halved as an experiment: if the share falls, it was overload, and the limit
settles where the endpoint's capacity was measured; if it stays, it was random, the limit is
restored and that share counts as random loss from then on. After that the limit climbs: fast below
the last known capacity, slowly above it. No clock and no I/O here; time is an argument.
"""

import logging
import math
from dataclasses import dataclass

__all__ = ["Adaptive"]

log = logging.getLogger("falsereject_gen.models")

_EXPERIMENT = 0.5  # the cut that tells overload from random loss …
_SLIGHT = 0.7  # … and where the share is below 30 %, so that it would end the overload as well
_RETEST = 3  # windows until what counts as random is put to the test again; doubles
_HOPELESS = 0.8  # no random loss is this large: the endpoint is shut


@dataclass(frozen=True)
class _Trial:
    """A cut under way: the limit to restore, and the share seen at the limit before the cut."""

    origin: float
    at: float
    share: float
    known: int
    cuts: int

    def doubtful(self, now: float) -> bool:
        """One cut is not enough to call it random: much was lost, or more than before."""
        return (self.cuts == 1 and now >= 0.2) or (self.cuts <= 3 and now > 1.4 * self.share)


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
        self._trial: _Trial | None = None
        self._gain = 0.0
        self._windows, self._retest = 0, _RETEST
        self._clear()

    @property
    def overloaded(self) -> bool:
        """The endpoint was found to bear less than the ceiling, or is being tried."""
        return self.capacity < self.ceiling or self._trial is not None

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
        if self._trial is not None:
            return self._experiment(self._trial)
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
            if self._windows and self.limit >= 0.98 * self.capacity:
                self._settle(self.limit, min(share, 0.25))  # it climbed beyond what it knew
            else:
                self._begin(share, known)
        elif self._ok + self._pushed >= max(20.0, min(80.0, 8 * self.limit), 2 * self.limit):
            self._climb()
        return False

    def _begin(self, share: float, known: int, origin: float | None = None, cuts: int = 1) -> None:
        self._trial = _Trial(origin or self.limit, self.limit, share, known, cuts)
        self._move(max(1.0, self.limit * (_SLIGHT if share < 0.3 else _EXPERIMENT)))

    def _experiment(self, trial: _Trial) -> bool:
        """Judge the cut once enough has come back.

        Calls that went out together are pushed back before the first of them is answered: until
        then, more push-back of the same wave is to come, and its share would be understated.
        """
        wanted = min(120.0, max(32.0, 10 / max(0.01, trial.share)))
        if (self._pushed < 10 or not self._ok) and self._ok + self._pushed < wanted:
            return False
        now, seen = self._share()
        self._trial = None
        if now > _HOPELESS:
            return self._shut()
        if trial.share - now > 2.5 * _spread(trial.share, trial.known, now, seen):
            self._confirm(trial, now, seen)
        elif trial.doubtful(now) and self.limit > 1:
            self._begin(now, seen, trial.origin, trial.cuts + 1)
        else:
            self._acquit(trial, now, seen)
        return False

    def _acquit(self, trial: _Trial, now: float, seen: int) -> None:
        """The cut changed nothing: the loss is random, and the limit is restored."""
        share = (trial.share * trial.known + now * seen) / (trial.known + seen)
        self.floor = self._floor_max = min(0.6, share)
        self.capacity = math.inf
        self._retest = min(64, 2 * self._retest)
        log.info("push-back of %.0f %% does not depend on load: taken as random", 100 * share)
        self._move(trial.origin)

    def _confirm(self, trial: _Trial, now: float, seen: int) -> None:
        """It was overload: settle by the share after the cut, or, if that is none, before it."""
        self.floor = self._floor_max = min(self.floor, now)
        self._retest = _RETEST
        if self._too_many(now, seen):
            self._settle(self.limit, now)
        else:
            borne = 1 - self.limit / trial.at
            self._settle(trial.at, min(trial.share, borne))

    def _settle(self, limit: float, share: float) -> None:
        excess = max(0.0, (share - self.floor) / (1 - self.floor))
        self.capacity = max(1.0, limit * (1 - excess))
        self._move(max(1.0, 0.9 * self.capacity))
        log.info("endpoint is at its limit: %.0f calls at once", self.limit)

    def _shut(self) -> bool:
        self._move(max(1.0, self.limit * _EXPERIMENT))
        return True

    def _move(self, limit: float) -> None:
        self.limit = min(self.ceiling, limit)
        self.epoch += 1
        self._gain = 0.0
        self._windows = 0
        self._clear()

    def _climb(self) -> None:
        """A window passed without too much push-back: go up, or down a little where it was some."""
        share, known = self._share()
        self._windows += 1
        if self.floor > 0.02 and self._windows >= self._retest:
            self._begin(share, known)
            return
        self.floor = min(self._floor_max, 0.9 * self.floor + 0.1 * share)
        self._clear()
        if share > self.floor + 0.02 and self.capacity < self.ceiling:
            self.limit = max(min(self.limit, 0.8 * self.capacity), 0.97 * self.limit)
        elif self.limit < self.capacity:
            gap = min(self.capacity, self.ceiling) - self.limit
            self.limit += max(0.01 * self.limit, 0.4 * min(gap, self.limit))
        else:
            self._gain = min(0.5, self._gain * 1.15 or 0.01)
            self.limit += self._gain * self.limit
        self.limit = min(self.ceiling, self.limit)


def _spread(one: float, n: int, other: float, m: int) -> float:
    """Standard error of the difference of two shares, were they samples of the same."""
    pooled = (one * n + other * m) / (n + m)
    return math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
