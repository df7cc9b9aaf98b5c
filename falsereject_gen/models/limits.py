"""The turnstile in front of an endpoint: requests and tokens a minute, and calls at once.

One `Limiter` per endpoint, used from one event loop. Nothing here knows what is sent.
"""

import asyncio
import heapq
import itertools
import time
from dataclasses import dataclass

from falsereject_gen.models.adaptive import Adaptive

__all__ = ["Bucket", "Limiter", "Ticket"]

_BURST_S = 0.2  # a bucket holds this many seconds' worth, so servers with small bursts stay content


class Bucket:
    """A token bucket that may go into debt, since a call's tokens are known only afterwards.

    Args:
        per_minute: refill; None or 0 means no limit.
    """

    def __init__(self, per_minute: float | None) -> None:
        self.rate = (per_minute or 0) / 60
        self.burst = max(1.0, self.rate * _BURST_S)
        self._level, self._at = self.burst, time.monotonic()

    def wait(self, cost: float) -> float:
        """Seconds until `cost` may be taken; a cost above the burst waits for a full bucket."""
        if not self.rate:
            return 0.0
        now = time.monotonic()
        self._level = min(self.burst, self._level + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, (min(cost, self.burst) - self._level) / self.rate)

    def take(self, cost: float) -> None:
        """Take (or, if negative, give back) tokens."""
        self._level -= cost


_Waiting = tuple[bool, int, int, "asyncio.Future[None]", float]
"""Not a retry, place, arrival; then what is woken, and the tokens that it expects to use."""


@dataclass(slots=True)
class Ticket:
    """A place among the calls under way."""

    epoch: int
    at: float
    tokens: float


class Limiter:
    """Admits calls by their place, retries before all others: old work is finished first."""

    def __init__(
        self, ceiling: int, per_minute: float | None = None, tokens: float | None = None
    ) -> None:
        self.adaptive = Adaptive(ceiling)
        self.in_flight = 0
        self._requests, self._tokens = Bucket(per_minute), Bucket(tokens)
        self._waiting: list[_Waiting] = []
        self._arrivals = itertools.count()
        self._gate = 0.0
        self._pause = 0.5
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Calls that stand in the queue."""
        return len(self._waiting)

    @property
    def paused_s(self) -> float:
        """Seconds for which the endpoint is left alone."""
        return max(0.0, self._gate - time.monotonic())

    async def enter(self, tokens: float, *, first: bool = False, place: int = 0) -> Ticket:
        """Wait for a place.

        Args:
            tokens: what the call is expected to use.
            first: go before all that is not a retry.
            place: whose work it is; the lowest goes first.
        """
        if self._waiting or self._delay(tokens) > 0:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            order = (not first, place, next(self._arrivals))
            heapq.heappush(self._waiting, (*order, turn, tokens))
            self._admit()
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(turn, tokens)
                raise
        else:
            self._take(tokens)
        return Ticket(self.adaptive.sent(), time.monotonic(), tokens)

    def leave(
        self,
        ticket: Ticket,
        *,
        pushed: bool = False,
        counts: bool = True,
        wait: float | None = None,
    ) -> None:
        """Give the place back.

        A place whose call was pushed back at once is kept as long as an answer takes: a free place
        would send the next call into the same wall within milliseconds.

        Args:
            ticket: what `enter` returned.
            pushed: the endpoint pushed back.
            counts: whether the result says anything about load (a dropped connection does not).
            wait: seconds of its Retry-After; all obey it if the endpoint looks shut.
        """
        seconds = time.monotonic() - ticket.at
        if counts:
            if self.adaptive.done(ticket.epoch, pushed=pushed, seconds=seconds):
                self.pause(max(self._pause, wait or 0.0))
                self._pause = min(30.0, 2 * self._pause)
            elif not pushed:
                self._pause = 0.5
        hold = self.adaptive.latency - seconds if pushed else 0.0
        if hold > 0:
            asyncio.get_running_loop().call_later(hold, self._free)
        else:
            self._free()

    def used(self, ticket: Ticket, tokens: float) -> None:
        """Correct the expected tokens by those really used."""
        self._tokens.take(tokens - ticket.tokens)

    def pause(self, seconds: float) -> None:
        """Admit nobody for a while (Retry-After of an endpoint that is overloaded)."""
        self._gate = max(self._gate, time.monotonic() + seconds)

    def _free(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _delay(self, tokens: float) -> float:
        """Seconds until a call may go; infinite while that hangs on a free place, not on time."""
        if self.in_flight + 1 > self.adaptive.limit:
            return float("inf")
        gate = self._gate - time.monotonic() if self._gate else 0.0
        return max(gate, self._requests.wait(1), self._tokens.wait(tokens))

    def _take(self, tokens: float) -> None:
        self.in_flight += 1
        self._requests.take(1)
        self._tokens.take(tokens)

    def _admit(self) -> None:
        while self._waiting:
            *_, turn, tokens = self._waiting[0]
            if turn.done():
                heapq.heappop(self._waiting)
                continue
            delay = self._delay(tokens)
            if delay > 0:
                self._come_back(delay)
                return
            heapq.heappop(self._waiting)
            self._take(tokens)
            turn.set_result(None)

    def _come_back(self, delay: float) -> None:
        if self._timer is None and delay != float("inf"):
            self._timer = asyncio.get_running_loop().call_later(delay + 0.0005, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._admit()

    def _give_up(self, turn: asyncio.Future[None], tokens: float) -> None:
        """The caller was cancelled: a place granted in the same moment is given back."""
        if turn.done() and not turn.cancelled():
            self._tokens.take(-tokens)
            self._free()
